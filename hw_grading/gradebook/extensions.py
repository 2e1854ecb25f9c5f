"""Extensions: which student has more time for which homework, in our own table.

nbgrader stores an extension with the submission, so it cannot be granted before the student has
submitted. Ours can. The later of the two due dates applies.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, DateTime, Float, Integer, String, Table, Text, select
from sqlalchemy.orm import Session

from hw_grading.gradebook.database import METADATA, name_column, rows_of

EXTENSIONS = Table(
    "hw_grading_extension",
    METADATA,
    name_column("assignment", key=True),
    name_column("student", key=True),
    Column("until", DateTime),  # UTC; NULL if `seconds` is set
    Column("seconds", Float),  # relative to the due date, so it moves with it
    Column("slip", Integer),  # slip days that the student asked for
    Column("mirrored", Float),  # seconds that we last wrote into nbgrader's own extension
    Column("theirs", Float),  # seconds of nbgrader's own extension before we wrote ours
    Column("reason", Text, nullable=False),
    Column("author", String(128), nullable=False),
    Column("at", DateTime, nullable=False),
)


@dataclass(frozen=True)
class Extension:
    """The extension of one student for one homework."""

    assignment: str
    student: str
    until: datetime | None = None  # the student's due date, UTC; None if `seconds` gives it
    seconds: float | None = None  # relative to the homework's due date
    slip: int | None = None  # the most slip days that may be used; None if no number was set
    # Seconds of the extension that we wrote into nbgrader's own table
    mirrored: float | None = None
    theirs: float | None = None  # seconds that nbgrader's own extension had before
    reason: str = ""
    author: str = ""
    at: datetime = datetime(1970, 1, 1)  # when it was granted, UTC

    def due(self, due: datetime) -> datetime:
        """Return the student's due date with this extension; `due` is the homework's due date."""
        if self.until is not None:
            return self.until
        return due + timedelta(seconds=self.seconds or 0.0)


def extensions_in(
    db: Session | Connection, assignment: str | None = None, student: str | None = None
) -> dict[tuple[str, str], Extension]:
    """Return extensions by assignment and student, for all assignments or for one."""
    wanted = {"assignment": assignment, "student": student}
    query = select(EXTENSIONS).filter_by(**{key: v for key, v in wanted.items() if v is not None})
    query = query.order_by(EXTENSIONS.c.assignment, EXTENSIONS.c.student)
    rows = rows_of(db, EXTENSIONS, query)
    return {(row.assignment, row.student): Extension(*row) for row in rows}


def due_of(due: datetime, of_nbgrader: timedelta | None, ours: Extension | None) -> datetime:
    """Return a student's due date from the homework's, nbgrader's own extension, and ours."""
    own = own_of_nbgrader(of_nbgrader, ours)
    theirs = due + own if own else due
    return max(theirs, ours.due(due)) if ours else theirs


def own_of_nbgrader(of_nbgrader: timedelta | None, ours: Extension | None) -> timedelta | None:
    """Return what was granted through nbgrader itself; our copy there may be out of date."""
    if of_nbgrader is None or ours is None or ours.mirrored is None:
        return of_nbgrader
    if abs(of_nbgrader.total_seconds() - ours.mirrored) >= 1:
        return of_nbgrader
    return None if ours.theirs is None else timedelta(seconds=ours.theirs)
