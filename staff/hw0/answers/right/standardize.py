"""Right answers to standardize."""
# ruff: noqa


# %% means with keepdims
def standardize(X):
    mean = np.mean(X, axis=0, keepdims=True)
    std = np.std(X, axis=0, keepdims=True)
    return (X - mean) / std


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


# %% in place on a copy
def standardize(X):
    Z = np.array(X, copy=True)
    Z -= Z.mean(axis=0)
    Z /= np.sqrt(np.mean(Z**2, axis=0))
    return Z


# %% float32
def standardize(X):
    X = X.astype(np.float32)
    return (X - X.mean(axis=0)) / X.std(axis=0)


# %% the centring matrix
def standardize(X):
    n = len(X)
    Z = (np.eye(n) - np.ones((n, n)) / n) @ X
    return Z @ np.diag(1 / np.sqrt(np.diag(Z.T @ Z) / n))


# %% scipy's zscore [needs scipy]
from scipy.stats import zscore


def standardize(X):
    return zscore(X, axis=0)
