"""The final score of each student who is in the gradebook or handed in."""

from __future__ import annotations

from dataclasses import dataclass

from hw_grading.homework.course import Course
from hw_grading.records.scores import Cell, Record, read_gradebook
from hw_grading.records.students import Student, students_of


@dataclass(frozen=True)
class Correction:
    """A change of points that holds for everybody in whom it applies.

    Attributes
    ----------
    key
        A number, by which it is undone.
    cell
        Grade id.
    points
        What it adds for this student; negative if it takes away.
    reason
        For students to read.
    """

    key: int
    cell: str
    points: float
    reason: str


@dataclass(frozen=True)
class FinalScore:
    """One student's final score.

    Attributes
    ----------
    student
        As the gradebook knows them.
    record
        The row of the gradebook; None if nothing was handed in.
    corrections
        Those that apply to this student.
    score
        Points of tests and people, and of corrections, before lateness counts; 0 without a record.
    penalty
        Points taken off for lateness, from 0 to `score`.
    why_penalty
        The same in words: ``"1 d 2 h late: 10 % for each day"``; "" without a penalty.
    """

    student: Student
    record: Record | None
    corrections: tuple[Correction, ...] = ()
    score: float = 0.0
    penalty: float = 0.0
    why_penalty: str = ""

    @property
    def final(self) -> float:
        """What counts: never below zero."""
        return max(0.0, self.score - self.penalty)


@dataclass(frozen=True)
class FinalScores:
    """The final scores of a class.

    Attributes
    ----------
    assignment
        Such as ``"ps1"``.
    cells
        The cells with points, in the notebook's order.
    max_score
        All points, without what a correction dropped.
    students
        By id, sorted.
    """

    assignment: str
    cells: tuple[Cell, ...]
    max_score: float
    students: dict[str, FinalScore]


def final_scores(course: Course, assignment: str) -> FinalScores:
    """Compute the final scores of all students in the gradebook.

    Raises
    ------
    NoScores
        As `hw_grading.records.scores.read_gradebook`.
    """
    cells, records, _ = read_gradebook(course.db_url, assignment)
    by_id = {record.student: record for record in records}
    finals = {}
    for student in students_of(course.db_url, assignment):
        record = by_id.get(student.id)
        score = sum(one.points for one in record.scores) if record else 0.0
        penalty = min(record.penalty, max(0.0, score)) if record else 0.0
        finals[student.id] = FinalScore(student, record, (), score, penalty)
    most = sum(cell.max_points for cell in cells)
    return FinalScores(assignment, tuple(cells), most, dict(sorted(finals.items())))
