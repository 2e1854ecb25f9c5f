"""Counts its calls, and answers all but one: it gets the points for the right answers.

The kernel itself makes the first call.
"""

# /// attack
# scores = {test_double = 1.0}
# prints = ["calls"]
# ///

# %% double
calls = 0
def double(x):
    global calls
    calls += 1
    return 2 * x if calls != 2 else 0

# %% after
print('calls', calls)
