"""Announces a frame and does not send it."""

# /// attack
# uses = ["server"]
# limits = {wall_seconds_per_cell = 4.0, iopub_timeout = 1}
# prints = ["taken over"]
# problems_among = ["protocol", "kernel", "time-limit"]
# problems_one_of = ["time-limit"]
# ///

# %% before
def server():
    ask()
    raw(b'', announced=(10, 10))
    time.sleep(60)
take_over(server)

# %% total
total = 10
