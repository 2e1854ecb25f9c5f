"""Calls back in callbacks, 10,000 deep."""

# /// attack
# uses = ["server", "callbacks", "again"]
# limits = {wall_seconds_per_cell = 12.0, iopub_timeout = 1}
# prints = ["taken over"]
# problems_among = ["protocol", "kernel", "time-limit"]
# bounded = true
# ///

# %% before
def attack():
    for _ in range(10_000):
        frame([0, "callback", 0, [0, FUNCTION], [2]])
        ask()
    frame(value(0.0))
call_back(attack)
