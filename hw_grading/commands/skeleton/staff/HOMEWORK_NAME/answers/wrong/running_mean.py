"""Wrong answers to running_mean: each must lose a point."""
# ruff: noqa


# %% one mean of all numbers, repeated
def running_mean(x):
    return np.full(len(x), np.mean(x))
