"""Who has which answer open, so that several graders go different ways.

An answer that a page opens is leased to it for two minutes, and the page renews that while somebody
works on it. A lease only steers: it decides where a grader goes on, and who is named as being
there. No save depends on it.
"""

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from nbgrader import api
from sqlalchemy import Connection, delete, select

from hw_grading.gradebook.tables import LEASES, matching, upsert

SECONDS = 120
SECONDS_TO_WAIT = 1  # for other writers of the gradebook: a page can do without a lease


@dataclass(frozen=True)
class Opened:
    """An answer that a page has opened."""

    student: str | None  # None if each ungraded answer is open on another page
    others: tuple[str, ...]  # who else has it open; if there is none, who has the ungraded ones
    then: str | None  # where its grader would go on now
    elsewhere: int = 0  # ungraded answers in the shares of others, unless the grader helps them


@dataclass(frozen=True)
class Leases:
    """The leases of one homework at a time, in a transaction that may write."""

    connection: Connection
    assignment: str
    at: datetime  # UTC

    def open(self, cell: str, student: str, page: str, grader: str) -> None:
        """Lease an answer to a page, in the place of the one that it had open before."""
        expired = delete(LEASES).where(LEASES.c.until <= self.at)
        self.connection.execute(expired)
        key = {"assignment": self.assignment, "page": page}
        until = self.at + timedelta(seconds=SECONDS)
        upsert(self.connection, LEASES, key, cell=cell, student=student, grader=grader, until=until)

    def leave(self, page: str) -> None:
        """End the lease of a page."""
        key = {"assignment": self.assignment, "page": page}
        self.connection.execute(delete(LEASES).where(matching(LEASES, key)))

    def held(self, cell: str, page: str) -> list[tuple[str, str]]:
        """Return students and graders of the answers to a question that other pages have open."""
        query = select(LEASES.c.student, LEASES.c.grader).where(
            matching(LEASES, {"assignment": self.assignment, "cell": cell}),
            LEASES.c.until > self.at,
            LEASES.c.page != page,
        )
        return [(row.student, row.grader) for row in self.connection.execute(query)]

    def graders(self) -> dict[str, list[str]]:
        """Return who has an answer open, by question, in alphabetical order."""
        query = select(LEASES.c.cell, LEASES.c.grader).where(
            LEASES.c.assignment == self.assignment, LEASES.c.until > self.at
        )
        found: dict[str, set[str]] = {}
        for row in self.connection.execute(query):
            found.setdefault(row.cell, set()).add(row.grader)
        return {cell: sorted(names) for cell, names in found.items()}


def waiting(connection: Connection, assignment: str, cell: str) -> dict[str, bool]:
    """Return whether each student's answer to a question waits for a person."""
    grade, submission = api.Grade, api.SubmittedAssignment
    named = api.Base.metadata.tables["base_cell"]
    query = (
        select(submission.student_id, grade.needs_manual_grade)
        .select_from(grade)
        .join(api.SubmittedNotebook, grade.notebook_id == api.SubmittedNotebook.id)
        .join(submission, api.SubmittedNotebook.assignment_id == submission.id)
        .join(api.Assignment, submission.assignment_id == api.Assignment.id)
        .join(named, grade.cell_id == named.c.id)
        .where(api.Assignment.name == assignment, named.c.name == cell)
    )
    return {row.student_id: bool(row.needs_manual_grade) for row in connection.execute(query)}


def next_free(order: Sequence[str], free: Collection[str], here: str = "") -> str | None:
    """Return the answer with which a grader goes on; None if none is free.

    It is the one after `here`, or else the middle of the longest stretch of free ones. So graders
    stay in stretches of their own: `python -m benchmarks graders` compares other rules.
    """
    after = order.index(here) + 1 if here in order else len(order)
    if after < len(order) and order[after] in free:
        return order[after]
    longest = longest_stretch(order, free)
    return longest[len(longest) // 2] if longest else None


def longest_stretch(order: Sequence[str], free: Collection[str]) -> list[str]:
    """Return the longest stretch of free answers, the first one of several; [] if none is free."""
    parts = itertools.groupby(order, free.__contains__)
    return max((list(part) for is_free, part in parts if is_free), key=len, default=[])
