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


# %% Box and Muller
def create_weight_matrices(layer_dims):
    Ws = []
    for m, n in zip(layer_dims, layer_dims[1:]):
        u, v = 1 - rng.random((m, n)), rng.random((m, n))
        Ws.append(0.01 * np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * v))
    return Ws


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


# %% by recursion
def create_weight_matrices(layer_dims):
    if len(layer_dims) < 2:
        return []
    first = np.random.multivariate_normal(np.zeros(1), [[1e-4]], (layer_dims[0], layer_dims[1]))
    return [first[..., 0], *create_weight_matrices(layer_dims[1:])]
