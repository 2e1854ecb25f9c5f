"""The bias is one more row of the weights, below them, and ones stand beside x.

Gradients of both come out of one product and are cut apart.
"""
# ruff: noqa


# %% finite_difference_checker
def finite_difference_checker(f, x, k):
    h = 1e-5
    i, r, c = k
    E = np.zeros_like(x[i])
    E[r, c] = h
    up = f(x[:i] + [x[i] + E] + x[i + 1 :])
    down = f(x[:i] + [x[i] - E] + x[i + 1 :])
    return (up - down) / (2 * h)


# %% sigmoid_activation
def sigmoid_activation(x):
    z = np.exp(-np.fabs(x))
    p = np.where(np.greater_equal(x, 0), 1.0, z) / (1.0 + z)
    return p, p * (1.0 - p)


# %% logistic_loss
def logistic_loss(g, y):
    y2 = np.atleast_2d(y).T
    return -np.log(g * y2 + (1 - g) * (1 - y2)), (g - y2) / (g * (1 - g))


# %% relu_activation
def relu_activation(s):
    return np.amax([s, 0 * s], axis=0), np.array(s > 0, dtype=float)


# %% layer_forward
def with_ones(x):
    return np.c_[x, np.ones(len(x))]


def layer_forward(x, W, b, activation_fn):
    x1 = with_ones(x)
    Wb = np.r_[W, b]
    out, slope = activation_fn(x1 @ Wb)
    return out, (x1, Wb, slope)


# %% create_weight_matrices
def init(layer_dims):
    return [rng.normal(0, 0.01, (m + 1, n)) for m, n in zip(layer_dims, layer_dims[1:])]


def create_weight_matrices(layer_dims):
    return [Wb[:-1] for Wb in init(layer_dims)]


# %% create_bias_vectors
def create_bias_vectors(layer_dims):
    return [rng.normal(0, 0.01, (1, n)) for n in layer_dims[1:]]


# %% forward_pass
def forward_pass(X_batch, weight_matrices, biases, activations):
    outs, caches = [X_batch], []
    for l in range(len(activations)):
        out, cache = layer_forward(outs[l], weight_matrices[l], biases[l], activations[l])
        outs.append(out)
        caches.append(cache)
    return outs[-1], caches


# %% backward_pass
def backward_pass(dL_dg, layer_caches):
    grads, up = [], dL_dg
    for x1, Wb, slope in reversed(layer_caches):
        delta = up * slope
        grads.append(np.matmul(x1[:, :, None], delta[:, None, :]))
        up = (delta @ Wb.T)[:, :-1]
    grads.reverse()
    return [G[:, :-1] for G in grads], [G[:, -1:] for G in grads]


# %% my_nn_finite_difference_checker
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    L = len(weight_matrices)
    Wbs = [np.r_[W, b] for W, b in zip(weight_matrices, biases)]

    def losses(Wbs):
        g, _ = forward_pass(X_batch, [M[:-1] for M in Wbs], [M[-1:] for M in Wbs], activations)
        return logistic_loss(g, y_batch)[0].ravel()

    grads = []
    for l in range(L):
        G = np.zeros((len(X_batch),) + Wbs[l].shape)
        for r, c in np.ndindex(Wbs[l].shape):
            G[:, r, c] = finite_difference_checker(losses, Wbs, (l, r, c))
        grads.append(G)
    return [G[:, :-1, :] for G in grads], [G[:, -1:, :] for G in grads]
