"""When an assignment is due."""

from __future__ import annotations

from datetime import datetime

from nbgrader import api
from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from hw_grading.records.scores import reading


def due_of(db_url: str, assignment: str) -> datetime | None:
    """Return the due date for the whole class, UTC without a time zone; None if there is none.

    Raises `NoScores` if there is no gradebook.
    """
    engine = reading(make_url(db_url), assignment)
    try:
        with Session(engine) as db:
            due: datetime | None = db.scalar(
                select(api.Assignment.duedate).where(api.Assignment.name == assignment)
            )
            return due
    finally:
        engine.dispose()
