"""Takes memory that belongs to no process: it must be refused, or counted."""

# /// attack
# checked_in = "test_resources.py"
# uses = ["mapped"]
# limits = {memory_mb = 1300, cpu_seconds_per_cell = 20.0, wall_seconds_per_cell = 20.0}
# problems_among = ["memory-limit"]
# ///

# %% before
VARIANT
import time
taken = 0
try:
    while taken < 1800:
        taken += take()
        time.sleep(0.01)
except OSError as error:
    print("refused", error)
print("taken", taken)
time.sleep(1.5)

# %% variant shared memory of System V
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
libc.shmdt.argtypes = [ctypes.c_void_p]
def take():
    segment = libc.shmget(0, 50 << 20, 0o1600)
    if segment < 0:
        raise OSError(ctypes.get_errno(), "no segment")
    at = libc.shmat(segment, None, 0)
    if at in (None, 2**64 - 1):
        raise OSError(ctypes.get_errno(), "no place for it")
    ctypes.memset(at, 1, 50 << 20)
    libc.shmdt(at)
    return 50

# %% variant files without a name
import os
def take():
    file = os.memfd_create("mine")
    return sum(os.write(file, b"x" * (1 << 20)) for _ in range(18)) >> 20

# %% variant shared pages that are mapped no more
def take():
    return left_behind(0x21, -1)

# %% variant pages of a device that are mapped no more
def take():
    return left_behind(1, os.open("/dev/zero", os.O_RDWR))
