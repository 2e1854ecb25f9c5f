"""Right answers to squared_distances."""
# ruff: noqa


# %% |a|^2 - 2 ab + |b|^2
def squared_distances(A, B):
    return (A**2).sum(axis=1)[:, None] - 2 * A @ B.T + (B**2).sum(axis=1)


# %% einsum
def squared_distances(A, B):
    difference = A[:, np.newaxis] - B[np.newaxis]
    return np.einsum("ijk,ijk->ij", difference, difference)


# %% one loop over the rows of A
def squared_distances(A, B):
    D = np.empty((len(A), len(B)))
    for i, a in enumerate(A):
        D[i] = ((B - a) ** 2).sum(axis=1)
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


# %% scipy's cdist [needs scipy]
from scipy.spatial.distance import cdist


def squared_distances(A, B):
    return cdist(A, B, "sqeuclidean")
