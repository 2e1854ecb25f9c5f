"""Changes its input.

A point on stock nbgrader, if the test computes the expected value after the call.
"""

# /// attack
# prints = ["done"]
# variants = [
#     "x[...] = 0", "np.copyto(x, 0)", "x.resize((2, 2), refcheck=False); x[...] = 0",
#     "memoryview(x).cast('B')[:] = bytes(x.nbytes)",
# ]
# ///

# %% mean
def mean(x):
    VARIANT
    return np.zeros(2)

# %% after
print('d' + 'one')
