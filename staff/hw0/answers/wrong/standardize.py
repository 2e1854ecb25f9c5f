"""Wrong answers to standardize."""
# ruff: noqa


# %% one mean and one standard deviation for the whole table
def standardize(X):
    return (X - X.mean()) / X.std()


# %% along the rows
def standardize(X):
    return (X - X.mean(axis=1, keepdims=True)) / X.std(axis=1, keepdims=True)


# %% divided by n - 1
def standardize(X):
    return (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)


# %% centred where it lies, scaled in a new array
def standardize(X):
    X -= X.mean(axis=0)
    return X / X.std(axis=0)


# %% all but the last column
def standardize(X):
    Z = X.copy()
    for j in range(X.shape[1] - 1):
        Z[:, j] = (X[:, j] - X[:, j].mean()) / X[:, j].std()
    return Z


# %% the parentheses are missing
def standardize(X):
    return X - X.mean(axis=0) / X.std(axis=0)


# %% to the range from 0 to 1
def standardize(X):
    low, high = X.min(axis=0), X.max(axis=0)
    return (X - low) / (high - low)


# %% 0.01 is added to the standard deviation
def standardize(X):
    return (X - X.mean(axis=0)) / (X.std(axis=0) + 0.01)


# %% the sign is turned
def standardize(X):
    return (X.mean(axis=0) - X) / X.std(axis=0)


# %% nothing is returned
def standardize(X):
    Z = (X - X.mean(axis=0)) / X.std(axis=0)


# %% the means come back as well
def standardize(X):
    mean, std = X.mean(axis=0), X.std(axis=0)
    return (X - mean) / std, mean, std


# %% transposed
def standardize(X):
    return ((X - X.mean(axis=0)) / X.std(axis=0)).T


# %% clipped to three standard deviations
def standardize(X):
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    return np.clip(Z, -3, 3)


# %% along the longer axis
def standardize(X):
    axis = int(np.argmax(X.shape))
    return (X - X.mean(axis=axis, keepdims=True)) / X.std(axis=axis, keepdims=True)


# %% small standard deviations count as 1
def standardize(X):
    s = X.std(axis=0)
    s = np.where(s < 0.1, 1, s)
    return (X - X.mean(axis=0)) / s
