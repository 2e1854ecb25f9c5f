"""The caches are a deque, which backward_pass uses up by popleft.

The last layer's cache is put in front.
"""
# ruff: noqa


# %% sigmoid_activation
def sigmoid_activation(x):
    out = np.zeros_like(x, dtype=float)
    big = x > 0
    out[big] = 1 / (1 + np.exp(-x[big]))
    out[~big] = np.exp(x[~big]) / (1 + np.exp(x[~big]))
    return out, out * (1 - out)


# %% logistic_loss
def logistic_loss(g, y):
    y = y.reshape(-1, 1)
    g = np.clip(g, 1e-10, 1 - 1e-10)
    return -y * np.log(g) - (1 - y) * np.log(1 - g), (1 - y) / (1 - g) - y / g


# %% relu_activation
def relu_activation(s):
    return np.maximum(0, s), 1.0 * (s > 0)


# %% layer_forward
def layer_forward(x, W, b, activation_fn):
    s = x @ W + b
    out, grad = activation_fn(s)
    cache = (x, W, b, s, out, grad)
    return out, cache


# %% create_weight_matrices
def create_weight_matrices(layer_dims):
    Ws = []
    for l in range(1, len(layer_dims)):
        Ws.append(rng.normal(0, 0.01, size=(layer_dims[l - 1], layer_dims[l])))
    return Ws


# %% create_bias_vectors
def create_bias_vectors(layer_dims):
    bs = []
    for l in range(1, len(layer_dims)):
        bs.append(rng.normal(0, 0.01, size=(1, layer_dims[l])))
    return bs


# %% forward_pass
from collections import deque


def forward_pass(X_batch, weight_matrices, biases, activations):
    layer_caches = deque()
    out = X_batch
    for W, b, activation_fn in zip(weight_matrices, biases, activations):
        out, cache = layer_forward(out, W, b, activation_fn)
        layer_caches.appendleft(cache)
    return out, layer_caches


# %% backward_pass
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs = deque(), deque()
    while len(layer_caches) > 0:
        x, W, b, s, out, grad = layer_caches.popleft()
        delta = dL_dg * grad
        grad_Ws.appendleft(x[:, :, None] * delta[:, None, :])
        grad_bs.appendleft(delta[:, None, :])
        dL_dg = delta @ W.T
    return list(grad_Ws), list(grad_bs)


# %% my_nn_finite_difference_checker
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5
    grads = []
    for params in [weight_matrices, biases]:
        grads.append([])
        for P in params:
            G = np.zeros((X_batch.shape[0], *P.shape))
            for i in range(P.shape[0]):
                for j in range(P.shape[1]):
                    P[i, j] += h
                    g, _ = forward_pass(X_batch, weight_matrices, biases, activations)
                    plus, _ = logistic_loss(g, y_batch)
                    P[i, j] -= 2 * h
                    g, _ = forward_pass(X_batch, weight_matrices, biases, activations)
                    minus, _ = logistic_loss(g, y_batch)
                    P[i, j] += h
                    G[:, i, j] = ((plus - minus) / (2 * h))[:, 0]
            grads[-1].append(G)
    return grads[0], grads[1]
