"""Nothing is kept but the network: the caches are (X, weights, biases, activations).

backward_pass runs forward again.
"""
# ruff: noqa


# %% sigmoid_activation
def sigmoid_activation(x):
    return logistic(x), logistic(x) * logistic(-x)


def logistic(x):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-np.float64(x)))


# %% logistic_loss
def logistic_loss(g, y):
    (n, _) = g.shape
    column = np.array([y]).T
    loss = -np.log(np.abs(1 - column - g))
    return loss.reshape(n), 1 / (1 - column - g)


# %% relu_activation
def relu_activation(s):
    return np.clip(s, 0, np.inf), np.where(s < 0, 0, 1)


# %% layer_forward
def layer_forward(x, W, b, activation_fn):
    value, _ = activation_fn(np.dot(x, W) + b)
    return value, None


# %% create_weight_matrices
def create_weight_matrices(layer_dims):
    return [rng.normal(size=(i, o)) * 0.01 for (i, o) in zip(layer_dims, layer_dims[1:])]


# %% create_bias_vectors
def create_bias_vectors(layer_dims):
    return [rng.normal(size=(1, o)) * 0.01 for o in layer_dims[1:]]


# %% forward_pass
def forward_pass(X_batch, weight_matrices, biases, activations):
    a = X_batch
    for W, b, f in zip(weight_matrices, biases, activations):
        a, _ = layer_forward(a, W, b, f)
    return a, (X_batch, [W.copy() for W in weight_matrices], list(biases), activations)


# %% backward_pass
def backward_pass(dL_dg, layer_caches):
    X, Ws, bs, fs = layer_caches
    inputs, slopes = [X], []
    for W, b, f in zip(Ws, bs, fs):
        a, slope = f(inputs[-1] @ W + b)
        inputs.append(a)
        slopes.append(slope)
    deltas = [dL_dg * slopes.pop()]
    for W in Ws[:0:-1]:
        deltas.insert(0, deltas[0] @ W.T * slopes.pop())
    return [x[:, :, None] * d[:, None] for x, d in zip(inputs, deltas)], [d[:, None] for d in deltas]


# %% my_nn_finite_difference_checker
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5

    def gradient(arrays, run):
        result = []
        for l in range(len(arrays)):
            G = np.zeros((X_batch.shape[0], *arrays[l].shape))
            for i, j in np.ndindex(*arrays[l].shape):
                values = []
                for step in (h, -h):
                    changed = [a.copy() for a in arrays]
                    changed[l][i, j] += step
                    values.append(logistic_loss(run(changed), y_batch)[0])
                G[:, i, j] = (values[0] - values[1]) / (2 * h)
            result.append(G)
        return result

    return (
        gradient(weight_matrices, lambda Ws: forward_pass(X_batch, Ws, biases, activations)[0]),
        gradient(biases, lambda bs: forward_pass(X_batch, weight_matrices, bs, activations)[0]),
    )
