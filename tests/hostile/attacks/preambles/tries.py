# Prints "WORKED name" or "refused name why" for everything that is tried.
import ctypes, errno, os, shutil, socket, stat, struct, time
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
buffer = ctypes.create_string_buffer(4096)
def call(name, number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(number, *arguments)
    why = "" if result >= 0 else errno.errorcode.get(ctypes.get_errno(), "?")
    print(f"WORKED {name}" if result >= 0 else f"refused {name} {why}")
    return result
def attempt(name, function, *arguments):
    try:
        result = function(*arguments)
    except Exception as error:
        print(f"refused {name} {type(error).__name__} {error}")
    else:
        print(f"WORKED {name}")
        return result
