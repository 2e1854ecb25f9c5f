"""A class holds the network and its methods; the functions are thin wrappers.

The caches are the network itself, after its forward pass.
"""
# ruff: noqa


# %% sigmoid_activation
class Activation:
    def __init__(self, value, derivative):
        self.value, self.derivative = value, derivative

    def __call__(self, s):
        return self.value(s), self.derivative(s)


def _sigmoid(x):
    return np.where(x >= 0, 1, np.exp(-np.abs(x))) / (1 + np.exp(-np.abs(x)))


sigmoid_activation = Activation(_sigmoid, lambda x: _sigmoid(x) * (1 - _sigmoid(x)))


# %% logistic_loss
class LogisticLoss:
    eps = 1e-12

    def __call__(self, g, y):
        g = np.clip(np.asarray(g, dtype=float), self.eps, 1 - self.eps)
        y = np.asarray(y)[:, None]
        return self.value(g, y), self.slope(g, y)

    @staticmethod
    def value(g, y):
        return -np.log(np.where(y, g, 1 - g))

    @staticmethod
    def slope(g, y):
        return np.where(y, -1 / g, 1 / (1 - g))


logistic_loss = LogisticLoss()


# %% relu_activation
relu_activation = Activation(lambda s: s.clip(0), lambda s: np.greater(s, 0).astype(float))


# %% layer_forward
class Layer:
    def __init__(self, W, b, f):
        self.W, self.b, self.f = W, b, f

    def forward(self, x):
        self.x = x
        self.out, self.slope = self.f(x @ self.W + self.b)
        return self.out

    def backward(self, dout):
        delta = dout * self.slope
        self.grad_W = np.einsum("ni,nj->nij", self.x, delta)
        self.grad_b = delta[:, None, :]
        return delta @ self.W.T


def layer_forward(x, W, b, activation_fn):
    layer = Layer(W, b, activation_fn)
    return layer.forward(x), layer


# %% create_weight_matrices
def create_weight_matrices(layer_dims):
    return [rng.normal(0, 0.01, size=pair) for pair in zip(layer_dims, layer_dims[1:])]


# %% create_bias_vectors
def create_bias_vectors(layer_dims):
    return [rng.normal(0, 0.01, size=(1, width)) for width in layer_dims[1:]]


# %% forward_pass
class Net:
    def __init__(self, Ws, bs, fs):
        self.layers = [Layer(*parts) for parts in zip(Ws, bs, fs)]

    def forward(self, X):
        for layer in self.layers:
            X = layer.forward(X)
        return X

    def backward(self, dout):
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return [l.grad_W for l in self.layers], [l.grad_b for l in self.layers]


def forward_pass(X_batch, weight_matrices, biases, activations):
    net = Net(weight_matrices, biases, activations)
    return net.forward(X_batch), net


# %% backward_pass
def backward_pass(dL_dg, layer_caches):
    return layer_caches.backward(dL_dg)


# %% my_nn_finite_difference_checker
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    net = Net(weight_matrices, biases, activations)
    h = 1e-5

    def differences(P):
        grad = np.zeros((len(X_batch), *P.shape))
        for place in np.ndindex(*P.shape):
            kept = P[place]
            P[place] = kept + h
            up = logistic_loss(net.forward(X_batch), y_batch)[0]
            P[place] = kept - h
            down = logistic_loss(net.forward(X_batch), y_batch)[0]
            P[place] = kept
            grad[:, place[0], place[1]] = ((up - down) / (2 * h)).ravel()
        return grad

    return [differences(l.W) for l in net.layers], [differences(l.b) for l in net.layers]
