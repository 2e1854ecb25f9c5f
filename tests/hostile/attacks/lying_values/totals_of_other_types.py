"""Gives a total of another type."""

# /// attack
# uses = ["liars"]
# prints = ["done"]
# variants = [
#     "np.int64(10)", "10.0", "'10'", "10 + 0j", "np.array(10)", "np.float64(10)",
#     "type('Int', (int,), {})(10)", "type('int', (int,), {})(10)", "[10]", "Pretends(int)",
#     "property(lambda self: 10)", "lambda: 10", "EqualInt(10)", "np.uint8(10)", "True",
#     "enum.IntEnum('Ten', [('TEN', 10)]).TEN", "b'\\n'", "Equal()", "np.True_",
# ]
# ///

# %% total
total = VARIANT

# %% after
print('d' + 'one')
