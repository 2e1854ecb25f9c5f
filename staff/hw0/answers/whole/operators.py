"""Short array expressions with einsum, ufuncs and lambdas, float32 where that is precise enough.

By somebody who has used NumPy for years.
"""
# ruff: noqa


# %% as_column
as_column = lambda x: np.asarray(x)[..., np.newaxis]


# %% squared_errors
def squared_errors(predictions, targets):
    return np.square(np.subtract(predictions, as_column(targets), dtype=np.float32))


# %% standardize
def standardize(X):
    Z = X - np.einsum("ij->j", X) / X.shape[0]
    return Z * np.reciprocal(np.sqrt(np.einsum("ij,ij->j", Z, Z) / X.shape[0]))


# %% squared_distances
def squared_distances(A, B):
    norms = [np.einsum("ij,ij->i", P, P) for P in (A, B)]
    return np.add.outer(*norms) - 2 * np.einsum("ik,jk->ij", A, B, optimize=True)


# %% central_difference
def central_difference(f, x, h):
    x = np.asarray(x, dtype=np.float64)
    return np.subtract(*map(f, (x + h, x - h))) / (2 * h)


# %% error_plot
h = 10.0 ** -np.arange(1, 12.01, 0.2)
error = np.abs(np.vectorize(lambda h: central_difference(np.sin, 1.0, h))(h) - np.cos(1))
fig, ax = plt.subplots()
ax.loglog(h, error, marker="x", ls="", c="k", label="error")
ax.loglog(h, np.maximum(h**2 / 11, 5e-17 / h), lw=0.8, label="h²/11 and 5e-17/h")
ax.set(xlabel="h", ylabel="absolute error", title="d/dx sin at 1")
ax.legend()
plt.show()
