"""Grading by Dask workers: a real scheduler, and workers as processes of their own."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from distributed import Client
from toy_course import FULL_MARKS, ToyCourse, environment

from hw_grading.batch.cluster import DaskWorkers
from hw_grading.batch.job import installed
from hw_grading.run.settings import RunSettings
from hw_support.submission.file import UserError

pytestmark = pytest.mark.slow


class Cluster:
    """A scheduler, and as many workers as a test starts."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._file, self._stack = folder / "scheduler.json", stack
        self._start("scheduler", "--port", "0", "--host", "127.0.0.1")

    def _start(self, role: str, *arguments: str) -> None:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "dask", role, *arguments, "--no-dashboard"),
                *("--scheduler-file", str(self._file)),
            ],
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)

    @property
    def address(self) -> str:
        """Wait for the scheduler, and return its address."""
        with Client(scheduler_file=str(self._file), timeout=120, set_as_default=False) as client:
            return str(client.scheduler.address)

    def worker(self) -> None:
        """Start a worker without a nanny, which would restart it after a kill."""
        before = self._workers()
        self._start("worker", "--nthreads", "1", "--no-nanny")
        end = time.monotonic() + 120
        while not self._workers() - before:
            assert time.monotonic() < end
            time.sleep(0.1)

    def _workers(self) -> set[str]:
        with Client(scheduler_file=str(self._file), timeout=120, set_as_default=False) as client:
            return set(client.scheduler_info(n_workers=-1)["workers"])


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with ExitStack() as stack:
        yield Cluster(tmp_path, stack)


def by_dask(cluster: Cluster) -> list[str]:
    where = f"--WholeClass.scheduler_address={cluster.address}"
    return ["--WholeClass.executor=dask", where, "--WholeClass.scheduler_wait_seconds=120"]


def test_two_workers_give_the_scores_of_a_serial_run(course: ToyCourse, cluster: Cluster) -> None:
    course.submit("right", course.answered)
    course.submit("wrong", course.answer(double="def double(x):\n    return x"))
    course.submit("dying", course.answer(triple="import os\nos._exit(1)"))
    students = ("right", "wrong", "dying")
    assert course.grade("--WholeClass.executor=serial").returncode == 0
    expected = {student: course.scores(student) for student in students}
    for _ in range(2):
        cluster.worker()
    done = course.grade("--force", "--WholeClass.rerun=True", *by_dask(cluster))
    assert done.returncode == 0, done.stderr
    assert {student: course.scores(student) for student in students} == expected
    assert sum(filter(None, course.test_scores("right").values())) == FULL_MARKS


def test_no_workers_or_one_that_differs_end_the_run(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="dask scheduler"):
        DaskWorkers("tcp://127.0.0.1:1", 1, RunSettings())
    cluster.worker()
    here = {**installed(), "numpy": "1.0"}
    monkeypatch.setattr("hw_grading.batch.cluster.installed", lambda packages: here)
    with pytest.raises(UserError, match=r"Dask workers differ .*numpy [\d.]+, expected 1\.0"):
        DaskWorkers(cluster.address, 120, RunSettings())
