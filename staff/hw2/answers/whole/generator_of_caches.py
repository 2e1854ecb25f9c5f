"""The caches are a generator that pops from a stack.

Prints and comments all over.
"""
# ruff: noqa


# %% finite_difference_checker
def finite_difference_checker(f, x, k):
    h = 0.00001
    i, r, c = k
    x[i][r, c] += h
    f_plus = np.copy(f(x))
    x[i][r, c] -= 2 * h
    f_minus = np.copy(f(x))
    x[i][r, c] += h
    return (f_plus - f_minus) / (2 * h)


# %% sigmoid_activation
def stable_sigmoid(x):
    # idea from the lecture: use the exp that is small
    if x >= 0:
        return 1 / (1 + np.exp(-x))
    return np.exp(x) / (1 + np.exp(x))


def sigmoid_activation(x):
    shape = x.shape
    out = np.array([stable_sigmoid(v) for v in x.flatten()], dtype=float).reshape(shape)
    return out, out * (1 - out)


# %% logistic_loss
def logistic_loss(g, y):
    # print("g:", g.shape, "y:", y.shape)
    if len(g.shape) == 2 and len(y.shape) == 1:
        y = y.reshape(len(y), 1)
    loss = 0 - y * np.log(g) - (1 - y) * np.log(1 - g)
    dL_dg = 0 - y / g + (1 - y) / (1 - g)
    return loss, dL_dg


# %% relu_activation
def relu_activation(s):
    out = np.where(s > 0, s, np.zeros(s.shape))
    grad = np.where(s > 0, np.ones(s.shape), np.zeros(s.shape))
    return out, grad


# %% layer_forward
def layer_forward(x, W, b, activation_fn):
    s = x.dot(W) + b
    out, grad = activation_fn(s)
    # backward needs: x for dW, W for dx, grad for delta
    return out, [grad, x, W]


# %% create_weight_matrices
def create_weight_matrices(layer_dims):
    out = []
    n_layers = len(layer_dims) - 1
    for i in range(n_layers):
        out.append(np.random.randn(layer_dims[i], layer_dims[i + 1]) / 100)
    return out


# %% create_bias_vectors
def create_bias_vectors(layer_dims):
    out = []
    for d in layer_dims[1:]:
        out.append(np.random.randn(1, d) / 100)
    return out


# %% forward_pass
def unstack(stack):
    while stack:
        yield stack.pop()


def forward_pass(X_batch, weight_matrices, biases, activations):
    stack = []
    out = X_batch
    for i in range(len(weight_matrices)):
        out, cache = layer_forward(out, weight_matrices[i], biases[i], activations[i])
        stack.append(cache)
    return out, unstack(stack)


# %% backward_pass
def backward_pass(dL_dg, layer_caches):
    print("backward pass!")
    grad_Ws, grad_bs = [], []
    dout = dL_dg
    for grad, x, W in layer_caches:
        n = x.shape[0]
        delta = dout * grad
        grad_W = np.zeros((n, x.shape[1], delta.shape[1]))
        for j in range(n):
            grad_W[j] = np.outer(x[j], delta[j])
        grad_Ws.insert(0, grad_W)
        grad_bs.insert(0, delta.reshape(n, 1, -1))
        dout = delta.dot(W.T)
    return grad_Ws, grad_bs


# %% my_nn_finite_difference_checker
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    n = X_batch.shape[0]
    grad_Ws, grad_bs = [], []
    for l in range(len(weight_matrices)):
        f = lambda Ws: logistic_loss(forward_pass(X_batch, Ws, biases, activations)[0], y_batch)[0]
        g = lambda bs: logistic_loss(forward_pass(X_batch, weight_matrices, bs, activations)[0], y_batch)[0]
        rows, cols = weight_matrices[l].shape
        grad_W, grad_b = np.zeros((n, rows, cols)), np.zeros((n, 1, cols))
        for c in range(cols):
            for r in range(rows):
                grad_W[:, [r], [c]] = finite_difference_checker(f, weight_matrices, (l, r, c))
            grad_b[:, :, c] = finite_difference_checker(g, biases, (l, 0, c))
        grad_Ws.append(grad_W)
        grad_bs.append(grad_b)
    return grad_Ws, grad_bs
