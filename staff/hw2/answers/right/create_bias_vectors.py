"""Right answers to create_bias_vectors."""
# ruff: noqa


# %% np.random.randn
def create_bias_vectors(layer_dims):
    bs = []
    for d in layer_dims[1:]:
        bs.append(0.01 * np.random.randn(1, d))
    return bs


# %% through create_weight_matrices, layer by layer
def create_bias_vectors(layer_dims):
    return [create_weight_matrices([1, d])[0] for d in layer_dims[1:]]


# %% functools.partial
from functools import partial

_draw = partial(np.random.normal, 0, 0.01)


def create_bias_vectors(layer_dims):
    return list(map(lambda d: _draw(size=(1, d)), layer_dims[1:]))


# %% nested lists of random.gauss
import random


def create_bias_vectors(layer_dims):
    return [[[random.gauss(0.0, 0.01) for _ in range(d)]] for d in layer_dims[1:]]


# %% reshaped rows of a generator of its own
_bias_rng = np.random.default_rng(1234)


def create_bias_vectors(layer_dims):
    _, *sizes = layer_dims
    return [_bias_rng.normal(0, 0.01, d).reshape(1, -1) for d in sizes]


# %% a decorated function with a default
def as_list(f):
    def g(*args, **kwargs):
        return list(f(*args, **kwargs))

    return g


@as_list
def create_bias_vectors(layer_dims, deviation=0.01):
    for d in layer_dims[1:]:
        yield rng.standard_normal((1, d)) * deviation


# %% all at once, cut by np.hsplit
def create_bias_vectors(layer_dims):
    sizes = layer_dims[1:]
    everything = 0.01 * rng.standard_normal((1, sum(sizes)))
    return np.hsplit(everything, np.cumsum(sizes)[:-1])


# %% column by column, by random.normalvariate
import random


def create_bias_vectors(layer_dims):
    result = []
    for l in range(1, len(layer_dims)):
        b = np.zeros((1, layer_dims[l]))
        for j in range(layer_dims[l]):
            b[0, j] = random.normalvariate(0, 0.01)
        result.append(b)
    return result


# %% the first rows of as many weight matrices
def create_bias_vectors(layer_dims):
    return [W[:1, :].copy() for W in create_weight_matrices(layer_dims)]


# %% broadcast and copied, rng.normal with an array of scales
def create_bias_vectors(layer_dims):
    return [rng.normal(np.zeros((1, d)), np.full((1, d), 0.01)) for d in layer_dims[1:]]
