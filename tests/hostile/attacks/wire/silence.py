"""Gives no answer, no whole one, or no end."""

# /// attack
# smoke = true
# uses = ["server"]
# answers = "right"
# scores = "none"
# limits = {wall_seconds_per_cell = 3.0, iopub_timeout = 1, cpu_seconds_per_cell = 2.0}
# prints = ["taken over"]
# problems = "some"
# problems_among = ["protocol", "kernel", "time-limit"]
# [variants]
# "a link to the student" = "os.dup2(socket.socketpair()[0].fileno(), link.fileno())"
# "half a frame" = "raw(b'', announced=(10, 10)); time.sleep(60)"
# "one byte at a time" = """raw(b'', announced=(1 << 20, 0))
# while True:
#     link.sendall(b'x')
#     time.sleep(0.03)"""
# "no end" = "serve(lambda _: frame(value(0.0))); time.sleep(60)"
# ///

# %% before
def server():
    VARIANT
take_over(server)
