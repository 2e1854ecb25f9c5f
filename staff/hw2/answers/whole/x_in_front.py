"""forward_pass returns [X] + caches, and each cache is a tuple (W, s, activation).

Inputs are computed anew on the way back.
"""
# ruff: noqa


# %% sigmoid_activation
def sigmoid_activation(x):
    t = np.tanh(0.5 * np.asarray(x, dtype=float))
    return 0.5 * (1 + t), 0.25 * (1 - t**2)


# %% logistic_loss
def logistic_loss(g, y):
    y = y[:, np.newaxis]
    return -y * np.log(g) - (1 - y) * np.log(1 - g), -y / g + (1 - y) / (1 - g)


# %% relu_activation
def relu_activation(s):
    positive = s > 0
    return np.where(positive, s, 0), positive


# %% layer_forward
def layer_forward(x, W, b, activation_fn):
    s = x @ W + b
    return activation_fn(s)[0], (W, s, activation_fn)


# %% create_weight_matrices
def create_weight_matrices(layer_dims):
    return [rng.normal(0, 0.01, (m, n)) for m, n in zip(layer_dims[:-1], layer_dims[1:])]


# %% create_bias_vectors
def create_bias_vectors(layer_dims):
    return [rng.normal(0, 0.01, (1, n)) for n in layer_dims[1:]]


# %% forward_pass
def forward_pass(X_batch, weight_matrices, biases, activations):
    out, caches = X_batch, []
    for W, b, f in zip(weight_matrices, biases, activations):
        out, cache = layer_forward(out, W, b, f)
        caches.append(cache)
    return out, [X_batch] + caches


# %% backward_pass
def backward_pass(dL_dg, layer_caches):
    X, caches = layer_caches[0], layer_caches[1:]
    inputs = [X] + [f(s)[0] for _, s, f in caches[:-1]]
    grad_Ws, grad_bs = [], []
    for x, (W, s, f) in zip(inputs[::-1], caches[::-1]):
        dL_dg = dL_dg * f(s)[1]
        grad_Ws.append(x[:, :, None] * dL_dg[:, None, :])
        grad_bs.append(dL_dg[:, None, :])
        dL_dg = dL_dg @ W.T
    return grad_Ws[::-1], grad_bs[::-1]


# %% my_nn_finite_difference_checker
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5
    Ws, bs = [W.copy() for W in weight_matrices], [b.copy() for b in biases]

    def loss():
        return logistic_loss(forward_pass(X_batch, Ws, bs, activations)[0], y_batch)[0][:, 0]

    grad_Ws = [np.zeros((len(X_batch), *W.shape)) for W in Ws]
    grad_bs = [np.zeros((len(X_batch), *b.shape)) for b in bs]
    for P, G in [*zip(Ws, grad_Ws), *zip(bs, grad_bs)]:
        for i, j in np.ndindex(P.shape):
            P[i, j] += h
            G[:, i, j] += loss()
            P[i, j] -= 2 * h
            G[:, i, j] -= loss()
            P[i, j] += h
            G[:, i, j] /= 2 * h
    return grad_Ws, grad_bs
