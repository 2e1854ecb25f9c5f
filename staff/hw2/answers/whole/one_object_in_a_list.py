"""The caches of all layers are in one object, which is alone in the list of caches."""
# ruff: noqa


# %% sigmoid_activation
def sigmoid_activation(x):
    sig = 1 / (1 + np.exp(-np.clip(x, -500, 500)))
    return sig, sig * (1 - sig)


# %% logistic_loss
def logistic_loss(g, y):
    yy = y[:, None]
    return -(yy * np.log(g) + (1 - yy) * np.log(1 - g)), (g - yy) / (g - g * g)


# %% relu_activation
def relu_activation(s):
    return s * (s > 0), (s > 0).astype(int)


# %% layer_forward
def layer_forward(x, W, b, activation_fn):
    s = np.matmul(x, W) + b
    a, da = activation_fn(s)
    return a, (x, W, da)


# %% create_weight_matrices
def create_weight_matrices(layer_dims):
    return [
        np.random.normal(0, 0.01, (layer_dims[k], layer_dims[k + 1]))
        for k in range(len(layer_dims) - 1)
    ]


# %% create_bias_vectors
def create_bias_vectors(layer_dims):
    return [np.random.normal(0, 0.01, (1, layer_dims[k])) for k in range(1, len(layer_dims))]


# %% forward_pass
class Tape:
    pass


def forward_pass(X_batch, weight_matrices, biases, activations):
    tape = Tape()
    tape.layers = []
    a = X_batch
    for W, b, f in zip(weight_matrices, biases, activations):
        a, cache = layer_forward(a, W, b, f)
        tape.layers.append(cache)
    return a, [tape]


# %% backward_pass
def backward_pass(dL_dg, layer_caches):
    dWs, dbs = [], []
    d = dL_dg
    for x, W, da in reversed(layer_caches[0].layers):
        d = d * da
        dWs.append(x[:, :, None] @ d[:, None, :])
        dbs.append(d[:, None, :])
        d = d @ W.T
    return dWs[::-1], dbs[::-1]


# %% my_nn_finite_difference_checker
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    def numeric(P, h=1e-5):
        out = []
        for idx in np.ndindex(P.shape):
            P[idx] += h
            up = logistic_loss(forward_pass(X_batch, weight_matrices, biases, activations)[0], y_batch)[0]
            P[idx] -= 2 * h
            down = logistic_loss(forward_pass(X_batch, weight_matrices, biases, activations)[0], y_batch)[0]
            P[idx] += h
            out.append(((up - down) / (2 * h)).ravel())
        return np.stack(out, axis=-1).reshape(len(X_batch), *P.shape)

    dWs = [numeric(W) for W in weight_matrices]
    dbs = [numeric(b) for b in biases]
    return dWs, dbs
