"""The fork server of kernels: does their imports once, and forks a kernel for each submission.

    python -m answering.fork_server CONTROL_FD FILTER_FD [MODULE ...]

It runs in a sandbox and never runs student code. Each child moves into its own namespaces and
folders, sets its limits and the filter of system calls, gives up all capabilities, and becomes a
kernel. The request says how.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Any

from . import caches, start

# Modules that every kernel imports sooner or later; the homework names further ones. None of them
# may start a thread.
IMPORTED = (
    *("ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "ipykernel.datapub"),
    *("ipykernel.debugger", "IPython.core.pylabtools", "IPython.core.completerlib", "asyncio"),
    *("IPython.core.debugger", "IPython.core.logger", "IPython.extensions.storemagic"),
    *("IPython.utils.wildcard", "stack_data", "pygments.formatters.terminal256"),
    *("pygments.styles.default", "numpy.random", "pdb", "resource"),
    *("matplotlib.pyplot", "matplotlib.backends.backend_agg", "PIL.PngImagePlugin"),
    *("hw_support", "answering.serve", "answering.quiet", "tornado.platform.asyncio"),
)
# Prefixes of modules that look for the kernel during their import. So each kernel imports them.
LEFT_TO_KERNELS = ("matplotlib_inline", "tqdm.auto", "tqdm.notebook")
# The value that ipykernel would set. matplotlib reads it during its import.
BACKEND = "module://matplotlib_inline.backend_inline"

_CLONE = {
    "mount": 0x00020000,
    "cgroup": 0x02000000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}
_READ_ONLY, _NO_SUID, _NO_DEVICES, _NO_PROGRAMS, _REMOUNT = 1, 2, 4, 8, 32
_BIND, _RECURSIVE, _SLAVE = 4096, 16384, 1 << 19
_DROP_FROM_BOUNDING_SET, _SET_SECCOMP, _NO_NEW_PRIVILEGES = 24, 22, 38
_FILTER_MODE = 2
_CAPABILITIES_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


class _FilterProgram(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


def main(control_fd: int, filter_fd: int, *modules: str) -> None:
    """Answer requests. In a child, return only when its kernel has ended."""
    control = socket.socket(fileno=control_fd)
    with os.fdopen(filter_fd, "rb") as file:
        seccomp = file.read()
    os.environ.setdefault("MPLBACKEND", BACKEND)
    start.copy_lists_of_fonts()
    for name in (*IMPORTED, *modules):
        with contextlib.suppress(ImportError):  # a kernel that needs the module raises the error
            importlib.import_module(name)
    for name in list(sys.modules):
        if name.startswith(LEFT_TO_KERNELS):
            del sys.modules[name]
    caches.fill(modules)
    gc.collect()
    gc.freeze()  # otherwise each collection in a child would copy all shared pages
    control.send(b"ready")
    request = _request_of_child(control)
    if request is None:
        return
    connection_file, link, limits = _move_in(*request, seccomp)
    del request, seccomp, control
    sys.argv[1:] = []
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    start.start(connection_file, link, limits)


def _request_of_child(control: socket.socket) -> tuple[dict[str, Any], int, int, int] | None:
    """Fork a child for each request. Return in the child; return None when the grader is gone."""
    while True:
        message, fds, _, _ = socket.recv_fds(control, 1 << 16, 3)
        if not message:
            return None
        child = os.fork()
        if child == 0:
            control.close()
            return json.loads(message), *fds
        for fd in fds:
            os.close(fd)
        os.waitpid(child, 0)  # the child forks the sandbox's first process, and ends at once


def _move_in(
    request: dict[str, Any], link: int, report_fd: int, lifeline: int, seccomp: bytes
) -> tuple[str, int, dict[str, int]]:
    """Move into new namespaces; return only in the kernel's process, with what it starts with."""
    report = socket.socket(fileno=report_fd)
    isolation = request["isolation"]
    try:
        os.sched_setaffinity(0, request["cores"])
        _isolate(isolation, request["connection"])
        if os.fork() != 0:
            os._exit(0)
        # This is the first process of the new pid namespace: all others end with it.
        report.send(b"first")
        os.setsid()
        _give_up_capabilities()
        _lay_filter(seccomp)
        kernel = os.fork()
        if kernel != 0:
            _wait_for(kernel, lifeline)
        report.send(b"kernel")
    except BaseException as error:
        report.send(f"{type(error).__name__}: {error}".encode()[:1000])
        os._exit(1)
    if report.recv(1) != b"g":  # the grader does not know this process, so no watchdog watches it
        os._exit(1)
    report.close()
    _close_all_but(link)
    return isolation["connection_file"], link, isolation["limits"]


def _isolate(isolation: Mapping[str, Any], connection: Mapping[str, Any]) -> None:
    """Move into new namespaces, mount their folders, and write the connection file."""
    user, group = os.geteuid(), os.getegid()
    _expect(_libc.unshare(sum(_CLONE[name] for name in isolation["namespaces"])), "unshare")
    for path, text in {
        "/proc/self/setgroups": "deny",
        "/proc/self/uid_map": f"{isolation['user']} {user} 1",
        "/proc/self/gid_map": f"{isolation['user']} {group} 1",
        **isolation["written"],
    }.items():
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
    _mount(None, "/", flags=_RECURSIVE | _SLAVE)
    for folder, place in isolation["bound"].items():
        _mount(folder, place, flags=_BIND)
    for folder, options in isolation["own"].items():
        _mount("tmpfs", folder, "tmpfs", _NO_SUID | _NO_DEVICES, options)
    for folder, options in isolation["terminals"].items():
        _mount("devpts", folder, "devpts", _NO_SUID | _NO_PROGRAMS, options)
    for folder in isolation["covered"]:
        _mount("tmpfs", folder, "tmpfs", _NO_SUID | _NO_DEVICES, "size=1m,mode=0755")
    with open(isolation["connection_file"], "w", encoding="utf-8") as file:
        json.dump(connection, file)
    for folder in isolation["covered"]:
        _mount(None, folder, flags=_REMOUNT | _BIND | _READ_ONLY | _NO_SUID | _NO_DEVICES)
    os.chdir(isolation["folder"])  # enter the new mount, which has the same path as the old folder


def _mount(
    source: str | None, target: str, kind: str | None = None, flags: int = 0, options: str = ""
) -> None:
    encoded = [None if text is None else text.encode() for text in (source, target, kind)]
    status = _libc.mount(*encoded, ctypes.c_ulong(flags), options.encode())
    _expect(status, f"mount on {target}")


def _give_up_capabilities() -> None:
    _expect(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "no new privileges")
    capability = 0
    while _libc.prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0) == 0:
        capability += 1
    if capability == 0:
        _expect(-1, "capabilities")
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION_3, 0)
    _expect(_libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")


def _lay_filter(seccomp: bytes) -> None:
    instructions = ctypes.create_string_buffer(seccomp, len(seccomp))
    program = _FilterProgram(len(seccomp) // 8, ctypes.addressof(instructions))
    _expect(_libc.prctl(_SET_SECCOMP, _FILTER_MODE, ctypes.byref(program), 0, 0), "seccomp")


def _wait_for(kernel: int, lifeline: int) -> None:
    """Reap child processes until the kernel or the grader, at the lifeline's other end, ends."""
    try:
        _close_all_but(lifeline)
        for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        child_ended, wake = os.pipe2(os.O_NONBLOCK)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        ended = os.pidfd_open(kernel)
        poll = select.poll()
        for fd in (child_ended, ended, lifeline):
            poll.register(fd, select.POLLIN)
        while {fd for fd, _ in poll.poll(1000)} <= {child_ended}:
            with contextlib.suppress(BlockingIOError):
                os.read(child_ended, 1000)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG) != (0, 0):
                    pass
    finally:
        os._exit(0)


def _close_all_but(fd: int) -> None:
    os.closerange(3, fd)
    os.closerange(fd + 1, os.sysconf("SC_OPEN_MAX"))


def _expect(status: int, what: str) -> None:
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    # Run the module under its own name, not as __main__: then `answering.start` finds its link.
    from answering import fork_server as this

    this.main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
