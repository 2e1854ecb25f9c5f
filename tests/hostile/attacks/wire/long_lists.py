"""Answers with lists of half a million numbers."""

# /// attack
# uses = ["server"]
# limits = {wall_seconds_per_cell = 20.0, iopub_timeout = 1}
# prints = ["taken over"]
# bounded = true
# ///

# %% before
def server():
    def answer(question):
        if question[1] == "get":
            frame(value())
        else:
            frame(value([0, *[1.5] * 200_000]))
    serve(answer)
take_over(server)

# %% total
total = 10
