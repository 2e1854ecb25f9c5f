"""Corrections: changes of points after grading, for everybody or for one student.

A correction is never written into scores. It is applied each time scores are shown or exported.
"""

import functools
import itertools
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection, Row

from hw_grading.gradebook.database import Database
from hw_grading.gradebook.scores import Score, ScoredCell, SubmissionRecord
from hw_grading.gradebook.tables import CORRECTIONS, MAX_IN_A_NAME, now
from hw_grading.texts import in_digits, signed, typed
from hw_support.submission.file import UserError
from hw_support.submission.problems import encodable

LONGEST_REASON = 2_000  # characters
_MAX_NUMBER = 2**31 - 1  # the largest integer of the database's column


class CorrectionKind(StrEnum):
    """What a correction does with the points of its cell."""

    ADD = "add"
    ANSWERED = "answered"  # as `ADD`, but only for those who answered the question
    DROP = "drop"  # the cell no longer counts, neither in scores nor in the total points
    FULL = "full"  # everybody gets all points
    SET = "set"  # one student's points of the cell are these
    GROUP = "group"  # as `ADD`, but only for these students


@dataclass(frozen=True)
class Correction:
    """A correction as it is stored, or its effect on one student's points."""

    key: int  # the number in the course
    cell: str  # its grade id
    # That `ADD` or `ANSWERED` adds, or that `SET` sets; of an effect: what it adds here.
    points: float
    reason: str  # for students to read
    kind: CorrectionKind = CorrectionKind.ADD
    assignment: str = ""
    student: str = ""  # "" for everybody, or for the students of a group
    author: str = ""
    at: datetime = datetime(1970, 1, 1)  # UTC
    undone_by: str | None = None
    undone_at: datetime | None = None  # None while it is in force
    students: str = ""  # of a group, as JSON

    @functools.cached_property
    def who(self) -> frozenset[str]:
        """The students of a group; none for other kinds."""
        return frozenset(json.loads(self.students)) if self.students else frozenset()

    @property
    def is_own(self) -> bool:
        """Whether it is for this student alone."""
        return self.kind is CorrectionKind.SET

    @property
    def is_for_some(self) -> bool:
        """Whether it is not for everybody."""
        return self.kind in (CorrectionKind.SET, CorrectionKind.GROUP)

    @property
    def whom(self) -> str:
        """Whom it is for, in words."""
        if self.kind is CorrectionKind.GROUP:
            return "everybody with this answer"
        everybody = (
            "everybody who answered" if self.kind is CorrectionKind.ANSWERED else "everybody"
        )
        return "this student alone" if self.is_own else everybody

    def __str__(self) -> str:
        points = "does not count" if self.drops else f"corrected by {signed(self.points)}"
        return f"{points} for {self.whom}: {self.reason}"

    @property
    def drops(self) -> bool:
        """Whether the cell no longer counts."""
        return self.kind is CorrectionKind.DROP


def applied(
    record: SubmissionRecord, changes: Sequence[Correction], unanswered: Collection[str] = ()
) -> list[Correction]:
    """Return the effects of all corrections of a homework on one student's points.

    `unanswered` are the tests of answers that are as they were released. If nothing readable was
    submitted, only the student's own corrections apply.
    """
    of_cells: dict[str, list[Correction]] = {}
    blank = {score.cell.name for score in record.scores if score.is_blank}.union(unanswered)
    for change in changes:
        if change.kind is CorrectionKind.ANSWERED and change.cell in blank:
            continue
        if change.kind is CorrectionKind.GROUP and record.student not in change.who:
            continue
        if change.student == record.student or (record.was_read and not change.student):
            of_cells.setdefault(change.cell, []).append(change)
    done = [_of_cell(score, of_cells.get(score.cell.name, [])) for score in record.scores]
    return sorted(itertools.chain.from_iterable(done), key=lambda one: one.key)


def _of_cell(score: Score, changes: Sequence[Correction]) -> list[Correction]:
    """Return the effects of a cell's corrections on a score.

    Corrections are applied in the order in which they were made. If the cell is dropped, no other
    correction applies. Added points stop at the cell's points, subtracted points at 0. A student
    who already has more, by extra credit, keeps it.
    """
    most, now = score.cell.max_points, score.points
    done = []
    for change in [one for one in changes if one.kind is CorrectionKind.DROP][:1] or changes:
        if change.kind is CorrectionKind.DROP:
            then = 0.0
        elif change.kind is CorrectionKind.FULL:
            then = max(now, most)
        elif change.kind is CorrectionKind.SET:
            then = change.points
        elif change.points < 0:
            then = max(min(now, 0.0), now + change.points)
        else:
            then = max(now, min(now + change.points, most))
        done.append(replace(change, points=then - now))
        now = then
    return done


def corrections_in(db: Connection, assignment: str, *, undone: bool = False) -> list[Correction]:
    """Return the corrections of a homework, the oldest first; `undone` includes undone ones."""
    query = select(CORRECTIONS).where(CORRECTIONS.c.assignment == assignment)
    if not undone:
        query = query.where(CORRECTIONS.c.undone_at.is_(None))
    return [_change(row) for row in db.execute(query.order_by(CORRECTIONS.c.key))]


def correct(
    database: Database,
    assignment: str,
    cell: ScoredCell,
    *,
    kind: CorrectionKind,
    points: float,
    reason: str,
    author: str,
    students: Sequence[str] = ("",),
) -> list[int]:
    """Store a correction for everybody, or one for each student, and return their numbers.

    `SET` has one for each student, `GROUP` one for all of them; the other kinds are for everybody.
    May raise `UserError` or `Unavailable`; then none is stored.
    """
    change = Correction(0, cell.name, points, reason, kind, assignment, author=author)
    with database.writing() as connection:
        return add(connection, cell, change, students)


def add(
    connection: Connection, cell: ScoredCell, change: Correction, students: Sequence[str]
) -> list[int]:
    """Store a correction of a cell in the caller's transaction, as `correct`."""
    kind = change.kind
    row = insert(CORRECTIONS).values(
        assignment=change.assignment,
        cell=cell.name,
        kind=kind.value,
        points=change.points,
        reason=checked(cell, kind, change.points, change.reason),
        author=change.author[:MAX_IN_A_NAME],
        at=now().replace(microsecond=0),
    )
    group = json.dumps(sorted(students)) if kind is CorrectionKind.GROUP else ""
    done = [
        connection.execute(row.values(student=student, students=group))
        for student in ([""] if group else students)
    ]
    return [int(one.inserted_primary_key[0]) for one in done if one.inserted_primary_key]


def checked(cell: ScoredCell, kind: CorrectionKind, points: float, reason: str) -> str:
    """Return the reason of a correction on one line; raise `UserError` if it cannot be made."""
    most, reason = in_digits(cell.max_points), encodable(" ".join(reason.split()))
    if not reason:
        raise UserError('Expected a reason, which students read: --reason "..."')
    if len(reason) > LONGEST_REASON:
        raise UserError(f"Expected a reason of at most {LONGEST_REASON:,} characters")
    if kind is CorrectionKind.SET and not 0 <= points <= cell.max_points:
        raise UserError(f"Expected points from 0 to {most} for {cell.name}, found {points:g}")
    adds = kind in (CorrectionKind.ADD, CorrectionKind.ANSWERED, CorrectionKind.GROUP)
    if adds and not 0 < abs(points) <= cell.max_points:  # this also refuses NaN
        raise UserError(f"Expected points up to {most} and not 0, found {points:g}")
    return reason


def undo(database: Database, assignment: str, key: int, author: str) -> Correction:
    """Undo a correction, and return it; may raise `UserError` or `Unavailable`."""
    by = {"undone_by": author[:MAX_IN_A_NAME], "undone_at": now().replace(microsecond=0)}
    with database.writing() as connection:
        of_number = select(CORRECTIONS).where(CORRECTIONS.c.key == min(key, _MAX_NUMBER))
        row = connection.execute(of_number).first() if key > 0 else None
        if row is None or row.assignment != assignment:
            of = f"; it belongs to {row.assignment}" if row else ""
            raise UserError(
                f"{assignment} has no correction {key}{of}. To list all corrections: "
                + typed("hw-grading correct", assignment, "--list")
            )
        if row.undone_at is not None:
            raise UserError(f"Correction {key} was already undone by {row.undone_by}")
        connection.execute(update(CORRECTIONS).where(CORRECTIONS.c.key == key).values(by))
    return _change(row)


def _change(row: Row[Any]) -> Correction:
    # By names: in a table that an earlier version made, the columns have another order.
    return Correction(**{**row._mapping, "kind": CorrectionKind(row.kind)})
