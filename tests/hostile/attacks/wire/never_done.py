"""Answers, and never reports that it is done."""

# /// attack
# uses = ["server"]
# limits = {wall_seconds_per_cell = 2.0, iopub_timeout = 1}
# prints = ["taken over"]
# problems = ["time-limit"]
# ///

# %% before
def server():
    serve(lambda _: frame(value()))
    while True:
        try:
            time.sleep(1000)
        except BaseException:
            pass
take_over(server)

# %% total
total = 10
