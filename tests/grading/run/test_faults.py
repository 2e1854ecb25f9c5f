"""The grader's own faults, injected in many places: no student gets a score because of one."""

import copy
import errno
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import zmq
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from toy_course import EXAMINED, FULL_MARKS, ToyCourse, check

from hw_grading.examiner import client
from hw_grading.grade.job import Job, run
from hw_grading.homework.homework import Homework
from hw_grading.outcome import Outcome, Status
from hw_grading.run import outputs, submission
from hw_grading.run.kernel import Clock, Kernel
from hw_grading.run.outputs import Outputs
from hw_grading.run.submission import SubmissionRun
from hw_grading.sandbox.kernel import Client, KernelInSandbox
from hw_grading.sandbox.watch import Watch
from hw_support.submission import file as submission_file
from hw_support.submission.file import read_submission

pytestmark = pytest.mark.slow

NO_FILES = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
NO_DISK = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
MISTAKE = TypeError("unsupported operand type(s)")
NO_KEY = KeyError("content")


def grade(*more: str) -> Outcome:
    first, second = (check(n, f"{EXAMINED}assert x == 1") for n in ("first", "second"))
    cells = [new_code_cell("x = 1"), first, *map(new_code_cell, more), second]
    cells.append(check("beside", "assert x == 1"))
    settings = {"iopub_timeout": 10, "cpu_seconds_per_cell": 20}
    return run(Job("s", json.dumps(new_notebook(cells=cells)), settings, {}, Homework("toys")))


def failing(error: Exception, real: Callable[..., Any], after: int = 0) -> Callable[..., Any]:
    """Return a function that works some times, and then raises."""
    left = [after]

    def fail(*arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise error
        return real(*arguments, **named)

    return fail


# The method that fails, after how many calls, and the exception.
FAULTS: list[tuple[Any, str, int, Exception]] = [
    (SubmissionRun, "_run_cell", 2, NO_KEY),
    (SubmissionRun, "_examine", 1, MISTAKE),
    (SubmissionRun, "_settle_test", 1, NO_DISK),
    (submission, "as_released", 0, NO_KEY),
    (Clock, "limit_reached", 3, MISTAKE),
    (Watch, "times", 3, NO_FILES),
    (Watch, "_check", 0, NO_FILES),
    (Kernel, "_look_after", 3, MISTAKE),
    (KernelInSandbox, "client", 0, zmq.ZMQError(errno.EMFILE)),
    (KernelInSandbox, "_take_sockets", 0, NO_FILES),
    (Client, "execute", 2, NO_FILES),
    (outputs, "get_validator", 0, NO_FILES),
    (Outputs, "take", 4, MemoryError()),
    (client, "Pipe", 0, NO_FILES),
    (client.Examination, "verdict", 1, ValueError("no JSON")),
]


@pytest.mark.parametrize(
    ("where", "name", "after", "error"),
    FAULTS,
    ids=[f"{name}-{type(error).__name__}" for _, name, _, error in FAULTS],
)
def test_a_fault_of_the_grader_gives_no_score(
    where: Any, name: str, after: int, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = ["import time; time.sleep(0.5)"] if name == "_check" else ["y = 2", "print(y)"]
    monkeypatch.setattr(where, name, failing(error, getattr(where, name), after))
    outcome = grade(*slow)
    assert outcome.status is Status.NOT_GRADED, outcome.why
    assert str(error) in outcome.why


def test_a_fault_while_checking_a_kernel_gives_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    spoilt = failing(ValueError("no signature"), Client.execute, 2)
    monkeypatch.setattr(Client, "execute", spoilt)
    full = failing(zmq.ZMQError(errno.EMFILE), KernelInSandbox.client, 1)
    monkeypatch.setattr(KernelInSandbox, "client", full)
    assert grade("y = 2").status is Status.NOT_GRADED


@pytest.mark.smoke
def test_bad_messages_of_the_kernel_are_the_submissions_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failing_once = iter([False, False, False, True])
    real = Client.execute

    def execute(*arguments: Any, **named: Any) -> Any:
        if next(failing_once, False):
            raise ValueError("no signature")
        return real(*arguments, **named)

    monkeypatch.setattr(Client, "execute", execute)
    outcome = grade("y = 2")
    assert outcome.status is Status.SUBMISSION_FAILED
    assert "were lost" in outcome.why


@pytest.mark.smoke
def test_bad_messages_of_a_new_kernel_are_the_submissions_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoilt = failing(ValueError("no signature"), Client.execute, 3)
    monkeypatch.setattr(Client, "execute", spoilt)
    monkeypatch.setattr(Client, "start", failing(NO_KEY, Client.start, 1))
    outcome = grade("y = 2")
    assert outcome.status is Status.SUBMISSION_FAILED
    assert "it stopped answering" in outcome.why


def test_a_fault_in_ending_the_kernel_keeps_the_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KernelInSandbox, "end", failing(MISTAKE, KernelInSandbox.end))
    assert grade().status is Status.GRADED


@pytest.mark.parametrize(
    ("name", "number"), [("lstat", errno.EIO), ("open", errno.EMFILE), ("fstat", errno.ENOMEM)]
)
def test_a_file_that_cannot_be_opened_now_is_not_broken(
    name: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "hw2.ipynb"
    path.write_text(nbformat.writes(new_notebook(cells=[new_code_cell("x = 1")])))
    monkeypatch.setattr(submission_file.os, name, failing(OSError(number, ""), getattr(os, name)))
    with pytest.raises(OSError, match=str(number)):
        read_submission(path)
    monkeypatch.undo()
    assert read_submission(path).cells


PUT_IN = """
import errno, os
from hw_grading.run.submission import SubmissionRun
from hw_support.submission import file

def of(student, where, name, error):
    real = getattr(where, name)
    def fail(self, *arguments, **named):
        who = str(self.nb.cells) if hasattr(self, "nb") else str(self)
        if student in who:
            raise error
        return real(self, *arguments, **named)
    setattr(where, name, fail)

def no_files():
    return OSError(errno.EMFILE, os.strerror(errno.EMFILE))

of("a-loop", SubmissionRun, "_run_cell", no_files())
of("b-mistake", SubmissionRun, "_settle_test", TypeError("a mistake"))
of("c-settling", SubmissionRun, "_settle", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
of("d-reading", file, "read_regular_file", no_files())
"""


def test_no_score_is_written_and_the_next_student_is_graded(course: ToyCourse) -> None:
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text() + PUT_IN)
    unlucky = ["a-loop", "b-mistake", "c-settling", "d-reading"]
    for student in [*unlucky, "e-lucky"]:
        named = copy.deepcopy(course.answered)
        named.cells.append(new_markdown_cell(f"By {student}"))
        course.submit(student, named)
    done = course.grade("--WholeClass.executor=serial")
    assert done.returncode == 1
    for student in unlucky:
        assert set(course.scores(student).values()) <= {None}, student
        assert not (course.root / "autograded" / student / "hw2").exists()
    told = done.stderr.rpartition("NOT GRADED")[2]
    assert re.search(r"a-loop: OSError: \[Errno 24] .* \(hw_grading/run/submission.py, line", told)
    assert "d-reading: OSError: [Errno 24] Too many open files" in told
    assert sum(filter(None, course.test_scores("e-lucky").values())) == FULL_MARKS
    config.write_text(config.read_text().replace(PUT_IN, ""))
    assert course.grade().returncode == 0
    for student in unlucky:
        assert sum(filter(None, course.test_scores(student).values())) == FULL_MARKS
