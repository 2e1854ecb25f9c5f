"""When students handed in, for all homeworks of a course."""

from dataclasses import dataclass
from datetime import UTC, datetime

from nbgrader import api
from sqlalchemy import select
from sqlalchemy.orm import Session

from hw_grading.gradebook.extensions import Extension, extensions_in
from hw_grading.gradebook.scores import NoScores, open_gradebook


@dataclass(frozen=True)
class HandedIn:
    """One student's submission of one homework. All times are UTC."""

    assignment: str
    student: str
    when: datetime | None  # None if not known
    due_for_all: datetime
    due: datetime  # the student's own
    extension: Extension | None


def handed_in(db: Session, student: str | None = None) -> list[HandedIn]:
    """Return the submissions of homeworks with a due date, sorted by the due date for all."""
    assignment, submission = api.Assignment, api.SubmittedAssignment
    times = submission.timestamp, assignment.duedate
    query = select(assignment.name, submission.student_id, *times).join(submission)
    query = query.where(assignment.duedate.is_not(None))
    query = query.order_by(assignment.duedate, assignment.name, submission.student_id)
    if student is not None:
        query = query.where(submission.student_id == student)
    granted = extensions_in(db, student=student)
    found = []
    for name, who, when, due in db.execute(query):
        extension = granted.get((name, who))
        own = extension.due(due) if extension else due
        found.append(HandedIn(name, who, when, due, own, extension))
    return found


def extended(db_url: str, assignment: str, due: datetime) -> dict[str, datetime]:
    """Return due dates of students with an extension, by id, in the time zone of `due`."""
    try:
        with open_gradebook(db_url, assignment) as (db, _):
            granted = extensions_in(db, assignment)
    except NoScores:
        return {}
    for_all = due.astimezone(UTC).replace(tzinfo=None)
    return {
        student: own.replace(tzinfo=UTC).astimezone(due.tzinfo)
        for (_, student), one in granted.items()
        if (own := one.due(for_all)) > for_all
    }
