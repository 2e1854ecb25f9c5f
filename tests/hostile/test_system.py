"""Attacks on the machine: its network, its other processes, its kernel.

Each is tried from a cell of a student's, mostly by system calls. What was tried is printed, so that
no test passes because nothing was tried.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from arena import CANARY, NOTHING, Arena, Outcome

from hw_support.submission.problems import Kind

pytestmark = pytest.mark.slow
by_number = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="system calls are numbered as on x86-64"
)

# Prints "WORKED name" or "refused name why" for everything that is tried.
TRY = """
import ctypes, errno, os, socket, struct, time
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
"""


def worked(outcome: Outcome) -> set[str]:
    """The names of what worked; at least one thing must have been tried."""
    text = outcome.printed.replace("\\n", "\n")
    assert re.search(r"^.*(WORKED|refused) ", text, re.M), text[-2000:]
    return set(re.findall(r"WORKED (\w+)", text))


def refused(outcome: Outcome) -> set[str]:
    return set(re.findall(r"refused (\w+)", outcome.printed))


def nothing_gained(outcome: Outcome) -> None:
    """No point, and no problem worth a note."""
    assert outcome.scores == NOTHING
    assert outcome.kinds == set()


class Listener:
    """A socket outside that notes who comes."""

    def __init__(self, family: int, kind: int, address: object) -> None:
        self.came: list[object] = []
        self._socket = socket.socket(family, kind)
        self._socket.bind(address)
        self.address = self._socket.getsockname()
        if kind == socket.SOCK_STREAM:
            self._socket.listen()
        self._kind = kind
        self._socket.settimeout(0.1)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                stream = self._kind == socket.SOCK_STREAM
                self.came.append(self._socket.accept() if stream else self._socket.recvfrom(100))
            except TimeoutError:
                continue

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()


def own_addresses() -> list[str]:
    """All addresses of this machine for IPv4."""
    found = [a for addresses in psutil.net_if_addrs().values() for a in addresses]
    return sorted({a.address for a in found if a.family == socket.AF_INET} | {"127.0.0.1"})


# -- the network


def test_tcp_to_the_machines_own_addresses(arena: Arena) -> None:
    listener = Listener(socket.AF_INET, socket.SOCK_STREAM, ("0.0.0.0", 0))
    port = listener.address[1]
    outcome = arena.attack(
        before=TRY
        + f"""
for address in {own_addresses()} + ["0.0.0.0", "127.1.2.3", "10.0.2.2", "169.254.169.254"]:
    attempt("tcp", socket.create_connection, (address, {port}), 0.5)
"""
    )
    listener.close()
    nothing_gained(outcome)
    assert refused(outcome) == {"tcp"}
    assert worked(outcome) == set()
    assert listener.came == []


def test_tcp_to_the_loopback_of_ipv6(arena: Arena) -> None:
    try:
        listener = Listener(socket.AF_INET6, socket.SOCK_STREAM, ("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")
    outcome = arena.attack(
        before=TRY
        + f"""
for address in ("::1", "::ffff:127.0.0.1", "fe80::1"):
    attempt("tcp6", socket.create_connection, (address, {listener.address[1]}), 0.5)
"""
    )
    listener.close()
    nothing_gained(outcome)
    assert refused(outcome) == {"tcp6"}
    assert worked(outcome) == set()
    assert listener.came == []


def test_udp_broadcast_and_multicast(arena: Arena) -> None:
    listener = Listener(socket.AF_INET, socket.SOCK_DGRAM, ("0.0.0.0", 0))
    outcome = arena.attack(
        before=TRY
        + f"""
def shout(address):
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    udp.sendto(b"hello", (address, {listener.address[1]}))
for address in ("255.255.255.255", "127.255.255.255", "127.0.0.1", "224.0.0.1", "8.8.8.8"):
    attempt("udp", shout, address)
"""
    )
    time.sleep(0.2)
    listener.close()
    nothing_gained(outcome)
    assert refused(outcome) == {"udp"}
    assert worked(outcome) == set()
    assert listener.came == []


def test_names_are_not_resolved(arena: Arena) -> None:
    outcome = arena.attack(
        before=TRY
        + """
for name in ("example.org", "localhost.localdomain", "sandbox", "metadata.google.internal"):
    attempt("resolve", socket.getaddrinfo, name, 80)
"""
    )
    nothing_gained(outcome)
    assert refused(outcome) == {"resolve"}
    assert worked(outcome) == set()


def test_raw_sockets_and_making_the_network_oneself(arena: Arena) -> None:
    outcome = arena.attack(
        before=TRY
        + """
attempt("raw", socket.socket, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
attempt("packet", socket.socket, socket.AF_PACKET, socket.SOCK_RAW, 3)
attempt("xdp", socket.socket, 44, socket.SOCK_RAW, 0)
attempt("ping", socket.socket, socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
import fcntl
def ask(number, request):
    fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), number, request)
attempt("ifup", ask, 0x8914, struct.pack("16sh14x", b"lo", 1))
address = struct.pack("16sHH4s8x", b"lo", socket.AF_INET, 0, bytes([10, 0, 0, 1]))
attempt("address", ask, 0x8916, address)
def make_link():
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    body = struct.pack("BxHiII", 0, 0, 1, 1, 1)  # RTM_NEWLINK: the loopback, up
    netlink.send(struct.pack("IHHII", 16 + len(body), 16, 5, 1, 0) + body)
    code = struct.unpack_from("i", netlink.recv(4096), 16)[0]
    if code:
        raise OSError(-code, os.strerror(-code))
attempt("newlink", make_link)
attempt("pair", socket.socketpair, socket.AF_INET)
attempt("interfaces", lambda: [n for n in socket.if_nameindex() if n[1] != "lo"] or 1 / 0)
"""
    )
    nothing_gained(outcome)
    assert worked(outcome) == set()
    assert len(refused(outcome)) == 9


def test_sockets_to_the_hypervisor(arena: Arena) -> None:
    """A network of its own does not cut AF_VSOCK off: on a virtual machine it leads to the host."""
    outcome = arena.attack(
        before=TRY
        + """
attempt("vsock", socket.socket, 40, socket.SOCK_STREAM)
attempt("vsock_datagrams", socket.socket, 40, socket.SOCK_DGRAM)
"""
    )
    nothing_gained(outcome)
    assert worked(outcome) == set()


def test_netlink_tells_nothing_of_the_machine(arena: Arena) -> None:
    outcome = arena.attack(
        before=TRY
        + """
def all_of(kind):
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    netlink.settimeout(1)
    netlink.send(struct.pack("IHHII", 17, kind, 0x301, 1, 0) + b"\\0")
    answer = netlink.recv(1 << 16)
    if struct.unpack_from("H", answer, 4)[0] == 3:
        raise OSError("empty")
def subscribe(protocol, group):
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
    netlink.bind((0, group))
    netlink.settimeout(0.5)
    netlink.recv(1 << 16)
attempt("addresses", all_of, 22)
attempt("routes", all_of, 26)
attempt("neighbours", all_of, 30)
attempt("uevents", subscribe, 15, 1)
attempt("audit", subscribe, 9, 1)
attempt("sockets", subscribe, 4, 1)
"""
    )
    nothing_gained(outcome)
    assert worked(outcome) == set()
    assert len(refused(outcome)) == 6


def test_abstract_sockets_of_the_machine(arena: Arena) -> None:
    name = f"\0hw-{os.getpid()}"
    listener = Listener(socket.AF_UNIX, socket.SOCK_STREAM, name)
    outcome = arena.attack(
        before=TRY
        + f"""
stream = socket.socket(socket.AF_UNIX)
attempt("abstract", stream.connect, {name!r})
for name in ("\\0/tmp/.X11-unix/X0", "\\0/org/freedesktop/systemd1/notify"):
    attempt("abstract", socket.socket(socket.AF_UNIX).connect, name)
"""
    )
    listener.close()
    nothing_gained(outcome)
    assert refused(outcome) == {"abstract"}
    assert worked(outcome) == set()
    assert listener.came == []


def test_socket_files_of_the_machine(arena: Arena, tmp_path: Path) -> None:
    path = tmp_path / "s"
    listener = Listener(socket.AF_UNIX, socket.SOCK_STREAM, str(path))
    path.chmod(0o777)
    outcome = arena.attack(
        before=TRY
        + f"""
for path in ({str(path)!r}, "../../../../../..{path}", "/run/docker.sock",
             "/run/dbus/system_bus_socket", "/run/systemd/private", "/tmp/.X11-unix/X0"):
    attempt("file", socket.socket(socket.AF_UNIX).connect, path)
"""
    )
    listener.close()
    nothing_gained(outcome)
    assert refused(outcome) == {"file"}
    assert worked(outcome) == set()
    assert listener.came == []


# -- other processes


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process of the grader's user that has no business with the submission."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


@pytest.mark.smoke
def test_a_signal_to_everything(arena: Arena, bystander: subprocess.Popen[bytes]) -> None:
    outcome = arena.attack(
        before="""
import os, signal
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGKILL, signal.SIGSTOP):
    try:
        os.kill(-1, number)
        print("sent", number)
    except OSError as error:
        print("not sent", number, error)
""",
        after="print('alive')",
    )
    assert "sent" in outcome.printed
    assert "alive" in outcome.printed
    nothing_gained(outcome)
    assert bystander.poll() is None
    assert psutil.Process(bystander.pid).status() != psutil.STATUS_STOPPED


def test_signals_to_every_number(arena: Arena, bystander: subprocess.Popen[bytes]) -> None:
    known = [os.getpid(), bystander.pid, *(p.pid for p in psutil.Process().children())]
    outcome = arena.attack(
        before=f"""
import os, signal
hit = []
for pid in [*range(1, 50_000), *{known}]:
    for send in (os.kill, os.killpg):
        try:
            # The first numbers are its own threads'. No group has number 1: that means everybody.
            send(pid, signal.SIGKILL if pid > 300 else 0)
            hit.append(pid)
        except OSError:
            pass
print("hit", 1 in hit, os.getpid() in hit, "others", [pid for pid in hit if pid > 300])
""",
        after="print('alive')",
    )
    assert "hit True True others []" in outcome.printed
    assert "alive" in outcome.printed
    nothing_gained(outcome)
    assert bystander.poll() is None


def test_the_grader_itself_is_no_parent_to_signal(
    arena: Arena, bystander: subprocess.Popen[bytes]
) -> None:
    outcome = arena.attack(
        before=TRY
        + f"""
print("parent", os.getppid(), "session", os.getsid(0), "group", os.getpgrp())
for pid in (os.getppid(), {os.getpid()}, {bystander.pid}):
    call("pidfd", 434, pid, 0)
attempt("limits", __import__("resource").prlimit, {os.getpid()}, 7, (1, 1))
attempt("owner", __import__("fcntl").fcntl, 0, 8, {os.getpid()})  # F_SETOWN: SIGIO for the grader
link = __import__("answering.start").start._link
print("peer", struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)))
"""
    )
    nothing_gained(outcome)
    assert "parent 1" in outcome.printed
    assert "peer (0," in outcome.printed  # a number that names nobody here
    assert "limits" in refused(outcome)
    assert bystander.poll() is None


READ_FIRST_PROCESS = (
    TRY
    + """
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
"""
)


@by_number
@pytest.mark.parametrize("number", [0, 1])
def test_calls_by_the_numbers_of_another_processor(arena: Arena, number: int) -> None:
    """A filter of calls that knows one way of numbering them can be passed by another."""
    x32 = 0x40000000 | 165  # mount
    outcome = arena.attack(
        before=TRY
        + f"""
import mmap
code = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)
#           push rbx; mov eax, 20 (getpid); int 0x80; pop rbx; ret
code.write(bytes.fromhex("53b814000000cd805bc3"))
enter = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
child = os.fork()
if child == 0:
    if {number}:
        done = enter() > 0
    else:
        done = libc.syscall({x32}, b"none", b"/tmp", b"tmpfs", 0, 0) == 0
    os._exit(0 if done else 1)
status = os.waitpid(child, 0)[1]
print("ended by", os.WTERMSIG(status), os.WEXITSTATUS(status))
print("WORKED passing" if status == 0 else "refused passing")
"""
    )
    nothing_gained(outcome)
    assert worked(outcome) == set()


@by_number
def test_the_memory_of_the_sandboxs_first_process(arena: Arena) -> None:
    """It was started by the grader, with the grader's environment and command line."""
    outcome = arena.attack(
        before=READ_FIRST_PROCESS
        + """
if trace("seize", SEIZE, 1, None, None) >= 0:
    trace("interrupt", INTERRUPT, 1, None, None)
    os.waitpid(1, ALL)
    registers = (ctypes.c_ulong * 27)()
    trace("registers", GETREGS, 1, None, ctypes.addressof(registers))
    stack = memory_of(1, registers[19] & ~4095)
    print(len(stack), "bytes of the stack")
    print(stack[stack.find(b"HW_GRADING_CANARY"):][:40])
"""
    )
    nothing_gained(outcome)
    assert "seize" in worked(outcome) | refused(outcome)
    assert worked(outcome) == set()


@by_number
def test_the_descriptors_of_the_sandboxs_first_process(arena: Arena) -> None:
    outcome = arena.attack(
        before=TRY
        + """
import stat
process = libc.syscall(434, 1, 0)
kinds = set()
for number in range(200):
    taken = libc.syscall(438, process, number, 0)
    if taken >= 0:
        kinds.add(stat.S_IFMT(os.fstat(taken).st_mode))
print("tried", process >= 0, "folders", stat.S_IFDIR in kinds, "files", stat.S_IFREG in kinds)
"""
    )
    nothing_gained(outcome)
    assert "tried True folders False files False" in outcome.printed


def test_the_kernels_own_descriptors_lead_nowhere(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import os, stat
count, folders, files, terminals, escapes = 0, 0, 0, 0, 0
for number in range(1000):
    try:
        mode = os.fstat(number).st_mode
    except OSError:
        continue
    count += 1
    folders += stat.S_ISDIR(mode)
    files += stat.S_ISREG(mode)
    terminals += os.isatty(number)
    try:
        os.open("..", os.O_RDONLY, dir_fd=number)
        escapes += 1
    except OSError:
        pass
print("many", count > 20, "folders", folders, "files", files, "terminals", terminals, escapes)
"""
    )
    nothing_gained(outcome)
    assert "many True folders 0 files 0 terminals 0 0" in outcome.printed


@by_number
def test_a_child_that_holds_the_kernel_by_tracing_it(arena: Arena) -> None:
    outcome = arena.attack(
        before=READ_FIRST_PROCESS
        + """
kernel = os.getpid()
libc.prctl(0x59616d61, -1, 0, 0, 0)  # lets anybody trace it, where that needs leave
print("begun", flush=True)
if os.fork() == 0:
    libc.ptrace(SEIZE, kernel, None, None)
    libc.ptrace(INTERRUPT, kernel, None, None)
    time.sleep(1000)
time.sleep(1000)
""",
        wall_seconds_per_cell=1.0,
        iopub_timeout=1,
    )
    assert "begun" in outcome.printed
    assert outcome.scores == NOTHING
    assert outcome.kinds == {Kind.TIME_LIMIT}


@by_number
def test_a_first_process_that_is_held_or_killed_by_tracing_it(arena: Arena) -> None:
    outcome = arena.attack(
        before=READ_FIRST_PROCESS
        + """
print("begun", flush=True)
time.sleep(0.3)
if os.fork() == 0:
    libc.ptrace(SEIZE, 1, None, 0x100000)  # which kills it when the tracer ends
    libc.ptrace(INTERRUPT, 1, None, None)
    time.sleep(0.3)
    os._exit(0)
time.sleep(1.5)
""",
        iopub_timeout=1,
    )
    assert "begun" in outcome.printed
    assert outcome.scores == NOTHING
    assert outcome.kinds <= {Kind.KERNEL}


# -- rights


@by_number
def test_mounts_and_roots(arena: Arena) -> None:
    outcome = arena.attack(
        before=TRY
        + """
os.makedirs("/tmp/a/b")
call("mount_tmpfs", 165, b"none", b"/tmp/a", b"tmpfs", 0, None)
call("mount_proc", 165, b"proc", b"/tmp/a", b"proc", 0, None)
call("mount_bind", 165, b"/usr", b"/tmp/a", None, 4096, None)
call("remount", 165, None, b"/usr", None, 32 | 4096, None)
call("remount_root", 165, None, b"/", None, 32, None)
call("propagate", 165, None, b"/", None, 1 << 20, None)
call("umount", 166, b"/tmp", 2)
call("umount_root", 166, b"/", 2)
call("umount_kernel", 166, b"/run/kernel", 2)
call("pivot_root", 155, b"/tmp/a", b"/tmp/a/b")
call("chroot", 161, b"/tmp/a")
call("fsopen", 430, b"tmpfs", 0)
call("open_tree", 428, -100, b"/", 1)
call("fspick", 433, -100, b"/", 0)
call("move_mount", 429, -100, b"/usr", -100, b"/tmp/a", 0)
call("mount_setattr", 442, -100, b"/usr", 0, buffer, 32)
for _ in range(100):
    os.chdir("..")
print("at the root", sorted(os.listdir(".")) == sorted(os.listdir("/")), os.listdir("/proc"))
"""
    )
    nothing_gained(outcome)
    assert worked(outcome) == set()
    assert len(refused(outcome)) == 16
    assert "at the root True []" in outcome.printed


@by_number
def test_further_namespaces(arena: Arena) -> None:
    outcome = arena.attack(
        before=TRY
        + """
kinds = dict(user=1 << 28, mount=1 << 17, pid=1 << 29, net=1 << 30, ipc=1 << 27, uts=1 << 26,
             cgroup=1 << 25, time=1 << 7)
for name, flag in kinds.items():
    call("unshare_" + name, 272, flag | (kinds["user"] if name != "user" else 0))
    call("alone_" + name, 272, flag)
    child = call("clone_" + name, 56, flag | kinds["user"] | 17, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    arguments = struct.pack("11Q", flag | kinds["user"], 0, 0, 0, 17, 0, 0, 0, 0, 0, 0)
    if call("clone3_" + name, 435, arguments, 88) == 0:
        os._exit(0)
process = libc.syscall(434, 1, 0)
call("join_first", 308, process, kinds["mount"] | kinds["user"])
"""
    )
    nothing_gained(outcome)
    assert worked(outcome) == set()
    assert len(refused(outcome)) == 33


def test_a_sandbox_within_the_sandbox(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import subprocess, shutil
for program in (["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "id"],
                ["bwrap", "--dev-bind", "/", "/", "id"],
                ["unshare", "-Ur", "id"],
                ["nsenter", "-t", "1", "-a", "id"],
                ["chroot", "/tmp", "id"]):
    if shutil.which(program[0]):
        done = subprocess.run(program, capture_output=True, text=True)
        print(f"ended with {done.returncode}: uid={'uid' in done.stdout}")
"""
    )
    nothing_gained(outcome)
    assert "ended with" in outcome.printed
    assert "ended with 0" not in outcome.printed
    assert "uid=True" not in outcome.printed


def test_programs_that_would_run_as_root(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import glob, os, shutil, subprocess
found = [p for p in glob.glob("/usr/*bin/*") + glob.glob("/usr/lib/*/*")
         if os.path.isfile(p) and os.stat(p).st_mode & 0o6000]
for command in ("su -c id", "su - root -c id", "sudo -n id", "pkexec id", "newgrp root",
                "mount -t tmpfs none /tmp", "umount /tmp", "passwd -d root", "chsh -s /bin/sh"):
    done = subprocess.run("timeout 1 " + command, shell=True, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    print("status", done.returncode, "root" if "uid=0" in done.stdout else "nobody special")
shutil.copy(shutil.which("id"), "/tmp/id")
os.chmod("/tmp/id", 0o6755)
print(len(found), "found;", subprocess.run("/tmp/id", capture_output=True, text=True).stdout)
print("ids", os.getresuid(), os.getresgid(), os.getgroups())
"""
    )
    nothing_gained(outcome)
    assert "found; uid=1000" in outcome.printed
    assert "ids (1000, 1000, 1000) (1000, 1000, 1000)" in outcome.printed
    assert "status 0" not in outcome.printed
    assert "root'" not in outcome.printed


@by_number
def test_becoming_another_user(arena: Arena) -> None:
    outcome = arena.attack(
        before=TRY
        + """
for number in (0, 1, 65534, 1_000_000_000):
    call("setuid", 105, number)
    call("setgid", 106, number)
    call("setresuid", 117, number, number, number)
    call("setresgid", 119, number, number, number)
    os.close(os.open("/tmp/mine", os.O_CREAT))
    attempt("chown", os.chown, "/tmp/mine", number, number)
call("setgroups", 116, 0, None)
header = struct.pack("Ii", 0x20080522, 0)
call("capset", 126, header, b"\\xff" * 24)
call("ambient", 157, 47, 2, 21, 0, 0)
call("keepcaps_off", 157, 38, 0, 0, 0, 0)  # no_new_privs cannot be taken back
print("no_new_privs", libc.prctl(39, 0, 0, 0, 0))
"""
    )
    nothing_gained(outcome)
    assert worked(outcome) == set()
    assert "no_new_privs 1" in outcome.printed


def test_raising_the_limits(arena: Arena) -> None:
    outcome = arena.attack(
        before=TRY
        + """
import resource
for name in ("AS", "NPROC", "FSIZE", "NOFILE", "CORE", "MSGQUEUE", "NICE", "RTPRIO"):
    kind = getattr(resource, "RLIMIT_" + name)
    soft, hard = resource.getrlimit(kind)
    attempt("hard", resource.setrlimit, kind, (soft, hard + 1))
    attempt("soft", resource.setrlimit, kind, (hard + 1, hard))
    attempt("none", resource.setrlimit, kind, (resource.RLIM_INFINITY,) * 2)
"""
    )
    nothing_gained(outcome)
    assert worked(outcome) == set()
    assert refused(outcome) == {"hard", "soft", "none"}


@by_number
def test_going_before_others(arena: Arena) -> None:
    cores = os.cpu_count() or 1
    outcome = arena.attack(
        before=TRY
        + f"""
attempt("nice", os.setpriority, os.PRIO_PROCESS, 0, -5)
attempt("nice_first", os.setpriority, os.PRIO_PROCESS, 1, -5)
attempt("nice_user", os.setpriority, os.PRIO_USER, 0, -5)
attempt("fifo", os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(1))
attempt("round_robin", os.sched_setscheduler, 0, os.SCHED_RR, os.sched_param(1))
deadline = struct.pack("IIQiIQQQ", 48, 6, 0, 0, 0, 10**7, 3 * 10**7, 3 * 10**7)
call("deadline", 314, 0, deadline, 0)
call("io_real_time", 251, 1, 0, 1 << 13)
os.sched_setaffinity(0, range({cores}))  # which is its own affair
print("affinity")
"""
    )
    nothing_gained(outcome)
    assert worked(outcome) == set()
    assert "affinity" in outcome.printed


@by_number
def test_the_machines_clock_name_and_power(arena: Arena) -> None:
    name, before = socket.gethostname(), time.time()
    outcome = arena.attack(
        before=TRY
        + """
open("/tmp/image", "wb").write(bytes(4096))
call("settimeofday", 164, struct.pack("2q", 10**9, 0), None)
call("clock_settime", 227, 0, struct.pack("2q", 10**9, 0))
call("adjtimex", 159, struct.pack("I4x50q", 1, *range(50)))
call("sethostname", 170, b"mine", 4)
call("setdomainname", 171, b"mine", 4)
call("reboot", 169, 0xFEE1DEAD, 672274793, 0x01234567, 0)
call("no_ctrl_alt_del", 169, 0xFEE1DEAD, 672274793, 0, 0)
call("kexec_load", 246, 0, 0, 0, 0)
call("kexec_file_load", 320, 0, 0, 0, 0, 0)
call("init_module", 175, buffer, 4096, b"")
call("delete_module", 176, b"ext4", 0)
call("swapon", 167, b"/tmp/image", 0)
call("swapoff", 168, b"/tmp/image")
call("acct", 163, b"/tmp/image")
call("syslog_read", 103, 3, buffer, 4096)
call("syslog_off", 103, 6, None, 0)
call("quotactl", 179, 0x80000100, b"/dev/vda", 0, buffer)
call("vhangup", 153)
call("iopl", 172, 3)
call("ioperm", 173, 0x70, 2, 1)
call("open_by_handle", 304, -100, struct.pack("Ii128s", 8, 1, bytes(128)), 0)
call("fanotify", 300, 0, 0)
call("fanotify_class", 300, 4, 0)
"""
    )
    nothing_gained(outcome)
    # Watching one's own files is nobody's business.
    assert worked(outcome) <= {"fanotify"}
    assert len(refused(outcome)) >= 22
    assert socket.gethostname() == name
    assert abs(time.time() - before) < 100


@by_number
def test_seldom_used_parts_of_the_kernel(arena: Arena) -> None:
    """Where most faults of kernels are found, and no homework has a use for any."""
    outcome = arena.attack(
        before=TRY
        + """
instructions = struct.pack("QQ", 0xB7, 0x95)  # r0 = 0; return
code = ctypes.create_string_buffer(instructions)
program = struct.pack("IIQQIIQ", 1, 2, ctypes.addressof(code), 0, 0, 0, 0) + bytes(80)
call("bpf", 321, 5, program, len(program))
attributes = struct.pack("II", 1, 128) + bytes(120)
call("perf_all", 298, attributes, -1, 0, -1, 0)
call("perf_first", 298, attributes, 1, -1, -1, 0)
call("userfaultfd", 323, 0)
"""
    )
    nothing_gained(outcome)
    assert worked(outcome) == set()
    assert refused(outcome) == {"bpf", "perf_all", "perf_first", "userfaultfd"}


@by_number
def test_a_ring_of_system_calls(arena: Arena) -> None:
    """io_uring does what a filter of system calls would not see; it is the most attacked part."""
    outcome = arena.attack(
        before=TRY + 'call("io_uring", 425, 8, ctypes.create_string_buffer(256))'
    )
    nothing_gained(outcome)
    assert worked(outcome) == set()


@pytest.fixture
def key() -> Iterator[int]:
    """A key of the grader's, as a file system or Kerberos keeps them, in a keyring of this test."""
    if platform.machine() != "x86_64" or not sys.platform.startswith("linux"):
        pytest.skip("system calls are numbered as on x86-64")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(250, 1, None) < 0:  # KEYCTL_JOIN_SESSION_KEYRING
        pytest.skip("this machine has no keyrings")
    number = libc.syscall(248, b"user", b"hw-key", CANARY.encode(), len(CANARY), -3)
    assert number > 0
    yield number
    libc.syscall(250, 1, None)


ASK_KEYRING = (
    TRY
    + """
key = call("search", 250, 10, -3, b"user", b"hw-key", 0)
size = libc.syscall(250, 11, key, buffer, 4096)
print("WORKED read" if size > 0 else "refused read", buffer.raw[:max(size, 0)])
"""
)


def test_the_keys_of_the_grader_in_its_session_keyring(arena: Arena, key: int) -> None:
    outcome = arena.attack(
        before=ASK_KEYRING
        + f"""
size = libc.syscall(250, 11, {key}, buffer, 4096)
print("WORKED guess" if size > 0 else "refused guess", buffer.raw[:max(size, 0)])
"""
    )
    nothing_gained(outcome)
    assert worked(outcome) == set()


def test_a_key_left_for_the_next_student(arena: Arena, key: int) -> None:
    leave = 'call("leave", 248, b"user", b"left", b"for the next", 12, -3)'
    look = 'call("found", 250, 10, -3, b"user", b"left", 0)'
    outcome = arena.attack(before=TRY + leave)
    assert "leave" in worked(outcome) | refused(outcome)
    outcome = arena.attack(before=TRY + look)
    assert worked(outcome) == set()


@by_number
def test_memory_and_queues_that_processes_share(arena: Arena) -> None:
    """Those of System V and of POSIX, made outside under known names."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    libc.shmdt.argtypes = [ctypes.c_void_p]
    key = 0x48570000 + os.getpid() % 0xFFFF
    segment = libc.shmget(key, 4096, 0o1666)
    queue = libc.msgget(key, 0o1666)
    at = libc.shmat(segment, None, 0)
    ctypes.memmove(at, CANARY.encode(), len(CANARY))
    posix = Path("/dev/shm") / f"hw-{os.getpid()}"
    posix.write_text(CANARY)
    try:
        outcome = arena.attack(
            before=TRY
            + f"""
call("segment", 29, {key}, 4096, 0)
call("attach", 30, {segment}, None, 0)
call("remove", 31, {segment}, 0, None)
call("queue", 68, {key}, 0)
call("message", 70, {queue}, buffer, 100, 0, 0o4000)
call("semaphores", 64, {key}, 0, 0)
call("mq_open", 240, b"hw", 0o102, 0o666, None)
print("found", os.listdir("/dev/shm"))
"""
        )
        nothing_gained(outcome)
        assert worked(outcome) == set()
        assert "found []" in outcome.printed
        assert ctypes.string_at(at, len(CANARY)) == CANARY.encode()
    finally:
        libc.shmdt(at)
        libc.shmctl(segment, 0, None)
        libc.msgctl(queue, 0, None)
        posix.unlink()


def test_typing_into_a_terminal(arena: Arena) -> None:
    outcome = arena.attack(
        before=TRY
        + """
import fcntl
attempt("tty", os.open, "/dev/tty", os.O_RDWR)
attempt("console", os.open, "/dev/console", os.O_RDWR)
for number in range(100):
    try:
        os.fstat(number)
    except OSError:
        continue
    attempt("type", fcntl.ioctl, number, 0x5412, b"x")
    attempt("steal", fcntl.ioctl, number, 0x540E, 1)
print("terminals", os.listdir("/dev/pts"))
"""
    )
    nothing_gained(outcome)
    assert worked(outcome) == set()
    assert refused(outcome) == {"tty", "console", "type", "steal"}
    assert "terminals ['ptmx']" in outcome.printed.replace("\\'", "'")


def test_terminals_are_few_and_suffice_for_commands(arena: Arena) -> None:
    """The machine has some thousands for all."""
    outcome = arena.attack(
        before=TRY
        + """
terminals = []
while len(terminals) < 1000 and (pair := attempt("terminal", os.openpty)):
    terminals.append(pair)
print("opened", len(terminals))
for pair in terminals:
    os.close(pair[0])
    os.close(pair[1])
print("said", get_ipython().getoutput("echo from a terminal"))
"""
    )
    nothing_gained(outcome)
    opened = re.search(r"opened (\d+)", outcome.printed)
    assert opened
    assert 5 < int(opened[1]) <= 32
    assert "said ['from a terminal']" in outcome.printed.replace("\\'", "'")


# -- files that all sandboxes show

ASKED_OF_FILES = {
    "tells_what_others_open": (72, 1026, 1),  # fcntl, F_NOTIFY, DN_ACCESS
    "keeps_others_from_opening": (72, 1024, 0),  # F_SETLEASE, F_RDLCK
    "signals_of_both": (72, 10, 10),  # F_SETSIG
    "locks_that_outlive_descriptors": (72, 37, 0),  # F_OFD_SETLK
}


@by_number
def test_leases_and_notices_of_files_that_others_open(arena: Arena) -> None:
    """The system looks at one half of a register: what stands in the other must not matter."""
    outcome = arena.attack(
        before=TRY
        + f"""
libc.syscall.argtypes = [ctypes.c_long] * 4
folder, file = os.open("/opt", os.O_RDONLY), os.open("/tmp/own", os.O_CREAT)
call("inotify", 253, 0, 0, 0)
call("inotify1", 294, 0, 0, 0)
call("fanotify", 300, 0, 0, 0)
for high in (0, 1 << 32, -1 << 32):
    for name, (number, command, argument) in {ASKED_OF_FILES}.items():
        call(name, number, folder if command == 1026 else file, command | high, argument)
"""
    )
    nothing_gained(outcome)
    assert worked(outcome) == set()
    assert refused(outcome) == {"inotify", "inotify1", "fanotify", *ASKED_OF_FILES}
    assert not re.search(r"refused \w+ (?!EPERM)", outcome.printed)


@by_number
def test_larger_queues_of_sockets_and_pipes(arena: Arena) -> None:
    outcome = arena.attack(
        before=TRY
        + """
libc.syscall.argtypes = [ctypes.c_long] * 6
most = ctypes.create_string_buffer((1 << 20).to_bytes(4, "little"))
ours, pipe = socket.socket(socket.AF_UNIX), os.pipe()[1]
for high in (0, 1 << 32, -1 << 32):
    for option in (7, 32):  # SO_SNDBUF, SO_SNDBUFFORCE
        for level, name in ((1 | high, option), (1, option | high)):
            call("queue", 54, ours.fileno(), level, name, ctypes.addressof(most), 4)
    call("pipe", 72, pipe, 1031 | high, 1 << 20, 0, 0)
"""
    )
    nothing_gained(outcome)
    assert worked(outcome) == set()
    assert refused(outcome) == {"queue", "pipe"}
