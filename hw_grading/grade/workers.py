"""Processes on this machine that grade one submission each, as a `concurrent.futures.Executor`.

Each call has a process of its own, which ends with the call: no submission meets what another one
left. The processes are forked from a fork server that has done their imports
(`hw_grading.answering.forking`). A thread of the coordinator hands each call to a new process and
waits for its answer. If the fork server dies, its processes end, and the next call starts another
one. When the coordinator is gone, all processes end, also in the middle of a call. This needs
Linux.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any

from hw_grading.answering import forking
from hw_grading.answering.forking import ForkServer
from hw_grading.examiner import client as examiner
from hw_grading.homework.homework import Homework
from hw_grading.outcome import GraderFault
from hw_grading.sandbox import kernel_process
from hw_grading.sandbox.environment import BLAS_VARIABLES

_SECONDS_TO_END = 5.0


class Workers(Executor):
    """What runs submissions; `at_once` of them, or 0: each when it is submitted."""

    at_once = 0

    def expect_imports(self) -> None:
        """Wait until it can run submissions; `GraderFault` if the homework has wrong code."""

    def beside(self, function: Callable[..., Any], *args: Any) -> Any:
        """Make a call now, beside those that were submitted, and return its result."""
        return function(*args)


class InThisProcess(Workers):
    """Makes each call in this process, when it is submitted; the arguments are as below."""

    def __init__(self, homework: Homework, blas_threads: int | None, examined: bool) -> None:
        if blas_threads is not None:
            kernel_process.begin(blas_threads, homework.manifest.preload)
        self._wait = examiner.begin(homework) if examined else super().expect_imports

    def expect_imports(self) -> None:
        """Wait for the examiner, if there is one."""
        self._wait()

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Make a call; what it raises is raised here."""
        future: Future[Any] = Future()
        future.set_result(function(*args, **kwargs))
        return future


class LocalProcesses(ThreadPoolExecutor, Workers):
    """Makes at most `workers` calls at a time, each in a process of its own.

    `blas_threads` are those of forked kernels; None: kernels are not forked. Without `examined`, no
    submission needs an examiner. A call that raises an exception fails with a `GraderFault`, and so
    does one whose process dies.
    """

    def __init__(
        self,
        workers: int,
        homework: Homework | None = None,
        blas_threads: int | None = None,
        examined: bool = True,
    ) -> None:
        super().__init__(workers, "hw-worker")
        self.at_once = workers
        self._warm_up = homework or Homework(""), blas_threads, examined
        # Each worker, its kernel and its examiner share a core: they wait for each other most of
        # the time, and wake each other up faster. None: some core would have more workers.
        cores = sorted(os.sched_getaffinity(0))
        shared = workers % len(cores) == 0
        self._cores = [cores[n % len(cores)] if shared else None for n in range(workers)]
        self._lock = threading.Lock()  # of the fork server
        self._ended = False
        # A short path: a socket's path may have about 100 bytes.
        self._scratch = tempfile.TemporaryDirectory(prefix="hw-run-", ignore_cleanup_errors=True)
        os.chmod(self._scratch.name, 0o711)  # root's sandboxes, as other users, traverse it
        self._server = self._started()

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a process call a function, which it finds by its name."""
        return super().submit(self._call_on_a_core, function, args, kwargs)

    def beside(self, function: Callable[..., Any], *args: Any) -> Any:
        """Have a further process call a function, and wait for it."""
        return self._call(None, function, args, {})

    def expect_imports(self) -> None:
        """Wait for the fork server; `GraderFault` if it cannot import the homework's code."""
        try:
            why = self._server.wait_until_ready()
        except OSError:
            why = "the fork server of the workers ended as it started"
        if why:
            raise GraderFault(why)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes: after all submitted calls, or at once if these are cancelled."""
        super().shutdown(wait=not cancel_futures, cancel_futures=cancel_futures)
        with self._lock:
            self._ended = True
            self._server.end(_SECONDS_TO_END)
        super().shutdown()  # the threads meet the end of their processes
        self._scratch.cleanup()

    def _started(self) -> ForkServer:
        """Start the fork server."""
        variables = {**dict.fromkeys(BLAS_VARIABLES, "1"), "TMPDIR": self._scratch.name}
        server = ForkServer.started(
            [sys.executable, "-m", "hw_grading.grade.workers"],
            env=os.environ | variables,
            start_new_session=True,  # Ctrl-C reaches only the coordinator
        )
        server.set_up(pickle.dumps(self._warm_up))
        return server

    def _call_on_a_core(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        core = self._cores.pop()
        try:
            return self._call(core, function, args, kwargs)
        finally:
            self._cores.append(core)

    def _call(self, core: int | None, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Make a call in a new process."""
        try:
            ours, theirs = Pipe()
            with ours:
                with theirs:
                    self._hand_over(pickle.dumps((core, function, args, kwargs)), theirs)
                value, failure = pickle.loads(ours.recv_bytes())
        except (EOFError, OSError):
            self._server.is_ending()
            failure = (
                "the process that ran it died. If memory ran out, lower c.WholeClass.workers. Then "
                "run this command again"
            )
        if failure:
            raise GraderFault(failure)
        return value

    def _hand_over(self, call: bytes, connection: Connection) -> None:
        """Have the fork server fork a process that gets a call, and a connection for its answer."""
        with self._lock:
            if self._ended:
                raise GraderFault("the run was ended")
            if self._server.has_ended():
                self._server.end()
                self._server = self._started()
            self._server.fork(call, [connection.fileno()])


# -- the fork server, and its forks


def _serve(requests: socket.socket) -> None:
    """Fork a process for each call, until the coordinator is gone or done."""
    setup, _ = forking.receive(requests)
    homework, blas_threads, examined = pickle.loads(setup)
    if blas_threads is not None:
        # The other fork servers start while this process does the workers' imports.
        kernel_process.begin(blas_threads, homework.manifest.preload)
    expect_imports = examiner.begin(homework) if examined else lambda: None
    from hw_grading.grade import bounded, job  # noqa: F401

    why = ""
    try:
        expect_imports()
    except GraderFault as fault:
        why = str(fault)
    kernel_process.wait_until_ready()
    server = os.pidfd_open(os.getpid())
    if forked := forking.serve(requests, why):
        call, (connection,) = forked
        _work(call, Connection(connection), server)


def _work(call: bytes, coordinator: Connection, server: int) -> None:
    """Make one call in this new process. If one of the others is gone, end in the middle of it."""
    try:
        os.setsid()
        threading.Thread(target=_end_with, args=(coordinator, server), daemon=True).start()
        try:
            core, function, args, kwargs = pickle.loads(call)
            if core is not None:
                with contextlib.suppress(OSError):  # the core is not available any more
                    os.sched_setaffinity(0, {core})
            answer = pickle.dumps((function(*args, **kwargs), ""))
        except Exception as error:
            answer = pickle.dumps((None, f"{type(error).__name__}: {error}"))
        coordinator.send_bytes(answer)
    finally:
        os._exit(0)  # the interpreter would take its time to forget all that it has imported


def _end_with(coordinator: Connection, server: int) -> None:
    wait([coordinator, server])  # neither sends anything more: it is gone
    # The main thread is still in the middle of a call. The call's sandbox ends with this process.
    os._exit(1)


if __name__ == "__main__":
    with contextlib.suppress(EOFError, OSError):
        _serve(forking.control())
