"""Running ahead: every job runs once, in any order, and no job gets the result of another."""

import functools
import json
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hw_grading.batch import ahead
from hw_grading.batch.ahead import ClassRun
from hw_grading.batch.job import Job
from hw_grading.batch.store import Results
from hw_grading.homework.homework import Homework
from hw_grading.outcome import Graded, GraderFault, NotGraded, Outcome


def job(student: str, text: str = "v1") -> Job:
    return Job(student, 0, text, {}, {}, Homework("toys"))


class Class:
    """A class whose jobs are run by a function here, and what was told about them."""

    def __init__(self, folder: Path, run: Callable[[Job], Outcome] | None = None) -> None:
        self.results = Results(folder, 10)
        self.ran: list[str] = []
        self.told: list[Any] = []
        self._do = run or (lambda job: Graded(json.dumps([job.student, job.notebook])))

    def ended(self, student: str, outcome: Outcome, *, again: bool) -> None:
        self.told.append(("again" if again else "ended", student))

    def trouble(self, message: str) -> None:
        self.told.append(("trouble", message))

    def run(self, job: Job) -> Outcome:
        self.ran.append(job.student)
        return self._do(job)

    def begin(self, students: str, executor: Executor | int | None = 2, **options: Any) -> ClassRun:
        pending = options.pop("pending", [functools.partial(job, one) for one in students])
        if isinstance(executor, int):
            executor = ThreadPoolExecutor(executor)
        told: Any = self
        return ClassRun(pending, executor, self.results, told, run=self.run, **options)


def result(run: ClassRun, one: Job) -> Any:
    outcome = run.outcome(one)
    return json.loads(outcome.notebook) if isinstance(outcome, Graded) else outcome


@pytest.mark.parametrize("executor", [None, 1, 4])
def test_each_job_is_run_once_and_has_its_own_result(tmp_path: Path, executor: int | None) -> None:
    them = Class(tmp_path)
    run = them.begin("abcdefgh", executor)
    assert [result(run, job(student)) for student in "habcdefg"] == [[s, "v1"] for s in "habcdefg"]
    run.stop()
    assert sorted(them.ran) == list("abcdefgh")
    assert sorted(them.told) == [("ended", student) for student in "abcdefgh"]


@pytest.mark.parametrize(("rerun", "ran"), [(False, ""), (True, "abc")])
def test_stored_results_are_taken_unless_a_rerun_is_asked_for(
    tmp_path: Path, rerun: bool, ran: str
) -> None:
    first = Class(tmp_path).begin("abc")
    for student in "abc":
        first.outcome(job(student))
    first.stop()
    them = Class(tmp_path)
    run = them.begin("abc", rerun=rerun)
    assert [result(run, job(student)) for student in "abc"] == [[s, "v1"] for s in "abc"]
    run.stop()
    assert "".join(sorted(them.ran)) == ran
    assert sorted(them.told) == [("ended" if rerun else "again", student) for student in "abc"]


def test_a_submission_that_was_replaced_meanwhile_runs_in_its_new_version(tmp_path: Path) -> None:
    run = Class(tmp_path).begin("ab")
    assert result(run, job("a", "v2")) == ["a", "v2"]
    assert result(run, job("b")) == ["b", "v1"]
    run.stop()


def test_the_thread_is_at_most_some_submissions_ahead_of_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "AHEAD", 3)
    them = Class(tmp_path)
    made: list[str] = []
    full = threading.Event()

    def make(student: str) -> Job:
        made.append(student)
        if len(made) == 5:  # and room for two jobs of the one worker
            full.set()
        return job(student)

    students = "abcdefghij"
    run = them.begin(students, 1, pending=[functools.partial(make, s) for s in students])
    assert full.wait(60)
    assert "".join(made) == students[:5]
    assert [result(run, job(student))[0] for student in students] == list(students)
    run.stop()
    assert sorted(them.ran) == list(students)


def test_a_job_that_cannot_be_prepared_is_left_to_the_loop(tmp_path: Path) -> None:
    def fail() -> Job:
        raise ValueError("damaged")

    run = Class(tmp_path).begin("", pending=[fail, lambda: job("b")])
    assert result(run, job("b")) == ["b", "v1"]
    run.stop()


@pytest.mark.parametrize(
    ("error", "fault"),
    [(KeyError("x"), "KeyError: 'x'"), (GraderFault("a worker has died"), "a worker has died")],
)
def test_an_error_in_a_worker_is_a_fault_of_the_grader_and_not_saved(
    tmp_path: Path, error: Exception, fault: str
) -> None:
    def fail(job: Job) -> Outcome:
        raise error

    run = Class(tmp_path, fail).begin("a")
    outcome = run.outcome(job("a"))
    assert isinstance(outcome, NotGraded)
    assert outcome.fault == fault
    run.stop()
    assert result(Class(tmp_path).begin("", None), job("a")) == ["a", "v1"]


def test_with_a_full_disk_grading_continues_with_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Results, "put", full)
    them = Class(tmp_path)
    run = them.begin("abc", 1)
    assert [result(run, job(student))[0] for student in "abc"] == list("abc")
    run.stop()
    [said] = [message for kind, message in them.told if kind == "trouble"]
    assert "No space left on device" in said


def test_a_terminal_that_is_gone_blocks_nobody(tmp_path: Path) -> None:
    them = Class(tmp_path)

    def gone(*_: Any, **__: Any) -> None:
        raise BrokenPipeError

    them.ended = gone  # type: ignore[method-assign]
    run = them.begin("ab", 1)
    assert [result(run, job(student))[0] for student in "ab"] == ["a", "b"]
    run.stop()


def test_after_stopping_nothing_is_run_and_nobody_waits(tmp_path: Path) -> None:
    began, end = threading.Event(), threading.Event()

    def wait(job: Job) -> Outcome:
        began.set()
        end.wait(60)
        raise GraderFault("the run was ended")

    them = Class(tmp_path, wait)
    run = them.begin("abcd", 1)
    assert began.wait(60)
    threading.Timer(0.2, end.set).start()
    run.stop()
    assert them.ran == ["a"]
    assert them.told == []
    with pytest.raises((CancelledError, RuntimeError)):
        run.outcome(job("b"))
