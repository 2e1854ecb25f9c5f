"""One-letter names, tuples and functools.reduce.

Caches are linked pairs, the last layer's outermost.
"""
# ruff: noqa


# %% sigmoid_activation
σ = lambda z: np.exp(-np.logaddexp(0, -z))
sigmoid_activation = lambda z: (σ(z), σ(z) * σ(-z))


# %% logistic_loss
def logistic_loss(g, y):
    g, t = np.clip(g, 1e-7, 1 - 1e-7), y[..., None]
    return -np.log(g**t * (1 - g) ** (1 - t)), (g - t) / g / (1 - g)


# %% relu_activation
relu_activation = lambda s: (s * (s > 0), 1.0 * (s > 0))


# %% layer_forward
def layer_forward(x, W, b, activation_fn):
    a, d = activation_fn(b + x @ W)
    return a, (x, W, d)


# %% create_weight_matrices
N = lambda *s: rng.normal(0, 0.01, s)
create_weight_matrices = lambda d: [N(m, n) for m, n in zip(d, d[1:])]


# %% create_bias_vectors
create_bias_vectors = lambda d: [N(1, n) for n in d[1:]]


# %% forward_pass
from functools import reduce


def forward_pass(X_batch, weight_matrices, biases, activations):
    def f(s, l):
        a, c = layer_forward(s[0], *l)
        return a, (c, s[1])

    return reduce(f, zip(weight_matrices, biases, activations), (X_batch, ()))


# %% backward_pass
def backward_pass(dL_dg, layer_caches):
    d, c, G = dL_dg, layer_caches, []
    while c:
        (x, W, s), c = c
        d = d * s
        G = [(x[:, :, None] * d[:, None], d[:, None])] + G
        d = d @ W.T
    A, B = zip(*G)
    return A, B


# %% my_nn_finite_difference_checker
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    e = 1e-5
    Ls = lambda W, b: logistic_loss(forward_pass(X_batch, W, b, activations)[0], y_batch)[0][:, 0]

    def D(F, P, l):
        def E(k, t):
            Q = [*P]
            Q[l] = Q[l] + t * np.eye(1, P[l].size, k).reshape(P[l].shape)
            return F(Q)

        G = np.array([(E(k, e) - E(k, -e)) / (2 * e) for k in range(P[l].size)])
        return G.T.reshape(-1, *P[l].shape)

    r = range(len(biases))
    A = [D(lambda W: Ls(W, biases), weight_matrices, l) for l in r]
    B = [D(lambda b: Ls(weight_matrices, b), biases, l) for l in r]
    return A, B
