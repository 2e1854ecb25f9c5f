"""Right answers to squared_errors."""
# ruff: noqa


# %% the targets as a column, by as_column
def squared_errors(predictions, targets):
    return (predictions - as_column(targets)) ** 2


# %% the predictions flat, then back to a column
def squared_errors(predictions, targets):
    difference = predictions[:, 0] - targets
    return np.square(difference).reshape(predictions.shape)


# %% in a loop, as a list of lists
def squared_errors(predictions, targets):
    result = []
    for i in range(len(targets)):
        result.append([(predictions[i][0] - targets[i]) ** 2])
    return result


# %% the diagonal of the n x n array
def squared_errors(predictions, targets):
    return np.diag((predictions - targets) ** 2)[:, None]


# %% float32
def squared_errors(predictions, targets):
    p = np.asarray(predictions, dtype=np.float32)
    t = np.asarray(targets, dtype=np.float32).reshape(-1, 1)
    return (t - p) ** 2


# %% in place on a copy of its own
def squared_errors(predictions, targets):
    result = predictions.copy()
    result -= targets[:, np.newaxis]
    result *= result
    return result


# %% a tuple of arrays
def squared_errors(predictions, targets):
    return tuple((p - t) ** 2 for p, t in zip(predictions, targets))
