"""The caches are a reversed iterator, which can be read once.

The whole code is short.
"""
# ruff: noqa


# %% sigmoid_activation
def sigmoid_activation(x):
    x = np.asarray(x, dtype=float)
    s = np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))
    return s, s * (1 - s)


# %% logistic_loss
def logistic_loss(g, y):
    p = np.maximum(np.where(y.reshape(-1, 1) == 1, g, 1 - g), 1e-15)
    return -np.log(p), np.where(y.reshape(-1, 1) == 1, -1, 1) / p


# %% relu_activation
def relu_activation(s):
    return np.maximum(s, 0.0), np.heaviside(s, 0.0)


# %% layer_forward
def layer_forward(x, W, b, activation_fn):
    out, d = activation_fn(x @ W + b)
    return out, (x, W, d)


# %% create_weight_matrices
def create_weight_matrices(layer_dims):
    return [rng.normal(0, 0.01, s) for s in zip(layer_dims, layer_dims[1:])]


# %% create_bias_vectors
def create_bias_vectors(layer_dims):
    return [rng.normal(0, 0.01, (1, d)) for d in layer_dims[1:]]


# %% forward_pass
def forward_pass(X_batch, weight_matrices, biases, activations):
    caches = []
    for W, b, f in zip(weight_matrices, biases, activations):
        X_batch, cache = layer_forward(X_batch, W, b, f)
        caches.append(cache)
    return X_batch, reversed(caches)


# %% backward_pass
def backward_pass(dL_dg, layer_caches):
    grads = []
    for x, W, d in layer_caches:
        delta = dL_dg * d
        grads.append((x[:, :, None] * delta[:, None, :], delta[:, None, :]))
        dL_dg = delta @ W.T
    grads.reverse()
    return [W for W, b in grads], [b for W, b in grads]


# %% my_nn_finite_difference_checker
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    def f(ps):
        Ws, bs = ps[::2], ps[1::2]
        return np.ravel(logistic_loss(forward_pass(X_batch, Ws, bs, activations)[0], y_batch)[0])

    ps = [p for pair in zip(weight_matrices, biases) for p in pair]
    grads = []
    for k, p in enumerate(ps):
        G = [[finite_difference_checker(f, ps, (k, i, j)) for j in range(p.shape[1])] for i in range(p.shape[0])]
        grads.append(np.moveaxis(np.array(G), 2, 0))
    return grads[::2], grads[1::2]
