"""Processes that become kernels: forks of a fork server, or started from scratch.

    python -m answering.kernels fork
    python -m answering.kernels start LINK_FD GRADER_FD LIMITS [FILE]

This is the side in the sandbox. The fork server (`forking`) does the imports of all kernels once,
and never runs student code. Each child isolates itself (`isolation`), sets its limits, and becomes
a kernel. The second command becomes a kernel itself, in a sandbox of its own. If it names a file
for the kernel's connection, it is in no sandbox.
"""

import contextlib
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
import zipfile
from typing import Any

from . import forking, isolation, preload, start

# Modules that every kernel imports sooner or later; the homework names further ones. None of them
# may start a thread.
IMPORTED = (
    *("ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "ipykernel.datapub"),
    *("ipykernel.debugger", "IPython.core.pylabtools", "IPython.core.completerlib", "asyncio"),
    *("IPython.core.debugger", "IPython.core.logger", "IPython.extensions.storemagic"),
    *("IPython.utils.wildcard", "stack_data", "pygments.formatters.terminal256"),
    *("pygments.styles.default", "numpy.random", "pdb", "resource"),
    *("matplotlib.pyplot", "matplotlib.backends.backend_agg", "PIL.PngImagePlugin"),
    *("hw_support.figures.hook", "hw_support.figures.taking"),
)
# Prefixes of modules that look for the kernel during their import. So each kernel imports them.
LEFT_TO_KERNELS = ("matplotlib_inline", "tqdm.auto", "tqdm.notebook")
# The value that ipykernel would set. matplotlib reads it during its import.
BACKEND = "module://matplotlib_inline.backend_inline"


def fork() -> None:
    """Fork a child for each request. In a child, return only when its kernel has ended.

    The set-up is a list of modules to import, in JSON, with the filter of system calls.
    """
    requests = forking.control()
    setup, (filter_fd,) = forking.receive(requests)
    modules = json.loads(setup)
    with os.fdopen(filter_fd, "rb") as file:
        seccomp = file.read()
    os.environ.setdefault("MPLBACKEND", BACKEND)
    start.copy_lists_of_fonts()
    for name in (*IMPORTED, *modules):
        with contextlib.suppress(ImportError):  # a kernel that needs the module raises the error
            importlib.import_module(name)
    preload(modules)
    for name in list(sys.modules):
        if name.startswith(LEFT_TO_KERNELS):
            del sys.modules[name]
    forked = forking.serve(requests)
    if forked is None:  # the grader is gone
        return
    request, (link, grader_fd) = forked
    grader = socket.socket(fileno=grader_fd)
    limits = _move_in(json.loads(request), grader, seccomp)
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    _become_kernel(link, grader, limits.for_process(), isolation.CONNECTION_FILE)


def start_alone(link: str, grader_fd: str, limits: str, file: str = "") -> None:
    """Become a kernel; return when it has ended."""
    grader = socket.socket(fileno=int(grader_fd))
    _name_to(grader, os.getpid() if file else 1, os.getpid())
    _become_kernel(int(link), grader, json.loads(limits), file or isolation.CONNECTION_FILE)


def _become_kernel(link: int, grader: socket.socket, limits: dict[str, int], file: str) -> None:
    try:
        connection, (files, seccomp) = forking.receive(grader)
    except EOFError:  # the grader does not know this process, so no watchdog watches it
        os._exit(1)
    filter_of_tests = os.pread(seccomp, os.fstat(seccomp).st_size, 0)
    os.close(seccomp)
    with os.fdopen(files, "rb") as packed:
        if packed.seek(0, os.SEEK_END):
            with zipfile.ZipFile(packed) as archive:
                archive.extractall()  # into the working folder
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(file, "wb") as opened:
        opened.write(connection)
    grader.close()
    _close_all_but(link)
    sys.argv[1:] = []
    start.start(file, link, limits, filter_of_tests)


def _move_in(request: dict[str, Any], grader: socket.socket, seccomp: bytes) -> isolation.Limits:
    """Move into a sandbox; return only in the process that becomes the kernel."""
    limits = isolation.Limits(**request["limits"])
    try:
        os.sched_setaffinity(0, request["cores"])
        isolation.isolate(limits, request["name"])
        if os.fork() != 0:
            os._exit(0)
        # This is the first process of the new pid namespace: all others end with it.
        os.setsid()
        isolation.give_up_rights(seccomp)
        kernel = os.fork()
        if kernel != 0:
            _name_to(grader, os.getpid(), kernel)
            _stay(grader)
    except BaseException as error:
        with contextlib.suppress(OSError):
            grader.send(f"{type(error).__name__}: {error}".encode()[:1000])
        os._exit(1)
    return limits


def _name_to(grader: socket.socket, first: int, kernel: int) -> None:
    """Send the grader descriptors of two processes: their numbers are others outside."""
    socket.send_fds(grader, [b"started"], [os.pidfd_open(first), os.pidfd_open(kernel)])


def _stay(grader: socket.socket) -> None:
    """End with the grader's socket: children of a kernel that has ended may still be asked."""
    _close_all_but(grader.fileno())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system reaps the processes that end
    for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    poll = select.poll()
    poll.register(grader, 0)  # its end is reported anyway
    poll.poll()
    os._exit(0)


def _close_all_but(fd: int) -> None:
    os.closerange(3, fd)
    os.closerange(fd + 1, os.sysconf("SC_OPEN_MAX"))


if __name__ == "__main__":
    (fork if sys.argv[1] == "fork" else start_alone)(*sys.argv[2:])
