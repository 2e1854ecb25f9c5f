"""A dictionary of lists, layer_forward not used by forward_pass, finite_difference_checker skipped.

The optional function is left as it was released.
"""
# ruff: noqa


# %% finite_difference_checker
def finite_difference_checker(f, x, k):
    raise NotImplementedError()


# %% sigmoid_activation
def _positive(x):
    return 1 / (1 + np.exp(-x))


def _negative(x):
    e = np.exp(x)
    return e / (1 + e)


def sigmoid_activation(x):
    x = np.array(x, dtype=float)
    out = np.piecewise(x, [x >= 0, x < 0], [_positive, _negative])
    return out, out * (1 - out)


# %% logistic_loss
def logistic_loss(g, y):
    n = g.shape[0]
    loss, dL_dg = np.zeros((n, 1)), np.zeros((n, 1))
    for i in range(n):
        if y[i]:
            loss[i], dL_dg[i] = -np.log(g[i]), -1 / g[i]
        else:
            loss[i], dL_dg[i] = -np.log(1 - g[i]), 1 / (1 - g[i])
    return loss, dL_dg


# %% relu_activation
def relu_activation(s):
    out = np.array(s, dtype=float)
    grad = np.ones(out.shape)
    grad[out <= 0] = 0
    out[out <= 0] = 0
    return out, grad


# %% layer_forward
def layer_forward(x, W, b, activation_fn):
    out, slope = activation_fn(x @ W + b)
    return out, (x, slope)


# %% create_weight_matrices
def create_weight_matrices(layer_dims):
    generator = np.random.default_rng()
    return [
        generator.normal(0, 0.01, (layer_dims[i], layer_dims[i + 1]))
        for i in range(len(layer_dims) - 1)
    ]


# %% create_bias_vectors
def create_bias_vectors(layer_dims):
    generator = np.random.default_rng()
    return [generator.normal(0, 0.01, (1, d)) for d in layer_dims[1:]]


# %% forward_pass
def forward_pass(X_batch, weight_matrices, biases, activations):
    caches = {"inputs": [], "weights": weight_matrices, "slopes": []}
    h = X_batch
    for W, b, f in zip(weight_matrices, biases, activations):
        caches["inputs"].append(h)
        h, slope = f(h @ W + b)
        caches["slopes"].append(slope)
    return h, caches


# %% backward_pass
def backward_pass(dL_dg, layer_caches):
    inputs, Ws, slopes = layer_caches["inputs"], layer_caches["weights"], layer_caches["slopes"]
    deltas = [dL_dg * slopes[-1]]
    for W, slope in zip(Ws[:0:-1], slopes[-2::-1]):
        deltas.append(deltas[-1] @ W.T * slope)
    deltas.reverse()
    grad_Ws = [x[:, :, None] * d[:, None, :] for x, d in zip(inputs, deltas)]
    return grad_Ws, [d[:, None, :] for d in deltas]


# %% my_nn_finite_difference_checker
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5
    out = []
    for Ps in (weight_matrices, biases):
        grads = []
        for P in Ps:
            grad = np.zeros((len(X_batch), P.shape[0], P.shape[1]))
            it = np.nditer(P, flags=["multi_index"])
            while not it.finished:
                r, c = it.multi_index
                before = P[r, c]
                values = []
                for sign in (1, -1):
                    P[r, c] = before + sign * h
                    g, _ = forward_pass(X_batch, weight_matrices, biases, activations)
                    values.append(logistic_loss(g, y_batch)[0].flatten())
                P[r, c] = before
                grad[:, r, c] = (values[0] - values[1]) / (2 * h)
                it.iternext()
            grads.append(grad)
        out.append(grads)
    return out[0], out[1]
