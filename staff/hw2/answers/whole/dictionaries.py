"""A dictionary for each layer, s and the activation kept, the derivative found again.

By a student who returns plain lists where that is shorter.
"""
# ruff: noqa


# %% finite_difference_checker
def finite_difference_checker(f, x, k):
    layer, r, c = k
    kept = x[layer][r, c]
    x[layer][r, c] = kept + 1e-5
    up = f(x)
    x[layer][r, c] = kept - 1e-5
    down = f(x)
    x[layer][r, c] = kept
    return (up - down) / 2e-5


# %% sigmoid_activation
def sigmoid_activation(x):
    e = np.exp(-np.abs(np.asarray(x, dtype=float)))
    out = np.where(np.asarray(x) < 0, e, 1.0) / (1 + e)
    return out, out * (1 - out)


# %% logistic_loss
def logistic_loss(g, y):
    p, t = np.clip(np.ravel(g).astype(float), 1e-15, 1 - 1e-15), np.ravel(y)
    return -np.log(np.abs(1 - t - p)), (1 / (1 - t - p)).reshape(-1, 1)


# %% relu_activation
def relu_activation(s):
    keep = np.asarray(s) > 0
    return np.where(keep, s, 0.0), keep


# %% layer_forward
def layer_forward(x, W, b, activation_fn):
    s = x @ W + b
    return activation_fn(s)[0], {"x": x, "W": W, "s": s, "f": activation_fn}


# %% create_weight_matrices
def create_weight_matrices(layer_dims):
    return [0.01 * np.random.randn(*pair) for pair in zip(layer_dims, layer_dims[1:])]


# %% create_bias_vectors
def create_bias_vectors(layer_dims):
    return [0.01 * np.random.randn(1, d) for d in layer_dims[1:]]


# %% forward_pass
def forward_pass(X_batch, weight_matrices, biases, activations):
    layer_caches, h = {}, X_batch
    for l in range(len(weight_matrices)):
        h, layer_caches[l] = layer_forward(h, weight_matrices[l], biases[l], activations[l])
    return h, layer_caches


# %% backward_pass
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = {}, {}, dL_dg
    for l in sorted(layer_caches, reverse=True):
        cache = layer_caches[l]
        d = d * cache["f"](cache["s"])[1]
        grad_Ws[l] = cache["x"][:, :, None] * d[:, None, :]
        grad_bs[l] = d[:, None, :]
        d = d @ cache["W"].T
    return [grad_Ws[l] for l in sorted(grad_Ws)], [grad_bs[l] for l in sorted(grad_bs)]


# %% my_nn_finite_difference_checker
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    parameters = [P.copy() for P in weight_matrices] + [P.copy() for P in biases]
    n, L = len(X_batch), len(biases)

    def f(P):
        return logistic_loss(forward_pass(X_batch, P[:L], P[L:], activations)[0], y_batch)[0]

    grads = []
    for k, P in enumerate(parameters):
        grads.append(np.zeros((n,) + P.shape))
        for r in range(P.shape[0]):
            for c in range(P.shape[1]):
                grads[k][:, r, c] = finite_difference_checker(f, parameters, (k, r, c))
    return grads[:L], grads[L:]


# %% q1_3c
g_two, _ = forward_pass(X_ref, W_ref, b_ref, ref_activations)
two_losses, _ = logistic_loss(g_two, y_ref)
reference_loss = (two_losses[0] + two_losses[1]) / 2
