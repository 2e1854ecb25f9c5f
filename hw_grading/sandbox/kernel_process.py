"""The process of a kernel: forked from a fork server, or started from scratch.

This is the grader's side. The side in the sandbox is `hw_grading.answering.kernels`. Imports that
are the same for all submissions take most of a small submission's time. The fork server does them
once, and each kernel begins as a copy of it. The fork server needs nested namespaces. If the
machine does not allow these, every kernel is started from scratch.
"""

import atexit
import contextlib
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from hw_grading.answering import forking, isolation
from hw_grading.answering.forking import Forked, ForkServer
from hw_grading.answering.isolation import Limits, Shown
from hw_grading.outcome import GraderFault
from hw_grading.sandbox import environment
from hw_grading.sandbox.processes import pid_of
from hw_grading.sandbox.syscalls import filter_file

SECONDS_TO_START = 30.0
_MODULE = ["-m", "answering.kernels"]
_QUIET: dict[str, Any] = {"cwd": "/", "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
_log = logging.getLogger(__name__)


class Given(NamedTuple):
    """What a process gets to become a kernel."""

    connection: bytes  # the content of its connection file
    files: bytes = b""  # a zip of the files in its working folder; nothing if there are none
    filter_of_tests: bytes = b""  # of system calls while a test runs; nothing without a sandbox


class KernelProcess(Forked):
    """A kernel; all processes of its sandbox end with `pid`.

    The process at the other end of the socket `starting` becomes the kernel when it gets what is
    `given`. `started` is the process that this one has started for it.
    """

    def __init__(
        self,
        starting: socket.socket,
        given: Given,
        started: subprocess.Popen[bytes] | None = None,
    ) -> None:
        starting.settimeout(SECONDS_TO_START)
        said, fds, _, _ = socket.recv_fds(starting, 1000, 2)
        if len(fds) != 2:
            raise OSError(said.decode(errors="replace") or "it ended")
        super().__init__(pid_of(fds[0]), fds[0])
        self.kernel = Forked(pid_of(fds[1]), fds[1])  # the kernel's own process
        with (
            tempfile.TemporaryFile(buffering=0) as files,
            tempfile.TemporaryFile(buffering=0) as seccomp,
        ):
            files.write(given.files)
            seccomp.write(given.filter_of_tests)
            forking.send(starting, given.connection, [files.fileno(), seccomp.fileno()])
        # Closed when this process exits, in any way; then a forked kernel ends.
        self._lifeline = starting
        self._started = started

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the process; raise `TimeoutExpired` if it takes more seconds."""
        super().wait(timeout)
        return self._started.wait() if self._started else 1


class KernelServer:
    """A fork server of kernels, for sandboxes that show the same files.

    The constructor does not wait until it is ready. Forks of the process that has started it may
    use it too. It descends from the process with the pid `pid`.
    """

    def __init__(self, shown: Shown) -> None:
        self.shown, self.owner = shown, os.getpid()
        self._folder = tempfile.mkdtemp(prefix="hw-kernels-")
        program = [shown.python, *_MODULE, "fork"]
        line = isolation.bubblewrap(shown, Limits(), self._folder, program, None)
        setup = json.dumps(list(shown.preload)).encode()
        with filter_file() as file:
            self._server = ForkServer.started(line, setup, [file.fileno()], **_QUIET)
        self.pid = self._server.pid

    def wait_until_ready(self) -> None:
        """Wait until it accepts requests; raise `OSError` if it does not."""
        self._server.wait_until_ready()

    def has_ended(self, within: float = 0.0) -> bool:
        """Return whether it has ended, with its kernels, or ends within some seconds."""
        return self._server.has_ended(within)

    def new_folder(self) -> str:
        """Make a folder in which a kernel makes its sockets."""
        folder = tempfile.mkdtemp(dir=self._folder, prefix="")
        owner = os.stat(self._folder)
        os.chown(folder, owner.st_uid, owner.st_gid)
        return folder

    def fork(self, folder: str, link: socket.socket, limits: Limits, given: Given) -> KernelProcess:
        """Return a kernel in its own namespaces, which now starts; or raise `OSError`."""
        cores = sorted(os.sched_getaffinity(0))  # those of the worker
        request = {"name": os.path.basename(folder), "limits": asdict(limits), "cores": cores}
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                self._server.fork(json.dumps(request).encode(), [link.fileno(), theirs.fileno()])
            return KernelProcess(ours, given)
        except OSError:
            ours.close()
            raise

    def end(self) -> None:
        """End the fork server, and the kernels that it forked."""
        self._server.end()
        shutil.rmtree(self._folder, ignore_errors=True)


def start_from_scratch(
    shown: Shown, folder: str, link: socket.socket, limits: Limits, given: Given
) -> KernelProcess:
    """Return a kernel in a sandbox of its own, which now starts; or raise `OSError`."""
    allowed = json.dumps(limits.for_process())
    with filter_file() as file:

        def line(words: list[str]) -> list[str]:
            program = [shown.python, *words, allowed]
            return isolation.bubblewrap(shown, limits, folder, program, file.fileno())

        return _start(link, given, line, [file.fileno()])


def start_without_sandbox(
    folder: str, link: socket.socket, variables: Mapping[str, str], given: Given
) -> KernelProcess:
    """Return a kernel of a class that is trusted, with its files in a folder, or raise `OSError`.

    It belongs to a new process group, without limits, and works in the folder's own `work`.
    """
    work = f"{folder}/work"
    os.mkdir(work)
    options: Any = {"env": dict(variables), "cwd": work, "start_new_session": True}
    rest = ["{}", f"{folder}/kernel.json"]
    return _start(link, given, lambda words: [sys.executable, *words, *rest], **options)


def _start(
    link: socket.socket,
    given: Given,
    line: Callable[[list[str]], list[str]],
    fds: Sequence[int] = (),
    **options: Any,
) -> KernelProcess:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        ends = [link.fileno(), theirs.fileno()]
        words = line([*_MODULE, "start", *map(str, ends)])
        given_to = {**_QUIET, "stdin": subprocess.DEVNULL, "pass_fds": [*ends, *fds], **options}
        process = subprocess.Popen(words, **given_to)
    try:
        return KernelProcess(ours, given, process)
    except OSError:
        process.kill()
        process.wait()
        raise


# -- the fork server of this process

_current: KernelServer | None = None  # started by this process, or by one of which it is a fork
_from_scratch = False  # whether every kernel is started from scratch
_starting = threading.Lock()


def begin(blas_threads: int, preload: Sequence[str]) -> None:
    """Start this process's fork server without waiting for it, unless it has one."""
    with _starting, _or_from_scratch():
        _serving(environment.what_to_show(blas_threads, [], preload))


def wait_until_ready() -> None:
    """Wait for the fork server that `begin` has started. If it fails, go on without one."""
    if _current:
        with _or_from_scratch():
            _current.wait_until_ready()


def fork_server_for(shown: Shown) -> KernelServer | None:
    """Return a fork server; start it if needed. Return None if none can be started."""
    with _starting, _or_from_scratch():
        if not _from_scratch:
            server = _serving(shown)
            server.wait_until_ready()
            return server
    return None


def refuse(why: str) -> None:
    """Start every kernel from scratch from now on."""
    global _from_scratch
    _log.warning("Kernels start without the fork server, which takes longer: %s", why)
    _from_scratch = True


def _serving(shown: Shown) -> KernelServer:
    global _current
    if not (_current and _current.shown == shown and not _current.has_ended()):
        _end()
        _current = KernelServer(shown)
    return _current


@contextlib.contextmanager
def _or_from_scratch() -> Iterator[None]:
    """End the fork server, and start every kernel from scratch, if the block fails."""
    try:
        yield
    except (OSError, GraderFault) as error:
        _end()
        refuse(str(error))


@atexit.register
def _end() -> None:
    global _current
    if _current and _current.owner == os.getpid():  # a fork of its owner must not end it
        _current.end()
    _current = None
