"""Extensions: which student has more time for which homework, or fewer slip days.

They stand in our own table, where they can be granted before the student has submitted. nbgrader's
own column, for its pages, is written from it, and never read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from nbgrader import api
from sqlalchemy import Connection, delete, select, update

from hw_grading.gradebook.database import Database
from hw_grading.gradebook.tables import EXTENSIONS, MAX_IN_A_NAME, matching, now, upsert


@dataclass(frozen=True)
class Extension:
    """The extension of one student for one homework."""

    assignment: str
    student: str
    until: datetime | None = None  # the student's due date, UTC; None if `seconds` gives it
    seconds: float | None = None  # relative to the homework's due date
    slip: int | None = None  # the most slip days that may be used; None if no number was set
    reason: str = ""
    author: str = ""
    at: datetime = datetime(1970, 1, 1)  # when it was granted, UTC

    def due(self, due: datetime) -> datetime:
        """Return the student's due date with this extension; `due` is the homework's due date."""
        if self.until is not None:
            return self.until
        return due + timedelta(seconds=self.seconds or 0.0)


def extensions_in(
    db: Connection, assignment: str | None = None, student: str | None = None
) -> dict[tuple[str, str], Extension]:
    """Return extensions by assignment and student, for all assignments or for one."""
    wanted = {"assignment": assignment, "student": student}
    query = select(EXTENSIONS).where(matching(EXTENSIONS, wanted))
    rows = db.execute(query.order_by(EXTENSIONS.c.assignment, EXTENSIONS.c.student))
    return {(row.assignment, row.student): Extension(**row._mapping) for row in rows}


def extensions_by_student(db: Connection, assignment: str) -> dict[str, Extension]:
    """Return the extensions for one homework, by student."""
    return {student: one for (_, student), one in extensions_in(db, assignment).items()}


def grant(database: Database, extensions: Iterable[Extension], author: str) -> None:
    """Store extensions in one transaction; None leaves a value as it was. May raise `Unavailable`.

    If one has no reason, the earlier reason stays.
    """
    by = {"author": author[:MAX_IN_A_NAME], "at": now().replace(microsecond=0)}
    with database.writing() as connection:
        there = extensions_in(connection)
        for extension in extensions:
            before = there.get((extension.assignment, extension.student))
            values = {**by, "reason": extension.reason or (before.reason if before else "")}
            if extension.until is not None or extension.seconds is not None:
                values |= {"until": extension.until, "seconds": extension.seconds}
            if extension.slip is not None:
                values["slip"] = extension.slip
            key = {"assignment": extension.assignment, "student": extension.student}
            upsert(connection, EXTENSIONS, key, **values)
            show_in_nbgrader(connection, **key)


def remove(database: Database, assignment: str, students: Iterable[str]) -> list[str]:
    """Remove students' extensions. Return the students who had none."""
    without = []
    with database.writing() as connection:
        for student in students:
            key = {"assignment": assignment, "student": student}
            if connection.execute(delete(EXTENSIONS).where(matching(EXTENSIONS, key))).rowcount:
                show_in_nbgrader(connection, assignment, student)
            else:
                without.append(student)
    return without


def show_in_nbgrader(connection: Connection, assignment: str, student: str) -> None:
    """Write a student's extension into nbgrader's own column, if there is a submission."""
    submission = api.SubmittedAssignment
    query = (
        select(submission.id, api.Assignment.duedate)
        .join(api.Assignment)
        .where(api.Assignment.name == assignment, submission.student_id == student)
        .with_for_update(of=submission)  # so that the extension that is read is the last one
    )
    if (found := connection.execute(query).first()) and found.duedate is not None:
        ours = extensions_in(connection, assignment, student).get((assignment, student))
        more = ours.due(found.duedate) - found.duedate if ours else None
        table = api.Base.metadata.tables["submitted_assignment"]
        this = update(table).where(table.c.id == found.id)
        connection.execute(this.values(extension=more or None))
