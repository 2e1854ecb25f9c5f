"""A cache is a function that takes the derivative back; results are lists; it prints a lot.

Layers are plain closures.
"""
# ruff: noqa


# %% sigmoid_activation
def sigmoid_activation(x):
    print("sigmoid", end=" ")
    x = np.asarray(x, dtype=float)
    values = [1 / (1 + np.exp(-v)) if v > -700 else 0.0 for v in x.ravel()]
    out = np.array(values).reshape(x.shape)
    return [out, out * (1 - out)]


# %% logistic_loss
def logistic_loss(g, y):
    loss, slope = [], []
    for (p,), label in zip(np.asarray(g).tolist(), np.asarray(y).tolist()):
        q = max(p if label else 1 - p, 1e-15)
        loss.append(float(-np.log(q)))
        slope.append([-1 / q if label else 1 / q])
    return loss, slope


# %% relu_activation
def relu_activation(s):
    print("relu", end=" ")
    return [np.fmax(s, 0), np.not_equal(np.fmax(s, 0), 0)]


# %% layer_forward
def layer_forward(x, W, b, activation_fn):
    x = np.asarray(x)
    out, slope = activation_fn(x.dot(W) + b)

    def back(upstream):
        delta = np.asarray(upstream) * slope
        return x[:, :, None] * delta[:, None, :], delta[:, None, :], delta.dot(W.T)

    return out, back


# %% create_weight_matrices
import random


def create_weight_matrices(layer_dims):
    return [
        [[random.gauss(0, 0.01) for _ in range(n)] for _ in range(m)]
        for m, n in zip(layer_dims, layer_dims[1:])
    ]


# %% create_bias_vectors
def create_bias_vectors(layer_dims):
    return [[[random.gauss(0, 0.01) for _ in range(n)]] for n in layer_dims[1:]]


# %% forward_pass
def forward_pass(X_batch, weight_matrices, biases, activations):
    outs, caches = [X_batch], []
    for W, b, f in zip(map(np.asarray, weight_matrices), biases, activations):
        out, back = layer_forward(outs[-1], W, b, f)
        outs.append(out)
        caches.append(back)
    return outs[-1], tuple(caches)


# %% backward_pass
def backward_pass(dL_dg, layer_caches):
    grads = []
    for back in layer_caches[::-1]:
        grad_W, grad_b, dL_dg = back(dL_dg)
        grads.append((grad_W, grad_b))
    return [W for W, _ in grads[::-1]], [b for _, b in grads[::-1]]


# %% my_nn_finite_difference_checker
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    Ws = [np.array(W, dtype=float) for W in weight_matrices]
    bs = [np.array(b, dtype=float) for b in biases]

    def losses():
        return np.array(logistic_loss(forward_pass(X_batch, Ws, bs, activations)[0], y_batch)[0])

    def slopes(P):
        rows = []
        for r in range(P.shape[0]):
            row = []
            for c in range(P.shape[1]):
                P[r, c] += 1e-5
                up = losses()
                P[r, c] -= 2e-5
                row.append((up - losses()) / 2e-5)
                P[r, c] += 1e-5
            rows.append(row)
        return [
            [[float(row[c][j]) for c in range(P.shape[1])] for row in rows]
            for j in range(len(y_batch))
        ]

    return [slopes(W) for W in Ws], [slopes(b) for b in bs]


# %% q1_3c
reference_loss = (
    sum(logistic_loss(forward_pass(X_ref, W_ref, b_ref, ref_activations)[0], y_ref)[0]) / 2
)

# %% q1_3d
bp_grad_Ws, bp_grad_bs = backward_pass(
    logistic_loss(forward_pass(X_ref, W_ref, b_ref, ref_activations)[0], y_ref)[1],
    forward_pass(X_ref, W_ref, b_ref, ref_activations)[1],
)
pairs = list(zip(bp_grad_Ws + bp_grad_bs, fd_grad_Ws + fd_grad_bs))
largest_relative_error = max(relative_error(np.array(a), np.array(b)) for a, b in pairs)
