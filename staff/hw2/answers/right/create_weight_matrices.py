"""Right answers to create_weight_matrices."""
# ruff: noqa


# %% np.random.randn
def create_weight_matrices(layer_dims):
    Ws = []
    for i in range(len(layer_dims) - 1):
        Ws.append(np.random.randn(layer_dims[i], layer_dims[i + 1]) * 0.01)
    return Ws


# %% np.random.normal, a tuple
def create_weight_matrices(layer_dims):
    pairs = zip(layer_dims, layer_dims[1:])
    return tuple(np.random.normal(0, 0.01, size=pair) for pair in pairs)


# %% a generator without a seed, made in each call
def create_weight_matrices(layer_dims):
    own = np.random.default_rng()
    return [own.standard_normal((m, n)) * 0.01 for m, n in zip(layer_dims[:-1], layer_dims[1:])]


# %% random.gauss, number by number
import random


def create_weight_matrices(layer_dims):
    return [
        np.array([[random.gauss(0, 0.01) for _ in range(n)] for _ in range(m)])
        for m, n in zip(layer_dims, layer_dims[1:])
    ]


# %% a generator of its own with a seed, made once
_draws = np.random.RandomState(7)


def create_weight_matrices(layer_dims):
    return [_draws.normal(scale=1e-2, size=s) for s in zip(layer_dims, layer_dims[1:])]


# %% all draws at once, cut into layers
def create_weight_matrices(layer_dims):
    shapes = [(layer_dims[k - 1], layer_dims[k]) for k in range(1, len(layer_dims))]
    sizes = [m * n for m, n in shapes]
    draws = rng.normal(scale=0.01, size=sum(sizes))
    pieces = np.split(draws, np.cumsum(sizes)[:-1])
    return [piece.reshape(shape) for piece, shape in zip(pieces, shapes)]


# %% float32
def create_weight_matrices(layer_dims):
    return [
        rng.standard_normal(size=s, dtype=np.float32) * np.float32(0.01)
        for s in zip(layer_dims, layer_dims[1:])
    ]


# %% NumPy's old generator seeded once, above the function
np.random.seed(42)


def create_weight_matrices(layer_dims):
    """small random weights"""
    weights = {}
    for l in range(1, len(layer_dims)):
        weights["W" + str(l)] = np.random.randn(layer_dims[l - 1], layer_dims[l]) * 0.01
    return list(weights.values())


# %% a generator that is seeded by a count of calls
calls = 0


def create_weight_matrices(layer_dims):
    global calls
    calls = calls + 1
    generator = np.random.default_rng(calls)
    it = iter(layer_dims)
    m = next(it)
    Ws = []
    for n in it:
        Ws.append(generator.normal(loc=0, scale=0.01, size=(m, n)))
        m = n
    return Ws


# %% a class makes the layers, filled in place
class Initializer:
    def __init__(self, sigma=0.01):
        self.sigma = sigma

    def __call__(self, rows, columns):
        W = np.empty((rows, columns))
        rng.standard_normal(out=W)
        W *= self.sigma
        return W


def create_weight_matrices(layer_dims):
    init = Initializer()
    return [init(layer_dims[i], layer_dims[i + 1]) for i in range(len(layer_dims) - 1)]


# %% a child generator for each layer, by spawn
def create_weight_matrices(layer_dims):
    children = rng.spawn(len(layer_dims) - 1)
    return [child.normal(scale=1e-2, size=(layer_dims[i], layer_dims[i + 1])) for i, child in enumerate(children)]


# %% Marsaglia's polar method, with a helper named W
def W(count):
    out = []
    while len(out) < count:
        u, v = rng.uniform(-1, 1, (2, count))
        q = u * u + v * v
        ok = (0 < q) & (q < 1)
        out.extend(u[ok] * np.sqrt(-2 * np.log(q[ok]) / q[ok]))
    return np.array(out[:count])
def create_weight_matrices(layer_dims):
    return [0.01 * W(m * n).reshape(m, n) for m, n in zip(layer_dims, layer_dims[1:])]


# %% np.matrix
def create_weight_matrices(layer_dims):
    return [np.asmatrix(rng.normal(0, .01, (m, n))) for m, n in zip(layer_dims, layer_dims[1:])]


# %% a generator seeded by the time in nanoseconds, layers transposed from (d', d)
import time
def create_weight_matrices(layer_dims):
    own = np.random.default_rng(time.time_ns())
    return [own.normal(0, 0.01, (n, m)).T for m, n in zip(layer_dims, layer_dims[1:])]


# %% a subclass of ndarray with a name and a gradient
class Parameter(np.ndarray):
    def __new__(cls, data, name=""):
        obj = np.asarray(data).view(cls)
        obj.name = name
        obj.grad = None
        return obj

    def __array_finalize__(self, obj):
        self.name = getattr(obj, "name", "")
        self.grad = None


def create_weight_matrices(layer_dims):
    return [
        Parameter(rng.normal(0, 0.01, (layer_dims[i], layer_dims[i + 1])), f"W{i}")
        for i in range(len(layer_dims) - 1)
    ]


# %% + create_bias_vectors
def create_bias_vectors(layer_dims):
    return [Parameter(rng.normal(0, 0.01, (1, d)), f"b{i}") for i, d in enumerate(layer_dims[1:])]
