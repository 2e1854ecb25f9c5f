"""Processes on this machine that grade one submission each, as a `concurrent.futures.Executor`.

Each call has a process of its own, which ends with the call: no submission meets what another one
left. A killed process loses only its own call. That call is made again in a new process, up to
three times in all. If the coordinator is gone, a process ends, also in the middle of a call.

On Linux, processes are forked from one that has done their imports, the fork server
(`_ForkServer`). Elsewhere each of them starts from scratch.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import pickle
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from hw_grading.batch.scratch import Scratch
from hw_grading.homework.homework import Homework, lay_out
from hw_grading.outcome import GraderFault
from hw_grading.sandbox.environment import BLAS_VARIABLES
from hw_grading.sandbox.processes import Forked

ATTEMPTS = 3  # to make a call, or to fork a process
_SECONDS_TO_END = 5.0
_LONGEST_WHY = 10_000  # bytes of a message about an import
_SECONDS_TO_TIDY_UP = 1.0  # for a process whose coordinator is gone
_FORKS = sys.platform == "linux"
_T = TypeVar("_T")
_What = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]  # a function, its arguments


class WorkerDied(GraderFault):
    """Every process that made a call has died."""


class NoAnswer(GraderFault):
    """A call was made, but its answer cannot be read."""


class LocalProcesses(Executor):
    """Makes at most `workers` calls at a time, each in a process of its own.

    The fork server imports the homework's code once. It also starts a fork server of kernels with
    `blas_threads`, unless that is None: then kernels are not forked in sandboxes.
    """

    def __init__(
        self, workers: int, homework: Homework | None = None, blas_threads: int | None = None
    ) -> None:
        self._warm_up = homework or Homework(""), blas_threads
        self._threads = ThreadPoolExecutor(workers)
        self._cores: queue.SimpleQueue[int | None] = queue.SimpleQueue()  # those that are free
        for number in range(workers):
            self._cores.put(_core_of(number, workers))
        self._lock = threading.Lock()
        self._processes: set[_Process] = set()
        self._fork_server: _ForkServer | None = None
        self._scratch = Scratch()
        self._ended = False

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a process call a function, which it finds by its name."""
        return self._threads.submit(self._make, (function, args, kwargs))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes: after all submitted calls, or at once if these are cancelled."""
        self._threads.shutdown(wait=False, cancel_futures=cancel_futures)
        if cancel_futures:
            with self._lock:
                self._ended = True
                for process in self._processes:
                    process.kill()
        self._threads.shutdown(wait=wait)
        if wait or cancel_futures:
            if self._fork_server:
                self._fork_server.end()
            self._scratch.remove()

    def _make(self, what: _What) -> Any:
        """Make a call, again if its process dies; return or raise what it returns or raises."""
        core = self._cores.get()
        try:
            attempt = 1
            while True:
                try:
                    fine, value = self._answer(what, core)
                    break
                except (OSError, EOFError) as error:
                    if self._ended or attempt == ATTEMPTS:
                        raise WorkerDied(
                            f"{attempt} worker processes died while they ran it "
                            f"({error or 'no answer'}). If memory ran out, lower "
                            "c.WholeClass.workers"
                        ) from error
                    attempt += 1
        finally:
            self._cores.put(core)
        if not fine:
            raise value
        return value

    def _answer(self, what: _What, core: int | None) -> tuple[bool, Any]:
        """Make a call in a new process; return whether it returned, and what it gave."""
        process = self._start(core)
        try:
            process.connection.send(what)
            answer: bytes = process.connection.recv_bytes()
        finally:
            process.end()
            with self._lock:
                self._processes.discard(process)
        try:
            return pickle.loads(answer)  # type: ignore[no-any-return]
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            raise NoAnswer(f"the worker's answer cannot be read ({why})") from error

    def _start(self, core: int | None) -> _Process:
        if _FORKS:
            process = self._of_fork_server(lambda server: server.fork(core))
        else:
            ours, theirs = Pipe()
            with theirs:
                process = _Process(_start("--work", theirs.fileno(), self._scratch.path), ours)
        with self._lock:
            if self._ended:
                process.kill()
            self._processes.add(process)
        return process

    # -- the fork server

    def start_early(self) -> Callable[[], None] | None:
        """Start the fork server now; return None where processes are not forked.

        The returned function waits until the homework's code is imported. It raises `GraderFault`
        if that fails.
        """
        if not _FORKS:
            return None
        with self._lock:
            self._start_fork_server()
        return self._expect_imports

    def _expect_imports(self) -> None:
        try:
            why = self._of_fork_server(_ForkServer.why_not_imported)
        except OSError:
            why = f"the fork server of the workers ended {ATTEMPTS} times while it started"
        if why:
            raise GraderFault(why)

    def _of_fork_server(self, ask: Callable[[_ForkServer], _T]) -> _T:
        """Ask the fork server for something; if it does not answer, start another one."""
        attempt = 1
        while True:
            with self._lock:
                server = self._start_fork_server()
            try:
                return ask(server)
            except (OSError, EOFError):
                server.end()  # it does not answer any more, but may still be running
                if attempt == ATTEMPTS:
                    raise
                attempt += 1

    def _start_fork_server(self) -> _ForkServer:
        """Return the fork server; start it if none is running. The caller holds the lock."""
        if self._ended:
            raise OSError("stopped")
        if not self._fork_server or self._fork_server.has_ended():
            self._fork_server = _ForkServer(self._warm_up, self._scratch.path)
        return self._fork_server


def _core_of(number: int, workers: int) -> int | None:
    """Return the one core of a worker, its kernel and its examiner; None if they may use any.

    These three wait for each other most of the time. On one core they wake each other up faster.
    """
    cores = sorted(os.sched_getaffinity(0)) if _FORKS else []
    # Otherwise some core would have more workers than another one.
    fair = bool(cores) and workers % len(cores) == 0
    return cores[number % len(cores)] if fair else None


class _Process:
    """A process at the other end of a connection; it ends when the connection is closed."""

    def __init__(self, process: subprocess.Popen[bytes] | Forked, connection: Any) -> None:
        self._process, self.connection = process, connection
        self.kill = process.kill

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def end(self) -> None:
        self.connection.close()
        try:
            self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class _ForkServer(_Process):
    def __init__(self, warm_up: tuple[Homework, int | None], scratch: Path) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = _start("--fork", theirs.fileno(), scratch, pickle.dumps(warm_up))
        super().__init__(process, ours)

    def fork(self, core: int | None) -> _Process:
        ours, theirs = Pipe()
        with theirs:
            socket.send_fds(self.connection, [json.dumps(core).encode()], [theirs.fileno()])
        return _Process(Forked(ours.recv()), ours)  # it still runs, since it waits for a call

    def why_not_imported(self) -> str:
        """Wait until the homework's code is imported; return why that failed, or ""."""
        if not (said := self.connection.recv(_LONGEST_WHY)):
            raise ConnectionError("the fork server ended before it had started")
        return str(said, errors="replace").strip()


def _start(how: str, fd: int, scratch: Path, stdin: bytes = b"") -> subprocess.Popen[bytes]:
    """Start a process (``--work``) or the fork server (``--fork``); it gets `stdin` as input."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hw_grading.batch.local", how, str(fd)],
        pass_fds=[fd],
        env={**os.environ, **dict.fromkeys(BLAS_VARIABLES, "1"), "TMPDIR": str(scratch)},
        stdin=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches only the coordinator
    )
    assert process.stdin
    with contextlib.suppress(BrokenPipeError), process.stdin as stream:  # the first call reports it
        stream.write(stdin)
    return process


# -- inside these processes and the fork server


def _fork_workers(
    control: socket.socket, homework: Homework, blas_threads: int | None
) -> Connection:
    """Fork a process for each request. Return only in such a process, with its connection."""
    from hw_grading.sandbox import fork_client

    if blas_threads is not None:
        # The fork server of kernels starts while this process does the workers' imports.
        fork_client.begin(blas_threads, homework.manifest.preload)

    from hw_grading.batch import job  # noqa: F401
    from hw_grading.examiner import client, process

    modules = [*homework.manifest.preload, *homework.modules]
    why = process.prepare(str(lay_out(homework)), modules)
    try:
        control.send(why.encode(errors="replace")[:_LONGEST_WHY] or b"\n")
    except BrokenPipeError:  # the coordinator is gone
        raise SystemExit from None
    fork_client.wait_until_ready()
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system reaps workers that have ended
    while True:
        try:
            core, fds, _, _ = socket.recv_fds(control, 100, 1)
        except ConnectionResetError:  # the coordinator is gone and has not read all
            raise SystemExit from None
        if not core:
            raise SystemExit
        coordinator = Connection(fds[0])
        if os.fork() == 0:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            if (only := json.loads(core)) is not None:
                with contextlib.suppress(OSError):  # the core is not available any more
                    os.sched_setaffinity(0, {only})
            client.take(*process.fork(), homework)
            coordinator.send(os.getpid())
            return coordinator
        coordinator.close()


def _work(coordinator: Connection) -> None:
    """Make one call. If the coordinator is gone in the meantime, end in the middle of it."""
    function, args, kwargs = coordinator.recv()
    threading.Thread(target=_end_with, args=(coordinator,), daemon=True).start()
    try:
        answer = True, function(*args, **kwargs)
    except Exception as error:
        answer = False, error
    with contextlib.suppress(OSError):  # the coordinator is gone
        coordinator.send_bytes(_in_bytes(*answer))
    os._exit(0)  # the interpreter would take its time to forget all that it has imported


def _in_bytes(fine: bool, value: Any) -> bytes:
    """Return an answer as it travels; a `GraderFault` that says why it cannot travel."""
    try:
        answer = pickle.dumps((fine, value))
        if not fine:
            pickle.loads(answer)
        return answer
    except Exception as error:
        text = (
            f"the answer cannot be sent ({error})" if fine else f"{type(value).__name__}: {value}"
        )
        return pickle.dumps((False, GraderFault(text)))


def _end_with(coordinator: Connection) -> None:
    with contextlib.suppress(OSError, EOFError):
        coordinator.recv_bytes()  # returns only when the coordinator closes the connection
    time.sleep(_SECONDS_TO_TIDY_UP)
    # The main thread is still in the middle of a call. The call's sandbox ends with this process.
    os._exit(1)


if __name__ == "__main__":
    how, descriptor = sys.argv[1:]
    if how == "--fork":
        control = socket.socket(fileno=int(descriptor))
        _work(_fork_workers(control, *pickle.load(sys.stdin.buffer)))
    else:
        _work(Connection(int(descriptor)))
