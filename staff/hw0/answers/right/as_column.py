"""Right answers to as_column."""
# ruff: noqa


# %% indexed with None
def as_column(x):
    return x[:, None]


# %% a list of lists
def as_column(x):
    return [[number] for number in x]


# %% a row, then transposed
def as_column(x):
    return np.array([x]).T


# %% np.c_
def as_column(x):
    return np.c_[x]


# %% a matrix of NumPy's old kind
def as_column(x):
    return np.matrix(x).T


# %% the shape of a copy is set
def as_column(x):
    y = x.copy()
    y.shape = (y.size, 1)
    return y


# %% float32, a tuple of tuples, and a print
def as_column(x):
    print("as_column of", x.shape)
    return tuple((np.float32(number),) for number in x)


# %% with type annotations and a default
from typing import Optional


def as_column(x: np.ndarray, dtype: Optional[type] = None) -> np.ndarray:
    column: np.ndarray = np.array(x, dtype=dtype, ndmin=2)
    return column.transpose()
