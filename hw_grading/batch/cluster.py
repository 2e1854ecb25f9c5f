"""Dask workers, on this machine or on others, as a `concurrent.futures.Executor`.

Needs the extra ``dask``. Messages contain whole jobs and whole results. If a worker is lost, the
scheduler gives its job to another one, and drops a late answer of the lost one.

A worker that has other packages than the coordinator, or no working sandbox, refuses to grade
(`hw_grading.batch.job.WorkerUnfit`). It gets no further jobs, and the instructor is told once.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from distributed import Client, KilledWorker, get_worker
from distributed import Future as DaskFuture

from hw_grading.batch.job import WorkerUnfit
from hw_grading.outcome import GraderFault


class SchedulerGone(GraderFault):
    """The scheduler cannot be reached, or the connection to it was lost."""


class DaskWorkers(Executor):
    """The workers of a Dask scheduler at an address such as ``"tcp://10.0.0.1:8786"``.

    Wait some seconds for the scheduler and for a first worker; raise `SchedulerGone` if there is
    none. `say` is called with messages for the instructor.
    """

    def __init__(self, address: str, seconds: float, say: Callable[[str], None]) -> None:
        self._address, self._say = address, say
        try:
            self._client = Client(address, timeout=seconds, set_as_default=False)
            self._client.wait_for_workers(1, timeout=seconds)
        except (OSError, TimeoutError) as error:
            raise SchedulerGone(
                f"No Dask scheduler with a worker was found at {address} within {seconds:g} s "
                f"({error}). Start `dask scheduler` and `dask worker {address} --nthreads 1`, or "
                'set c.WholeClass.executor = "processes"'
            ) from error
        self._unfit: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def at_once(self) -> int:
        """How many jobs run at a time now."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        return max(1, sum(int(worker["nthreads"]) for worker in workers))

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Let a worker call a function."""
        future: Future[Any] = Future()
        self._submit(future, (function, args, kwargs))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Disconnect from the scheduler. The workers stay available to other clients."""
        del wait, cancel_futures  # the scheduler drops this client's jobs when it disconnects
        self._client.close()

    def _submit(self, future: Future[Any], what: tuple[Any, ...]) -> None:
        with self._lock:
            unfit = set(self._unfit)
        workers = None
        if unfit:
            everybody = self._client.scheduler_info(n_workers=-1)["workers"]
            workers = [address for address in everybody if address not in unfit]
            if not workers:
                why = "; ".join(sorted(set(self._unfit.values())))
                future.set_exception(WorkerUnfit(f"no Dask worker can grade: {why}"))
                return
        asked = self._client.submit(_call, *what, pure=False, retries=0, workers=workers)
        asked.add_done_callback(lambda done: self._done(done, future, what))

    def _done(self, asked: DaskFuture[Any], future: Future[Any], what: tuple[Any, ...]) -> None:
        try:
            self._take(asked, future, what)
        except BaseException as error:  # without an exception in the future, a caller waits forever
            text = f"the worker's answer cannot be read ({type(error).__name__}: {error})"
            future.set_exception(GraderFault(text))

    def _take(self, asked: DaskFuture[Any], future: Future[Any], what: tuple[Any, ...]) -> None:
        if asked.status == "finished":
            worker, fine, value = asked.result()
            if fine:
                future.set_result(value)
            elif isinstance(value, WorkerUnfit):
                self._refused(worker, str(value))
                self._submit(future, what)
            else:
                future.set_exception(value)
        elif asked.status == "error":
            error = asked.exception()
            died = isinstance(error, KilledWorker)
            what_happened = "each worker that ran it died" if died else type(error).__name__
            future.set_exception(GraderFault(f"{what_happened} ({error})"))
        else:
            future.set_exception(
                SchedulerGone(f"the connection to the Dask scheduler at {self._address} was lost")
            )

    def _refused(self, worker: str, why: str) -> None:
        with self._lock:
            new = worker not in self._unfit
            self._unfit[worker] = why
        if new:
            self._say(f"The Dask worker {worker} gets no submissions: {why}")


def _call(function: Callable[..., Any], args: Any, kwargs: Any) -> tuple[str, bool, Any]:
    worker = get_worker().address
    try:
        return worker, True, function(*args, **kwargs)
    except Exception as error:
        return worker, False, error
