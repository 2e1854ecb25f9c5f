"""Reads who graded which answer, without the desk. Nothing is created or changed."""

from __future__ import annotations

from sqlalchemy import inspect, select
from sqlalchemy.engine import make_url

from hw_grading.records.scores import reading
from hw_grading.rubrics.tables import GRADINGS


def graders_of(db_url: str, assignment: str) -> dict[tuple[str, str], tuple[str, float | None]]:
    """Return who graded each answer on the desk, and the points, by grade id and student id.

    Answers that were graded elsewhere, or that a grader has not finished, are left out. `NoScores`
    if there is no gradebook.
    """
    engine = reading(make_url(db_url), assignment)
    try:
        if not inspect(engine).has_table(GRADINGS.name):
            return {}
        columns = (GRADINGS.c.cell, GRADINGS.c.student, GRADINGS.c.grader, GRADINGS.c.score)
        query = select(*columns).where(GRADINGS.c.assignment == assignment, GRADINGS.c.done)
        with engine.connect() as db:
            return {(row[0], row[1]): (row[2], row[3]) for row in db.execute(query)}
    finally:
        engine.dispose()
