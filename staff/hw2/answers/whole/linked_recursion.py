"""Caches nested in one another, recursion both ways.

The caches of a network are (cache of the last layer, caches of the layers before).
"""
# ruff: noqa


# %% sigmoid_activation
def sigmoid_activation(x):
    out = 1 / (1 + np.exp(-np.clip(x, -700, 700)))
    return out, out * (1 - out)


# %% logistic_loss
def logistic_loss(g, y):
    t = np.where(y == 1, 1.0, -1.0).reshape(-1, 1)
    p = np.maximum((1 - t) / 2 + t * g, 1e-12)
    return -np.log(p).ravel(), -t / p


# %% relu_activation
def relu_activation(s):
    return s * (s >= 0), (s >= 0) * 1


# %% layer_forward
from typing import NamedTuple


class Cache(NamedTuple):
    x: np.ndarray
    W: np.ndarray
    b: np.ndarray
    s: np.ndarray
    out: np.ndarray
    dout_ds: np.ndarray


def layer_forward(x, W, b, activation_fn):
    s = np.matmul(x, W) + b
    out, dout_ds = activation_fn(s)
    return out, Cache(x, W, b, s, out, dout_ds)


# %% create_weight_matrices
def create_weight_matrices(layer_dims):
    if len(layer_dims) == 1:
        return []
    m, n, *_ = layer_dims
    return [rng.normal(scale=0.01, size=(m, n))] + create_weight_matrices(layer_dims[1:])


# %% create_bias_vectors
def create_bias_vectors(layer_dims):
    return [create_weight_matrices([1, d])[0] for d in layer_dims[1:]]


# %% forward_pass
def forward_pass(X_batch, weight_matrices, biases, activations, before=None):
    if not len(weight_matrices):
        return X_batch, before
    (W, *Ws), (b, *bs), (f, *fs) = weight_matrices, biases, activations
    out, cache = layer_forward(X_batch, W, b, f)
    return forward_pass(out, Ws, bs, fs, (cache, before))


# %% backward_pass
def backward_pass(dL_dg, layer_caches):
    if layer_caches is None:
        return [], []
    cache, before = layer_caches
    delta = dL_dg * cache.dout_ds
    grad_Ws, grad_bs = backward_pass(delta @ cache.W.T, before)
    grad_W = np.stack([np.outer(x, d) for x, d in zip(cache.x, delta)])
    return grad_Ws + [grad_W], grad_bs + [delta.reshape(len(delta), 1, -1)]


# %% my_nn_finite_difference_checker
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    def losses(Ws, bs):
        return logistic_loss(forward_pass(X_batch, Ws, bs, activations)[0], y_batch)[0]

    def moved(Ps, l, place, by):
        return [
            P + by * (np.arange(P.size) == place).reshape(P.shape) if k == l else P
            for k, P in enumerate(Ps)
        ]

    h = 1e-5
    grad_Ws, grad_bs = [], []
    for l, (W, b) in enumerate(zip(weight_matrices, biases)):
        g = [
            (
                losses(moved(weight_matrices, l, k, h), biases)
                - losses(moved(weight_matrices, l, k, -h), biases)
            )
            / (2 * h)
            for k in range(W.size)
        ]
        grad_Ws.append(np.reshape(np.transpose(g), (-1, *W.shape)))
        g = [
            (
                losses(weight_matrices, moved(biases, l, k, h))
                - losses(weight_matrices, moved(biases, l, k, -h))
            )
            / (2 * h)
            for k in range(b.size)
        ]
        grad_bs.append(np.reshape(np.transpose(g), (-1, *b.shape)))
    return grad_Ws, grad_bs
