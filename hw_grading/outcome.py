"""What can become of a submission, in one vocabulary for all of the grader.

A submission is `Graded`, or it is a `SubmissionFailed` (all or part of it: a limit, a crash, a
broken file), or it is `NotGraded`, for a reason that is not in the submission.

Whoever meets such a reason raises `GraderFault`. `hw_grading.batch.job` catches it, and every other
exception that was not seen to be the submission's doing (`hw_grading.run.blame`), in the process
where the submission is run: from there on outcomes are plain data, which other processes and
machines can send.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar


class GraderFault(RuntimeError):
    """Grading failed for a reason that is not in the submission: it is left without a score."""


class HelperEnded(GraderFault):
    """A process that grading needs has ended: who tries again gets another one."""


class Status(StrEnum):
    """The outcome for one student, in the words that people read."""

    GRADED = "graded"
    SUBMISSION_FAILED = "submission failed"  # all or part of it
    NOT_GRADED = "not graded"


@dataclass(frozen=True)
class Spent:
    """What running a submission took.

    Attributes
    ----------
    seconds
        On the clock.
    cpu_seconds
        Computing time of the student's processes.
    worker
        The machine where it ran.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    worker: str = field(default_factory=socket.gethostname)


@dataclass(frozen=True)
class Graded:
    """Every cell was run, and every test has its score.

    Attributes
    ----------
    notebook
        With its outputs and notes, as JSON.
    spent
        What it took.
    """

    notebook: str
    spent: Spent = field(default_factory=Spent)
    status: ClassVar[Status] = Status.GRADED
    reasons: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class SubmissionFailed:
    """All or part of the submission failed; every test has its score, which may be 0.

    Attributes
    ----------
    notebook
        With its outputs and notes, as JSON.
    reasons
        Why; one sentence or more, each.
    spent
        What it took.
    """

    notebook: str
    reasons: tuple[str, ...]
    spent: Spent = field(default_factory=Spent)
    status: ClassVar[Status] = Status.SUBMISSION_FAILED


@dataclass(frozen=True)
class NotGraded:
    """The grader failed: there is no score, and no zero.

    Attributes
    ----------
    fault
        Why.
    spent
        What it took.
    """

    fault: str
    spent: Spent = field(default_factory=Spent)
    status: ClassVar[Status] = Status.NOT_GRADED

    @property
    def reasons(self) -> tuple[str, ...]:
        """The fault."""
        return (self.fault,)


WithScores = Graded | SubmissionFailed
Outcome = Graded | SubmissionFailed | NotGraded
