"""The rubrics and gradings of one homework (interface; being written)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hw_grading.homework.course import Course
from hw_grading.rubrics.model import Event, Grading, Mark, Question, Rescored, Rubric


class GradeBook:
    """Grading by hand of one homework, in nbgrader's gradebook.

    An object may be used by several threads. Every method opens a session of its own, and each that
    writes is one transaction. `cell` is a question's grade id, `student` an id, `grader` a name.
    Methods that write raise `Refused` (with `Conflict` and `RubricChanged` among them), and
    `Unavailable` when the database is locked, read-only, full or gone.
    """

    def __init__(self, course: Course, assignment: str) -> None: ...

    # reading
    def questions(self) -> tuple[Question, ...]: ...
    def names(self) -> dict[str, str]:
        """Students that have an answer in the gradebook, by id, with the name of nbgrader's table ("" if none)."""
    def order(self, cell: str) -> list[str]:
        """All these students in the question's own order: pseudo-random, and the same every time."""
    def rubric(self, cell: str) -> Rubric: ...
    def gradings(self, cell: str) -> dict[str, Grading]: ...
    def grading(self, cell: str, student: str) -> Grading: ...
    def history(self, cell: str, student: str | None = None) -> list[Event]: ...
    def comments_used(self, cell: str) -> list[tuple[str, int]]:
        """Comments with how often each was used, the most frequent first."""
    def flagged(self) -> list[tuple[str, Grading]]: ...
    def groups(self, cell: str) -> dict[str, tuple[str, ...]]:
        """Groups that were made by hand: students by the group's name."""
    def shares(self, cell: str) -> dict[str, tuple[str, ...]]:
        """Students by the grader to whom the question is handed out; empty if to nobody."""

    # writing
    def save(self, cell: str, versions: Mapping[str, str], mark: Mark, *, grader: str, rubric_revision: int,
             digests: Mapping[str, str] | None = None, seconds: float = 0.0) -> dict[str, Grading | Conflict]:
        """Save the same mark for one or several answers; who was changed meanwhile is refused, the others are saved.

        versions: Grading.version of each, as the grader saw it. digests: of the answers that were looked at.
        """
    def add_items(self, cell: str, versions: Mapping[str, str], items: Iterable[str], *, grader: str,
                  rubric_revision: int, digests: Mapping[str, str] | None = None) -> dict[str, Grading | Conflict]:
        """Give several answers the same items, on top of what each has."""
    def undo(self, cell: str, *, grader: str) -> dict[str, Grading]:
        """Take back this grader's latest save in this question (a save of several at once as a whole); Refused if none, or if somebody changed it since."""
    def preview(self, cell: str, rubric: Rubric) -> list[Rescored]:
        """What a changed rubric would do to scores."""
    def change_rubric(self, cell: str, rubric: Rubric, *, grader: str) -> tuple[Rubric, list[Rescored]]:
        """Save a rubric; `rubric.revision` is the one that the grader saw. New items have the id ""."""
    def undo_rubric(self, cell: str, *, grader: str) -> tuple[Rubric, list[Rescored]]: ...
    def group(self, cell: str, students: Sequence[str], name: str, *, grader: str) -> None:
        """Put students into a group by hand; name "" takes them out."""
    def hand_out(self, cell: str, graders: Sequence[str], *, grader: str) -> None: ...
    def here(self, grader: str, cell: str, student: str) -> dict[str, str]:
        """Say where a grader is; return the other graders seen in this question in the last 30 s: grader -> student."""
    def who_is_where(self) -> dict[str, list[str]]:
        """Graders by question, those seen in the last 30 s."""
    def exported(self) -> dict[str, object]:
        """All rubrics as JSON values, without students."""
    def import_rubrics(self, document: object, *, grader: str) -> list[str]:
        """Take over rubrics of another year; return the questions that got one."""
