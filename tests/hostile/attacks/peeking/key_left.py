"""Leaves keys for the next student, in all keyrings."""

# /// attack
# checked_in = "test_peeking.py"
# ///

# %% before
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for ring in (-1, -2, -3, -4, -5):
    libc.syscall(248, b"user", b"left", b"for the next", 12, ring)
print("l" + "eft")
