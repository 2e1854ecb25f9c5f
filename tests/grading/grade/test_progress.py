"""What an instructor sees of a class, during grading and afterwards."""

import io
import logging
import sys

import pytest

from hw_grading.grade.progress import Progress
from hw_grading.outcome import Outcome
from hw_support.submission.problems import Kind, Problem, Severity

RIGHT = Outcome("{}")
SLOW = Problem(Kind.TIME_LIMIT, Severity.FAILED, "Cell 'train' did not end within 300 s.")
FAILED = Outcome("{}", (SLOW,))
LOG = logging.getLogger("hw_grading.test")


def test_the_table_names_who_has_a_problem_and_why(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, LOG.name)
    progress = Progress(4, 4, "hw2", LOG)
    progress.saved("ada", [RIGHT])
    progress.saved("bob", [FAILED, RIGHT])  # of several notebooks, the worst counts
    progress.not_graded("cyd", "the process that ran it died")
    progress.close("nbgrader autograde hw2")
    [said] = caplog.messages
    assert said.splitlines() == [
        "hw2: 2 graded, 1 of them with problems, 2 not graded; 0 min 0 s",
        "  GRADED, WITH PROBLEMS",
        "    bob: Cell 'train' did not end within 300 s.",
        "  NOT GRADED",
        "    cyd: the process that ran it died",
        "2 not graded. To grade the rest: nbgrader autograde hw2",
    ]


def test_the_bar_counts_notebooks_that_were_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", said := io.StringIO())
    progress = Progress(1, 2, "hw2", LOG)
    progress.ran()
    progress.ran()
    progress.close("nbgrader autograde hw2")
    assert "hw2: 2 of 2" in said.getvalue()


def test_on_a_terminal_lines_of_each_student_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    LOG.setLevel(logging.INFO)
    progress = Progress(1, 1, "hw2", LOG)
    assert not LOG.isEnabledFor(logging.INFO)
    progress.close("nbgrader autograde hw2")
    assert LOG.isEnabledFor(logging.INFO)
