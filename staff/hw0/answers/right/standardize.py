"""Right answers to standardize."""
# ruff: noqa


# %% means with keepdims
def standardize(X):
    mean = np.mean(X, axis=0, keepdims=True)
    std = np.std(X, axis=0, keepdims=True)
    return (X - mean) / std


# %% transposed there and back
def standardize(X):
    Y = X.T
    return ((Y - Y.mean(1)[:, None]) / Y.std(1)[:, None]).T


# %% a tiny number is added to the standard deviation
def standardize(X):
    return (X - X.mean(axis=0)) / (X.std(axis=0) + 1e-8)


# %% column by column, into zeros
def standardize(X):
    Z = np.zeros(X.shape)
    for j in range(X.shape[1]):
        column = X[:, j]
        Z[:, j] = (column - column.mean()) / column.std()
    return Z


# %% Python lists and the statistics module
import statistics


def standardize(X):
    columns = []
    for column in zip(*X.tolist()):
        mean, spread = statistics.fmean(column), statistics.pstdev(column)
        columns.append([(v - mean) / spread for v in column])
    return [list(row) for row in zip(*columns)]


# %% the variance as mean of squares minus square of mean
def standardize(X):
    m = X.mean(axis=0)
    variance = (X * X).mean(axis=0) - m * m
    return (X - m) / variance**0.5


# %% in place on a copy
def standardize(X):
    Z = np.array(X, copy=True)
    Z -= Z.mean(axis=0)
    Z /= np.sqrt(np.mean(Z**2, axis=0))
    return Z


# %% divided by the length of the column
def standardize(X):
    n = X.shape[0]
    Z = X - X.sum(axis=0) / n
    return Z * np.sqrt(n) / np.linalg.norm(Z, axis=0)


# %% float32
def standardize(X):
    X = X.astype(np.float32)
    return (X - X.mean(axis=0)) / X.std(axis=0)


# %% with a guard for constant columns
def standardize(X):
    std = X.std(axis=0)
    std = np.where(std == 0, 1.0, std)
    return np.divide(X - np.mean(X, 0), std)


# %% np.apply_along_axis
def standardize(X):
    return np.apply_along_axis(lambda c: (c - c.mean()) / c.std(ddof=0), 0, X)


# %% the centring matrix
def standardize(X):
    n = len(X)
    Z = (np.eye(n) - np.ones((n, n)) / n) @ X
    return Z @ np.diag(1 / np.sqrt(np.diag(Z.T @ Z) / n))


# %% scipy's zscore [needs scipy]
from scipy.stats import zscore


def standardize(X):
    return zscore(X, axis=0)
