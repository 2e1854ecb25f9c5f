"""Keeps the manual grading of an answer when tests grade its submission again.

nbgrader queues every answer that has a manual score again. This module keeps an answer graded if
its text, code, pictures and printed output are the same as at the last autograding. It does not
matter whether it was graded on the desk or in formgrader.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from hw_grading.rubrics.digest import answer_digest
from hw_grading.rubrics.tables import ANSWERS


def digests_before(connection: Connection, assignment: str, student: str) -> dict[str, str]:
    """Return the digests of a student's answers at the last autograding, by grade id."""
    mine = (ANSWERS.c.assignment == assignment) & (ANSWERS.c.student == student)
    query = select(ANSWERS.c.cell, ANSWERS.c.digest).where(mine)
    return {row.cell: row.digest for row in connection.execute(query)}


def remember(
    connection: Connection, assignment: str, student: str, digests: Mapping[str, str]
) -> None:
    """Store the digests of a student's answers as they are now."""
    mine = (ANSWERS.c.assignment == assignment) & (ANSWERS.c.student == student)
    connection.execute(delete(ANSWERS).where(mine))
    rows = [
        {"assignment": assignment, "student": student, "cell": cell, "digest": digest}
        for cell, digest in digests.items()
    ]
    if rows:
        connection.execute(insert(ANSWERS), rows)


def digests_of(cells: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the digests of answers, by grade id."""
    return {name: answer_digest(cell) for name, cell in cells.items()}
