"""Who submitted nothing and gets 0 for it, and who left the course: a person says so, in a row.

A row on a homework means nothing as soon as the student has submitted.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from hw_grading.gradebook.database import Database
from hw_grading.gradebook.tables import ABSENCES, MAX_IN_A_NAME, now, upsert


@dataclass(frozen=True)
class Absence:
    """What a person said of a student."""

    assignment: str  # to which the student submitted nothing; "" if the student left the course
    student: str
    reason: str = ""  # only staff read it
    author: str = ""
    at: datetime = datetime(1970, 1, 1)  # UTC

    @property
    def has_left(self) -> bool:
        """Whether the student left the course."""
        return not self.assignment


def absences_in(db: Connection, assignment: str) -> dict[str, Absence]:
    """Return what counts in a homework, by student: that somebody left counts first."""
    here = select(ABSENCES).where(ABSENCES.c.assignment.in_(["", assignment]))
    rows = db.execute(here.order_by(ABSENCES.c.student, ABSENCES.c.assignment.desc()))
    return {row.student: Absence(**row._mapping) for row in rows}


def store(database: Database, absences: Iterable[Absence]) -> None:
    """Store absences in one transaction; may raise `Unavailable`."""
    at = now().replace(microsecond=0)
    with database.writing() as connection:
        for absence in absences:
            values = asdict(absence) | {"author": absence.author[:MAX_IN_A_NAME], "at": at}
            key = {name: values.pop(name) for name in ("assignment", "student")}
            upsert(connection, ABSENCES, key, **values)


def remove(database: Database, assignment: str, students: Iterable[str]) -> list[str]:
    """Remove what counts in a homework of students. Return those of whom there was nothing."""
    here = delete(ABSENCES).where(ABSENCES.c.assignment.in_(["", assignment]))
    with database.writing() as connection:
        return [
            student
            for student in students
            if not connection.execute(here.where(ABSENCES.c.student == student)).rowcount
        ]
