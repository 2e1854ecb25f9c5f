"""Waits in every call; it can use at most the time of the whole submission."""

# /// attack
# limits = {wall_seconds_per_submission = 4.0, iopub_timeout = 1}
# problems = ["time-limit"]
# ///

# %% before
import time
def double(*x):
    time.sleep(0.9)
mean = apply = double

# %% double
pass

# %% mean
pass

# %% apply
pass

# %% total
time.sleep(2)
total = 10
