# `trace(name, ...)` calls ptrace, and `memory_of(pid, at)` reads the memory of another process.
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
def trace(name, *arguments):
    result = libc.ptrace(*arguments)
    print(f"WORKED {name}" if result >= 0 else f"refused {name}")
    return result
def memory_of(pid, at):
    found = b""
    while True:
        ours, theirs = Piece(ctypes.addressof(buffer), 4096), Piece(at, 4096)
        got = libc.process_vm_readv(pid, ctypes.byref(ours), 1, ctypes.byref(theirs), 1, 0)
        if got <= 0:
            return found
        found, at = found + buffer.raw[:got], at + got
SEIZE, INTERRUPT, GETREGS, ALL = 0x4206, 0x4207, 12, 0x40000000
