"""Returns a value that lies, to comparisons that are written in many ways.

`Equal` passes most of them where the test runs in the student's kernel.
"""

# /// attack
# checked_in = "test_lying_values.py"
# uses = ["liars"]
# prints = ["done"]
# variants = [
#     "Equal()", "EqualFloat()", "EqualInt()", "np.zeros(()).view(EqualArray)", "Functions()",
#     "Everything()", "Pretends(float)", "Changing()", "filled(Equal())",
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
