"""The process of a kernel: forked from a fork server, or started from scratch.

This is the grader's side. The side in the sandbox is `hw_grading.answering.kernels`. Imports that
are the same for all submissions take most of a small submission's time. The fork server does them
once, and each kernel begins as a copy of it. The fork server needs nested namespaces. If the
machine does not allow these, every kernel is started from scratch.
"""

import atexit
import contextlib
import logging
import os
import pickle
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from hw_grading.answering import isolation
from hw_grading.answering.forking import Forked, ForkServer
from hw_grading.answering.isolation import Limits, Shown
from hw_grading.outcome import GraderFault
from hw_grading.sandbox import environment
from hw_grading.sandbox.processes import pid_of
from hw_grading.sandbox.syscalls import compiled_filter

SECONDS_TO_START = 30.0
PROGRAM = ("-m", "answering.kernels")
_QUIET: dict[str, Any] = {"cwd": "/", "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
_log = logging.getLogger(__name__)


class KernelProcess(Forked):
    """A kernel, which now starts; all processes of its sandbox end with `pid`.

    `about` is what it gets to become a kernel, and `link` is the kernel's end of it. `alone` tells
    whether `server` becomes the kernel itself; then it ends with it. `OSError` if that fails.
    """

    def __init__(
        self, server: ForkServer, about: Mapping[str, Any], link: socket.socket, *, alone: bool
    ) -> None:
        # Closed when this process exits, in any way; then a forked kernel ends.
        self._lifeline, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            server.fork(pickle.dumps(about), [link.fileno(), theirs.fileno()])
        self._lifeline.settimeout(SECONDS_TO_START)
        said, fds, _, _ = socket.recv_fds(self._lifeline, 1000, 2)
        if len(fds) != 2:
            raise OSError(said.decode(errors="replace") or "it ended")
        super().__init__(pid_of(fds[0]), fds[0])
        self.kernel = Forked(pid_of(fds[1]), fds[1])  # the kernel's own process
        self._server = server if alone else None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the process; raise `TimeoutExpired` if it takes more seconds."""
        status = super().wait(timeout)
        if self._server:
            self._server.end()
        return status


def start_alone(
    line: Sequence[str], about: Mapping[str, Any], link: socket.socket, **options: Any
) -> KernelProcess:
    """Return a kernel that a program becomes, which now starts; or raise `OSError`."""
    server = ForkServer.started(line, **{**_QUIET, **options})
    server.set_up(b"")
    try:
        return KernelProcess(server, about, link, alone=True)
    except OSError:
        server.end()
        raise


class KernelServer(ForkServer):
    """A fork server of kernels, for sandboxes that show the same files."""

    shown: Shown
    owner: int  # the process that has started it; forks of that process may use it too
    _folder: str
    _knows_modules = False  # of the homework

    @classmethod
    def begun(cls, shown: Shown) -> Self:
        """Start one, which imports what any homework needs, and waits for `import_modules`."""
        folder = tempfile.mkdtemp(prefix="hw-kernels-")
        line = isolation.bubblewrap(shown, Limits(), folder, [shown.python, *PROGRAM], None)
        server = cls.started(line, **_QUIET)
        server.shown, server.owner, server._folder = shown, os.getpid(), folder
        server.set_up(compiled_filter())
        return server

    @classmethod
    def showing(cls, shown: Shown) -> Self:
        """Start one for a homework; do not wait until it is ready."""
        server = cls.begun(shown)
        server.import_modules(shown)
        return server

    def suits(self, shown: Shown) -> bool:
        """Return whether it shows the same, and has or will have the same modules."""
        if self._knows_modules:
            return self.shown == shown
        return replace(self.shown, preload=shown.preload) == shown

    def import_modules(self, shown: Shown) -> None:
        """Have it import the homework's modules, unless it knows them already."""
        if not self._knows_modules:
            self._knows_modules, self.shown = True, shown
            self.set_up(pickle.dumps(shown.preload))

    def new_folder(self) -> str:
        """Make a folder in which a kernel makes its sockets."""
        folder = tempfile.mkdtemp(dir=self._folder, prefix="")
        owner = os.stat(self._folder)
        os.chown(folder, owner.st_uid, owner.st_gid)
        return folder

    def kernel(self, folder: str, about: Mapping[str, Any], link: socket.socket) -> KernelProcess:
        """Return a kernel in its own namespaces, which now starts; or raise `OSError`."""
        cores = sorted(os.sched_getaffinity(0))  # those of the worker
        about = {**about, "name": os.path.basename(folder), "cores": cores}
        return KernelProcess(self, about, link, alone=False)

    def end(self, within: float = 0.0) -> None:
        """End the fork server, and the kernels that it forked."""
        super().end(within)
        shutil.rmtree(self._folder, ignore_errors=True)


# -- the fork server of this process

_current: KernelServer | None = None  # started by this process, or by one of which it is a fork
_from_scratch = False  # whether every kernel is started from scratch
_starting = threading.Lock()


def begin(blas_threads: int, preload: Sequence[str]) -> None:
    """Start this process's fork server without waiting for it, unless it has one."""
    fork_server_for(environment.what_to_show(blas_threads, [], preload), ready=False)


def begin_early(blas_threads: int) -> None:
    """Start this process's fork server before a homework is known; `begin` tells what goes wrong.

    It serves any homework of a course with so many threads.
    """
    global _current
    with contextlib.suppress(GraderFault, OSError):
        _current = KernelServer.begun(environment.what_to_show(blas_threads, []))


def wait_until_ready() -> None:
    """Wait for the fork server that `begin` has started. If it fails, go on without one."""
    if _current:
        fork_server_for(_current.shown)


def fork_server_for(shown: Shown, *, ready: bool = True) -> KernelServer | None:
    """Return a fork server, `ready` or not; start it if needed. None if none can be started."""
    global _current
    with _starting:
        if _from_scratch:
            return None
        try:
            if not (_current and _current.suits(shown) and not _current.has_ended()):
                _end()
                _current = KernelServer.begun(shown)
            _current.import_modules(shown)
            if ready:
                _current.wait_until_ready()
        except OSError as error:
            _end()
            refuse(str(error))
        return _current


def refuse(why: str) -> None:
    """Start every kernel from scratch from now on."""
    global _from_scratch
    _log.warning("Kernels start without the fork server, which takes longer: %s", why)
    _from_scratch = True


@atexit.register
def _end() -> None:
    global _current
    if _current and _current.owner == os.getpid():  # a fork of its owner must not end it
        _current.end()
    _current = None
