"""Losses and dL_dg are flat, and every caller reshapes.

The checker needs flat g.
"""
# ruff: noqa


# %% sigmoid_activation
def sigmoid_activation(x):
    with np.errstate(over="ignore"):
        out = 1.0 / (1.0 + np.exp(-x))
    return out, out * (1 - out)


# %% logistic_loss
def bce(p, y):
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))


def logistic_loss(g, y):
    p = g.reshape(y.shape)
    return bce(p, y), (p - y) / (p * (1 - p))


# %% relu_activation
def relu_activation(s):
    return (abs(s) + s) / 2, s > 0


# %% layer_forward
def layer_forward(x, W, b, activation_fn):
    s = np.einsum("ni,ij->nj", x, W) + b
    out, slope = activation_fn(s)
    return out, dict(x=x, W=W, slope=slope)


# %% create_weight_matrices
from itertools import pairwise


def create_weight_matrices(layer_dims):
    return [rng.normal(scale=0.01, size=(a, b)) for a, b in pairwise(layer_dims)]


# %% create_bias_vectors
def create_bias_vectors(layer_dims):
    return [rng.normal(scale=0.01, size=(1, b)) for _, b in pairwise(layer_dims)]


# %% forward_pass
def forward_pass(X_batch, weight_matrices, biases, activations):
    caches = ()
    for layer in zip(weight_matrices, biases, activations):
        X_batch, cache = layer_forward(X_batch, *layer)
        caches = (*caches, cache)
    return X_batch, caches


# %% backward_pass
def backward_pass(dL_dg, layer_caches):
    upstream = np.reshape(dL_dg, (len(dL_dg), -1))
    grad_Ws, grad_bs = (), ()
    for c in layer_caches[::-1]:
        delta = upstream * c["slope"]
        grad_Ws = (np.einsum("ni,nj->nij", c["x"], delta), *grad_Ws)
        grad_bs = (np.einsum("nj->nj", delta)[:, None], *grad_bs)
        upstream = np.einsum("nj,ij->ni", delta, c["W"])
    return list(grad_Ws), list(grad_bs)


# %% my_nn_finite_difference_checker
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    def f(Ws, bs):
        g, _ = forward_pass(X_batch, Ws, bs, activations)
        return bce(g.squeeze(axis=1), y_batch)

    h = 1e-5
    grad_Ws = [np.zeros((len(y_batch), *W.shape)) for W in weight_matrices]
    grad_bs = [np.zeros((len(y_batch), *b.shape)) for b in biases]
    for l, W in enumerate(weight_matrices):
        for i, j in np.ndindex(W.shape):
            up, down = [w.copy() for w in weight_matrices], [w.copy() for w in weight_matrices]
            up[l][i, j] += h
            down[l][i, j] -= h
            grad_Ws[l][:, i, j] = (f(up, biases) - f(down, biases)) / (2 * h)
    for l, b in enumerate(biases):
        for j in range(b.size):
            up, down = [w.copy() for w in biases], [w.copy() for w in biases]
            up[l][0, j] += h
            down[l][0, j] -= h
            grad_bs[l][:, 0, j] = (f(weight_matrices, up) - f(weight_matrices, down)) / (2 * h)
    return grad_Ws, grad_bs


# %% q1_3c
g_ref, caches_ref = forward_pass(X_ref, W_ref, b_ref, ref_activations)
losses_ref, dL_dg_ref = logistic_loss(g_ref, y_ref)
reference_loss = losses_ref.mean()

# %% q1_3d
bp_grad_Ws, bp_grad_bs = backward_pass(dL_dg_ref, caches_ref)
rel_err = lambda a, b: np.max(np.abs(a - b)) / max(np.max(np.abs(a)), np.max(np.abs(b)))
errors = {}
for l in (0, 1):
    errors[f"W{l}"] = rel_err(bp_grad_Ws[l], fd_grad_Ws[l])
    errors[f"b{l}"] = rel_err(bp_grad_bs[l], fd_grad_bs[l])
print(errors)
largest_relative_error = max(errors.values())
