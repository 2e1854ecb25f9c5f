"""Answers with a frame that the protocol does not know."""

# /// attack
# checked_in = "test_wire_attacks.py"
# uses = ["server"]
# limits = {wall_seconds_per_cell = 4.0, iopub_timeout = 1}
# prints = ["taken over"]
# problems = "some"
# problems_among = ["protocol", "kernel"]
# [variants]
# "announces 4 GB" = "raw(b'', announced=(2**32 - 1, 2**32 - 1))"
# "ends within its length" = '''link.sendall(b'\0\0'); link.shutdown(2)'''
# "is 100,000 deep" = '''raw(b'\x91' * 100_000 + b'\xc0')'''
# "is no UTF-8" = '''raw(b'\x93\0\xa6values\xa2\xff\xfe')'''
# "calls what was never handed over" = "frame([0, 'callback', 0, [0], [2]])"
# "has an array of |O" = "frame(value([3, '|O', [1]]), bytes(8))"
# ///

# %% before
def server():
    ask()
    VARIANT
    time.sleep(60)
take_over(server)

# %% total
total = 10
