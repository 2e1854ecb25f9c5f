"""Answers some calls as is right: it gets the points of these parts, and no others."""

# /// attack
# smoke = true
# scores = {test_double = 1.0}
# prints = ["done"]
# ///

# %% double
VARIANT

# %% after
print('d' + 'one')

# %% variant those of the first call
calls = 0
def double(x):
    global calls
    calls += 1
    return 2 * x if calls == 1 else 0

# %% variant those of one function
def double(x):
    if type(x) is not int or x != 3:
        raise SystemExit
    return 6
