"""Gives a total of another type."""

# /// attack
# uses = ["liars"]
# variants = ["np.int64(10)", "10.0", "type('int', (int,), {})(10)", "[10]", "Pretends(int)"]
# ///

# %% total
total = VARIANT
