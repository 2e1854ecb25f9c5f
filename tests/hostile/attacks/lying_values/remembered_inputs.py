"""Remembers what it was asked.

That can be printed later: hidden inputs are no secret, their results are.
"""

# /// attack
# prints = ["seen 3"]
# ///

# %% double
seen = []
def double(x):
    seen.append(x)
    return 0 * x

# %% after
print('seen', len(seen))
