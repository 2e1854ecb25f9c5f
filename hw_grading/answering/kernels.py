"""Processes that become kernels: forks of a fork server, or started from scratch.

    python -m answering.kernels

This is the side in the sandbox. The fork server (`forking`) does the imports of all kernels once,
and never runs student code. Each child isolates itself (`isolation`), sets its limits, and becomes
a kernel. A process that gets no modules to import is no fork server: it becomes the kernel itself,
in a sandbox of its own, or in none.
"""

import contextlib
import importlib
import io
import os
import pickle
import random
import select
import signal
import socket
import sys
import zipfile
from collections.abc import Sequence
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


def main() -> None:
    """Become a kernel; a fork server does so in each child. Return when the kernel has ended.

    The set-up of a fork server has two parts: the filter of system calls, and the modules of the
    homework to import. Any other process gets only an empty first part. The grader makes these and
    the requests before any student code runs.
    """
    requests = forking.control()
    seccomp, _ = forking.receive(requests)
    if not seccomp:
        request, (link, grader_fd) = forking.receive(requests)
    else:
        try:
            _import_all(requests)
        except EOFError:  # the grader is gone
            return
        forked = forking.serve(requests)
        if forked is None:  # the grader is gone
            return
        request, (link, grader_fd) = forked
    about = pickle.loads(request)
    grader = socket.socket(fileno=grader_fd)
    limits = isolation.Limits(**about["limits"]).for_process() if about["limits"] else {}
    if not seccomp:
        _name_to(grader, 1 if limits else os.getpid(), os.getpid())
    else:
        _move_in(about, grader, seccomp)
        random.seed()
        if numpy := sys.modules.get("numpy"):
            numpy.random.seed()
    if about["files"]:
        with zipfile.ZipFile(io.BytesIO(about["files"])) as archive:
            archive.extractall()  # into the working folder
    file = about["connection_file"]
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(file, "wb") as opened:
        opened.write(about["connection"])
    grader.close()
    _close_all_but(link)
    start.start(file, link, limits, about["filter_of_tests"])


def _import_all(requests: socket.socket) -> None:
    """Import what any kernel needs, and then the modules that the grader names."""
    forking.begin_imports()
    os.environ.setdefault("MPLBACKEND", BACKEND)
    start.copy_lists_of_fonts()
    _import_each(IMPORTED)
    modules: Sequence[str] = pickle.loads(forking.receive(requests)[0])
    _import_each(modules)
    preload(modules)
    for name in list(sys.modules):
        if name.startswith(LEFT_TO_KERNELS):
            del sys.modules[name]


def _import_each(modules: Sequence[str]) -> None:
    for name in modules:
        with contextlib.suppress(ImportError):  # a kernel that needs the module raises the error
            importlib.import_module(name)


def _move_in(about: dict[str, Any], grader: socket.socket, seccomp: bytes) -> None:
    """Move into a sandbox; return only in the process that becomes the kernel."""
    try:
        os.sched_setaffinity(0, about["cores"])
        isolation.isolate(isolation.Limits(**about["limits"]), about["name"])
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
    main()
