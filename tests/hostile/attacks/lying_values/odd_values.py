"""Returns an odd value from every function: one that equals everything, no numbers, or too many."""

# /// attack
# uses = ["liars"]
# prints_unless_problems = ["done"]
# variants = [
#     "Equal()", "EqualFloat()", "Pretends(np.ndarray)", "Changing()",
#     "np.broadcast_to(6.0, 10**12)",
# ]
# ///

# %% double
def double(x):
    return VARIANT

# %% mean
def mean(x):
    return VARIANT

# %% apply
def apply(f, x):
    return VARIANT

# %% total
total = VARIANT

# %% after
print('d' + 'one')
