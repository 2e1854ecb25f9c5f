"""Dask workers, on this machine or on others, as a `concurrent.futures.Executor`.

Needs the extra ``dask``. Messages contain whole jobs and whole results. If a worker is lost, the
scheduler gives its job to another one. A worker that cannot grade (`WorkerUnfit`) gets no further
jobs, and the instructor is told once.
"""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any

from distributed import Client, KilledWorker, get_worker
from distributed.cfexecutor import ClientExecutor

from hw_grading.batch.job import WorkerUnfit
from hw_grading.outcome import GraderFault


class DaskWorkers(ClientExecutor):
    """The workers of a Dask scheduler at an address such as ``"tcp://10.0.0.1:8786"``.

    Wait some seconds for the scheduler and for a first worker; raise `GraderFault` if there is
    none. `say` is called with messages for the instructor.
    """

    def __init__(self, address: str, seconds: float, say: Callable[[str], None]) -> None:
        try:
            client = Client(address, timeout=seconds, set_as_default=False)
            client.wait_for_workers(1, timeout=seconds)
        except (OSError, TimeoutError) as error:
            raise GraderFault(
                f"No Dask scheduler with a worker was found at {address} within {seconds:g} s "
                f"({error}). Start `dask scheduler` and `dask worker {address} --nthreads 1`, or "
                'set c.WholeClass.executor = "processes"'
            ) from error
        super().__init__(client, pure=False, retries=0)
        self._say, self._unfit = say, dict[str, str]()

    def _workers(self) -> dict[str, int]:
        """Return the threads of each worker that may grade, by its address."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"]
        return {name: w["nthreads"] for name, w in workers.items() if name not in self._unfit}

    @property
    def at_once(self) -> int:
        """How many jobs run at a time now."""
        return max(1, sum(self._workers().values()))

    def submit(self, fn: Any, *args: Any, **kwargs: Any) -> Future[Any]:  # type: ignore[override]
        """Let a worker call a function."""
        future: Future[Any] = Future()
        self._submit(future, fn, args, kwargs)
        return future

    def _submit(self, future: Future[Any], *call: Any) -> None:
        workers = list(self._workers()) if self._unfit else None
        if workers == []:
            why = "; ".join(sorted(set(self._unfit.values())))
            future.set_exception(WorkerUnfit(f"no Dask worker can grade: {why}"))
            return
        asked = super().submit(_call, *call, workers=workers)
        asked.add_done_callback(lambda done: self._done(done, future, *call))

    def _done(self, asked: Future[Any], future: Future[Any], *call: Any) -> None:
        try:
            worker, unfit, value = asked.result()
            if not unfit:
                future.set_result(value)
                return
            if worker not in self._unfit:
                self._say(f"The Dask worker {worker} gets no submissions: {unfit}")
            self._unfit[worker] = unfit
            self._submit(future, *call)
        except CancelledError:
            future.set_exception(GraderFault("the connection to the Dask scheduler was lost"))
        except KilledWorker as error:
            future.set_exception(GraderFault(f"each worker that ran it died ({error})"))
        except BaseException as error:  # without an exception in the future, a caller waits forever
            future.set_exception(error)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Disconnect from the scheduler. The workers stay available to other clients."""
        del wait, cancel_futures  # the scheduler drops this client's jobs when it disconnects
        self._client.close()


def _call(function: Callable[..., Any], args: Any, kwargs: Any) -> tuple[str, str, Any]:
    worker = get_worker().address
    try:
        return worker, "", function(*args, **kwargs)
    except WorkerUnfit as error:
        return worker, str(error), None
