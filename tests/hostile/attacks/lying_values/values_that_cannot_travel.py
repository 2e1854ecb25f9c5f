"""Returns a value that cannot leave the sandbox; only its function's points are lost."""

# /// attack
# uses = ["liars"]
# scores = {test_mean = 3.0, test_apply = 2.0, test_total = 1.0}
# prints = ["done"]
# variants = [
#     "np.ones((1,) * 60)", "np.empty((0, 2**33))", "[np.empty((0, 2**33))]", "deep(40)",
#     "[6.0] * 2_000_000", "10**9000", "np.zeros(9_000_000)", "{1: 'x' * 2_000_000}",
#     "[[]] * 20_000", "np.broadcast_to(6.0, 10**12)", "[np.ones((1,) * 60)]",
# ]
# ///

# %% double
def double(x):
    return VARIANT

# %% mean
def mean(x):
    return np.asarray(x, dtype=float).mean(axis=0)

# %% apply
def apply(f, x):
    return f(x) + 1

# %% total
total = 10

# %% after
print('d' + 'one')
