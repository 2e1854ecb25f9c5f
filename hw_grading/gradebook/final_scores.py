"""The final score of each student who is in the gradebook or handed in."""

import contextlib
import functools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hw_grading.gradebook.corrections import Correction, Kind, applied, corrections_in
from hw_grading.gradebook.handed_in import HandedIn, handed_in
from hw_grading.gradebook.lateness import penalty_of, used_by_homework
from hw_grading.gradebook.policy import terms_of
from hw_grading.gradebook.questions import Places, order_in, read_places
from hw_grading.gradebook.scores import Cell, Record, Score, open_gradebook, read_gradebook
from hw_grading.gradebook.students import Student, students_of
from hw_grading.homework.course import Course
from hw_support.submission.file import Unreadable


@dataclass(frozen=True)
class FinalScore:
    """One student's final score."""

    student: Student  # from `final_score`, only with the id
    record: Record | None  # None if nothing was handed in
    # For this student, including those that change nothing
    corrections: tuple[Correction, ...] = ()
    score: float = 0.0  # from tests, people and corrections, before the penalty
    penalty: float = 0.0  # points taken off for lateness, from 0 to `score`
    why_penalty: str = ""  # "1 d 2 h late: 10 % of all points for each day, so for 2 days"; or ""
    slip_days: int = 0  # that this homework uses
    # After this homework and those due before; None if the course has none
    slip_days_left: int | None = None

    @property
    def final(self) -> float:
        """The score that counts. It is never below zero."""
        return max(0.0, self.score - self.penalty)

    @property
    def too_high(self) -> list[Score]:
        """The scores by people above the cell's points. A cell of 0 points may be a bonus."""
        dropped = {one.cell for one in self.corrections if one.drops}
        scores = self.record.scores if self.record else ()
        given = [score for score in scores if score.cell.name not in dropped]
        return [score for score in given if 0 < score.cell.max_points < (score.manual or 0.0)]

    def points(self, cell: str) -> float:
        """Return the points for one cell by its grade id, including corrections."""
        scores = self.record.scores if self.record else ()
        given = sum(score.points for score in scores if score.cell.name == cell)
        return given + sum(one.points for one in self.corrections if one.cell == cell)


@dataclass(frozen=True)
class FinalScores:
    """The final scores of a class. Cells that a correction dropped do not count."""

    assignment: str
    cells: tuple[Cell, ...]  # in the notebook's order
    max_score: float
    students: dict[str, FinalScore]  # by id, sorted


def final_scores(course: Course, assignment: str) -> FinalScores:
    """Compute the final scores of all students in the gradebook.

    Raises `NoScores`; `GraderFault` if the course's late policy or a manifest has a mistake.
    """
    cells, records, _ = read_gradebook(course.db_url, assignment)
    rules = _Rules(course, assignment, cells)
    by_id = {record.student: record for record in records}
    students = students_of(course.db_url, assignment)
    finals = {one.id: rules.final(one, by_id.get(one.id)) for one in students}
    ordered = _in_order(course, assignment, rules.cells)
    return FinalScores(assignment, ordered, rules.most, dict(sorted(finals.items())))


def final_score(
    course: Course, assignment: str, student: str, cells: Iterable[Cell], record: Record | None
) -> tuple[FinalScore, float]:
    """Compute a student's final score without reading the class; return also the total points.

    `cells` and `record` are as `records.scores.read_one` returns them.
    """
    rules = _Rules(course, assignment, cells, student)
    return rules.final(Student(student, "", "", ""), record), rules.most


class _Rules:
    """What determines the final scores of a homework: corrections, the late policy, slip days."""

    def __init__(
        self, course: Course, assignment: str, cells: Iterable[Cell], student: str | None = None
    ) -> None:
        self._assignment = assignment
        self._terms_of = functools.cache(functools.partial(terms_of, course))
        self._terms = self._terms_of(assignment)
        with open_gradebook(course.db_url, assignment) as (db, due):
            self._due = due[assignment]
            changes = corrections_in(db, assignment)
            turns = handed_in(db, student) if self._terms.slip_days else []
        self._handed_in: defaultdict[str, list[HandedIn]] = defaultdict(list)
        for turn in turns:
            self._handed_in[turn.student].append(turn)
        self._changes = changes
        dropped = {change.cell for change in changes if change.kind is Kind.DROP}
        self.cells = tuple(cell for cell in cells if cell.name not in dropped)
        self.most = sum(cell.max_points for cell in self.cells)

    def final(self, student: Student, record: Record | None) -> FinalScore:
        used, left = self._slip_days(student.id)
        if record is None:
            return FinalScore(student, None, slip_days_left=left)
        corrections = applied(record, self._changes)
        points = sum(one.points for one in record.scores) + sum(one.points for one in corrections)
        if self._terms.has_rules:
            penalty, why = penalty_of(self._terms, record, points, self.most, used)
        else:  # without a late policy, the penalty that nbgrader stored counts
            penalty = min(record.penalty, max(0.0, points))
            why = f"{record.late} late" if penalty and record.late else ""
        return FinalScore(student, record, tuple(corrections), points, penalty, why, used, left)

    def _slip_days(self, student: str) -> tuple[int, int | None]:
        if not self._terms.slip_days:
            return 0, None
        turns = self._handed_in.get(student, [])
        used = used_by_homework(turns, self._terms_of)
        due = self._due
        until = sum(used[turn.assignment] for turn in turns if due and turn.due_for_all <= due)
        return used.get(self._assignment, 0), max(0, self._terms.slip_days - until)


def _in_order(course: Course, assignment: str, cells: Sequence[Cell]) -> tuple[Cell, ...]:
    places = Places()
    with contextlib.suppress(Unreadable, OSError):  # without the notebook, sort by name
        places = read_places(course.source(assignment) / f"{assignment}.ipynb")
    order = order_in(places)
    return tuple(sorted(cells, key=lambda cell: order(cell.name)))
