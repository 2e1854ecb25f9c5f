"""Processes on this machine that grade one submission each, as a `concurrent.futures.Executor`.

Each call has a process of its own, which ends with the call: no submission meets what another one
left. A killed process loses only its own call, which is made again in a new process. If the
coordinator is gone, a process ends, also in the middle of a call. The processes are forked from one
that has done their imports, the fork server (`_ForkServer`). This needs Linux.
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
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from hw_grading.batch.scratch import work_folder
from hw_grading.homework.homework import Homework, lay_out
from hw_grading.outcome import GraderFault
from hw_grading.sandbox.environment import BLAS_VARIABLES
from hw_grading.sandbox.processes import Forked

ATTEMPTS = 3  # to make a call, or to start the fork server
_SECONDS_TO_END = 5.0
_LONGEST_WHY = 10_000  # bytes of a message about an import
_SECONDS_TO_TIDY_UP = 1.0  # for a process whose coordinator is gone
_YOUNG_SECONDS = 60.0  # of the folder of a run that was killed


@dataclass(frozen=True)
class WarmUp:
    """What the fork server does before it forks."""

    homework: Homework
    blas_threads: int | None = None  # of the forked kernels; None: kernels are not forked
    examined: bool = True  # whether submissions need an examiner


class LocalProcesses(Executor):
    """Makes at most `workers` calls at a time, each in a process of its own.

    A call that raises an exception fails with a `GraderFault`, and so does one whose processes die.
    """

    def __init__(self, workers: int, warm_up: WarmUp | None = None) -> None:
        self._warm_up = warm_up or WarmUp(Homework(""))
        self._threads = ThreadPoolExecutor(workers)
        self._cores: queue.SimpleQueue[int | None] = queue.SimpleQueue()  # those that are free
        for number in range(workers):
            self._cores.put(_core_of(number, workers))
        self._lock = threading.Lock()
        self._processes: set[_Process] = set()
        self._fork_server: _ForkServer | None = None
        self._ending = contextlib.ExitStack()
        # A short path: a socket's path may have about 100 bytes.
        place = Path(tempfile.gettempdir())
        self._scratch = self._ending.enter_context(work_folder(place, "hw-run-", _YOUNG_SECONDS))
        self._scratch.chmod(0o711)  # root's sandboxes run as other users, who have to traverse it
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
            self._ending.close()

    def start_early(self) -> Callable[[], None]:
        """Start the fork server now; return a function that waits until it can fork.

        That function raises `GraderFault` if the homework's code cannot be imported.
        """
        self._server()
        return self._expect_imports

    def _expect_imports(self) -> None:
        for _ in range(ATTEMPTS):
            server = self._server()
            try:
                if why := server.why_not_imported():
                    raise GraderFault(why)
                return
            except OSError:
                server.end()
        raise GraderFault(f"the fork server of the workers ended {ATTEMPTS} times as it started")

    def _make(self, call: tuple[Any, ...]) -> Any:
        """Make a call, again if its process dies."""
        core = self._cores.get()
        try:
            for _ in range(ATTEMPTS):
                try:
                    answer = self._answer(pickle.dumps(call), core)
                    break
                except (OSError, EOFError) as error:
                    if self._ended:
                        raise GraderFault("the run was ended") from error
            else:
                raise GraderFault(
                    f"{ATTEMPTS} worker processes died while they ran it. If memory ran out, lower "
                    "c.WholeClass.workers"
                )
        finally:
            self._cores.put(core)
        value, failure = pickle.loads(answer)
        if failure:
            raise GraderFault(failure)
        return value

    def _answer(self, call: bytes, core: int | None) -> bytes:
        """Make a call in a new process; return its answer, pickled."""
        server = self._server()
        try:
            process = server.fork(core)
        except (OSError, EOFError):
            server.end()  # it does not answer any more, but may still be running
            raise
        with self._lock:
            if self._ended:
                process.kill()
            self._processes.add(process)
        try:
            process.connection.send_bytes(call)
            answer: bytes = process.connection.recv_bytes()
            return answer
        finally:
            process.end()
            with self._lock:
                self._processes.discard(process)

    def _server(self) -> _ForkServer:
        """Return the fork server; start it if none is running."""
        with self._lock:
            if self._ended:
                raise OSError("the run was ended")
            if not self._fork_server or self._fork_server.has_ended():
                self._fork_server = _ForkServer(self._warm_up, self._scratch)
            return self._fork_server


def _core_of(number: int, workers: int) -> int | None:
    """Return the one core of a worker, its kernel and its examiner; None if they may use any.

    These three wait for each other most of the time. On one core they wake each other up faster.
    """
    cores = sorted(os.sched_getaffinity(0))
    # Otherwise some core would have more workers than another one.
    return cores[number % len(cores)] if workers % len(cores) == 0 else None


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
    def __init__(self, warm_up: WarmUp, scratch: Path) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "hw_grading.batch.local", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**os.environ, **dict.fromkeys(BLAS_VARIABLES, "1"), "TMPDIR": str(scratch)},
                stdin=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C reaches only the coordinator
            )
        assert process.stdin
        with contextlib.suppress(BrokenPipeError), process.stdin as stream:
            pickle.dump((warm_up.homework, warm_up.blas_threads, warm_up.examined), stream)
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


# -- inside the fork server and its forks


def _fork_workers(
    control: socket.socket, homework: Homework, blas_threads: int | None, examined: bool
) -> Connection:
    """Fork a process for each request. Return only in such a process, with its connection."""
    from hw_grading.sandbox import fork_client

    if blas_threads is not None:
        # The fork server of kernels starts while this process does the workers' imports.
        fork_client.begin(blas_threads, homework.manifest.preload)

    from hw_grading.batch import job  # noqa: F401
    from hw_grading.examiner import client, process

    why = ""
    if examined:
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
            if examined:
                client.take(*process.fork(), homework)
            coordinator.send(os.getpid())
            return coordinator
        coordinator.close()


def _work(coordinator: Connection) -> None:
    """Make one call. If the coordinator is gone in the meantime, end in the middle of it."""
    function, args, kwargs = coordinator.recv()
    threading.Thread(target=_end_with, args=(coordinator,), daemon=True).start()
    try:
        answer = pickle.dumps((function(*args, **kwargs), ""))
    except Exception as error:
        answer = pickle.dumps((None, f"{type(error).__name__}: {error}"))
    with contextlib.suppress(OSError):  # the coordinator is gone
        coordinator.send_bytes(answer)
    os._exit(0)  # the interpreter would take its time to forget all that it has imported


def _end_with(coordinator: Connection) -> None:
    with contextlib.suppress(OSError, EOFError):
        coordinator.recv_bytes()  # returns only when the coordinator closes the connection
    time.sleep(_SECONDS_TO_TIDY_UP)
    # The main thread is still in the middle of a call. The call's sandbox ends with this process.
    os._exit(1)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        _work(_fork_workers(requests, *pickle.load(sys.stdin.buffer)))
