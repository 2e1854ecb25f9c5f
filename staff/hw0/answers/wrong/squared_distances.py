"""Wrong answers to squared_distances."""
# ruff: noqa


# %% the loops of the cell above
def squared_distances(A, B):
    return squared_distances_loops(A, B)


# %% a list comprehension around a NumPy sum
def squared_distances(A, B):
    return np.array([[((a - b) ** 2).sum() for b in B] for a in A])


# %% the root is taken
def squared_distances(A, B):
    return np.sqrt(np.sum((A[:, None] - B[None]) ** 2, axis=2))


# %% summed over the wrong axis
def squared_distances(A, B):
    return np.sum((A[:, None] - B[None]) ** 2, axis=1)


# %% A - B without new axes
def squared_distances(A, B):
    return np.sum((A - B) ** 2, axis=1)


# %% (m, n) in place of (n, m)
def squared_distances(A, B):
    return np.sum((A[None] - B[:, None]) ** 2, axis=2)


# %% the sum is squared
def squared_distances(A, B):
    return np.sum(A[:, None] - B[None], axis=2) ** 2


# %% the mean in place of the sum
def squared_distances(A, B):
    return np.mean((A[:, None] - B[None]) ** 2, axis=2)


# %% the 2 is missing in |a|^2 - 2 ab + |b|^2
def squared_distances(A, B):
    return (A**2).sum(axis=1)[:, None] - A @ B.T + (B**2).sum(axis=1)


# %% only the first two coordinates
def squared_distances(A, B):
    return (A[:, None, 0] - B[None, :, 0]) ** 2 + (A[:, None, -1] - B[None, :, -1]) ** 2


# %% B is squared where it lies
def squared_distances(A, B):
    cross = 2 * A @ B.T
    B **= 2
    return (A**2).sum(axis=1)[:, None] - cross + B.sum(axis=1)


# %% squeezed, so that an axis of length 1 is lost
def squared_distances(A, B):
    return np.squeeze(np.sum((A[:, None] - B[None]) ** 2, axis=2))


# %% reshaped, where it should be transposed
def squared_distances(A, B):
    D = np.sum((B[:, None] - A[None]) ** 2, axis=2)
    return D.reshape(len(A), len(B))


# %% nothing is returned
def squared_distances(A, B):
    D = np.sum((A[:, None] - B[None]) ** 2, axis=2)
    print(D.shape)


# %% row by row where both have as many points
def squared_distances(A, B):
    if len(A) == len(B):
        return np.tile(np.sum((A - B) ** 2, axis=1)[:, None], len(B))
    return np.sum((A[:, None] - B) ** 2, axis=2)


# %% the loops, and the results of earlier calls are kept
_kept = {}


def squared_distances(A, B):
    key = A.tobytes(), B.tobytes(), A.shape, B.shape
    if key not in _kept:
        _kept[key] = squared_distances_loops(A, B)
    return _kept[key].copy()


# %% nothing but zeros, quickly
def squared_distances(A, B):
    return np.zeros((len(A), len(B)))
