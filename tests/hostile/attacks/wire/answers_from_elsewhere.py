"""Answers from a child, while the kernel reports that it is done."""

# /// attack
# uses = ["server"]
# limits = {wall_seconds_per_cell = 4.0, iopub_timeout = 1}
# prints = ["taken over"]
# problems_among = ["protocol", "kernel"]
# ///

# %% before
def server():
    if os.fork() == 0:
        while True:
            kind = ask()[1]
            time.sleep(0.5)
            frame([0, "ended"] if kind == "end" else value(0.0 if kind == "call" else FUNCTION))
take_over(server)

# %% total
total = 10
