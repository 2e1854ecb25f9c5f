"""The history of one question: who saved what, and what was taken back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from hw_grading.records.scores import in_digits
from hw_grading.rubrics.model import Event, Item, Kind, Mark, Rubric
from hw_grading.rubrics.rows import Rows, now
from hw_grading.rubrics.tables import EVENTS


@dataclass(frozen=True)
class Stamp:
    """Who saves, and how the save is logged."""

    grader: str
    action: str
    max_points: float  # the question's maximum points
    batch: str  # the same id for everything in one save
    undoes: str = ""  # the batch that this save takes back, or ""
    digest: str = ""  # digest of the answer that the grader saw, or ""
    seconds: float = 0.0


def log(rows: Rows, stamp: Stamp, student: str, before: object, after: object) -> None:
    """Append an event to the history."""
    rows.insert(
        EVENTS,
        at=now(),
        grader=stamp.grader,
        student=student,
        action=stamp.action,
        batch=stamp.batch,
        undoes=stamp.undoes,
        before=json.dumps(before),
        after=json.dumps(after),
    )


def latest(rows: Rows, grader: str, actions: Iterable[str]) -> list[Row[Any]]:
    """Return the events of a grader's latest batch that was not taken back; [] if there is none."""
    undone = _undone(rows)
    query = (
        select(EVENTS)
        .where(rows.here(EVENTS), EVENTS.c.grader == grader)
        .where(EVENTS.c.action.in_(list(actions)))
        .order_by(EVENTS.c.id.desc())
    )
    batch = ""
    found = []
    for row in rows.connection.execute(query):
        if row.batch in undone:
            continue
        if batch and row.batch != batch:
            break
        batch = row.batch
        found.append(row)
    return found


def last_batches(rows: Rows) -> dict[str, str]:
    """Return for each answer the batch of its latest save that was not taken back."""
    undone = _undone(rows)
    query = (
        select(EVENTS.c.student, EVENTS.c.batch)
        .where(rows.here(EVENTS), EVENTS.c.action == "save")
        .order_by(EVENTS.c.id)
    )
    saves = rows.connection.execute(query)
    return {row.student: row.batch for row in saves if row.batch not in undone}


def _undone(rows: Rows) -> set[str]:
    return set(rows.connection.scalars(select(EVENTS.c.undoes).where(rows.here(EVENTS))))


def read_events(rows: Rows, student: str | None) -> list[Event]:
    """Return the history, the newest event first."""
    query = select(EVENTS).where(rows.here(EVENTS)).order_by(EVENTS.c.id.desc())
    if student is not None:
        query = query.where(EVENTS.c.student == student)
    return [_event(row) for row in rows.connection.execute(query)]


def mark_of(values: Mapping[str, Any]) -> Mark:
    """Return the mark that an event holds."""
    return Mark(**{**values, "chosen": frozenset(values["chosen"])})


def rubric_of(values: Mapping[str, Any]) -> Rubric:
    """Return the rubric that an event holds."""
    items = tuple(Item(**item) for item in values["items"])
    return Rubric(**{**values, "kind": Kind(values["kind"]), "items": items})


def _event(row: Row[Any]) -> Event:
    before, after = json.loads(row.before), json.loads(row.after)
    return Event(
        row.at,
        row.grader,
        row.cell,
        row.student,
        row.action,
        before.get("score"),
        after.get("score"),
        after.get("what") or _said(after.get("mark") or {}),
    )


def _said(mark: Mapping[str, Any]) -> str:
    """Return a one-line description of a mark in the history."""
    items, adjustment = len(mark.get("chosen", ())), mark.get("adjustment")
    said = [f"{items} item{'s' * (items != 1)}"] if items else []
    if adjustment:
        said.append(f"adjustment {'+' * (adjustment > 0)}{in_digits(adjustment)}")
    if mark.get("comment"):
        said.append(f"comment: {mark['comment']}")
    return "; ".join(said)
