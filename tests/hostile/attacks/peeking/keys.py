"""Looks for keys of the grader's login, and for those that another student left."""

# /// attack
# checked_in = "test_peeking.py"
# uses = ["looking"]
# looks_for = ["CANARY", "for the next"]
# numbers = {"looked at" = [10, inf]}
# ///

# %% before
libc = ctypes.CDLL(None, use_errno=True)
buffer = ctypes.create_string_buffer(10_000)
keys = [KEY, -1, -2, -3, -4, -5]
for ring in (-1, -2, -3, -4, -5):
    for name in (b"left", b"course"):
        keys.append(libc.syscall(250, 10, ring, b"user", name, 0))  # search
        keys.append(libc.syscall(249, b"user", name, None, ring))  # request
for key in keys:
    for operation in (11, 6):  # read, describe
        size = libc.syscall(250, operation, key, buffer, len(buffer))
        search("key", buffer.raw[: max(size, 0)])
report()
