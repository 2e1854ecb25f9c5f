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


# %% resized where it lies
def as_column(x):
    x.resize((len(x), 1), refcheck=False)
    return x


# %% an outer product
def as_column(x):
    return np.outer(x, x)


# %% all ones
def as_column(x):
    return np.ones((len(x), 1))


# %% whole numbers
def as_column(x):
    return x.reshape(-1, 1).astype(int)


# %% sorted
def as_column(x):
    return np.sort(x).reshape(-1, 1)


# %% length 3 is built in
def as_column(x):
    return x.reshape(3, 1)


# %% one axis too many
def as_column(x):
    return x[:, None, None]


# %% a column of empty_like, never filled
def as_column(x):
    column = np.empty_like(x)[:, None]
    return column * 0


# %% backwards
def as_column(x):
    return np.flipud(x[:, None])


# %% a list with one list
def as_column(x):
    return [list(x)]


# %% the function itself is returned
def as_column(x):
    return x.reshape


# %% sorted where it lies, in the order of a copy
def as_column(x):
    y = x.copy()
    x.sort()
    return y[:, None]
