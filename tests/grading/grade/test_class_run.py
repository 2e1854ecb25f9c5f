"""Every job runs once, its result is kept, and the loop takes them in order."""

import json
import logging
import signal
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hw_grading.grade import pipeline
from hw_grading.grade.class_run import ClassRun
from hw_grading.grade.job import Conditions, Job
from hw_grading.grade.kept import ResultStore
from hw_grading.grade.workers import InThisProcess, Workers
from hw_grading.homework.homework import Homework
from hw_grading.outcome import CellScore, GraderFault, Outcome
from hw_grading.run.settings import RunSettings

TOYS = Homework("toys")
LOG = logging.getLogger("hw_grading.test")


class Threads(ThreadPoolExecutor, Workers):
    """Some threads of this process."""


class Class:
    """A class whose jobs are run by a function here."""

    def __init__(self, folder: Path, do: Callable[[Job], Outcome] | None = None) -> None:
        self.folder = folder
        self.ran: list[str] = []
        self._do = do or (lambda job: Outcome(job.student))

    def run(self, job: Job) -> Outcome:
        self.ran.append(job.student)
        return self._do(job)

    def begin(self, threads: int = 2, **options: Any) -> ClassRun:
        workers = Threads(threads) if threads else InThisProcess(TOYS, None, False)
        under = Conditions(TOYS, RunSettings())
        return ClassRun(workers, under, self.folder, LOG, run=self.run, **options)


def job(student: str) -> Job:
    return Job(student, "v1", {}, {}, TOYS)


def results_of(run: ClassRun, students: str) -> list[str]:
    futures = [run.begin(job(student)) for student in students]
    return [future.result(60).notebook for future in futures]


@pytest.mark.parametrize("threads", [0, 1, 4])
def test_each_job_is_run_once_and_has_its_own_result(tmp_path: Path, threads: int) -> None:
    them = Class(tmp_path)
    run = them.begin(threads)
    assert results_of(run, "habcdefg") == list("habcdefg")
    assert sorted(them.ran) == list("abcdefgh")
    run.workers.shutdown()
    lines = (tmp_path / "toys.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["student"] for line in lines) == list("abcdefgh")
    again = Class(tmp_path)
    assert results_of(again.begin(0), "ax") == ["a", "x"]
    assert results_of(again.begin(0, rerun=True), "a") == ["a"]
    assert again.ran == ["x", "a"]


# -- ahead


def ahead(things: list[Any], begin: Callable[[Any], Any], at_once: int) -> Any:
    of: Any = things
    return pipeline._ahead(of, begin, at_once)


def submission(size: int) -> SimpleNamespace:
    return SimpleNamespace(size=size)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_while_python_frees_an_object_ends_the_run(tmp_path: Path) -> None:
    freed: list[object] = []

    def begin(one: SimpleNamespace) -> None:
        thing = Class(tmp_path)
        weakref.finalize(thing, freed.append, one)
        weakref.finalize(thing, signal.raise_signal, signal.SIGINT)  # Python drops what it raises

    with pytest.raises(KeyboardInterrupt):
        next(ahead([submission(1)] * 3, begin, 0))
    assert len(freed) == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize(
    ("sizes", "begun_before_each"),
    [
        ([1] * 6, [6, 6, 6, 6, 6, 6]),  # three, and two for the one worker
        ([4, 5, 1, 11, 2, 2], [3, 3, 3, 4, 6, 6]),  # together at most 10 bytes, or one
    ],
)
def test_only_some_submissions_are_begun_ahead_of_the_loop(
    sizes: list[int], begun_before_each: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "AHEAD", 3)
    monkeypatch.setattr(pipeline, "AHEAD_BYTES", 10)
    begun: list[object] = []
    things = [submission(size) for size in sizes]
    found = [(one, len(begun)) for one, _ in ahead(things, begun.append, 1)]
    assert [one for one, _ in found] == things
    assert [number for _, number in found] == begun_before_each


# -- what is kept


@pytest.mark.parametrize("error", [KeyError("x"), GraderFault("a worker has died")])
def test_an_error_in_a_worker_is_raised_and_not_kept(tmp_path: Path, error: Exception) -> None:
    def fail(job: Job) -> Outcome:
        raise error

    with pytest.raises(type(error)):
        results_of(Class(tmp_path, fail).begin(), "a")
    assert results_of(Class(tmp_path).begin(), "a") == ["a"]


@pytest.mark.parametrize(
    "outcome",
    [Outcome.not_graded("a fault"), Outcome("{}", scores=(CellScore("q1", 2, None),))],
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
