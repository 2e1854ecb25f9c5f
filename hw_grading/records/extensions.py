"""Extensions: who has more time for which homework, in a table of our own.

nbgrader keeps an extension in the submission, so that nobody can have one who has not handed in.
Ours stand beside it, by names. Both hold: of nbgrader's due date and ours the later one counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Float,
    Integer,
    String,
    Table,
    Text,
    inspect,
    select,
)
from sqlalchemy.orm import Session

from hw_grading.records.database import METADATA, name_column

EXTENSIONS = Table(
    "hw_grading_extension",
    METADATA,
    name_column("assignment", key=True),
    name_column("student", key=True),
    Column("until", DateTime),  # UTC; or else `seconds`
    Column("seconds", Float),  # after the due date, wherever that is moved
    Column("slip", Integer),  # slip days that were asked for
    Column("mirrored", Float),  # seconds of what we wrote into nbgrader's own extension last
    Column("theirs", Float),  # seconds of nbgrader's own extension before
    Column("reason", Text, nullable=False),
    Column("author", String(128), nullable=False),
    Column("at", DateTime, nullable=False),
)


@dataclass(frozen=True)
class Extension:
    """What one student was granted for one homework.

    Attributes
    ----------
    assignment, student
        Their names.
    until
        The student's due date, UTC without a time zone; None if it is given by `seconds`.
    seconds
        After the homework's due date; None if it is given by `until`, or not at all.
    slip
        The slip days that may be used at most; None if nothing was said of them.
    mirrored
        Seconds of the extension that we wrote into nbgrader's own table; None for none.
    theirs
        Seconds of nbgrader's own extension that stood there before; None for none.
    reason, author, at
        Why, by whom, and when (UTC).
    """

    assignment: str
    student: str
    until: datetime | None = None
    seconds: float | None = None
    slip: int | None = None
    mirrored: float | None = None
    theirs: float | None = None
    reason: str = ""
    author: str = ""
    at: datetime = datetime(1970, 1, 1)

    def due(self, due: datetime) -> datetime:
        """Return until when it lets the student hand in; `due` is the homework's due date."""
        if self.until is not None:
            return self.until
        return due + timedelta(seconds=self.seconds or 0.0)


def extensions_in(
    db: Session | Connection, assignment: str | None = None, student: str | None = None
) -> dict[tuple[str, str], Extension]:
    """Return what was granted, by assignment and student: all, or of one of them."""
    connection = db.connection() if isinstance(db, Session) else db
    if not inspect(connection).has_table(EXTENSIONS.name):
        return {}
    query = select(EXTENSIONS)
    if assignment is not None:
        query = query.where(EXTENSIONS.c.assignment == assignment)
    if student is not None:
        query = query.where(EXTENSIONS.c.student == student)
    rows = connection.execute(query.order_by(EXTENSIONS.c.assignment, EXTENSIONS.c.student))
    return {(row.assignment, row.student): Extension(*row) for row in rows}


def due_of(due: datetime, of_nbgrader: timedelta | None, ours: Extension | None) -> datetime:
    """Return when a student has to hand in.

    Parameters
    ----------
    due
        The homework's due date.
    of_nbgrader
        The extension in nbgrader's table.
    ours
        What stands in our own table.
    """
    own = own_of_nbgrader(of_nbgrader, ours)
    theirs = due + own if own else due
    return max(theirs, ours.due(due)) if ours else theirs


def own_of_nbgrader(of_nbgrader: timedelta | None, ours: Extension | None) -> timedelta | None:
    """Return the extension that was granted by nbgrader's own means.

    What is only our copy of ours is left aside: it would be wrong after the due date is moved.
    """
    if of_nbgrader is None or ours is None or ours.mirrored is None:
        return of_nbgrader
    if abs(of_nbgrader.total_seconds() - ours.mirrored) >= 1:
        return of_nbgrader
    return None if ours.theirs is None else timedelta(seconds=ours.theirs)
