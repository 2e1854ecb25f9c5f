"""Dask workers, on this machine or on others, as a `concurrent.futures.Executor`.

Needs the extra ``dask``. Messages contain whole jobs and whole results. If a worker is lost, the
scheduler gives its job to another one.
"""

from distributed import Client
from distributed.cfexecutor import ClientExecutor

from hw_grading.grade.job import installed, why_unfit
from hw_grading.grade.workers import Workers
from hw_grading.run.settings import RunSettings
from hw_support.submission.file import UserError


class DaskWorkers(ClientExecutor, Workers):
    """The workers of a Dask scheduler at an address such as ``"tcp://10.0.0.1:8786"``.

    Wait some seconds for the scheduler and for a first worker. `UserError` if there is none, or
    if a worker could give other results than this machine.
    """

    def __init__(self, address: str, seconds: float, settings: RunSettings) -> None:
        try:
            client = Client(address, timeout=seconds, set_as_default=False)
            client.wait_for_workers(1, timeout=seconds)
        except (OSError, TimeoutError) as error:
            raise UserError(
                f"No Dask scheduler with a worker was found at {address} within {seconds:g} s "
                f"({error}). Start `dask scheduler` and `dask worker {address} --nthreads 1`, or "
                'set c.WholeClass.executor = "processes"'
            ) from error
        super().__init__(client, pure=False, retries=0)
        found = client.run(why_unfit, settings.plain(), installed(settings.packages))
        if unfit := [f"{worker}: {why}" for worker, why in found.items() if why]:
            self.shutdown()
            raise UserError(
                f"Nothing was graded: Dask workers differ from this machine ({'; '.join(unfit)}). "
                "Stop them, or install the same packages there"
            )
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        self.at_once = max(1, sum(worker["nthreads"] for worker in workers))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Disconnect from the scheduler. The workers stay available to other clients."""
        del wait, cancel_futures  # the scheduler drops this client's jobs when it disconnects
        self._client.close()
