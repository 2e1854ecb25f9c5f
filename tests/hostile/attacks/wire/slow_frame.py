"""Sends a frame one byte at a time, for ever."""

# /// attack
# uses = ["server"]
# limits = {wall_seconds_per_cell = 4.0, iopub_timeout = 1}
# prints = ["taken over"]
# problems_among = ["time-limit", "protocol"]
# problems_one_of = ["time-limit", "protocol"]
# ///

# %% before
def server():
    ask()
    link.sendall(struct.pack(">II", 1 << 20, 0))
    while True:
        try:
            link.sendall(b"\x90")
            time.sleep(0.03)
        except BaseException:
            pass
take_over(server)

# %% total
total = 10
