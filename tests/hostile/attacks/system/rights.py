"""Makes system calls that need rights, or that the filter refuses."""

# /// attack
# smoke = true
# uses = ["tries"]
# machine = "x86_64"
# problems = []
# works = []
# ///

# %% before
os.makedirs("/tmp/a/b")
call("mount_tmpfs", 165, b"none", b"/tmp/a", b"tmpfs", 0, None)
call("mount_bind", 165, b"/usr", b"/tmp/a", None, 4096, None)
call("remount_root", 165, None, b"/", None, 32, None)
call("umount", 166, b"/tmp", 2)
call("pivot_root", 155, b"/tmp/a", b"/tmp/a/b")
call("chroot", 161, b"/tmp/a")
call("fsopen", 430, b"tmpfs", 0)
call("open_tree", 428, -100, b"/", 1)
call("move_mount", 429, -100, b"/usr", -100, b"/tmp/a", 0)
call("mount_setattr", 442, -100, b"/usr", 0, buffer, 32)
call("open_by_handle", 304, -100, struct.pack("Ii128s", 8, 1, bytes(128)), 0)

# -- namespaces
kinds = dict(user=1 << 28, mount=1 << 17, pid=1 << 29, net=1 << 30, ipc=1 << 27, uts=1 << 26,
             cgroup=1 << 25, time=1 << 7)
for name, flag in kinds.items():
    call("unshare_" + name, 272, flag | (kinds["user"] if name != "user" else 0))
    child = call("clone_" + name, 56, flag | kinds["user"] | 17, 0, 0, 0, 0)
    arguments = struct.pack("11Q", flag | kinds["user"], 0, 0, 0, 17, 0, 0, 0, 0, 0, 0)
    if child == 0 or call("clone3_" + name, 435, arguments, 88) == 0:
        os._exit(0)
call("join_first", 308, libc.syscall(434, 1, 0), kinds["mount"] | kinds["user"])

# -- other users
for number in (0, 1, 65534, 1_000_000_000):
    call("setuid", 105, number)
    call("setresgid", 119, number, number, number)
    os.close(os.open("/tmp/mine", os.O_CREAT))
    attempt("chown", os.chown, "/tmp/mine", number, number)
call("setgroups", 116, 0, None)
call("capset", 126, struct.pack("Ii", 0x20080522, 0), b"\xff" * 24)
call("keepcaps_off", 157, 38, 0, 0, 0, 0)  # no_new_privs cannot be taken back

# -- other processes
first = libc.syscall(434, 1, 0)
for number in range(10):
    call("descriptor", 438, first, number, 0)
for pid in (1, os.getpid()):
    call("trace", 101, 0x4206, pid, None, 0x100000)
    call("memory", 310, pid, buffer, 1, buffer, 1, 0)

# -- the machine
open("/tmp/image", "wb").write(bytes(4096))
call("clock_settime", 227, 0, struct.pack("2q", 10**9, 0))
call("sethostname", 170, b"mine", 4)
call("reboot", 169, 0xFEE1DEAD, 672274793, 0, 0, 0)
call("kexec_load", 246, 0, 0, 0, 0)
call("init_module", 175, buffer, 4096, b"")
call("swapon", 167, b"/tmp/image", 0)
call("syslog", 103, 3, buffer, 4096)
call("iopl", 172, 3)

# -- numbers of another processor, x32
child = os.fork()
if child == 0:
    os._exit(0 if libc.syscall(0x40000000 | 165, b"none", b"/tmp", b"tmpfs", 0, 0) == 0 else 1)
print("refused passing" if os.waitpid(child, 0)[1] else "WORKED passing")

# -- numbers of another processor, i386
import mmap
code = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)
#           push rbx; mov eax, 20 (getpid); int 0x80; pop rbx; ret
code.write(bytes.fromhex("53b814000000cd805bc3"))
enter = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
child = os.fork()
if child == 0:
    os._exit(0 if enter() > 0 else 1)
print("refused passing" if os.waitpid(child, 0)[1] else "WORKED passing")
