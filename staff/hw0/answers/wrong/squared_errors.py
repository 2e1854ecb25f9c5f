"""Wrong answers to squared_errors."""
# ruff: noqa


# %% (n, 1) against (n,) gives (n, n)
def squared_errors(predictions, targets):
    return (predictions - targets) ** 2


# %% (n, n), and then the mean of each row
def squared_errors(predictions, targets):
    return ((predictions - targets) ** 2).mean(axis=1, keepdims=True)


# %% (n, n), and then its first column
def squared_errors(predictions, targets):
    return ((predictions - targets) ** 2)[:, :1]


# %% the result is flat
def squared_errors(predictions, targets):
    return (predictions.ravel() - targets) ** 2


# %% the mean
def squared_errors(predictions, targets):
    return np.mean((predictions - targets[:, None]) ** 2)


# %% the size in place of the square
def squared_errors(predictions, targets):
    return np.abs(predictions - targets[:, None])


# %% half of it
def squared_errors(predictions, targets):
    return 0.5 * (predictions - targets.reshape(-1, 1)) ** 2


# %% difference of squares
def squared_errors(predictions, targets):
    return predictions**2 - targets[:, None] ** 2


# %% the predictions are overwritten
def squared_errors(predictions, targets):
    predictions -= targets[:, None]
    return predictions**2


# %% the targets are reshaped where they lie
def squared_errors(predictions, targets):
    targets.shape = (-1, 1)
    return (predictions - targets) ** 2


# %% divided by n
def squared_errors(predictions, targets):
    return (predictions - targets[:, None]) ** 2 / len(targets)


# %% nothing is returned
def squared_errors(predictions, targets):
    print((predictions - targets[:, None]) ** 2)


# %% the loop ends one too early
def squared_errors(predictions, targets):
    result = np.zeros_like(predictions)
    for i in range(len(targets) - 1):
        result[i] = (predictions[i] - targets[i]) ** 2
    return result


# %% whole numbers
def squared_errors(predictions, targets):
    return ((predictions - targets[:, None]) ** 2).astype(int)
