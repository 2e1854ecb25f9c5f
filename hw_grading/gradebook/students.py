"""The students in nbgrader's own table of the gradebook."""

from collections.abc import Iterable
from dataclasses import dataclass

from nbgrader import api
from nbgrader.api import Gradebook
from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from hw_grading.gradebook.scores import NoScores, reading


@dataclass(frozen=True)
class Student:
    """A student in nbgrader's table. A missing text is empty."""

    id: str
    name: str
    email: str
    platform_id: str
    first_name: str = ""
    last_name: str = ""


def students_of(db_url: str, assignment: str) -> list[Student]:
    """Return the students in a gradebook; an empty list if there is none that can be read."""
    one = api.Student
    query = select(one.id, one.first_name, one.last_name, one.email, one.lms_user_id)
    try:
        engine = reading(make_url(db_url), assignment)
    except NoScores:
        return []
    try:
        with engine.connect() as db:
            rows = [[value or "" for value in row] for row in db.execute(query)]
    except SQLAlchemyError:  # it is empty or damaged
        return []
    finally:
        engine.dispose()
    return [
        Student(id, f"{first} {last}".strip(), mail, lms, first, last)
        for id, first, last, mail, lms in rows
    ]


def store_students(db_url: str, students: Iterable[Student]) -> None:
    """Add students named ``Jane Doe`` or ``Doe, Jane`` to a gradebook, and fill in missing data."""
    try:
        reading(make_url(db_url), "").dispose()
    except NoScores:
        return
    with Gradebook(db_url) as gradebook:
        known = {student.id: student for student in gradebook.students}
        for student in students:
            last, first = last_and_first(student.name)
            row = known.get(student.id)
            if row is None:
                row = api.Student(id=student.id)
                gradebook.db.add(row)
            if not (row.first_name or row.last_name):
                row.first_name, row.last_name = first or None, last or None
            row.email = row.email or student.email or None
            row.lms_user_id = row.lms_user_id or student.platform_id or None
        gradebook.db.commit()


def last_and_first(name: str) -> tuple[str, str]:
    """Return last and first name. Without a comma, the last word is the last name."""
    if "," in name:
        last, first = name.split(",", 1)
    else:
        first, _, last = name.rpartition(" ")
    return last.strip(), first.strip()
