"""Sends 32 MB in changes and earlier results."""

# /// attack
# uses = ["server"]
# limits = {wall_seconds_per_cell = 20.0, iopub_timeout = 1}
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
            array = [3, "|u1", [0, 1 << 20]]
            arrays = [0, *[array] * 16]
            frame(value(arrays, [arrays, None]), body if question[4] else body[: 16 << 20])
    serve(answer)
take_over(server)

# %% total
total = 10
