"""Takes memory that belongs to no process: it must be refused, or counted."""

# /// attack
# limits = {memory_mb = 1300, cpu_seconds_per_cell = 20.0, wall_seconds_per_cell = 20.0}
# problems_among = ["memory-limit"]
# prints_unless_problems = ["taken less than it may"]
# ///

# %% before
import ctypes, time
libc = ctypes.CDLL(None, use_errno=True)
VARIANT
taken = 0
try:
    while taken < 1800:
        taken += take()
        time.sleep(0.01)
except OSError as error:
    print("refused", error)
time.sleep(1.5)
print("taken", "less than it may" if taken < 1300 else taken)

# %% variant shared memory of System V
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

# %% variant shared pages that are mapped no more
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
def take():
    "Map 50 MB, fill them, and keep one page of the mapping."
    at = libc.mmap(None, 50 << 20, 3, 0x21, -1, 0)
    if at in (None, 2**64 - 1):
        raise OSError(ctypes.get_errno(), "no place for it")
    ctypes.memset(at, 1, 50 << 20)
    libc.munmap(at, (50 << 20) - 4096)
    return 50
