"""Returns a value that cannot leave the sandbox; only its function's points are lost."""

# /// attack
# uses = ["liars"]
# answers = "right"
# scores = {test_mean = 3.0, test_apply = 2.0, test_total = 1.0}
# variants = ["deep(40)", "np.broadcast_to(6.0, 10**12)"]
# ///

# %% double
def double(x):
    return VARIANT
