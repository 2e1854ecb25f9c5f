"""The possible outcomes of a submission, for the whole grader.

Code that fails for a reason outside the submission raises `GraderFault`. `hw_grading.grade.job`
catches it in the process that runs the submission, and also every other exception that the
submission was not seen to cause (`hw_grading.run.blame`). From there on, outcomes are plain data,
which can be sent to other processes and machines.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from hw_support.errors import UserError
from hw_support.submission.problems import Kind, Problem, Severity


class GraderFault(UserError):
    """Grading failed for a reason outside the submission. The submission gets no score."""


class SettingsError(UserError):
    """The settings of a course or of a homework have a mistake."""


class HelperEnded(GraderFault):
    """A process that grading needs has ended. The next attempt gets another one."""


class Status(StrEnum):
    """The outcome for one student, in the words that people see; the worst is the last."""

    GRADED = "graded"  # every cell was run, and every test has its score
    SUBMISSION_FAILED = "submission failed"  # all or part; other tests have scores, which may be 0
    NOT_GRADED = "not graded"  # the grader failed: there is no score, not even a zero


@dataclass(frozen=True)
class PartResult:
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
    fingerprint: str = ""  # of a failure: equal for answers with the same mistake

    @property
    def is_whole(self) -> bool:
        """Whether it stands for the whole cell."""
        return self.name == self.cell

    @property
    def is_unanswered(self) -> bool:
        """Whether it met no answer: one raised NotImplementedError."""
        return "NotImplementedError" in self.message


@dataclass(frozen=True)
class CellFault:
    """A fault, of the instructor's cells or of the grader, which may leave a test without a score.

    If the solutions pass the test, it keeps its score, unless the fault is `certain`.
    """

    cell: str  # the grade id of the test
    why: str
    certain: bool


@dataclass(frozen=True)
class CellScore:
    """What a test cell gives."""

    cell: str  # the grade id
    points: float  # at most
    earned: float | None  # None: it has no score, because of a fault


@dataclass(frozen=True)
class Outcome:
    """How the run of a notebook ended."""

    notebook: str = ""  # with its outputs, as JSON; "" if the grader failed
    problems: tuple[Problem, ...] = ()  # found by reading it, and by the run
    scores: tuple[CellScore, ...] = ()  # of all test cells, in the notebook's order
    parts: tuple[PartResult, ...] = ()  # in the notebook's order; none of tests without a score
    # Until the run is saved: whether they count depends on the solutions (`hw_grading.run.faults`).
    faults: tuple[CellFault, ...] = ()
    seed: str = ""  # of fresh cases
    seconds: float = 0.0  # wall-clock time
    cpu_seconds: float = 0.0  # CPU time of the student's processes

    @classmethod
    def not_graded(cls, why: str) -> Outcome:
        """Return the outcome of a submission that the grader failed to run."""
        return cls(problems=(Problem(Kind.GRADER, Severity.FAILED, why, None),))

    @property
    def status(self) -> Status:
        """The outcome in one word."""
        if not self.notebook:
            return Status.NOT_GRADED
        return status_of(self.problems)

    @property
    def why(self) -> str:
        """Why it is not `GRADED`; "" if it is."""
        return reason_in(self.problems)

    @property
    def unscored(self) -> tuple[str, ...]:
        """The tests without a score, by grade id; they have no parts."""
        return tuple(score.cell for score in self.scores if score.earned is None)


def status_of(problems: Collection[Problem]) -> Status:
    """Return the status of a submission that was run, and met these problems."""
    failed = any(problem.severity is Severity.FAILED for problem in problems)
    return Status.SUBMISSION_FAILED if failed else Status.GRADED


def reason_in(problems: Collection[Problem]) -> str:
    """Return in one text what has failed; "" if nothing has."""
    return " ".join(problem.message for problem in problems if problem.severity is Severity.FAILED)
