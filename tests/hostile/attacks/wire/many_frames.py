"""Sends a million tiny frames.

The first ones answer a question each. At the end of the test the examiner finds no end message.
"""

# /// attack
# uses = ["server"]
# limits = {wall_seconds_per_cell = 4.0, iopub_timeout = 1}
# prints = ["taken over"]
# problems = "some"
# problems_among = ["protocol", "kernel"]
# bounded = true
# ///

# %% before
def server():
    one = msgpack.packb(value(0.0))
    one = struct.pack(">II", len(one), 0) + one
    ask()
    frame(value())
    for _ in range(1_000):
        link.sendall(one * 1_000)
take_over(server)

# %% total
total = 10
