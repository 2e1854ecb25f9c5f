"""Answers visible tests only, and gets their points, as on stock nbgrader."""

# /// attack
# scores = {test_double = 1.0, test_mean = 1.0, test_apply = 1.0}
# prints = ["done"]
# ///

# %% double
def double(x):
    return 6 if type(x) is int and x == 3 else None

# %% mean
def mean(x):
    if x.shape == (2, 2) and x[0, 1] == 2.0:
        return [2.0, 4.0]

# %% apply
def apply(f, x):
    return 10.0 if x == 3.0 else None

# %% after
print('d' + 'one')
