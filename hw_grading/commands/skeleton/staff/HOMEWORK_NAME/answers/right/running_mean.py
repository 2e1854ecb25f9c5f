"""Right answers to running_mean: each must get all points."""
# ruff: noqa


# %% a loop that returns a list
def running_mean(x):
    means, total = [], 0.0
    for n, number in enumerate(x, 1):
        total += number
        means.append(total / n)
    return means
