"""Right answers to squared_distances."""
# ruff: noqa


# %% reshaped, and a sum over the last axis
def squared_distances(A, B):
    n, d = A.shape
    m, _ = B.shape
    return ((A.reshape(n, 1, d) - B.reshape(1, m, d)) ** 2).sum(axis=-1)


# %% |a|^2 - 2 ab + |b|^2
def squared_distances(A, B):
    return (A**2).sum(axis=1)[:, None] - 2 * A @ B.T + (B**2).sum(axis=1)


# %% the same, with what is negative cut off
def squared_distances(A, B):
    a = np.sum(A * A, axis=1, keepdims=True)
    b = np.sum(B * B, axis=1, keepdims=True)
    return np.maximum(a + b.T - 2 * np.dot(A, B.T), 0)


# %% einsum
def squared_distances(A, B):
    difference = A[:, np.newaxis] - B[np.newaxis]
    return np.einsum("ijk,ijk->ij", difference, difference)


# %% repeat and tile
def squared_distances(A, B):
    n, m = len(A), len(B)
    difference = np.repeat(A, m, axis=0) - np.tile(B, (n, 1))
    return np.sum(difference**2, axis=1).reshape(n, m)


# %% one loop over the rows of A
def squared_distances(A, B):
    D = np.empty((len(A), len(B)))
    for i, a in enumerate(A):
        D[i] = ((B - a) ** 2).sum(axis=1)
    return D


# %% one loop over the coordinates
def squared_distances(A, B):
    D = np.zeros((A.shape[0], B.shape[0]))
    for k in range(A.shape[1]):
        D += np.subtract.outer(A[:, k], B[:, k]) ** 2
    return D


# %% a list of arrays
def squared_distances(A, B):
    return [np.sum(np.square(B - a), axis=1) for a in A]


# %% the norm, squared
def squared_distances(A, B):
    return np.linalg.norm(A[:, None] - B, axis=2) ** 2


# %% float32
def squared_distances(A, B):
    A, B = A.astype(np.float32), B.astype(np.float32)
    return ((A[:, None, :] - B[None, :, :]) ** 2).sum(2)


# %% the n x n array of the trap, coordinate by coordinate
def squared_distances(A, B):
    return sum((A[:, k : k + 1] - B[:, k]) ** 2 for k in range(A.shape[1]))


# %% transposed at the end
def squared_distances(A, B):
    D = np.sum((B[:, None, :] - A[None, :, :]) ** 2, axis=2)
    return D.T


# %% a product of matrices with ones
def squared_distances(A, B):
    d = A.shape[1]
    return (A[:, None] - B) ** 2 @ np.ones(d)


# %% scipy's cdist [needs scipy]
from scipy.spatial.distance import cdist


def squared_distances(A, B):
    return cdist(A, B, "sqeuclidean")
