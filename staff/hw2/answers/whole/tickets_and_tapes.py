"""A global tape for each forward pass; forward_pass returns its number, backward_pass uses it up.

Every layer_forward writes to the tape that is open.
"""
# ruff: noqa


# %% sigmoid_activation
def sigmoid_activation(x):
    e = np.exp(-np.abs(x))
    out = np.where(x >= 0, 1 / (1 + e), e / (1 + e))
    return out, out * (1 - out)


# %% logistic_loss
def logistic_loss(g, y):
    n = len(y)
    loss = np.zeros(n)
    dL_dg = np.zeros((n, 1))
    for i in range(n):
        p = g[i, 0]
        loss[i] = -np.log(p if y[i] == 1 else 1 - p)
        dL_dg[i] = (p - y[i]) / (p * (1 - p))
    return loss, dL_dg


# %% relu_activation
def relu_activation(s):
    out = s.copy()
    out[s < 0] = 0
    return out, np.where(s > 0, 1, 0)


# %% layer_forward
TAPES = {}
open_tape = [None]


def layer_forward(x, W, b, activation_fn):
    out, grad = activation_fn(x @ W + b)
    entry = {"input": x, "weights": W, "grad": grad}
    if open_tape[0] is not None:
        TAPES[open_tape[0]].append(entry)
    return out, entry


# %% create_weight_matrices
def create_weight_matrices(layer_dims):
    return [rng.standard_normal((i, o)) * 0.01 for i, o in zip(layer_dims, layer_dims[1:])]


# %% create_bias_vectors
def create_bias_vectors(layer_dims):
    return [rng.standard_normal((1, o)) * 0.01 for o in layer_dims[1:]]


# %% forward_pass
tape_number = 0


def forward_pass(X_batch, weight_matrices, biases, activations):
    global tape_number
    tape_number += 1
    TAPES[tape_number] = []
    open_tape[0] = tape_number
    out = X_batch
    for l in range(len(weight_matrices)):
        out, _ = layer_forward(out, weight_matrices[l], biases[l], activations[l])
    open_tape[0] = None
    return out, tape_number


# %% backward_pass
def backward_pass(dL_dg, layer_caches):
    tape = TAPES.pop(layer_caches)
    grad_Ws, grad_bs = [], []
    dout = dL_dg
    while tape:
        entry = tape.pop()
        delta = dout * entry["grad"]
        grad_Ws.insert(0, np.einsum("bi,bj->bij", entry["input"], delta))
        grad_bs.insert(0, delta[:, np.newaxis, :])
        dout = delta @ entry["weights"].T
    return grad_Ws, grad_bs


# %% my_nn_finite_difference_checker
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h, n = 1e-5, len(X_batch)

    def f():
        g, ticket = forward_pass(X_batch, weight_matrices, biases, activations)
        del TAPES[ticket]
        return logistic_loss(g, y_batch)[0]

    def one(P):
        G = np.zeros((n, *P.shape))
        for i, j in np.ndindex(*P.shape):
            old = P[i, j]
            P[i, j] = old + h
            fp = f()
            P[i, j] = old - h
            fm = f()
            P[i, j] = old
            G[:, i, j] = (fp - fm) / 2 / h
        return G

    return [one(W) for W in weight_matrices], [one(b) for b in biases]
