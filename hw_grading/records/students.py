"""The students whom the gradebook knows."""

from __future__ import annotations

from dataclasses import dataclass

from nbgrader import api
from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from hw_grading.records.scores import NoScores, reading


@dataclass(frozen=True)
class Student:
    """A student of nbgrader's table; texts that it lacks are empty."""

    id: str
    name: str
    email: str
    platform_id: str


def students_of(db_url: str, assignment: str) -> list[Student]:
    """Return the students in a gradebook; none if there is no gradebook yet.

    Parameters
    ----------
    db_url, assignment
        As for `hw_grading.records.scores.read_gradebook`. The gradebook is not changed.
    """
    one = api.Student
    query = select(one.id, one.first_name, one.last_name, one.email, one.lms_user_id)
    try:
        engine = reading(make_url(db_url), assignment)
    except NoScores:
        return []
    try:
        with engine.connect() as db:
            rows = [[value or "" for value in row] for row in db.execute(query)]
    except SQLAlchemyError:  # an empty file
        return []
    finally:
        engine.dispose()
    return [
        Student(id, f"{first} {last}".strip(), mail, lms) for id, first, last, mail, lms in rows
    ]
