"""Makes our tables, and moves what version 2.0 stored into them.

That version had six tables desk_*, its corrections were for everybody, and an extension stood in
our table, in nbgrader's, or in both: the later due date counted.
"""

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from nbgrader import api
from sqlalchemy import Connection, MetaData, RowMapping, Table, insert, inspect, select, text

from hw_grading.gradebook.tables import (
    ALL_POINTS,
    CORRECTIONS,
    EVENTS,
    EXTENSIONS,
    MARKS,
    METADATA,
    RUBRICS,
    now,
    put,
)

_QUESTION = ("assignment", "cell")
_ANSWER = (*_QUESTION, "student")


def make_tables(connection: Connection) -> None:
    """Create the tables that are missing, with the rows of an earlier version's tables.

    The transaction must have locked other writers out. Deleted items go: the history has them.
    """
    known = set(inspect(connection).get_table_names())
    is_old = "desk_event" in known and EVENTS.name not in known
    extensions = _columns(connection, EXTENSIONS.name) if EXTENSIONS.name in known else set()
    if is_old:
        _run(connection, f"ALTER TABLE desk_event RENAME TO {EVENTS.name}")
    METADATA.create_all(connection)
    if is_old:
        _move_rubrics_and_marks(connection)
    if not extensions or "mirrored" in extensions:
        _take_over_extensions(connection)
    for table, column in (
        (EXTENSIONS.name, "mirrored"),
        (EXTENSIONS.name, "theirs"),
        (CORRECTIONS.name, "beyond"),  # whether a correction passed the question's points
    ):
        if column in _columns(connection, table):
            _run(connection, f"ALTER TABLE {table} DROP COLUMN {column}")
    if "student" not in _columns(connection, CORRECTIONS.name):
        add = "ADD COLUMN student VARCHAR(128) NOT NULL DEFAULT ''"
        _run(connection, f"ALTER TABLE {CORRECTIONS.name} {add}")


def _move_rubrics_and_marks(connection: Connection) -> None:
    items, chosen = defaultdict(list), defaultdict(list)
    for item in sorted(_read(connection, "desk_item"), key=lambda item: item["position"]):
        if not item["deleted"]:
            kept = {name: item[name] for name in ("id", "points", "text", "note")}
            items[_key(item, _QUESTION)].append(kept)
    for old in _read(connection, "desk_rubric"):
        rubric = {"kind": old["kind"], "items": items[_key(old, _QUESTION)]}
        kept = {name: old[name] for name in (*_QUESTION, "revision", "grader")}
        connection.execute(insert(RUBRICS), kept | {"rubric": json.dumps(rubric)})
    for one in _read(connection, "desk_applied"):
        chosen[_key(one, _ANSWER)].append(one["item"])
    taken_off = [r for r in _read(connection, "desk_rubric") if r["kind"] == "subtracting"]
    from_all = {_key(row, _QUESTION) for row in taken_off}
    saved = {_key(row, _ANSWER): row for row in _read(connection, "desk_grading")}
    answers = {_key(row, _ANSWER): row["digest"] for row in _read(connection, "desk_answer")}
    for key in saved.keys() | answers.keys():
        ids = chosen[key] + ([ALL_POINTS] if key[:2] in from_all and key in saved else [])
        row: dict[str, Any] = {"chosen": json.dumps(sorted(ids)), "answer": answers.get(key, "")}
        row |= {name: kept for name, kept in saved.get(key, {}).items() if name in MARKS.c}
        connection.execute(insert(MARKS), dict(zip(_ANSWER, key, strict=True)) | row)
    for name in ("item", "rubric", "applied", "answer", "grading"):
        _run(connection, f"DROP TABLE desk_{name}")


def _take_over_extensions(connection: Connection) -> None:
    """Write nbgrader's own extensions into our table where they were the later ones."""
    rows = _read(connection, EXTENSIONS.name)
    ours = {_key(row, ("assignment", "student")): dict(row) for row in rows}
    given = api.SubmittedAssignment
    query = select(api.Assignment.name, given.student_id, given.extension, api.Assignment.duedate)
    query = query.join(given).where(given.extension.is_not(None))
    for assignment, student, extension, due in connection.execute(query).all():
        own = extension.total_seconds()
        one = ours.get((assignment, student), {})
        mirrored = one.get("mirrored")
        if mirrored is not None and abs(own - mirrored) < 1:  # it is a copy of ours
            own = one["theirs"] or 0.0
        more = one.get("seconds") or 0.0
        if until := one.get("until"):
            more = (until - due).total_seconds() if due else math.inf
        key = {"assignment": assignment, "student": student}
        if one and own > more:
            put(connection, EXTENSIONS, key, until=None, seconds=own)
        elif own and not one:
            by = {"author": "nbgrader", "at": now().replace(microsecond=0), "reason": ""}
            put(connection, EXTENSIONS, key, seconds=own, **by)


def _key(row: RowMapping, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def _columns(connection: Connection, table: str) -> set[str]:
    return {column["name"] for column in inspect(connection).get_columns(table)}


def _read(connection: Connection, name: str) -> Sequence[RowMapping]:
    """Return all rows of a table, with the columns that it has here."""
    table = Table(name, MetaData(), autoload_with=connection)
    return connection.execute(select(table)).mappings().all()


def _run(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))
