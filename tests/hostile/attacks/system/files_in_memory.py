"""Passes a message to another sandbox, by a lock, or by the parts of a file that are in memory.

All sandboxes show the same files.
"""

# /// attack
# uses = ["tries"]
# machine = "x86_64"
# problems = []
# prints = ["nothing is locked", "advice does nothing", "read 1 byte"]
# works = []
# refused = ["in_memory", "without_waiting", "without_waiting_high", "cold", "page_out"]
# ///

# %% before
import fcntl
path = max((f"/usr/bin/{name}" for name in os.listdir("/usr/bin")), key=os.path.getsize)
file, again = (os.open(path, os.O_RDONLY) for _ in range(2))
fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
print("nothing is locked")
if libc.posix_fadvise(file, 0, 0, 99) == 0:  # the system knows no such advice
    print("advice does nothing")
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p] + [ctypes.c_long] * 5
libc.syscall.argtypes = [ctypes.c_long] * 7
page = libc.mmap(None, 4096, 1, 2, file, 0)
place = ctypes.addressof(buffer)
pieces = (ctypes.c_void_p * 2)(place, 1)
call("in_memory", 27, page, 4096, place, 0, 0, 0)
for name, flags in {"without_waiting": 8, "without_waiting_high": 8 | 1 << 32}.items():
    call(name, 327, file, ctypes.addressof(pieces), 1, 0, 0, flags)
call("cold", 28, page, 4096, 20, 0, 0, 0)
call("page_out", 28, page, 4096, 21, 0, 0, 0)
print("read", os.preadv(file, [bytearray(1)], 0), "byte")
