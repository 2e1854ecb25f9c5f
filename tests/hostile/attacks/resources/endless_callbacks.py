"""Calls the test's function for ever."""

# /// attack
# limits = {cpu_seconds_per_cell = 3.0, iopub_timeout = 1}
# problems_among = ["time-limit", "protocol"]
# problems_one_of = ["time-limit", "protocol"]
# bounded = true
# ///

# %% apply
def apply(f, x):
    while True:
        try: f(x)
        except BaseException: pass
