"""Raises an error in one function; only this function's points are lost."""

# /// attack
# smoke = true
# scores = {test_mean = 3.0, test_apply = 2.0, test_total = 1.0}
# ///

# %% double
def double(x):
    raise SystemExit

# %% mean
def mean(x):
    return np.asarray(x, dtype=float).mean(axis=0)

# %% apply
def apply(f, x):
    return f(x) + 1

# %% total
total = 10
