"""Calls the test's function for ever, and ignores interrupts."""

# /// attack
# problems_one_of = ["time-limit", "protocol"]
# ///

# %% apply
def apply(f, x):
    while True:
        try:
            f(1.0)
        except BaseException:
            pass

# %% after
print('d' + 'one')
