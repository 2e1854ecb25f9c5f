"""Raises errors again and again."""

# /// attack
# problems_one_of = ["time-limit"]
# ///

# %% double
def double(x):
    while True:
        try:
            raise ValueError
        except BaseException:
            pass

# %% after
print('d' + 'one')
