"""Wrong answers to create_bias_vectors."""
# ruff: noqa


# %% zeros
def create_bias_vectors(layer_dims):
    return [np.zeros((1, d)) for d in layer_dims[1:]]


# %% shape (d,)
def create_bias_vectors(layer_dims):
    return [rng.normal(0, 0.01, d) for d in layer_dims[1:]]


# %% columns
def create_bias_vectors(layer_dims):
    return [rng.normal(0, 0.01, (d, 1)) for d in layer_dims[1:]]


# %% the sizes of the inputs
def create_bias_vectors(layer_dims):
    return [rng.normal(0, 0.01, (1, d)) for d in layer_dims[:-1]]


# %% one for the input too
def create_bias_vectors(layer_dims):
    return [rng.normal(0, 0.01, (1, d)) for d in layer_dims]


# %% 0.01 squared as the standard deviation
def create_bias_vectors(layer_dims):
    return [np.random.randn(1, d) * 0.01**2 for d in layer_dims[1:]]


# %% a seed inside: every call draws the same
def create_bias_vectors(layer_dims):
    np.random.seed(1)
    return [np.random.normal(scale=0.01, size=(1, d)) for d in layer_dims[1:]]


# %% a new generator with the same seed for each layer
def create_bias_vectors(layer_dims):
    bs = []
    for i, d in enumerate(layer_dims[1:]):
        bs.append(np.random.default_rng(0).normal(0, 0.01, (1, d)))
    return bs


# %% uniform between 0 and 0.01
def create_bias_vectors(layer_dims):
    return [0.01 * np.random.random((1, d)) for d in layer_dims[1:]]


# %% one draw for all units of a layer
def create_bias_vectors(layer_dims):
    return [np.full((1, d), rng.normal(0, 0.01)) for d in layer_dims[1:]]


# %% one long vector
def create_bias_vectors(layer_dims):
    return rng.normal(0, 0.01, (1, sum(layer_dims[1:])))


# %% an empty list
def create_bias_vectors(layer_dims):
    bs = []
    for d in layer_dims[1:]:
        bs + [rng.normal(0, 0.01, (1, d))]
    return bs


# %% half of the numbers are the others' negatives
def create_bias_vectors(layer_dims):
    bs = []
    for d in layer_dims[1:]:
        half = rng.normal(0, 0.01, (d + 1) // 2)
        bs.append(np.concatenate([half, -half])[None, :d])
    return bs


# %% the caller's list is emptied
def create_bias_vectors(layer_dims):
    layer_dims.pop(0)
    bs = []
    while layer_dims:
        bs.append(rng.normal(0, 0.01, (1, layer_dims.pop(0))))
    return bs


# %% exponential, centred
def create_bias_vectors(layer_dims):
    return [rng.exponential(0.01, (1, d)) - 0.01 for d in layer_dims[1:]]


# %% hidden layers have 0
def create_bias_vectors(layer_dims):
    bs = [np.zeros((1, d)) for d in layer_dims[1:]]
    bs[-1] = rng.normal(0, 0.01, bs[-1].shape)
    return bs


# %% all layers begin with the same draws of a seed that the sizes give
def create_bias_vectors(layer_dims):
    r = np.random.default_rng(sum(layer_dims))
    return [r.normal(0, 0.01, (1, d)) for d in layer_dims[1:]]
