"""Makes a ring of system calls.

io_uring does what a filter of system calls would not see; it is the most attacked part.
"""

# /// attack
# uses = ["tries"]
# machine = "x86_64"
# problems = []
# works = []
# ///

# %% before
call("io_uring", 425, 8, ctypes.create_string_buffer(256))
