"""The history of one question: who saved what, and what was taken back."""

import itertools
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, select

from hw_grading.gradebook.database import now
from hw_grading.gradebook.desk_tables import EVENTS, Rows
from hw_grading.gradebook.model import Event, Item, Kind, Mark, Rubric
from hw_grading.gradebook.scores import counted, signed


@dataclass(frozen=True)
class Stamp:
    """Who saves, and how the save is logged."""

    grader: str
    action: str
    max_points: float  # the question's maximum points
    undoes: str = ""  # the batch that this save takes back, or ""
    digest: str = ""  # digest of the answer that the grader saw, or ""
    seconds: float = 0.0
    batch: str = field(default_factory=lambda: uuid.uuid4().hex)  # one for everything in one save


def log(rows: Rows, stamp: Stamp, student: str, before: object, after: object) -> None:
    """Append an event to the history."""
    about = {name: getattr(stamp, name) for name in ("grader", "action", "batch", "undoes")}
    states = {"before": json.dumps(before), "after": json.dumps(after)}
    rows.insert(EVENTS, at=now(), student=student, **about, **states)


def latest(rows: Rows, grader: str, action: str) -> list[Row[Any]]:
    """Return the events of a grader's latest batch that was not taken back; [] if there is none."""
    undone = _undone(rows)
    mine = (rows.here(EVENTS), EVENTS.c.grader == grader, EVENTS.c.action == action)
    found = rows.connection.execute(select(EVENTS).where(*mine).order_by(EVENTS.c.id.desc()))
    left = (row for row in found if row.batch not in undone)
    return next((list(batch) for _, batch in itertools.groupby(left, lambda row: row.batch)), [])


def last_batches(rows: Rows) -> dict[str, str]:
    """Return for each answer the batch of its latest save that was not taken back."""
    undone = _undone(rows)
    columns = select(EVENTS.c.student, EVENTS.c.batch)
    query = columns.where(rows.here(EVENTS), EVENTS.c.action == "save").order_by(EVENTS.c.id)
    saves = rows.connection.execute(query)
    return {row.student: row.batch for row in saves if row.batch not in undone}


def _undone(rows: Rows) -> set[str]:
    return set(rows.connection.scalars(select(EVENTS.c.undoes).where(rows.here(EVENTS))))


def read_events(rows: Rows, student: str | None) -> list[Event]:
    """Return the history, the newest event first."""
    query = select(EVENTS).where(rows.here(EVENTS, student)).order_by(EVENTS.c.id.desc())
    found = []
    for row in rows.connection.execute(query):
        before, after = json.loads(row.before), json.loads(row.after)
        about = (row.at, row.grader, row.cell, row.student, row.action)
        what = after.get("what") or _said(after.get("mark") or {})
        found.append(Event(*about, before.get("score"), after.get("score"), what))
    return found


def mark_of(values: Mapping[str, Any]) -> Mark:
    """Return the mark that an event holds."""
    return Mark(**{**values, "chosen": frozenset(values["chosen"])})


def rubric_of(values: Mapping[str, Any]) -> Rubric:
    """Return the rubric that an event holds."""
    items = tuple(Item(**item) for item in values["items"])
    return Rubric(**{**values, "kind": Kind(values["kind"]), "items": items})


def _said(mark: Mapping[str, Any]) -> str:
    """Return a one-line description of a mark in the history."""
    items, adjustment = len(mark.get("chosen", ())), mark.get("adjustment")
    said = [counted(items, "item")] if items else []
    if adjustment:
        said.append(f"adjustment {signed(adjustment)}")
    if mark.get("comment"):
        said.append(f"comment: {mark['comment']}")
    return "; ".join(said)
