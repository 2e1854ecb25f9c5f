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
