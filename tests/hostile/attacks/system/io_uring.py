"""Makes a ring of system calls.

A filter does not see the calls that io_uring makes, and it is the most attacked part.
"""

# /// attack
# uses = ["tries"]
# machine = "x86_64"
# problems = []
# works = []
# ///

# %% before
call("io_uring", 425, 8, ctypes.create_string_buffer(256))
