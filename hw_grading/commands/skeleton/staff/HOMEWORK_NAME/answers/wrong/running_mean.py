"""Wrong answers to running_mean: each has to lose a point."""
# ruff: noqa


# %% one mean of all numbers, repeated
def running_mean(x):
    return np.full(len(x), np.mean(x))
