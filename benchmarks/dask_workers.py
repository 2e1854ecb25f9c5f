"""Measure how well many Dask workers are used, with submissions that only sleep."""

import logging
import statistics
import tempfile
import time
from pathlib import Path

from distributed import LocalCluster

from hw_grading.batch.cluster import DaskWorkers
from hw_grading.batch.grading import ClassRun
from hw_grading.batch.job import Job
from hw_grading.batch.progress import Progress
from hw_grading.homework.homework import Homework
from hw_grading.outcome import Outcome, Status
from hw_grading.run.settings import RunSettings

WORKERS, ROUNDS, SECONDS, REPEATS = 64, 5, 10.0, 3


def run() -> None:
    """Print the share of the ideal time."""
    shares = []
    with LocalCluster(
        n_workers=WORKERS, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster:
        cluster.wait_for_workers(WORKERS, timeout=600)
        executor = DaskWorkers(cluster.scheduler_address, 60, RunSettings())
        for _ in range(REPEATS):
            shares.append(ROUNDS * SECONDS / seconds_of_a_class(executor))
            print(f"{WORKERS} workers, {ROUNDS} submissions each: {shares[-1]:.2f} of the ideal")
        executor.shutdown()
    print(f"median {statistics.median(shares):.2f}")


def seconds_of_a_class(executor: DaskWorkers) -> float:
    """Run a class with several submissions for each worker; return the seconds."""
    jobs = [Job(f"student-{n}", 0, "{}", {}, {}, Homework("none")) for n in range(WORKERS * ROUNDS)]
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        log = logging.getLogger()
        run = ClassRun(executor, Path(folder), Progress(0, 0, "sleeping", log), run=sleep)
        for _, future in run.ahead(jobs, run.begin):
            future.result()
        return time.monotonic() - start


def sleep(job: Job) -> Outcome:
    """Sleep as long as a submission takes, without using the CPU."""
    time.sleep(SECONDS)
    return Outcome(Status.GRADED)
