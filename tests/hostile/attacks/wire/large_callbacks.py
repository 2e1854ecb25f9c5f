"""Calls back for ever, with 32 MB."""

# /// attack
# uses = ["server", "callbacks", "again"]
# prints = ["taken over"]
# problems = "some"
# problems_among = ["protocol", "kernel", "time-limit"]
# bounded = true
# [limits]
# wall_seconds_per_cell = 12.0
# iopub_timeout = 1
# cpu_seconds_per_cell = 8.0
# memory_mb = 2500
# ///

# %% before
body = bytes(32 << 20)
def attack():
    while True:
        frame([0, "callback", 0, [0, [3, "<f8", [0, 4 << 20]]], [2]], body)
        ask()
call_back(attack)
