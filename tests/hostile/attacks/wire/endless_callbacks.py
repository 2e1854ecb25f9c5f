"""Calls back for ever: faster than the examiner reads, or without reading its answers."""

# /// attack
# uses = ["server", "callbacks", "again"]
# limits = {wall_seconds_per_cell = 12.0, iopub_timeout = 1, cpu_seconds_per_cell = 2.0}
# prints = ["taken over"]
# problems = "some"
# problems_among = ["protocol", "kernel", "time-limit"]
# bounded = true
# [variants]
# reading = "True"
# "without reading" = "False"
# ///

# %% before
def attack():
    while True:
        try:
            frame([0, "callback", 0, [0, 1.0], [2]])
            if VARIANT:
                ask()
        except Exception:
            pass
call_back(attack)
