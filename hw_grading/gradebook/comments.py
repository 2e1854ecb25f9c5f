"""Comments of graders on any answer, also one that tests graded: on all of it, or on one line.

A row has the digest of the code or text that its grader saw, so that a comment on an earlier
version of an answer says so. An answer that a person grades has a comment in its mark as well.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from hw_grading.gradebook.marks import Rows, Stamp
from hw_grading.gradebook.model import Refused, expect_text
from hw_grading.gradebook.tables import COMMENTS, matching, now, upsert


@dataclass(frozen=True)
class Comment:
    """A comment as it is stored."""

    cell: str
    student: str
    line: int  # from 1 on; 0: the whole answer
    text: str
    grader: str
    at: datetime  # UTC; no two saves have the same, so it is the version
    digest: str  # of the answer's source, by `hw_grading.gradebook.runs.source_digest`


@dataclass(frozen=True)
class Said:
    """What a grader says of a line; an empty text removes the comment."""

    line: int
    text: str
    seen: datetime | None  # when the comment was saved that the grader saw there; None: none
    digest: str  # of the answer's source that the grader saw


class CommentChanged(Refused):
    """Somebody else changed or removed the comment in the meantime; `theirs` is the stored one."""

    def __init__(self, theirs: Comment | None) -> None:
        what = f"{theirs.grader} wrote a comment here" if theirs else "This comment was removed"
        super().__init__(
            f"{what} in the meantime. Yours was not saved. Compare the two, and save one of them."
        )
        self.theirs = theirs


def comments_on(
    db: Connection, assignment: str, cell: str | None = None, student: str | None = None
) -> list[Comment]:
    """Return the comments in a homework, on one question or to one student, by cell and line."""
    key = {"assignment": assignment, "cell": cell, "student": student}
    query = (
        select(COMMENTS).where(matching(COMMENTS, key)).order_by(COMMENTS.c.cell, COMMENTS.c.line)
    )
    names = Comment.__dataclass_fields__
    return [Comment(**{name: getattr(row, name) for name in names}) for row in db.execute(query)]


def save(rows: Rows, student: str, said: Said, grader: str) -> None:
    """Save or remove a comment in the transaction of `rows`, and log it.

    `Refused` if the text cannot be stored; `CommentChanged` if the stored one is not as the grader
    saw it.
    """
    expect_text(said.text)
    text = said.text.strip()
    there = comments_on(rows.connection, rows.assignment, rows.cell, student)
    old = next((one for one in there if one.line == said.line), None)
    if (old.at if old else None) != said.seen:
        raise CommentChanged(old)
    before = old.text if old else ""
    if text == before and (old is None or old.digest == said.digest):
        return
    key = rows.key | {"student": student, "line": said.line}
    if text:
        values = {"text": text, "grader": grader, "at": now(), "digest": said.digest}
        upsert(rows.connection, COMMENTS, key, **values)
    else:
        rows.connection.execute(delete(COMMENTS).where(matching(COMMENTS, key)))
    action = "comment" if text else "comment removed"
    states = [{"line": said.line, "comment": one} for one in (before, text)]
    rows.log(Stamp(grader, action), student, *states)
