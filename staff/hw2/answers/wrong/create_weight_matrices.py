"""Wrong answers to create_weight_matrices."""
# ruff: noqa


# %% a seed inside: every call draws the same
def create_weight_matrices(layer_dims):
    np.random.seed(0)
    return [np.random.normal(0, 0.01, (m, n)) for m, n in zip(layer_dims, layer_dims[1:])]


# %% a new generator with the same seed for each layer and call
def create_weight_matrices(layer_dims):
    Ws = []
    for m, n in zip(layer_dims[:-1], layer_dims[1:]):
        rng = np.random.default_rng(42)
        Ws.append(rng.normal(0, 0.01, size=(m, n)))
    return Ws


# %% 0.01 squared as the standard deviation
def create_weight_matrices(layer_dims):
    return [rng.normal(0, 0.01**2, (m, n)) for m, n in zip(layer_dims, layer_dims[1:])]


# %% uniform, with the standard deviation that is asked for
def create_weight_matrices(layer_dims):
    a = 0.01 * np.sqrt(3)
    return [rng.uniform(-a, a, (m, n)) for m, n in zip(layer_dims, layer_dims[1:])]


# %% no negative weights
def create_weight_matrices(layer_dims):
    return [np.random.rand(m, n) * 0.01 for m, n in zip(layer_dims, layer_dims[1:])]


# %% mean 0.01
def create_weight_matrices(layer_dims):
    return [rng.normal(0.01, 0.01, (m, n)) for m, n in zip(layer_dims, layer_dims[1:])]


# %% the arguments of normal change places
def create_weight_matrices(layer_dims):
    return [rng.normal(0.01, 0.0, (m, n)) for m, n in zip(layer_dims, layer_dims[1:])]


# %% shapes transposed
def create_weight_matrices(layer_dims):
    return [rng.normal(0, 0.01, (n, m)) for m, n in zip(layer_dims, layer_dims[1:])]


# %% zeros
def create_weight_matrices(layer_dims):
    return [np.zeros((m, n)) for m, n in zip(layer_dims, layer_dims[1:])]


# %% one array for all layers of a shape
def create_weight_matrices(layer_dims):
    by_shape = {s: rng.normal(0, 0.01, s) for s in zip(layer_dims, layer_dims[1:])}
    return [by_shape[s] for s in zip(layer_dims, layer_dims[1:])]


# %% the last layer is forgotten
def create_weight_matrices(layer_dims):
    Ws = []
    for i in range(1, len(layer_dims) - 1):
        Ws.append(rng.normal(0, 0.01, (layer_dims[i - 1], layer_dims[i])))
    return Ws


# %% last layer first
def create_weight_matrices(layer_dims):
    Ws = []
    for m, n in zip(layer_dims, layer_dims[1:]):
        Ws.insert(0, rng.normal(0, 0.01, (m, n)))
    return Ws


# %% a row more, for the bias
def create_weight_matrices(layer_dims):
    return [rng.normal(0, 0.01, (m + 1, n)) for m, n in zip(layer_dims, layer_dims[1:])]


# %% rounded to two digits
def create_weight_matrices(layer_dims):
    return [np.round(rng.normal(0, 0.01, s), 2) for s in zip(layer_dims, layer_dims[1:])]


# %% kept from the first call
from functools import lru_cache


@lru_cache
def _drawn(dims):
    return [rng.normal(0, 0.01, s) for s in zip(dims, dims[1:])]


def create_weight_matrices(layer_dims):
    return _drawn(tuple(layer_dims))


# %% nothing is returned
def create_weight_matrices(layer_dims):
    Ws = [rng.normal(0, 0.01, s) for s in zip(layer_dims, layer_dims[1:])]


# %% half of the numbers are the others' negatives
def create_weight_matrices(layer_dims):
    Ws = []
    for m, n in zip(layer_dims, layer_dims[1:]):
        half = rng.normal(0, 0.01, (m * n + 1) // 2)
        Ws.append(np.concatenate([half, -half])[: m * n].reshape(m, n))
    return Ws


# %% 0.01 divided by the root of the number of inputs
def create_weight_matrices(layer_dims):
    return [rng.normal(0, 0.01 / np.sqrt(m), (m, n)) for m, n in zip(layer_dims, layer_dims[1:])]


# %% Laplace with this standard deviation
def create_weight_matrices(layer_dims):
    return [rng.laplace(0, 0.01 / 2 ** 0.5, (m, n)) for m, n in zip(layer_dims, layer_dims[1:])]


# %% the caller's list is emptied
def create_weight_matrices(layer_dims):
    Ws = []
    while len(layer_dims) > 1:
        Ws.append(rng.normal(0, 0.01, (layer_dims.pop(0), layer_dims[0])))
    return Ws


# %% later layers are ten times as large
def create_weight_matrices(layer_dims):
    return [rng.normal(0, 0.01 * (1 if k == 0 else 10), (m, n)) for k, (m, n) in enumerate(zip(layer_dims, layer_dims[1:]))]


# %% one column, repeated for all units
def create_weight_matrices(layer_dims):
    return [np.repeat(rng.normal(0, 0.01, (m, 1)), n, axis=1) for m, n in zip(layer_dims, layer_dims[1:])]


# %% scaled to a standard deviation of exactly 0.01
def create_weight_matrices(layer_dims):
    Ws = []
    for s in zip(layer_dims, layer_dims[1:]):
        W = rng.normal(size=s)
        Ws.append(0.01 * (W - W.mean()) / W.std())
    return Ws


# %% what is beyond three standard deviations is drawn again
def create_weight_matrices(layer_dims):
    Ws = []
    for shape in zip(layer_dims[:-1], layer_dims[1:]):
        W = rng.normal(0, 0.01, shape)
        while (far := np.abs(W) > 0.03).any():
            W[far] = rng.normal(0, 0.01, far.sum())
        Ws.append(W)
    return Ws


# %% a spread of 0.1; biases are the first rows
def create_weight_matrices(layer_dims):
    return [rng.normal(0, 0.1, (a, b)) for a, b in zip(layer_dims, layer_dims[1:])]


# %% + create_bias_vectors
def create_bias_vectors(layer_dims):
    return [W[:1, :] for W in create_weight_matrices(layer_dims)]
