"""Corrections for all: changes of points after grading, stored as data in our own table.

A correction is never written into scores. It is applied each time scores are shown or exported.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import isfinite
from typing import Any

from sqlalchemy import Column, DateTime, Float, Integer, String, Table, Text, select
from sqlalchemy.engine import Connection, Row
from sqlalchemy.orm import Session

from hw_grading.gradebook.database import METADATA, Database, name_column, now, rows_of
from hw_grading.gradebook.scores import Score
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import encodable

MOST_POINTS = 1_000.0
LONGEST_REASON = 2_000  # characters
_MOST_NUMBER = 2**31 - 1  # the largest integer of the database's column
CORRECTIONS = Table(
    "hw_grading_correction",
    METADATA,
    Column("key", Integer, primary_key=True, autoincrement=True),
    name_column("assignment"),
    name_column("cell"),
    Column("kind", String(8), nullable=False),
    Column("points", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", String(128), nullable=False),
    Column("at", DateTime, nullable=False),
    Column("undone_by", String(128)),
    Column("undone_at", DateTime),
    sqlite_autoincrement=True,  # a number is never reused
)


class Kind(StrEnum):
    """What a correction does with the points of its cell."""

    ADD = "add"
    DROP = "drop"  # the cell no longer counts, neither in scores nor in the total points
    FULL = "full"  # everybody gets all points


@dataclass(frozen=True)
class Change:
    """A correction as it is stored."""

    key: int  # the number in the course
    assignment: str
    cell: str  # its grade id
    kind: Kind
    points: float  # that `Kind.ADD` adds
    reason: str  # which students read
    author: str
    at: datetime  # UTC
    undone_by: str | None = None
    undone_at: datetime | None = None  # None while it is in force


@dataclass(frozen=True)
class Correction:
    """The effect of a correction on one student's points."""

    key: int
    cell: str  # its grade id
    points: float  # that it adds for this student; may be negative
    reason: str  # for students to read
    kind: Kind = Kind.ADD

    @property
    def drops(self) -> bool:
        """Whether the cell no longer counts."""
        return self.kind is Kind.DROP


def applied(score: Score, changes: Sequence[Change]) -> list[Correction]:
    """Return the effects of a cell's corrections on one student's score for it.

    Corrections are applied in the order in which they were made. If the cell is dropped, no other
    correction applies. Added points stop at the cell's points, subtracted points at 0. A student
    who already has more, by extra credit, keeps it.
    """
    most, now = score.cell.max_points, score.points
    done = []
    for change in [one for one in changes if one.kind is Kind.DROP][:1] or changes:
        if change.kind is Kind.DROP:
            then = 0.0
        elif change.kind is Kind.FULL:
            then = max(now, most)
        elif change.points < 0:
            then = max(min(now, 0.0), now + change.points)
        else:
            then = max(now, min(now + change.points, most))
        done.append(Correction(change.key, change.cell, then - now, change.reason, change.kind))
        now = then
    return done


def corrections_in(
    db: Session | Connection, assignment: str, *, undone: bool = False
) -> list[Change]:
    """Return the corrections of a homework, the oldest first; `undone` includes undone ones."""
    query = select(CORRECTIONS).where(CORRECTIONS.c.assignment == assignment)
    if not undone:
        query = query.where(CORRECTIONS.c.undone_at.is_(None))
    return [_change(row) for row in rows_of(db, CORRECTIONS, query.order_by(CORRECTIONS.c.key))]


def correct(
    database: Database,
    assignment: str,
    cell: str,
    kind: Kind,
    points: float,
    reason: str,
    author: str,
) -> int:
    """Store a correction, and return its number; may raise `Unreadable` or `Unavailable`."""
    reason = encodable(" ".join(reason.split()))
    if not reason:
        raise Unreadable('Expected a reason for students to read. Add --reason "…"')
    if len(reason) > LONGEST_REASON:
        raise Unreadable(f"Expected a reason of at most {LONGEST_REASON:,} characters")
    if kind is Kind.ADD and not (isfinite(points) and 0 < abs(points) <= MOST_POINTS):
        raise Unreadable(f"Expected points up to {MOST_POINTS:,g} and not 0, found {points:g}")
    what = {"kind": kind.value, "points": points, "reason": reason}
    by = {"author": author[:128], "at": now().replace(microsecond=0)}
    row = CORRECTIONS.insert().values(assignment=assignment, cell=cell, **what, **by)
    with database.writing() as connection:
        key = connection.execute(row).inserted_primary_key
    assert key is not None
    return int(key[0])


def undo(database: Database, assignment: str, key: int, author: str) -> Change:
    """Undo a correction, and return it; may raise `Unreadable` or `Unavailable`."""
    when = now().replace(microsecond=0)
    with database.writing() as connection:
        of_number = select(CORRECTIONS).where(CORRECTIONS.c.key == min(key, _MOST_NUMBER))
        row = connection.execute(of_number).first() if key > 0 else None
        if row is None or row.assignment != assignment:
            of = f"; it belongs to {row.assignment}" if row else ""
            raise Unreadable(
                f"{assignment} has no correction {key}{of}. To list all corrections: python -m "
                f"hw_grading correct {assignment} --list"
            )
        if row.undone_at is not None:
            raise Unreadable(f"Correction {key} was already undone by {row.undone_by}")
        of_it = CORRECTIONS.update().where(CORRECTIONS.c.key == key)
        connection.execute(of_it.values(undone_by=author[:128], undone_at=when))
    return _change(row)


def _change(row: Row[Any]) -> Change:
    return Change(**{**row._mapping, "kind": Kind(row.kind)})
