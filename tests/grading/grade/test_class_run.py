"""Running ahead: every job runs once, its result is kept, and the loop takes them in order."""

import json
import logging
import shutil
import signal
import sys
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hw_grading.grade import class_run as grading
from hw_grading.grade.class_run import ClassRun
from hw_grading.grade.job import Job
from hw_grading.grade.kept import ResultStore
from hw_grading.grade.progress import Progress
from hw_grading.grade.run_numbers import RunNumbers
from hw_grading.grade.workers import InThisProcess, Workers
from hw_grading.homework.homework import Homework
from hw_grading.outcome import GraderFault, Outcome, Status


class Threads(ThreadPoolExecutor, Workers):
    """Some threads of this process."""

    def __init__(self, at_once: int) -> None:
        super().__init__(at_once)
        self.at_once = at_once


class Class:
    """A class whose jobs are run by a function here."""

    def __init__(self, folder: Path, do: Callable[[Job], Outcome] | None = None) -> None:
        self.folder = folder
        self.ran: list[str] = []
        self.numbers: list[int] = []  # of these runs
        self._do = do or (lambda job: Outcome(Status.GRADED, notebook=job.student))

    def run(self, job: Job) -> Outcome:
        self.ran.append(job.student)
        self.numbers.append(job.number)
        return self._do(job)

    def begin(self, threads: int = 2, **options: Any) -> ClassRun:
        nothing: Any = Homework("toys"), None, False
        workers = Threads(threads) if threads else InThisProcess(*nothing)
        told = Progress(0, 0, "toys", logging.getLogger("hw_grading.test"))
        numbers = RunNumbers(self.folder / "secret")
        return ClassRun(workers, self.folder, told, numbers, run=self.run, **options)


def job(student: str) -> Job:
    return Job(student, ord(student), "v1", {}, {}, Homework("toys"))


def results_of(run: ClassRun, students: str) -> list[str]:
    ahead = run.ahead(students, lambda student: run.begin(job(student)))
    return [future.result(60).notebook for _, future in ahead]


@pytest.mark.parametrize("threads", [0, 1, 4])
def test_each_job_is_run_once_and_has_its_own_result(tmp_path: Path, threads: int) -> None:
    them = Class(tmp_path)
    run = them.begin(threads)
    assert results_of(run, "habcdefg") == list("habcdefg")
    assert sorted(them.ran) == list("abcdefgh")
    run._workers.shutdown()
    lines = (tmp_path / "toys.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["student"] for line in lines) == list("abcdefgh")


def test_each_run_that_begins_has_another_number(tmp_path: Path) -> None:
    def die(job: Job) -> Outcome:
        raise KeyboardInterrupt

    them = Class(tmp_path, die)
    with pytest.raises(KeyboardInterrupt):  # in the middle of the run
        them.begin(0).begin(job("a"))
    assert them.numbers == [1]
    ways: list[dict[str, bool]] = [{}, {"rerun": True}, {}]
    for options in ways:
        later = Class(tmp_path)
        results_of(later.begin(0, **options), "ab")
        them.numbers += later.numbers  # none of results that were kept
    assert them.numbers == [1, 2, 1, 3, 2]
    shutil.rmtree(tmp_path / "results")
    emptied = Class(tmp_path)
    results_of(emptied.begin(0), "ab")
    assert emptied.numbers == [4, 3]


def test_a_job_beside_the_class_is_kept_and_counted_nowhere(tmp_path: Path) -> None:
    for _ in range(2):
        run = Class(tmp_path).begin(0)
        assert run.begin(job("a"), of_class=False).result().notebook == "a"
        assert run.progress.again == 0
    assert not (tmp_path / "toys.jsonl").exists()
    assert len(list(tmp_path.glob("results/*/*"))) == 1


def test_ctrl_c_while_python_frees_an_object_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", printed.append)
    freed: list[str] = []

    def begin(student: str) -> None:
        thing = Class(tmp_path)
        weakref.finalize(thing, freed.append, student)
        weakref.finalize(thing, signal.raise_signal, signal.SIGINT)  # Python drops what it raises

    ahead = Class(tmp_path).begin(0).ahead("abc", begin)
    with pytest.raises(KeyboardInterrupt):
        next(ahead)
    assert freed == ["a"]
    assert printed == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert sys.unraisablehook == printed.append


def test_only_some_submissions_are_begun_ahead_of_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grading, "AHEAD", 3)
    begun: list[str] = []
    ahead = Class(tmp_path).begin(1).ahead("abcdefghij", begun.append)
    assert next(ahead)[0] == "a"
    assert "".join(begun) == "abcdef"  # with two for the one worker
    assert "".join(student for student, _ in ahead) == "bcdefghij"


def test_large_submissions_are_begun_only_as_far_as_they_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grading, "AHEAD_BYTES", 10)
    begun: list[int] = []
    held = []
    sizes = [4, 5, 1, 11, 2, 2]
    for size, _ in Class(tmp_path).begin(1).ahead(sizes, begun.append, lambda size: size):
        held.append((size, sum(begun[begun.index(size) :])))
    assert [size for size, _ in held] == sizes
    # What is held when one is saved: `begun` is a list of what was begun before.
    assert held[:4] == [(4, 10), (5, 6), (1, 1), (11, 11)]


@pytest.mark.parametrize("error", [KeyError("x"), GraderFault("a worker has died")])
def test_an_error_in_a_worker_is_raised_and_not_kept(tmp_path: Path, error: Exception) -> None:
    def fail(job: Job) -> Outcome:
        raise error

    with pytest.raises(type(error)):
        results_of(Class(tmp_path, fail).begin(), "a")
    assert results_of(Class(tmp_path).begin(), "a") == ["a"]


@pytest.mark.parametrize(
    "outcome",
    [Outcome(Status.NOT_GRADED, ("a fault",)), Outcome(Status.SUBMISSION_FAILED, unscored=("q1",))],
    ids=["not graded", "a test without a score"],
)
def test_what_a_grader_or_a_test_did_wrong_is_run_again(tmp_path: Path, outcome: Outcome) -> None:
    results_of(Class(tmp_path, lambda job: outcome).begin(0), "a")
    assert results_of(Class(tmp_path).begin(0), "a") == ["a"]


def test_with_a_full_disk_grading_continues_with_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ResultStore, "put", full)
    assert results_of(Class(tmp_path).begin(0), "abc") == list("abc")
    [said] = caplog.messages
    assert "No space left on device" in said
