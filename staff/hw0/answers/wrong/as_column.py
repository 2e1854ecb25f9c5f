"""Wrong answers to as_column."""
# ruff: noqa


# %% .T of an array with one axis does nothing
def as_column(x):
    return x.T


# %% a row
def as_column(x):
    return x.reshape(1, -1)


# %% the result of reshape is dropped
def as_column(x):
    x.reshape(-1, 1)
    return x


# %% nothing is returned
def as_column(x):
    x.reshape(-1, 1)


# %% the shape of the caller's array is changed
def as_column(x):
    x.shape = (-1, 1)
    return x


# %% an outer product
def as_column(x):
    return np.outer(x, x)


# %% whole numbers
def as_column(x):
    return x.reshape(-1, 1).astype(int)


# %% length 3 is built in
def as_column(x):
    return x.reshape(3, 1)


# %% one axis too many
def as_column(x):
    return x[:, None, None]


# %% backwards
def as_column(x):
    return np.flipud(x[:, None])


# %% a list with one list
def as_column(x):
    return [list(x)]


# %% sorted where it lies, in the order of a copy
def as_column(x):
    y = x.copy()
    x.sort()
    return y[:, None]
