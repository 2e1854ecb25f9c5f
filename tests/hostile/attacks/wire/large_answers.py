"""Answers every question with 32 MB."""

# /// attack
# uses = ["server"]
# limits = {wall_seconds_per_cell = 20.0, iopub_timeout = 1, cpu_seconds_per_cell = 10.0}
# prints = ["taken over"]
# problems_among = ["protocol", "kernel", "time-limit"]
# bounded = true
# ///

# %% before
def server():
    body = bytes(32 << 20)
    def answer(question):
        if question[1] == "get":
            frame(value())
        else:
            frame(value([3, "|b1", [0, 32 << 20]]), body)
    serve(answer)
take_over(server)

# %% total
total = 10
