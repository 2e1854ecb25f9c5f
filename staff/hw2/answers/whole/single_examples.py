"""Everything is done example by example, with 1-D rows.

A cache is a list of one cache for each example; the checker forwards one 1-D example at a time. The
optional function is left as it was released.
"""
# ruff: noqa


# %% finite_difference_checker
def finite_difference_checker(f, x, k):
    raise NotImplementedError()


# %% sigmoid_activation
def sigmoid_activation(x):
    out = np.array(x, dtype=float)
    for idx, v in np.ndenumerate(x):
        out[idx] = 1 / (1 + np.exp(-v)) if v > -500 else np.exp(v)
    return out, out * (1 - out)


# %% logistic_loss
def logistic_loss(g, y):
    loss, slope = [], []
    for p, t in zip(np.clip(g.astype(float), 1e-15, 1 - 1e-15), y):
        loss.append(-t * np.log(p) - (1 - t) * np.log(1 - p))
        slope.append((p - t) / (p * (1 - p)))
    return np.array(loss), np.array(slope)


# %% relu_activation
def relu_activation(s):
    out, grad = np.zeros(s.shape), np.zeros(s.shape)
    for idx in np.ndindex(s.shape):
        if s[idx] > 0:
            out[idx], grad[idx] = s[idx], 1
    return out, grad


# %% layer_forward
def layer_forward(x, W, b, activation_fn):
    if x.ndim == 1:
        out, slope = activation_fn(x @ W + b[0])
        return out, (x, W, slope)
    outs, caches = [], []
    for row in x:
        out, cache = layer_forward(row, W, b, activation_fn)
        outs.append(out)
        caches.append(cache)
    return np.array(outs), caches


# %% create_weight_matrices
def create_weight_matrices(layer_dims):
    Ws = []
    for m, n in zip(layer_dims, layer_dims[1:]):
        Ws.append(np.array([np.random.normal(0, 0.01, n) for _ in range(m)]))
    return Ws


# %% create_bias_vectors
def create_bias_vectors(layer_dims):
    return [np.array([np.random.normal(0, 0.01, n)]) for n in layer_dims[1:]]


# %% forward_pass
def forward_pass(X_batch, weight_matrices, biases, activations):
    out, caches = X_batch, []
    for l in range(len(weight_matrices)):
        out, cache = layer_forward(out, weight_matrices[l], biases[l], activations[l])
        caches.append(cache)
    return out, caches


# %% backward_pass
def backward_one(d, caches):
    Ws, bs = [], []
    for x, W, slope in caches[::-1]:
        d = d * slope
        Ws.append(np.outer(x, d))
        bs.append(d.reshape(1, -1))
        d = W @ d
    return Ws[::-1], bs[::-1]


def backward_pass(dL_dg, layer_caches):
    per_example = zip(*layer_caches)  # one tuple of caches for each example
    results = [backward_one(d, caches) for d, caches in zip(dL_dg, per_example)]
    L = len(layer_caches)
    grad_Ws = [np.array([Ws[l] for Ws, bs in results]) for l in range(L)]
    grad_bs = [np.array([bs[l] for Ws, bs in results]) for l in range(L)]
    return grad_Ws, grad_bs


# %% my_nn_finite_difference_checker
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5

    def loss(x, t):
        g, _ = forward_pass(x, weight_matrices, biases, activations)  # g has shape (1,)
        return float(logistic_loss(g, [t])[0][0])

    grads = []
    for P in weight_matrices + biases:
        G = np.zeros((len(X_batch),) + P.shape)
        for k in range(len(X_batch)):
            for i in range(P.shape[0]):
                for j in range(P.shape[1]):
                    P[i, j] += h
                    G[k, i, j] = loss(X_batch[k], y_batch[k])
                    P[i, j] -= 2 * h
                    G[k, i, j] -= loss(X_batch[k], y_batch[k])
                    P[i, j] += h
        grads.append(G / (2 * h))
    return grads[: len(weight_matrices)], grads[len(weight_matrices) :]
