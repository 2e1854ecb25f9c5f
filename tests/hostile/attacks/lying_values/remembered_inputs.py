"""Remembers its inputs.

They can be printed later: expected results are secret, the inputs are not.
"""

# /// attack
# prints = ["seen 6"]
# ///

# %% double
seen = []
def double(x):
    seen.append(x)
    return 0 * x

# %% after
print('seen', len(seen))
