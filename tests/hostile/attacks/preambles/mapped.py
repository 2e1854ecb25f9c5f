# `left_behind(flags, file)` maps 50 MB, fills them, and keeps one page of the mapping.
import ctypes, os, time
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
def left_behind(flags, file):
    at = libc.mmap(None, 50 << 20, 3, flags, file, 0)
    if at in (None, 2**64 - 1):
        raise OSError(ctypes.get_errno(), "no place for it")
    ctypes.memset(at, 1, 50 << 20)
    libc.munmap(at, (50 << 20) - 4096)
    return 50
