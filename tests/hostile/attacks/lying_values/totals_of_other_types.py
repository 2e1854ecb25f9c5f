"""Gives a total of another type."""

# /// attack
# uses = ["liars"]
# variants = [
#     "np.int64(10)", "10.0", "'10'", "np.array(10)", "type('int', (int,), {})(10)", "[10]",
#     "Pretends(int)", "lambda: 10", "EqualInt(10)", "True", "b'\\n'", "Equal()",
# ]
# ///

# %% total
total = VARIANT
