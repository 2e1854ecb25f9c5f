"""Worker processes on this machine as a `concurrent.futures.Executor` that survives their death.

Each worker process has its own socket to its own thread in the coordinator, and workers share
nothing. So a killed worker loses only its own call. That call is made again in a new process, up to
three times in all. A worker ends itself when its coordinator is gone, also in the middle of a call.

On Linux, workers are forked from a process that has done their imports, the fork server
(`_ForkServer`). Elsewhere each worker starts from scratch.
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
from concurrent.futures import Executor, Future
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from hw_grading.batch.scratch import Scratch
from hw_grading.homework.homework import Homework, lay_out
from hw_grading.outcome import GraderFault
from hw_grading.sandbox.environment import BLAS_VARIABLES
from hw_grading.sandbox.processes import Forked

ATTEMPTS = 3  # to make a call, or to fork a worker
_SECONDS_TO_END = 5.0
_LONGEST_WHY = 10_000  # bytes of a message about an import
_SECONDS_TO_TIDY_UP = 1.0  # for a worker whose coordinator is gone
_FORKS = sys.platform == "linux"
_T = TypeVar("_T")
_What = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]  # a function, its arguments
_SECONDS_IDLE = 10.0  # an idle process ends after this time; a new call starts another one


class WorkerDied(GraderFault):
    """Every worker process that ran a call has died."""


class NoAnswer(GraderFault):
    """A call was made, but its answer cannot be read."""


class LocalProcesses(Executor):
    """A pool of at most `workers` worker processes, which are started when there is work for them.

    The fork server imports the homework's code once. It also starts a fork server of kernels with
    `blas_threads`, unless that is None: then kernels are not forked in sandboxes.
    """

    def __init__(
        self, workers: int, homework: Homework | None = None, blas_threads: int | None = None
    ) -> None:
        self._warm_up = homework or Homework(""), blas_threads
        self._calls: queue.SimpleQueue[tuple[Future[Any], _What] | None] = queue.SimpleQueue()
        self._most = workers
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._processes: set[Any] = set()
        self._fork_server: _ForkServer | None = None
        self._scratch = Scratch()
        self._ended = False

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a worker call a function, which it finds by its name."""
        future: Future[Any] = Future()
        with self._lock:
            if self._ended:
                raise RuntimeError("the executor takes no calls after its shutdown")
            self._calls.put((future, (function, args, kwargs)))
            if len(self._threads) < self._most:
                core = _core_of(len(self._threads), self._most)
                thread = threading.Thread(target=self._serve, args=(core,), daemon=True)
                try:
                    thread.start()
                    self._threads.append(thread)
                except RuntimeError:  # the machine allows no further thread
                    if not self._threads:
                        raise
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes: after all submitted calls, or at once if these are cancelled."""
        with self._lock:
            self._ended = True
            if cancel_futures:
                with contextlib.suppress(queue.Empty):
                    while call := self._calls.get_nowait():
                        call[0].cancel()
                for process in self._processes:
                    process.kill()
            for _ in self._threads:
                self._calls.put(None)
        if wait:
            for thread in self._threads:
                thread.join()
        if wait or cancel_futures:
            if self._fork_server:
                self._fork_server.end()
            self._scratch.remove()

    def _serve(self, core: int | None) -> None:
        worker: _Worker | None = None
        while True:
            try:
                call = self._calls.get(timeout=_SECONDS_IDLE if worker else None)
            except queue.Empty:
                assert worker
                self._end(worker)
                worker = None
                continue
            if call is None:
                break
            future, what = call
            if not future.set_running_or_notify_cancel():
                continue
            try:
                worker, (fine, value) = self._make(what, worker, core)
            except BaseException as error:  # else the caller would wait for the future forever
                worker, fine, value = None, False, error
            if fine:
                future.set_result(value)
            else:
                future.set_exception(value)
        if worker:
            self._end(worker)

    def _make(
        self, what: _What, worker: _Worker | None, core: int | None
    ) -> tuple[_Worker, tuple[bool, Any]]:
        """Make a call; return its answer, and the process that gave it."""
        attempt = 1
        while True:
            try:
                worker = worker or self._start(core)
                return worker, worker.call(what)
            except Exception as error:
                if worker:  # it died, or its next message may be out of step
                    self._end(worker)
                    worker = None
                if not isinstance(error, OSError | EOFError):
                    why = f"{type(error).__name__}: {error}"
                    raise NoAnswer(f"the worker's answer cannot be read ({why})") from error
                if self._ended or attempt == ATTEMPTS:
                    raise WorkerDied(
                        f"{attempt} worker processes died while they ran it "
                        f"({error or 'no answer'}). If memory ran out, lower c.WholeClass.workers"
                    ) from error
                attempt += 1

    def start_early(self) -> Callable[[], None] | None:
        """Start the fork server now; return None where workers are not forked.

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
            if why := self._of_fork_server(_ForkServer.why_not_imported):
                raise GraderFault(why)
        except OSError:
            text = f"the fork server of the workers ended {ATTEMPTS} times while it started"
            raise GraderFault(text) from None

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
        if not self._fork_server or self._fork_server.process.poll() is not None:
            self._fork_server = _ForkServer(self._warm_up, self._scratch.path)
        return self._fork_server

    def _start(self, core: int | None) -> _Worker:
        if _FORKS:
            worker = self._of_fork_server(lambda server: server.worker(core))
        else:
            ours, theirs = Pipe()
            with theirs:
                worker = _Worker(_start("--work", theirs.fileno(), self._scratch.path), ours)
        with self._lock:
            if self._ended:
                worker.process.kill()
            self._processes.add(worker.process)
        return worker

    def _end(self, worker: _Worker) -> None:
        worker.end()
        with self._lock:
            self._processes.discard(worker.process)


def _core_of(number: int, workers: int) -> int | None:
    """Return the one core of a worker, its kernel and its examiner; None if they may use any.

    These three wait for each other most of the time. On one core they wake each other up faster.
    """
    cores = sorted(os.sched_getaffinity(0)) if _FORKS else []
    # Otherwise some core would have more workers than another one.
    fair = bool(cores) and workers % len(cores) == 0
    return cores[number % len(cores)] if fair else None


class _Helper:
    def __init__(self, process: Any, connection: Any) -> None:
        self.process, self._connection = process, connection

    def end(self) -> None:
        self._connection.close()
        try:
            self.process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class _Worker(_Helper):
    def call(self, what: _What) -> tuple[bool, Any]:
        self._connection.send(what)
        answer: tuple[bool, Any] = self._connection.recv()
        return answer


class _ForkServer(_Helper):
    def __init__(self, warm_up: tuple[Homework, int | None], scratch: Path) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = _start("--fork", theirs.fileno(), scratch, pickle.dumps(warm_up))
            super().__init__(process, ours)

    def worker(self, core: int | None) -> _Worker:
        ours, theirs = Pipe()
        with theirs:
            socket.send_fds(self._connection, [json.dumps(core).encode()], [theirs.fileno()])
        return _Worker(Forked(ours.recv()), ours)  # it still runs, since it waits for a call

    def why_not_imported(self) -> str:
        """Wait until the homework's code is imported; return why that failed, or ""."""
        if not (said := self._connection.recv(_LONGEST_WHY)):
            raise ConnectionError("the fork server ended before it had started")
        return str(said, errors="replace").strip()


def _start(how: str, fd: int, scratch: Path, stdin: bytes = b"") -> subprocess.Popen[bytes]:
    """Start a worker (``--work``) or the fork server (``--fork``); it gets `stdin` as input."""
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


# -- inside the worker processes and the fork server


def _fork_workers(
    control: socket.socket, homework: Homework, blas_threads: int | None
) -> Connection:
    """Fork a worker for each request. Return only in a worker, with its socket."""
    from hw_grading.sandbox import fork_server

    if blas_threads is not None:
        # The fork server of kernels starts while this process does the workers' imports.
        fork_server.begin(blas_threads, homework.manifest.preload)

    from hw_grading.batch import job  # noqa: F401
    from hw_grading.examiner import client, process

    modules = [*homework.manifest.preload, *homework.modules]
    why = process.prepare(str(lay_out(homework)), modules)
    try:
        control.send(why.encode(errors="replace")[:_LONGEST_WHY] or b"\n")
    except BrokenPipeError:  # the coordinator is gone
        raise SystemExit from None
    fork_server.wait_until_ready()
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
    calls: queue.SimpleQueue[_What | None] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(coordinator, calls), daemon=True).start()
    while call := calls.get():
        function, args, kwargs = call
        try:
            answer = True, function(*args, **kwargs)
        except Exception as error:
            answer = False, _that_travels(error)
        try:
            coordinator.send(answer)
        except OSError:
            return  # the coordinator is gone
        except Exception as error:
            coordinator.send((False, GraderFault(f"the answer cannot be sent ({error})")))


def _that_travels(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return GraderFault(f"{type(error).__name__}: {error}")
    return error


def _receive(coordinator: Connection, calls: queue.SimpleQueue[_What | None]) -> None:
    """Receive calls. When the coordinator is gone, end this process, also during a call."""
    with contextlib.suppress(OSError, EOFError):
        while True:
            calls.put(coordinator.recv())
    calls.put(None)
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
