"""Leaves shared memory for the next student."""

# /// attack
# checked_in = "test_peeking.py"
# ///

# %% before
import ctypes, os, sys
from multiprocessing import shared_memory
libc = ctypes.CDLL(None, use_errno=True)
libc.shmget(4321, 4096, 0o1666)
libc.semget(4321, 1, 0o1666)
libc.msgget(4321, 0o1666)
with open("/dev/shm/left", "w") as file:
    file.write("for the next")
print("l" + "eft")
