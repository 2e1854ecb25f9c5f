"""Reads a key of the grader's in its session keyring."""

# /// attack
# checked_in = "test_system.py"
# uses = ["tries"]
# problems = []
# works = []
# ///

# %% before
key = call("search", 250, 10, -3, b"user", b"hw-key", 0)
size = libc.syscall(250, 11, key, buffer, 4096)
print("WORKED read" if size > 0 else "refused read", buffer.raw[:max(size, 0)])
size = libc.syscall(250, 11, KEY, buffer, 4096)
print("WORKED guess" if size > 0 else "refused guess", buffer.raw[:max(size, 0)])
