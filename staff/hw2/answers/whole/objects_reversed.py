"""An object for each layer, the last layer's first in the list.

Activations are classes; everything goes through methods.
"""
# ruff: noqa


# %% finite_difference_checker
class Nudge:
    def __init__(self, array, place, by):
        self.array, self.place, self.by = array, place, by

    def __enter__(self):
        self.kept = self.array[self.place]
        self.array[self.place] = self.kept + self.by

    def __exit__(self, *_):
        self.array[self.place] = self.kept


def finite_difference_checker(f, x, k):
    with Nudge(x[k[0]], k[1:], 1e-5):
        up = f(x)
    with Nudge(x[k[0]], k[1:], -1e-5):
        down = f(x)
    return (up - down) / (2 * 1e-5)


# %% sigmoid_activation
class Sigmoid:
    def __call__(self, x):
        x = np.asarray(x, dtype=float)
        out = np.exp(-np.logaddexp(0.0, -x))
        return out, out * (1.0 - out)


sigmoid_activation = Sigmoid()


# %% logistic_loss
def logistic_loss(g, y):
    y = np.asarray(y, dtype=float).reshape(-1, 1)
    g = np.clip(g, 1e-15, 1 - 1e-15)
    return -(y * np.log(g) + (1 - y) * np.log(1 - g)), (g - y) / (g * (1 - g))


# %% relu_activation
class ReLU:
    def __call__(self, s):
        return np.maximum(s, 0), np.where(np.asarray(s) > 0, 1, 0)


relu_activation = ReLU()


# %% layer_forward
class Layer:
    def __init__(self, x, W, b, f):
        self.x, self.W = x, W
        self.out, self.slope = f(x @ W + b)

    def back(self, upstream):
        self.delta = upstream * self.slope
        return self.delta @ self.W.T

    @property
    def gradients(self):
        return np.einsum("ni,nj->nij", self.x, self.delta), self.delta[:, None, :]


def layer_forward(x, W, b, activation_fn):
    layer = Layer(x, W, b, activation_fn)
    return layer.out, layer


# %% create_weight_matrices
draws = np.random.RandomState(99)


def create_weight_matrices(layer_dims):
    return [draws.normal(0, 0.01, (m, n)) for m, n in zip(layer_dims[:-1], layer_dims[1:])]


# %% create_bias_vectors
def create_bias_vectors(layer_dims):
    return [draws.normal(0, 0.01, (1, n)) for n in layer_dims[1:]]


# %% forward_pass
def forward_pass(X_batch, weight_matrices, biases, activations):
    out, layers = X_batch, []
    for parameters in zip(weight_matrices, biases, activations):
        out, layer = layer_forward(out, *parameters)
        layers.insert(0, layer)
    return out, layers


# %% backward_pass
def backward_pass(dL_dg, layer_caches):
    for layer in layer_caches:
        dL_dg = layer.back(dL_dg)
    grad_Ws, grad_bs = zip(*(layer.gradients for layer in reversed(layer_caches)))
    return list(grad_Ws), list(grad_bs)


# %% my_nn_finite_difference_checker
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    def losses(_):
        g, _ = forward_pass(X_batch, weight_matrices, biases, activations)
        return logistic_loss(g, y_batch)[0][:, 0]

    def gradient(P):
        entries = [finite_difference_checker(losses, [P], (0, *k)) for k in np.ndindex(P.shape)]
        return np.array(entries).T.reshape(-1, *P.shape)

    return list(map(gradient, weight_matrices)), list(map(gradient, biases))
