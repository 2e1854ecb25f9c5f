"""Running ahead: every job runs once, in any order, and no job gets the result of another."""

import functools
import json
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hw_grading.batch import ahead
from hw_grading.batch.ahead import ClassRun
from hw_grading.batch.job import Job
from hw_grading.batch.store import Results
from hw_grading.homework.homework import Homework
from hw_grading.outcome import Graded, NotGraded, Outcome


def job(student: str, text: str = "v1") -> Job:
    return Job(student, 0, text, {}, {}, Homework("toys"))


class Class:
    """A class whose jobs are run by a function here, and what was told about them."""

    def __init__(self, folder: Path, run: Callable[[Job], Outcome] | None = None) -> None:
        self.results = Results(folder, 10)
        self.ran: list[str] = []
        self.told: list[Any] = []
        self._do = run or (lambda job: Graded(json.dumps([job.student, job.notebook])))

    def began(self, student: str) -> None:
        self.told.append(("began", student))

    def ended(self, student: str, outcome: Outcome, *, again: bool) -> None:
        self.told.append(("again" if again else "ended", student))

    def trouble(self, message: str) -> None:
        self.told.append(("trouble", message))

    def run(self, job: Job) -> Outcome:
        self.ran.append(job.student)
        return self._do(job)

    def begin(self, students: str, workers: int = 2, **options: Any) -> ClassRun:
        pending = [functools.partial(job, student) for student in students]
        executor = ThreadPoolExecutor(workers) if workers else None
        return ClassRun(
            options.pop("pending", pending),
            executor,
            max(workers, 1),
            self.results,
            self,
            run=self.run,
            **options,
        )


def text(outcome: Outcome) -> Any:
    assert not isinstance(outcome, NotGraded)
    return json.loads(outcome.notebook)


def fault_of(outcome: Outcome) -> str | None:
    return outcome.fault if isinstance(outcome, NotGraded) else None


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_each_job_is_run_once_and_has_its_own_result(tmp_path: Path, workers: int) -> None:
    whole = Class(tmp_path)
    run = whole.begin("abcdefghij", workers)
    for student in "abcdefghij":
        assert text(run.outcome(job(student))) == [student, "v1"]
    assert sorted(whole.ran) == list("abcdefghij")
    run.stop()


def test_nothing_is_run_a_second_time(tmp_path: Path) -> None:
    first = Class(tmp_path)
    run = first.begin("abc")
    for student in "abc":
        run.outcome(job(student))
    second = Class(tmp_path)
    run = second.begin("abc")
    assert [text(run.outcome(job(s))) for s in "abc"] == [[s, "v1"] for s in "abc"]
    assert not second.ran
    assert sorted(second.told) == [("again", s) for s in "abc"]


def test_everything_runs_again_on_request(tmp_path: Path) -> None:
    Class(tmp_path).begin("a").outcome(job("a"))
    second = Class(tmp_path)
    run = second.begin("a", rerun=True)
    run.outcome(job("a"))
    run.outcome(job("a"))
    assert second.ran == ["a"]


def test_a_submission_that_was_replaced_meanwhile_runs_in_its_new_version(tmp_path: Path) -> None:
    whole = Class(tmp_path)
    run = whole.begin("ab")
    assert text(run.outcome(job("a", "v2"))) == ["a", "v2"]
    assert text(run.outcome(job("b"))) == ["b", "v1"]


def test_a_long_submission_does_not_keep_others_from_being_run(tmp_path: Path) -> None:
    gate, others = threading.Event(), "bcdefghijklmnop"
    ended: list[str] = []

    def do(job: Job) -> Outcome:
        if job.student == "a":
            assert gate.wait(60)
        ended.append(job.student)
        if len(ended) == len(others):
            gate.set()  # so "a" ends only if all others are run before it
        return Graded("null")

    run = Class(tmp_path, do).begin("a" + others, 2)
    assert text(run.outcome(job("a"))) is None
    assert ended[-1] == "a"


class Count:
    """A counter for which other threads can wait."""

    def __init__(self) -> None:
        self.now = 0
        self._changed = threading.Condition()

    def add_one(self) -> int:
        with self._changed:
            self.now += 1
            self._changed.notify_all()
            return self.now

    def reaches(self, number: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.now >= number, 60)


def test_only_a_few_jobs_are_held_in_memory(tmp_path: Path) -> None:
    students, most = 100, 2 * 2 + 2 + 1
    made, ended = Count(), Count()
    held: list[int] = []

    def do(job: Job) -> Outcome:
        # Each ends when as many are made as may be.
        assert made.reaches(min(int(job.student) + most, students))
        ended.add_one()
        return Graded("null")

    def pending() -> Any:
        for number in range(students):
            held.append(made.add_one() - ended.now)
            yield functools.partial(job, str(number))

    run = Class(tmp_path, do).begin("", 2, pending=pending())
    assert made.reaches(students)
    assert text(run.outcome(job(str(students - 1)))) is None
    assert max(held) == most


def test_only_a_few_ready_results_are_read_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    students = [f"student-{number}" for number in range(20)]
    first = Class(tmp_path)
    with ThreadPoolExecutor(1) as executor:
        run = ClassRun([], executor, 1, first.results, first, run=first.run)
        for student in students:
            run.outcome(job(student))
    monkeypatch.setattr(ahead, "MOST_READY", 3)
    looked = Count()

    def prepare(student: str) -> Job:
        looked.add_one()
        return job(student)

    again = Class(tmp_path)
    with ThreadPoolExecutor(1) as executor:
        pending = [functools.partial(prepare, name) for name in students]
        run = ClassRun(pending, executor, 1, again.results, again, run=again.run)
        for done, student in enumerate(students):
            most = min(done + 4, len(students))
            assert looked.reaches(most)
            assert looked.now == most
            run.outcome(job(student))
        run.stop()
    assert again.ran == []


def test_a_job_that_cannot_be_prepared_is_left_to_the_loop(tmp_path: Path) -> None:
    def fail() -> Job:
        raise ValueError

    whole = Class(tmp_path)
    run = whole.begin("", pending=[fail, lambda: job("b")])
    assert text(run.outcome(job("b"))) == ["b", "v1"]


def test_a_fault_of_the_grader_is_reported_and_not_saved(tmp_path: Path) -> None:
    whole = Class(tmp_path, lambda job: NotGraded("no sandbox"))
    run = whole.begin("a")
    assert fault_of(run.outcome(job("a"))) == "no sandbox"
    assert fault_of(run.outcome(job("a"))) == "no sandbox"
    assert whole.ran == ["a"]
    assert fault_of(Class(tmp_path).begin("a").outcome(job("a"))) is None


def test_an_error_in_a_worker_is_a_fault_of_the_grader(tmp_path: Path) -> None:
    def fail(job: Job) -> Outcome:
        raise ZeroDivisionError("in a worker")

    outcome = Class(tmp_path, fail).begin("a").outcome(job("a"))
    assert isinstance(outcome, NotGraded)
    assert outcome.fault == "ZeroDivisionError: in a worker"


def test_an_unreadable_result_is_a_fault_and_not_run_forever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Class(tmp_path)
    monkeypatch.setattr(whole.results, "get", lambda key: None)
    run = whole.begin("a")
    assert "could not read it again" in str(fault_of(run.outcome(job("a"))))
    assert len(whole.ran) == 3
    run.stop()


@pytest.mark.parametrize("where", ["put", "trouble", "ended"])
def test_a_failure_of_saving_or_reporting_blocks_nobody(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise MemoryError

    whole = Class(tmp_path)
    monkeypatch.setattr(whole.results, "put", fail)
    if where != "put":
        monkeypatch.setattr(whole, where, fail)
    run = whole.begin("ab")
    done = [threading.Thread(target=run.outcome, args=[job(s)], daemon=True) for s in "ab"]
    for thread in done:
        thread.start()
    for thread in done:
        thread.join(60)
        assert not thread.is_alive()
    run.stop()


def test_with_a_full_disk_grading_continues_with_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    whole = Class(tmp_path)
    monkeypatch.setattr(whole.results, "put", full)
    run = whole.begin("abc")
    assert [text(run.outcome(job(s))) for s in "abc"] == [[s, "v1"] for s in "abc"]
    [trouble] = [message for what, message in whole.told if what == "trouble"]
    assert "No space left" in trouble


@pytest.mark.parametrize("deaf", ["began", "ended"])
def test_a_watcher_that_fails_blocks_nobody(
    tmp_path: Path, deaf: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(student: str, *_: Any, **__: Any) -> None:
        if student == "b":
            raise OSError(5, "the terminal is gone")

    whole = Class(tmp_path)
    monkeypatch.setattr(whole, deaf, fail)
    run = whole.begin("abc")
    for student in "abc":
        if (deaf, student) == ("began", "b"):
            with pytest.raises((OSError, CancelledError)):
                run.outcome(job(student))
        else:
            assert text(run.outcome(job(student))) == [student, "v1"]


def test_a_job_with_a_missing_result_file_runs_again(tmp_path: Path) -> None:
    whole = Class(tmp_path)
    run = whole.begin("a")
    run.outcome(job("a"))
    for path in tmp_path.glob("*/*"):
        path.unlink()
    assert text(run.outcome(job("a"))) == ["a", "v1"]
    assert whole.ran == ["a", "a"]


def test_after_stopping_nothing_is_run(tmp_path: Path) -> None:
    begun, gate = threading.Event(), threading.Event()

    class Ending(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            gate.set()  # so the running jobs end when the others are cancelled
            super().shutdown(wait=wait)

    def do(job: Job) -> Outcome:
        begun.set()
        assert gate.wait(60)
        return Graded("null")

    whole = Class(tmp_path, do)
    pending = [functools.partial(job, student) for student in "abcdefghij"]
    run = ClassRun(pending, Ending(1), 1, whole.results, whole, run=whole.run)
    assert begun.wait(60)
    run.stop()
    assert whole.ran == ["a"]
