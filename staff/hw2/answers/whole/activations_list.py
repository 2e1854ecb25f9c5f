"""The caches are [X] and what each layer made: one more than there are layers.

The input of a layer is what the one before it left there.
"""
# ruff: noqa


# %% sigmoid_activation
def sigmoid_activation(x):
    a = np.abs(x)
    y = 1 / (1 + np.exp(-a))
    y = np.where(x < 0, np.exp(-a) * y, y)
    return y, y * (1 - y)


# %% logistic_loss
def logistic_loss(g, y):
    eps = 1e-15
    y = y.reshape(g.shape)
    g = np.clip(g, eps, 1 - eps)
    L = np.zeros_like(g)
    L[y == 1] = -np.log(g[y == 1])
    L[y == 0] = -np.log(1 - g[y == 0])
    return L, (g - y) / (g * (1 - g))


# %% relu_activation
def relu_activation(s):
    r = np.maximum(s, 0)
    return r, (r > 0) + 0


# %% layer_forward
def layer_forward(x, W, b, activation_fn):
    out, slope = activation_fn(x @ W + b)
    return out, (out, W, slope)


# %% create_weight_matrices
def create_weight_matrices(layer_dims):
    d = layer_dims
    return [np.random.randn(d[i], d[i + 1]) * 0.01 for i in range(len(d) - 1)]


# %% create_bias_vectors
def create_bias_vectors(layer_dims):
    d = layer_dims
    return [np.random.randn(1, d[i + 1]) * 0.01 for i in range(len(d) - 1)]


# %% forward_pass
def forward_pass(X_batch, weight_matrices, biases, activations):
    caches = []
    out = X_batch
    for W, b, f in zip(weight_matrices, biases, activations):
        out, cache = layer_forward(out, W, b, f)
        caches.append(cache)
    return out, [(X_batch, None, None)] + caches


# %% backward_pass
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs = [], []
    dout = dL_dg
    for l in range(len(layer_caches) - 1, 0, -1):
        _, W, slope = layer_caches[l]
        x = layer_caches[l - 1][0]
        delta = dout * slope
        grad_Ws.insert(0, x[:, :, np.newaxis] * delta[:, np.newaxis, :])
        grad_bs.insert(0, delta[:, np.newaxis, :])
        dout = np.dot(delta, W.T)
    return grad_Ws, grad_bs


# %% my_nn_finite_difference_checker
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    eps = 1e-5
    answer = []
    for group in [weight_matrices, biases]:
        grads = []
        for M in group:
            grad = np.empty((len(X_batch),) + M.shape)
            for i in range(M.shape[0]):
                for j in range(M.shape[1]):
                    orig = M[i, j]
                    M[i, j] = orig + eps
                    g, _ = forward_pass(X_batch, weight_matrices, biases, activations)
                    L1, _ = logistic_loss(g, y_batch)
                    M[i, j] = orig - eps
                    g, _ = forward_pass(X_batch, weight_matrices, biases, activations)
                    L2, _ = logistic_loss(g, y_batch)
                    M[i, j] = orig
                    grad[:, [i], j] = (L1 - L2) / (2 * eps)
            grads.append(grad)
        answer.append(grads)
    return answer
