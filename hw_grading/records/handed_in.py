"""When students handed in, over all homeworks of a course."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from nbgrader import api
from sqlalchemy import select
from sqlalchemy.orm import Session

from hw_grading.records.extensions import Extension, due_of, extensions_in
from hw_grading.records.scores import NoScores, open_gradebook


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


def extended(db_url: str, assignment: str, due: datetime) -> dict[str, datetime]:
    """Return the due dates of students who were granted a later one, by id; of `due`'s zone.

    Parameters
    ----------
    db_url, assignment
        As for `hw_grading.records.scores.read_gradebook`. Without a gradebook nobody was.
    due
        The due date for all, with a zone.
    """
    try:
        with open_gradebook(db_url, assignment) as (db, _):
            granted = extensions_in(db, assignment)
    except NoScores:
        return {}
    for_all = due.astimezone(UTC).replace(tzinfo=None)
    found = {student: one.due(for_all) for (_, student), one in granted.items()}
    return {
        student: own.replace(tzinfo=UTC).astimezone(due.tzinfo)
        for student, own in found.items()
        if own > for_all
    }
