"""Grading by Dask workers: a real scheduler, and workers as processes of their own."""

import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from distributed import Client
from toy_course import FULL_MARKS, ToyCourse, environment

from hw_grading.batch.cluster import DaskWorkers, SchedulerGone
from hw_grading.batch.job import WorkerUnfit
from hw_grading.homework.course import REPOSITORY

pytestmark = pytest.mark.slow


class Cluster:
    """A scheduler, and as many workers as a test starts."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._file, self._stack = folder / "scheduler.json", stack
        self.scheduler = self._start("scheduler", "--port", "0", "--host", "127.0.0.1")
        self._client: Client | None = None

    def _start(self, role: str, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "dask", role, *arguments, "--no-dashboard"),
                *("--scheduler-file", str(self._file)),
            ],
            env={**environment(), **variables},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process

    @property
    def address(self) -> str:
        """Wait for the scheduler, and return its address."""
        with Client(scheduler_file=str(self._file), timeout=120, set_as_default=False) as client:
            return str(client.scheduler.address)

    def worker(self, **variables: str) -> subprocess.Popen[bytes]:
        """Start a worker without a nanny, which would restart it after a kill."""
        before = self._workers()
        process = self._start("worker", "--nthreads", "1", "--no-nanny", **variables)
        end = time.monotonic() + 120
        while not self._workers() - before:
            assert time.monotonic() < end
            time.sleep(0.1)
        return process

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


def test_scores_are_those_of_a_serial_run(course: ToyCourse, cluster: Cluster) -> None:
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


def test_a_worker_without_a_sandbox_gets_nothing_and_is_named(
    course: ToyCourse, cluster: Cluster, tmp_path: Path
) -> None:
    for number in range(3):
        course.submit(f"student-{number}", course.answered)
    (tmp_path / "bin").mkdir()
    cluster.worker(PATH=str(tmp_path / "bin"))  # no bwrap there
    alone = course.grade(*by_dask(cluster))
    assert alone.returncode == 1
    assert "no Dask worker can grade" in alone.stderr
    assert "needs the program 'bwrap'. It was not found" in alone.stderr
    assert not course.test_scores("student-0").get("test_double")
    cluster.worker()
    done = course.grade(*by_dask(cluster))
    assert done.returncode == 0, done.stderr
    assert "gets no submissions" in done.stderr or "graded 3" in done.stderr
    assert sum(filter(None, course.test_scores("student-2").values())) == FULL_MARKS


class Page:
    """The commands of docs/clusters.md, adapted to this machine.

    The packages of this environment replace those that pip would download.
    """

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        self._places = {
            "python3.11 -m venv": f"{sys._base_executable} -m venv --without-pip",  # type: ignore[attr-defined]
            "/opt/hw2": str(folder),
            "10.0.0.1": "127.0.0.1",
            "8786": port,
            "--nworkers 16": "--nworkers 1",
        }
        self._text = (REPOSITORY / "docs" / "clusters.md").read_text()
        self._packages = (
            folder / ".venv" / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
        )

    def lines(self, pattern: str) -> list[str]:
        """The indented lines that match, in the page's order."""
        found = re.findall(rf"^ {{4,}}({pattern}.*)$", self._text, re.MULTILINE)
        for there, here in self._places.items():
            found = [line.replace(there, here) for line in found]
        return found

    def install(self) -> None:
        make, *fill = self.lines(r"(?:python3\.11|/opt/hw2/\S+ -m pip) ")
        assert len(fill) == 2
        subprocess.run(make.split(), check=True)
        packages = sysconfig.get_path("purelib")
        shutil.copytree(packages, self._packages, copy_function=linked, dirs_exist_ok=True)
        for line in fill:
            subprocess.run(line.split(), check=True, cwd=REPOSITORY, env=clean(PIP_NO_INDEX="1"))


def linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def clean(**variables: str) -> dict[str, str]:
    """An environment in which Python finds only installed packages of ours."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        **variables,
    }


# It fails where it can read the grader's code, which is installed among the packages there.
LOOK = """
import glob, sysconfig
packages = sysconfig.get_path("purelib")
assert glob.glob(packages + "/numpy*") and not glob.glob(packages + "/hw_*/**/*.py", recursive=True)
def double(x):
    return 2 * x
"""


def test_a_worker_installed_by_the_page_can_grade(course: ToyCourse, tmp_path: Path) -> None:
    page = Page(tmp_path / "opt")
    page.install()
    config = course.root / "nbgrader_config.py"
    config.write_text("\n".join([config.read_text(), *page.lines(r"c\.WholeClass\.")]))
    course.submit("right", course.answered)
    course.submit("looking", course.answer(double=LOOK))
    (tmp_path / "elsewhere").mkdir()
    commands = page.lines(r"/opt/hw2/\S+ -m dask ")
    assert len(commands) == 2
    with ExitStack() as stack:
        for command in commands:
            process = subprocess.Popen(command.split(), cwd=tmp_path / "elsewhere", env=clean())
            stack.callback(process.wait)
            stack.callback(process.terminate)
        done = course.grade()
    assert done.returncode == 0, done.stderr
    assert "graded 2" in done.stderr
    assert sum(filter(None, course.test_scores("right").values())) == FULL_MARKS
    assert sum(filter(None, course.test_scores("looking").values())) == FULL_MARKS


def test_another_worker_makes_the_call_of_a_killed_worker(cluster: Cluster, tmp_path: Path) -> None:
    first = cluster.worker()
    executor = DaskWorkers(cluster.address, 120, print)
    program = f"import pathlib, time; pathlib.Path({str(tmp_path / 'began')!r}).touch(); "
    slow = executor.submit(exec, program + "time.sleep(3)")
    while not (tmp_path / "began").exists():
        time.sleep(0.05)
    first.kill()
    cluster.worker()
    assert slow.result(60) is None
    executor.shutdown()


def test_a_call_that_kills_its_workers_fails_alone(cluster: Cluster) -> None:
    workers = [cluster.worker() for _ in range(5)]
    executor = DaskWorkers(cluster.address, 120, print)
    deadly = executor.submit(os._exit, 3)
    error = deadly.exception(120)
    assert "each worker that ran it died" in str(error)
    while sum(worker.poll() is None for worker in workers) > 1:  # one run, and three more
        time.sleep(0.05)
    time.sleep(0.2)
    assert sum(worker.poll() is None for worker in workers) == 1
    assert executor.submit(abs, -1).result(60) == 1
    executor.shutdown()


def test_a_worker_that_refused_gets_no_further_call(cluster: Cluster) -> None:
    cluster.worker()
    said: list[str] = []
    executor = DaskWorkers(cluster.address, 120, said.append)
    refuse = "from hw_grading.batch.job import WorkerUnfit\nraise WorkerUnfit('numpy 1.0')"
    refused = [executor.submit(exec, refuse) for _ in range(3)]
    for future in refused:
        assert isinstance(future.exception(60), WorkerUnfit)
    assert len(said) == 1
    assert "numpy 1.0" in said[0]
    executor.shutdown()


def test_a_lost_scheduler_is_the_graders_fault(cluster: Cluster) -> None:
    cluster.worker()
    executor = DaskWorkers(cluster.address, 120, print)
    waiting = executor.submit(time.sleep, 600)
    time.sleep(1)
    cluster.scheduler.kill()
    assert isinstance(waiting.exception(120), SchedulerGone)
    executor.shutdown()


def test_for_a_missing_scheduler_the_message_says_what_to_start() -> None:
    with pytest.raises(SchedulerGone, match="dask scheduler"):
        DaskWorkers("tcp://127.0.0.1:1", 1, print)
