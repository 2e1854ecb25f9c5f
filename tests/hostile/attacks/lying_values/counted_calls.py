"""Counts its calls, and answers the first one: it gets the points for the right answer."""

# /// attack
# scores = {test_double = 1.0}
# prints = ["calls"]
# ///

# %% double
calls = 0
def double(x):
    global calls
    calls += 1
    return 2 * x if calls == 1 else 0

# %% after
print('calls', calls)
