"""The possible outcomes of a submission, for the whole grader.

Code that fails for a reason outside the submission raises `GraderFault`. `hw_grading.grade.job`
catches it in the process that runs the submission, and also every other exception that the
submission was not seen to cause (`hw_grading.run.blame`). From there on, outcomes are plain data,
which can be sent to other processes and machines.
"""

from dataclasses import dataclass
from enum import StrEnum

from hw_support.submission.file import UserError


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

    @property
    def is_whole(self) -> bool:
        """Whether it stands for the whole cell."""
        return self.name == self.cell


@dataclass(frozen=True)
class CellFault:
    """A fault, of the instructor's cells or of the grader, which may leave a test without a score.

    If the solutions pass the test, it keeps its score, unless the fault is `certain`.
    """

    cell: str  # the grade id of the test
    why: str
    certain: bool


@dataclass(frozen=True)
class Outcome:
    """How the run of a submission ended."""

    status: Status
    reasons: tuple[str, ...] = ()  # why it is not `GRADED`; each of one or more sentences
    notebook: str = ""  # with its outputs and notes, as JSON; "" if it is `NOT_GRADED`
    parts: tuple[PartResult, ...] = ()  # in the notebook's order
    unscored: tuple[str, ...] = ()  # tests without a score; they have no parts
    # Until the run is saved: whether they count depends on the solutions (`hw_grading.run.faults`).
    faults: tuple[CellFault, ...] = ()
    seconds: float = 0.0  # wall-clock time
    cpu_seconds: float = 0.0  # CPU time of the student's processes

    @property
    def why(self) -> str:
        """The reasons in one text."""
        return " ".join(self.reasons)
