"""Running ahead: every job runs once, its result is kept, and the loop takes them in order."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hw_grading.batch import grading
from hw_grading.batch.grading import ClassRun
from hw_grading.batch.job import Job
from hw_grading.batch.store import Results
from hw_grading.homework.homework import Homework
from hw_grading.outcome import Graded, GraderFault, NotGraded, Outcome


def job(student: str) -> Job:
    return Job(student, 0, "v1", {}, {}, Homework("toys"))


class Class:
    """A class whose jobs are run by a function here, and what was told about them."""

    def __init__(self, folder: Path, run: Callable[[Job], Outcome] | None = None) -> None:
        self.results = Results(folder)
        self.ran: list[str] = []
        self.told: list[Any] = []
        self._do = run or (lambda job: Graded(json.dumps(job.student)))

    def ended(self, student: str, outcome: Outcome, *, again: bool) -> None:
        self.told.append(("again" if again else "ended", student))

    def trouble(self, message: str) -> None:
        self.told.append(("trouble", message))

    def run(self, job: Job) -> Outcome:
        self.ran.append(job.student)
        return self._do(job)

    def begin(self, executor: Executor | int | None = 2, **options: Any) -> ClassRun:
        if isinstance(executor, int):
            executor = ThreadPoolExecutor(executor)
        told: Any = self
        return ClassRun(executor, self.results, told, run=self.run, **options)


def results_of(run: ClassRun, students: str) -> list[Any]:
    ahead = run.ahead(students, lambda student: run.begin(job(student)))
    return [result(future) for _, future in ahead]


def result(future: Future[Outcome]) -> Any:
    outcome = future.result(60)
    return json.loads(outcome.notebook) if isinstance(outcome, Graded) else outcome


@pytest.mark.parametrize("executor", [None, 1, 4])
def test_each_job_is_run_once_and_has_its_own_result(tmp_path: Path, executor: int | None) -> None:
    them = Class(tmp_path)
    run = them.begin(executor)
    assert results_of(run, "habcdefg") == list("habcdefg")
    run.stop()
    assert sorted(them.ran) == list("abcdefgh")
    assert sorted(them.told) == [("ended", student) for student in "abcdefgh"]


@pytest.mark.parametrize(("rerun", "ran"), [(False, ""), (True, "abc")])
def test_kept_results_are_taken_unless_a_rerun_is_asked_for(
    tmp_path: Path, rerun: bool, ran: str
) -> None:
    first = Class(tmp_path).begin()
    results_of(first, "abc")
    first.stop()
    them = Class(tmp_path)
    run = them.begin(rerun=rerun)
    assert results_of(run, "abc") == list("abc")
    run.stop()
    assert "".join(sorted(them.ran)) == ran
    assert sorted(them.told) == [("ended" if rerun else "again", student) for student in "abc"]


def test_only_some_submissions_are_begun_ahead_of_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grading, "AHEAD", 3)
    begun: list[str] = []
    ahead = Class(tmp_path).begin(1).ahead("abcdefghij", begun.append)
    assert next(ahead)[0] == "a"
    assert "".join(begun) == "abcdef"  # with two for the one worker
    assert "".join(student for student, _ in ahead) == "bcdefghij"


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (KeyError("x"), "KeyError: 'x'"),
        (GraderFault("a worker has died"), "a worker has died"),
        (CancelledError(), "the connection to the Dask scheduler was lost"),
    ],
)
def test_an_error_in_a_worker_is_the_graders_and_not_kept(
    tmp_path: Path, error: Exception, fault: str
) -> None:
    def fail(job: Job) -> Outcome:
        raise error

    run = Class(tmp_path, fail).begin()
    [outcome] = results_of(run, "a")
    assert isinstance(outcome, NotGraded)
    assert outcome.fault.startswith(fault)
    run.stop()
    assert results_of(Class(tmp_path).begin(None), "a") == ["a"]


def test_with_a_full_disk_grading_continues_with_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Results, "put", full)
    them = Class(tmp_path)
    run = them.begin(1)
    assert results_of(run, "abc") == list("abc")
    run.stop()
    [said] = [message for kind, message in them.told if kind == "trouble"]
    assert "No space left on device" in said


def test_a_terminal_that_is_gone_blocks_nobody(tmp_path: Path) -> None:
    them = Class(tmp_path)

    def gone(*_: Any, **__: Any) -> None:
        raise BrokenPipeError

    them.ended = gone  # type: ignore[method-assign]
    run = them.begin(1)
    assert results_of(run, "ab") == ["a", "b"]
    run.stop()


def test_after_stopping_nothing_is_run_and_nobody_waits(tmp_path: Path) -> None:
    began, end = threading.Event(), threading.Event()

    def wait(job: Job) -> Outcome:
        began.set()
        end.wait(60)
        raise GraderFault("the run was ended")

    them = Class(tmp_path, wait)
    run = them.begin(1)
    futures = [run.begin(job(student)) for student in "abcd"]
    assert began.wait(60)
    threading.Timer(0.2, end.set).start()
    run.stop()
    assert them.ran == ["a"]
    assert them.told == []
    assert all(future.cancelled() for future in futures)
