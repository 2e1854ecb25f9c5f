"""When students handed in, over all homeworks of a course."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from nbgrader import api
from sqlalchemy import select
from sqlalchemy.orm import Session

from hw_grading.records.extensions import Extension, due_of, extensions_in


@dataclass(frozen=True)
class HandedIn:
    """What one student handed in for one homework.

    Attributes
    ----------
    assignment, student
        Their names.
    when
        UTC, as all times here; None if not known.
    due_for_all
        The homework's due date.
    due
        The student's own, with all extensions.
    extension
        What stands in our own table; None for nothing.
    """

    assignment: str
    student: str
    when: datetime | None
    due_for_all: datetime
    due: datetime
    extension: Extension | None


def handed_in(db: Session, student: str | None = None) -> list[HandedIn]:
    """Return what was handed in for homeworks that have a due date, by due date for all.

    Parameters
    ----------
    db
        An open gradebook.
    student
        An id; None for everybody.
    """
    assignment, submission = api.Assignment, api.SubmittedAssignment
    query = (
        select(
            assignment.name,
            submission.student_id,
            submission.timestamp,
            assignment.duedate,
            submission.extension,
        )
        .join(assignment, submission.assignment_id == assignment.id)
        .where(assignment.duedate.is_not(None))
        .order_by(assignment.duedate, assignment.name, submission.student_id)
    )
    if student is not None:
        query = query.where(submission.student_id == student)
    granted = extensions_in(db, student=student)
    found = []
    for name, who, when, due, of_nbgrader in db.execute(query):
        ours = granted.get((name, who))
        found.append(HandedIn(name, who, when, due, due_of(due, of_nbgrader, ours), ours))
    return found
