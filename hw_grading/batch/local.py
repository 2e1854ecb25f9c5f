"""Processes on this machine that grade one submission each, as a `concurrent.futures.Executor`.

Each call has a process of its own, which ends with the call: no submission meets what another one
left. The processes are forked from one that has done their imports, the fork server, which is also
the pool: it makes at most a number of calls at a time, and makes a call again whose process died.
If it dies itself, the coordinator starts another one and repeats the calls without an answer. When
the coordinator is gone, all processes end, also in the middle of a call. This needs Linux.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from hw_grading.batch.locks import work_folder
from hw_grading.homework.homework import Homework, lay_out
from hw_grading.outcome import GraderFault
from hw_grading.sandbox.environment import BLAS_VARIABLES

ATTEMPTS = 3  # to make a call, or to start the fork server
_SECONDS_TO_END = 5.0
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
        self._workers, self._warm_up = workers, warm_up or WarmUp(Homework(""))
        self._lock = threading.Lock()
        self._waiting: deque[tuple[bytes, Future[Any]]] = deque()
        self._running: dict[int, tuple[bytes, Future[Any]]] = {}  # sent to the fork server
        self._number = 0  # of the last call that was sent
        self._imported: Future[str] = Future()  # why the homework's code was not imported, or ""
        self._ready = self._shut = self._cancelled = False
        self._ended = 0  # how often the fork server has ended since the last answer
        self._ending = contextlib.ExitStack()
        # A short path: a socket's path may have about 100 bytes.
        place = Path(tempfile.gettempdir())
        self._scratch = self._ending.enter_context(work_folder(place, "hw-run-", _YOUNG_SECONDS))
        self._scratch.chmod(0o711)  # root's sandboxes run as other users, who have to traverse it
        self._start()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a process call a function, which it finds by its name."""
        future: Future[Any] = Future()
        with self._lock:
            if self._shut:
                raise RuntimeError("the run was ended")
            self._waiting.append((pickle.dumps((function, args, kwargs)), future))
            self._send()
        return future

    def expect_imports(self) -> None:
        """Wait until processes can be forked.

        Raise `GraderFault` if the homework's code cannot be imported.
        """
        if why := self._imported.result():
            raise GraderFault(why)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes: after all submitted calls, or at once if these are cancelled."""
        with self._lock:
            self._shut = True
            left = [future for _, future in [*self._waiting, *self._running.values()]]
            if cancel_futures:
                self._cancelled = True
                cancelled = [future for _, future in self._waiting]
                self._waiting.clear()
        if cancel_futures:
            for future in cancelled:
                future.cancel()
        elif wait:
            futures.wait(left)
        else:
            return
        with self._lock, contextlib.suppress(OSError):
            self._cancelled = True
            self._connection.send(None)
        try:
            self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._listener.join()
        self._ending.close()

    def _start(self) -> None:
        """Start the fork server."""
        self._connection, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "hw_grading.batch.local", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={
                    **os.environ,
                    **dict.fromkeys(BLAS_VARIABLES, "1"),
                    "TMPDIR": str(self._scratch),
                },
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches only the coordinator
            )
        with contextlib.suppress(OSError):  # the listener sees that it has ended
            self._connection.send((self._warm_up, self._workers))

    def _send(self) -> None:
        """Send calls to the fork server, as many as it can make at once; hold the lock."""
        while self._ready and self._waiting and len(self._running) < self._workers:
            call, future = self._waiting.popleft()
            if future.set_running_or_notify_cancel():
                self._number += 1
                self._running[self._number] = call, future
                with contextlib.suppress(OSError):  # the listener sees it too, and sends it again
                    self._connection.send((self._number, call))

    def _listen(self) -> None:
        """Take the fork server's answers; start another one when it ends."""
        while True:
            with contextlib.suppress(EOFError, OSError):
                self._take_answers()
            with self._lock:
                self._ready = False
                self._process.kill()
                self._process.wait()
                self._connection.close()
                self._ended += 1
                if self._cancelled or self._ended == ATTEMPTS:
                    break
                self._start()
        with self._lock:
            self._shut = True
            left = [*self._running.values(), *self._waiting]
            self._waiting.clear()
            self._running.clear()
        why = f"the fork server of the workers ended {ATTEMPTS} times as it started"
        fault = GraderFault("the run was ended" if self._cancelled else why)
        if not self._imported.done():
            self._imported.set_exception(fault)
        for _, future in left:
            future.set_exception(fault)

    def _take_answers(self) -> None:
        why = self._connection.recv()
        if not self._imported.done():
            self._imported.set_result(why)
        with self._lock:
            self._ready = True
            for number, (call, _) in self._running.items():  # an earlier fork server's
                self._connection.send((number, call))
            self._send()
        while True:
            number, answer = self._connection.recv()
            self._ended = 0
            with self._lock:
                _, future = self._running.pop(number)
                self._send()
            value, failure = pickle.loads(answer)
            if failure:
                future.set_exception(GraderFault(failure))
            else:
                future.set_result(value)


# -- the fork server, and its forks


class _Pool:
    """The calls that the fork server's processes are making now."""

    def __init__(self, coordinator: Connection, warm_up: WarmUp, workers: int) -> None:
        self._coordinator, self._warm_up = coordinator, warm_up
        self._running: dict[Connection, tuple[int, int, bytes, int, int | None]] = {}
        # Each worker, its kernel and its examiner share a core: they wait for each other most of
        # the time, and wake each other up faster. None: some core would have more workers.
        cores = sorted(os.sched_getaffinity(0))
        shared = workers % len(cores) == 0
        self._cores = [cores[n % len(cores)] if shared else None for n in range(workers)]

    def serve(self) -> None:
        """Make calls until the coordinator is gone or says that it is the end."""
        while True:
            for ready in wait([self._coordinator, *self._running]):
                assert isinstance(ready, Connection)
                if ready is self._coordinator:
                    if (request := ready.recv()) is None:
                        raise EOFError
                    number, call = request
                    self._fork(number, call, ATTEMPTS)
                else:
                    self._finish(ready)

    def _finish(self, connection: Connection) -> None:
        pid, number, call, attempts, core = self._running.pop(connection)
        answer = None
        with connection, contextlib.suppress(EOFError, OSError):
            answer = connection.recv_bytes()
        os.waitpid(pid, 0)
        self._cores.append(core)
        if answer is None and attempts > 1:
            self._fork(number, call, attempts - 1)
            return
        why = (
            f"{ATTEMPTS} worker processes died while they ran it. If memory ran out, lower "
            "c.WholeClass.workers"
        )
        self._coordinator.send((number, answer or pickle.dumps((None, why))))

    def _fork(self, number: int, call: bytes, attempts: int) -> None:
        ours, theirs = Pipe()
        core = self._cores.pop(0)
        if pid := os.fork():
            theirs.close()
            self._running[ours] = pid, number, call, attempts, core
            return
        for connection in (self._coordinator, ours, *self._running):
            connection.close()
        _work(theirs, call, core, self._warm_up)

    def end(self) -> None:
        """Kill all processes."""
        for pid, *_ in self._running.values():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _fork_workers(coordinator: Connection) -> None:
    warm_up, workers = coordinator.recv()
    from hw_grading.sandbox import fork_client

    if warm_up.blas_threads is not None:
        # The fork server of kernels starts while this process does the workers' imports.
        fork_client.begin(warm_up.blas_threads, warm_up.homework.manifest.preload)

    from hw_grading.batch import job  # noqa: F401
    from hw_grading.examiner import client, process  # noqa: F401

    why = ""
    if warm_up.examined:
        modules = [*warm_up.homework.manifest.preload, *warm_up.homework.modules]
        why = process.prepare(str(lay_out(warm_up.homework)), modules)
    coordinator.send(why.encode(errors="replace").decode().strip())
    fork_client.wait_until_ready()
    gc.collect()
    gc.freeze()
    pool = _Pool(coordinator, warm_up, workers)
    try:
        pool.serve()
    finally:
        pool.end()


def _work(pool: Connection, call: bytes, core: int | None, warm_up: WarmUp) -> None:
    """Make one call, in a new process. If the pool is gone, end in the middle of it."""
    try:
        os.setsid()
        threading.Thread(target=_end_with, args=(pool,), daemon=True).start()
        if core is not None:
            with contextlib.suppress(OSError):  # the core is not available any more
                os.sched_setaffinity(0, {core})
        try:
            if warm_up.examined:
                from hw_grading.examiner import client, process

                client.take(*process.fork(), warm_up.homework)
            function, args, kwargs = pickle.loads(call)
            answer = pickle.dumps((function(*args, **kwargs), ""))
        except Exception as error:
            answer = pickle.dumps((None, f"{type(error).__name__}: {error}"))
        with contextlib.suppress(OSError):  # the pool is gone
            pool.send_bytes(answer)
    finally:
        os._exit(0)  # the interpreter would take its time to forget all that it has imported


def _end_with(pool: Connection) -> None:
    with contextlib.suppress(OSError, EOFError):
        pool.recv_bytes()  # returns only when the pool closes the connection
    # The main thread is still in the middle of a call. The call's sandbox ends with this process.
    os._exit(1)


if __name__ == "__main__":
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        _fork_workers(Connection(int(sys.argv[1])))
