"""Answers with a frame that the protocol does not know."""

# /// attack
# uses = ["server"]
# limits = {wall_seconds_per_cell = 4.0, iopub_timeout = 1}
# prints = ["taken over", "the notebook stopped answering: "]
# problems = "some"
# problems_among = ["protocol", "kernel"]
# [variants]
# "announces 4 GB" = "raw(b'', announced=(2**32 - 1, 2**32 - 1))"
# "ends within its length" = '''link.sendall(b'\0\0'); link.shutdown(2)'''
# ///

# %% before
def server():
    ask()
    VARIANT
    time.sleep(60)
take_over(server)

# %% total
total = 10
