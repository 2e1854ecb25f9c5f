"""What nbgrader's tables hold: the students, an assignment's cells, each student's points.

The columns are read directly, in a few queries. nbgrader's own properties would query the database
again for every cell of every student.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from nbgrader import api
from sqlalchemy import Connection, select

from hw_grading.gradebook.database import Database, Unavailable
from hw_grading.gradebook.extensions import Extension, extensions_in
from hw_grading.texts import typed


@dataclass(frozen=True)
class Student:
    """A student in nbgrader's table. A missing text is empty."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    platform_id: str = ""

    @property
    def name(self) -> str:
        """The first and the last name."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True)
class ScoredCell:
    """A cell with points; `by_hand` is true if a person gives them."""

    name: str
    max_points: float
    by_hand: bool
    is_code: bool = False


@dataclass(frozen=True)
class Score:
    """A student's points for one cell. A value is None if no test or person has given points."""

    cell: ScoredCell
    auto: float | None = None
    manual: float | None = None
    extra: float = 0.0
    waits: bool = True  # for a person to grade it, if the cell is `by_hand`

    @property
    def points(self) -> float:
        """The points that count: the manual score, or else the automatic one, plus extra credit."""
        given = self.auto if self.manual is None else self.manual
        return 0.0 if given is None else given + self.extra

    @property
    def is_blank(self) -> bool:
        """Whether a person grades it, and grading found no answer, which then has 0 points."""
        return self.cell.by_hand and self.auto == 0.0

    @property
    def is_open(self) -> bool:
        """Whether it counts as 0 only because neither a test nor a person has scored it yet."""
        return self.manual is None and (self.waits if self.cell.by_hand else self.auto is None)


@dataclass(frozen=True)
class SubmissionRecord:
    """One student's row of the gradebook. It has no scores if the gradebook has none."""

    student: str
    handed_in: datetime | None = None  # UTC; None if not known
    seconds_late: float = 0.0  # whole seconds after the student's own due date
    penalty: float = 0.0  # that nbgrader took off; it counts only without a late policy
    scores: tuple[Score, ...] = ()
    key: str = field(default="", compare=False)  # of the submitted notebook
    due: datetime | None = field(default=None, compare=False)  # the student's own, UTC
    due_for_all: datetime | None = field(default=None, compare=False)
    assignment: str = field(default="", compare=False)
    extension: Extension | None = field(default=None, compare=False)

    @property
    def scored(self) -> bool:
        """Whether every test has a score."""
        tests = (score for score in self.scores if not score.cell.by_hand)
        return bool(self.scores) and not any(score.is_open for score in tests)

    @property
    def was_read(self) -> bool:
        """Whether what was submitted could be read: then a test or a person has given points.

        It is true as well if the homework has no tests, since nbgrader's rows do not tell.
        """
        given = any((score.auto, score.manual) != (None, None) for score in self.scores)
        return given or all(score.cell.by_hand for score in self.scores)

    @property
    def late(self) -> str:
        """The lateness in words, rounded up to a minute: ``"2 d 3 h"``, or "" if in time."""
        minutes = -(-round(self.seconds_late) // 60)
        days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
        if days:
            return f"{days} d {hours} h"
        return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else ""


@contextmanager
def open_gradebook(
    db_url: str, assignment: str
) -> Iterator[tuple[Connection, dict[str, datetime | None]]]:
    """Yield a connection for reading, and all due dates.

    Raises `Unavailable` if there is no gradebook, it is damaged, or it does not know the
    assignment; the text has no password.
    """
    with closing(Database(db_url)) as database, database.reading() as db:
        dates = db.execute(select(api.Assignment.name, api.Assignment.duedate))
        due: dict[str, datetime | None] = {row[0]: row[1] for row in dates}
        if assignment not in due:
            raise Unavailable(
                f"The gradebook has no homework {assignment!r}. If the course has it, release it "
                f"first: {typed('hw-grading release', assignment)}"
            )
        yield db, due


def cells_of(db: Connection, assignment: str) -> dict[str, ScoredCell]:
    """Return an assignment's cells with points, by the database's key."""

    def rows(kind: Any, *columns: Any) -> Any:
        query = select(*columns).join(api.Notebook, kind.notebook_id == api.Notebook.id)
        return db.execute(query.join(api.Assignment).where(api.Assignment.name == assignment))

    # If students write the answer in the graded cell itself, a person grades it. Students may not
    # change a test cell.
    answers = {name for (name,) in rows(api.SolutionCell, api.SolutionCell.name)}
    cells = {}
    for kind in (api.GradeCell, api.TaskCell):
        columns = (kind.id, kind.name, kind.max_score, kind.cell_type)
        for key, name, points, content in rows(kind, *columns):
            by_hand = kind is api.TaskCell or name in answers
            cells[key] = ScoredCell(name, points, by_hand, content == "code")
    return cells


def submissions_in(
    db: Connection, assignment: str | None = None, student: str | None = None
) -> dict[str, SubmissionRecord]:
    """Return submissions of all homeworks or one, by the database's key, without their scores.

    They are sorted by the due date for all.
    """
    homework, submission = api.Assignment, api.SubmittedAssignment
    columns = (submission.id, homework.name, submission.student_id)
    query = select(*columns, submission.timestamp, homework.duedate).join(submission)
    query = query.order_by(homework.duedate, homework.name, submission.student_id)
    if assignment is not None:
        query = query.where(homework.name == assignment)
    if student is not None:
        query = query.where(submission.student_id == student)
    granted = extensions_in(db, assignment, student)
    found = {}
    for key, name, who, when, due in db.execute(query):
        found[key] = replace(record_by(who, when, due, granted.get((name, who))), assignment=name)
    return found


def record_by(
    student: str, when: datetime | None, due: datetime | None, extension: Extension | None
) -> SubmissionRecord:
    """Return the record of a submission at a time, UTC; `due` is the due date for all."""
    own = extension.due(due) if extension and due else due
    late = max(0.0, (when - own).total_seconds() // 1) if when and own else 0.0
    return SubmissionRecord(student, when, late, due=own, due_for_all=due, extension=extension)


def records_of(
    db: Connection, assignment: str, cells: dict[str, ScoredCell], student: str | None = None
) -> list[SubmissionRecord]:
    """Return the rows of a class or of one student, with their scores."""
    grade, notebook, submission = api.Grade, api.SubmittedNotebook, api.SubmittedAssignment
    notebooks = select(submission.id).join(api.Assignment).join(notebook)
    notebooks = notebooks.where(api.Assignment.name == assignment)
    if student is not None:
        notebooks = notebooks.where(submission.student_id == student)
    scores: defaultdict[str, list[Score]] = defaultdict(list)
    points = (grade.auto_score, grade.manual_score, grade.extra_credit, grade.needs_manual_grade)
    grades = notebooks.join(grade).add_columns(grade.cell_id, *points)
    for key, cell, auto, manual, extra, waits in db.execute(grades):
        if cell in cells:
            scores[key].append(Score(cells[cell], auto, manual, extra or 0.0, bool(waits)))
    records = submissions_in(db, assignment, student)
    penalised = notebooks.add_columns(notebook.late_submission_penalty, notebook.id)
    for key, penalty, of_notebook in db.execute(penalised):
        penalty = records[key].penalty + (penalty or 0.0)
        records[key] = replace(records[key], penalty=penalty, key=of_notebook)
    return [replace(one, scores=tuple(scores[key])) for key, one in records.items()]


def comments_in(
    db: Connection, assignment: str, student: str | None = None
) -> dict[str, dict[str, str]]:
    """Return the graders' comments, by student and grade id; of all students if none is named."""
    submission = api.SubmittedAssignment
    query = select(submission.student_id, api.BaseCell.name, api.Comment.manual_comment)
    query = query.join(api.Comment, api.Comment.cell_id == api.BaseCell.id)
    query = query.join(api.SubmittedNotebook).join(submission).join(api.Assignment)
    query = query.where(api.Assignment.name == assignment)
    if student is not None:
        query = query.where(submission.student_id == student)
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for who, name, text in db.execute(query):
        if text and text.strip():
            found[who][name] = text
    return found


def students_in(db: Connection, student: str | None = None) -> list[Student]:
    """Return the students in nbgrader's table, or one of them."""
    one = api.Student
    query = select(one.id, one.first_name, one.last_name, one.email, one.lms_user_id)
    if student is not None:
        query = query.where(one.id == student)
    return [Student(*(value or "" for value in row)) for row in db.execute(query)]


def students_of(db_url: str) -> list[Student]:
    """Return the students in a gradebook; an empty list if there is none that can be read."""
    with suppress(Unavailable), closing(Database(db_url)) as database, database.reading() as db:
        return students_in(db)
    return []
