"""The possible outcomes of a submission, for the whole grader.

Code that fails for a reason outside the submission raises `GraderFault`. `hw_grading.batch.job`
catches it in the process that runs the submission, and also every other exception that the
submission was not seen to cause (`hw_grading.run.blame`). From there on, outcomes are plain data,
which can be sent to other processes and machines.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar


class GraderFault(RuntimeError):
    """Grading failed for a reason outside the submission. The submission gets no score."""


class HelperEnded(GraderFault):
    """A process that grading needs has ended. The next attempt gets another one."""


class Status(StrEnum):
    """The outcome for one student, in the words that people see."""

    GRADED = "graded"
    SUBMISSION_FAILED = "submission failed"  # all or part of it
    NOT_GRADED = "not graded"


@dataclass(frozen=True)
class Spent:
    """The time that a submission took."""

    seconds: float = 0.0  # wall-clock
    cpu_seconds: float = 0.0  # CPU time of the student's processes


@dataclass(frozen=True)
class Part:
    """The result of one part of a test cell; `earned` of all parts of a cell sum to its score.

    A part that has the cell's own grade id as its name stands for the whole cell: for a test
    without parts, or for the error with which a cell ended, which may be an answer's cell.
    """

    cell: str  # the grade id
    name: str  # other than those of the cell's other parts
    points: float
    earned: float
    passed: bool
    message: str = ""  # why it failed, or a remark, on one line
    fresh: bool = False  # whether it failed on a fresh case

    @property
    def is_whole(self) -> bool:
        """Whether it stands for the whole cell."""
        return self.name == self.cell


@dataclass(frozen=True)
class Graded:
    """Every cell was run, and every test has its score."""

    notebook: str  # with its outputs and notes, as JSON
    spent: Spent = field(default_factory=Spent)
    parts: tuple[Part, ...] = ()  # in the notebook's order
    status: ClassVar[Status] = Status.GRADED
    reasons: ClassVar[tuple[str, ...]] = ()
    unscored: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class SubmissionFailed:
    """All or part of the submission failed; every other test has its score, which may be 0."""

    notebook: str  # with its outputs and notes, as JSON
    reasons: tuple[str, ...]  # each of one or more sentences
    spent: Spent = field(default_factory=Spent)
    parts: tuple[Part, ...] = ()  # in the notebook's order
    # Tests without a score, because the instructor's cells have a fault. They have no parts.
    unscored: tuple[str, ...] = ()
    status: ClassVar[Status] = Status.SUBMISSION_FAILED


@dataclass(frozen=True)
class NotGraded:
    """The grader failed: the submission has no score, not even a zero."""

    fault: str
    spent: Spent = field(default_factory=Spent)
    status: ClassVar[Status] = Status.NOT_GRADED

    @property
    def reasons(self) -> tuple[str, ...]:
        """The fault."""
        return (self.fault,)


WithScores = Graded | SubmissionFailed
Outcome = Graded | SubmissionFailed | NotGraded
