"""Keeps the manual grading of an answer when tests grade its submission again.

nbgrader queues every answer that has a manual score again. `hw_grading.plugins.saving` keeps an
answer graded, on the desk or in formgrader, if its digest is the same as at the last autograding.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from hw_grading.rubrics.tables import ANSWERS


def digests_before(connection: Connection, assignment: str, student: str) -> dict[str, str]:
    """Return the digests of a student's answers at the last autograding, by grade id."""
    query = select(ANSWERS.c.cell, ANSWERS.c.digest).where(_of(assignment, student))
    return {row.cell: row.digest for row in connection.execute(query)}


def remember(
    connection: Connection, assignment: str, student: str, digests: Mapping[str, str]
) -> None:
    """Store the digests of a student's answers as they are now."""
    connection.execute(delete(ANSWERS).where(_of(assignment, student)))
    whose = {"assignment": assignment, "student": student}
    rows = [{**whose, "cell": cell, "digest": digest} for cell, digest in digests.items()]
    if rows:
        connection.execute(insert(ANSWERS), rows)


def _of(assignment: str, student: str) -> ColumnElement[bool]:
    return (ANSWERS.c.assignment == assignment) & (ANSWERS.c.student == student)
