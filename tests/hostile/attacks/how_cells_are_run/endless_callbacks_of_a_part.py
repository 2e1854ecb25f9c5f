"""Calls the test's function for ever in one part of a test.

The limit of a part is 5 s of CPU time. The limits of the cell are larger here, as in a class. A
loop that does not end costs only the points of its part: the other part is honest.
"""

# /// attack
# limits = {cpu_seconds_per_cell = 25.0, wall_seconds_per_cell = 40.0}
# scores = {test_apply = 1.0}
# problems = []
# prints = ["done"]
# ///

# %% apply
def apply(f, x):
    while x == 2.0:
        f(1.0)
    return f(x) + 1

# %% after
print('d' + 'one')
