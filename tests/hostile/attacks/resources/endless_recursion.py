"""Calls itself and the test's function without end."""

# /// attack
# limits = {cpu_seconds_per_cell = 3.0, iopub_timeout = 1}
# problems_among = ["kernel", "protocol", "time-limit"]
# bounded = true
# ///

# %% before
import sys; sys.setrecursionlimit(10**6)

# %% apply
def apply(f, x):
    return apply(f, f(x))
