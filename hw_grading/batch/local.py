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
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from hw_grading.batch.locks import work_folder
from hw_grading.homework.homework import Homework, lay_out
from hw_grading.outcome import GraderFault
from hw_grading.sandbox import fork_client
from hw_grading.sandbox.environment import BLAS_VARIABLES

ATTEMPTS = 3  # to make a call, or to start the fork server
_SECONDS_TO_END = 5.0
_YOUNG_SECONDS = 60.0  # of the folder of a run that was killed


class LocalProcesses(Executor):
    """Makes at most `workers` calls at a time, each in a process of its own.

    `blas_threads` are those of forked kernels; None: kernels are not forked. Without `examined`, no
    submission needs an examiner. A call that raises an exception fails with a `GraderFault`, and so
    does one whose processes die.
    """

    def __init__(
        self,
        workers: int,
        homework: Homework | None = None,
        blas_threads: int | None = None,
        examined: bool = True,
    ) -> None:
        self._workers = workers
        self._warm_up = homework or Homework(""), blas_threads, examined, workers
        self._lock = threading.Lock()
        self._waiting: deque[tuple[tuple[Any, ...], Future[Any]]] = deque()
        self._running: dict[int, tuple[bytes, Future[Any]]] = {}  # sent to the fork server
        self._number = 0  # of the last call that was sent
        # Messages to fork servers have a thread: one that takes answers must never wait for the
        # fork server to read, because it may be waiting for its answers to be taken.
        self._messages: SimpleQueue[tuple[Connection, Any] | None] = SimpleQueue()
        self._imported: Future[str] = Future()  # why the homework's code was not imported, or ""
        self._ready = self._shut = self._ending = False
        self._deaths = 0  # of fork servers since the last answer
        self._closing = contextlib.ExitStack()
        # A short path: a socket's path may have about 100 bytes.
        place = Path(tempfile.gettempdir())
        self._scratch = self._closing.enter_context(work_folder(place, "hw-run-", _YOUNG_SECONDS))
        self._scratch.chmod(0o711)  # root's sandboxes run as other users, who have to traverse it
        self._start()
        self._sender = threading.Thread(target=self._send_messages, daemon=True)
        self._sender.start()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a process call a function, which it finds by its name."""
        future: Future[Any] = Future()
        with self._lock:
            if self._shut:
                raise RuntimeError("the run was ended")
            self._waiting.append(((function, args, kwargs), future))
            self._send()
        return future

    def expect_imports(self) -> None:
        """Wait for the first fork server; `GraderFault` if it cannot import the homework's code."""
        if why := self._imported.result():
            raise GraderFault(why)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes: after all submitted calls, or at once if these are cancelled."""
        with self._lock:
            self._shut = True
            left = [future for _, future in [*self._waiting, *self._running.values()]]
        if cancel_futures:
            for future in left:
                future.cancel()  # which a running one refuses
        elif wait:
            futures.wait(left)
        with self._lock:
            self._ending = True
            self._messages.put((self._connection, None))
        try:
            self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._listener.join()
        self._messages.put(None)
        self._sender.join()
        self._connection.close()
        self._closing.close()

    def _start(self) -> None:
        """Start the fork server."""
        self._connection, theirs = Pipe()
        variables = {**dict.fromkeys(BLAS_VARIABLES, "1"), "TMPDIR": str(self._scratch)}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "hw_grading.batch.local", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=os.environ | variables,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches only the coordinator
            )
        self._messages.put((self._connection, self._warm_up))

    def _send(self) -> None:
        """Send the fork server as many calls as it can make at once. The caller holds the lock."""
        while self._ready and self._waiting and len(self._running) < self._workers:
            call, future = self._waiting.popleft()
            if future.set_running_or_notify_cancel():
                try:
                    pickled = pickle.dumps(call)  # only now: calls that wait share what they have
                except Exception as error:
                    future.set_exception(error)
                    continue
                self._number += 1
                self._running[self._number] = pickled, future
                self._messages.put((self._connection, (self._number, pickled)))

    def _send_messages(self) -> None:
        for connection, message in iter(self._messages.get, None):
            with contextlib.suppress(OSError):  # the listener sees that the fork server has ended
                connection.send(message)

    def _listen(self) -> None:
        """Take the fork server's answers; start another one when it dies."""
        while True:
            with contextlib.suppress(Exception):  # also an answer that cannot be read
                self._take_answers()
            with self._lock:
                self._ready = False
                self._process.kill()
                self._process.wait()
                self._deaths += 1
                if self._ending or self._deaths == ATTEMPTS:
                    self._shut = True
                    break
                self._start()
        died = f"the fork server of the workers ended {ATTEMPTS} times without an answer"
        fault = GraderFault("the run was ended" if self._ending else died)
        left = [future for _, future in [*self._running.values(), *self._waiting]]
        for future in [self._imported, *left]:
            if not future.done():
                future.set_exception(fault)

    def _take_answers(self) -> None:
        why = self._connection.recv()
        if not self._imported.done():
            self._imported.set_result(why)
        with self._lock:
            self._ready = True
            for number, (call, _) in self._running.items():  # of an earlier fork server
                self._messages.put((self._connection, (number, call)))
            self._send()
        while True:
            number, answer = self._connection.recv()
            value, failure = pickle.loads(answer)
            self._deaths = 0
            with self._lock:
                _, future = self._running.pop(number)
                self._send()
            if failure:
                future.set_exception(GraderFault(failure))
            else:
                future.set_result(value)


# -- the fork server, and its forks


class _ForkServer:
    """Makes calls, each in a process of its own."""

    def __init__(self, coordinator: Connection) -> None:
        self._coordinator = coordinator
        self._homework, blas_threads, self._examined, workers = coordinator.recv()
        # By connection: the process, the call, how often it may still die, and its core.
        self._running: dict[Connection, tuple[int, int, bytes, int, int | None]] = {}
        # Each worker, its kernel and its examiner share a core: they wait for each other most of
        # the time, and wake each other up faster. None: some core would have more workers.
        cores = sorted(os.sched_getaffinity(0))
        shared = workers % len(cores) == 0
        self._cores = [cores[n % len(cores)] if shared else None for n in range(workers)]

        if blas_threads is not None:
            # The fork server of kernels starts while this process does the workers' imports.
            fork_client.begin(blas_threads, self._homework.manifest.preload)
        from hw_grading.batch import job  # noqa: F401
        from hw_grading.examiner import process

        why = ""
        if self._examined:
            modules = self._homework.modules
            why = process.prepare(str(lay_out(self._homework)), modules)
        coordinator.send(why.encode(errors="replace").decode().strip())
        fork_client.wait_until_ready()
        gc.collect()
        gc.freeze()

    def serve(self) -> None:
        """Make calls until the coordinator is gone or sends None; then kill all processes."""
        try:
            while True:
                for ready in wait([self._coordinator, *self._running]):
                    assert isinstance(ready, Connection)
                    if ready is not self._coordinator:
                        self._finish(ready)
                    elif request := ready.recv():
                        self._fork(*request)
                    else:
                        return
        finally:
            for pid, *_ in self._running.values():
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)

    def _fork(self, number: int, call: bytes, attempts: int = ATTEMPTS) -> None:
        ours, theirs = Pipe()
        core = self._cores.pop(0)
        if pid := os.fork():
            theirs.close()
            self._running[ours] = pid, number, call, attempts, core
            return
        for connection in (self._coordinator, ours, *self._running):
            connection.close()
        self._work(theirs, call, core)

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

    def _work(self, server: Connection, call: bytes, core: int | None) -> None:
        """Make one call in this new process. If the server is gone, end in the middle of it."""
        try:
            os.setsid()
            threading.Thread(target=_end_with, args=(server,), daemon=True).start()
            if core is not None:
                with contextlib.suppress(OSError):  # the core is not available any more
                    os.sched_setaffinity(0, {core})
            try:
                if self._examined:
                    from hw_grading.examiner import client, process

                    client.take(*process.fork(), self._homework)
                function, args, kwargs = pickle.loads(call)
                answer = pickle.dumps((function(*args, **kwargs), ""))
            except Exception as error:
                answer = pickle.dumps((None, f"{type(error).__name__}: {error}"))
            with contextlib.suppress(OSError):  # the server is gone
                server.send_bytes(answer)
        finally:
            os._exit(0)  # the interpreter would take its time to forget all that it has imported


def _end_with(server: Connection) -> None:
    with contextlib.suppress(OSError, EOFError):
        server.recv_bytes()  # returns only when the server is gone
    # The main thread is still in the middle of a call. The call's sandbox ends with this process.
    os._exit(1)


if __name__ == "__main__":
    with contextlib.suppress(EOFError, OSError):
        _ForkServer(Connection(int(sys.argv[1]))).serve()
