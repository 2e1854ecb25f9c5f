"""Sends the largest heads that the protocol allows."""

# /// attack
# uses = ["server"]
# limits = {wall_seconds_per_cell = 20.0, iopub_timeout = 1}
# prints = ["taken over"]
# problems = []
# bounded = true
# ///

# %% before
def server():
    inner = [0, *[[0]] * 9_000]
    wide = [0, *[inner] * 11]
    texts = [0, *["x" * 90] * 9_000]
    def answer(question):
        if question[1] == "get":
            frame(value())
        else:
            frame(value(wide if len(seen) % 2 else texts))
            seen.append(1)
    seen = []
    serve(answer)
take_over(server)

# %% total
total = 10
