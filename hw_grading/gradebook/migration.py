"""Makes our tables, and moves what earlier versions stored into them.

Up to version 2.0 there were six tables desk_*, corrections were always for everybody, and an
extension stood in our table, in nbgrader's, or in both: the later due date counted.
"""

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from nbgrader import api
from sqlalchemy import (
    Connection,
    MetaData,
    RowMapping,
    Table,
    func,
    insert,
    inspect,
    select,
    text,
)

from hw_grading.gradebook.tables import (
    CORRECTIONS,
    EVENTS,
    EXTENSIONS,
    MARKS,
    METADATA,
    RUBRICS,
    now,
    put,
)
from hw_grading.outcome import GraderFault

_Rows = Sequence[dict[str, Any]]
_QUESTION = ("assignment", "cell")
_ANSWER = (*_QUESTION, "student")


def make_tables(connection: Connection) -> None:
    """Create the tables that are missing, with the rows of an earlier version's tables.

    The transaction must have locked other writers out. An old table is dropped when its rows have
    been copied and counted. Deleted items go: the history has them.
    """
    known = set(inspect(connection).get_table_names())
    if EXTENSIONS.name in known:
        columns = {column["name"] for column in inspect(connection).get_columns(EXTENSIONS.name)}
    else:
        columns = set()
    if "desk_event" in known and EVENTS.name not in known:
        _run(connection, f"ALTER TABLE desk_event RENAME TO {EVENTS.name}")
    METADATA.create_all(connection)
    if RUBRICS.name not in known and "desk_rubric" in known:
        _move(connection, RUBRICS, _rubrics(connection), ["desk_item", "desk_rubric"])
    if MARKS.name not in known and "desk_grading" in known:
        old = ["desk_applied", "desk_answer", "desk_grading"]
        _move(connection, MARKS, _marks(connection), old)
    if not columns or "mirrored" in columns:
        _take_over_extensions(connection)
    for column in {"mirrored", "theirs"} & columns:
        _run(connection, f"ALTER TABLE {EXTENSIONS.name} DROP COLUMN {column}")
    there = {column["name"] for column in inspect(connection).get_columns(CORRECTIONS.name)}
    if "student" not in there:
        add = "ADD COLUMN student VARCHAR(128) NOT NULL DEFAULT ''"
        _run(connection, f"ALTER TABLE {CORRECTIONS.name} {add}")
    if "beyond" in there:  # whether a correction passed the question's points
        _run(connection, f"ALTER TABLE {CORRECTIONS.name} DROP COLUMN beyond")


def _rubrics(connection: Connection) -> _Rows:
    items = defaultdict(list)
    for item in sorted(_read(connection, "desk_item"), key=lambda item: item["position"]):
        if not item["deleted"]:
            kept = {name: item[name] for name in ("id", "points", "text", "note")}
            items[_key(item, _QUESTION)].append(kept)
    rows = []
    for old in _read(connection, "desk_rubric"):
        rubric = {"items": items[_key(old, _QUESTION)], "kind": old["kind"], "lower": old["lower"]}
        if math.isfinite(old["upper"]):
            rubric["upper"] = old["upper"]
        kept = {name: old[name] for name in (*_QUESTION, "revision", "grader")}
        rows.append(kept | {"rubric": json.dumps(rubric)})
    return rows


def _marks(connection: Connection) -> _Rows:
    chosen = defaultdict(list)
    for row in _read(connection, "desk_applied"):
        chosen[_key(row, _ANSWER)].append(row["item"])
    saved = {_key(row, _ANSWER): row for row in _read(connection, "desk_grading")}
    answers = {_key(row, _ANSWER): row["digest"] for row in _read(connection, "desk_answer")}
    return [
        dict(zip(_ANSWER, key, strict=True))
        | {"chosen": json.dumps(sorted(chosen[key])), "answer": answers.get(key, "")}
        | {name: kept for name, kept in saved.get(key, {}).items() if name in MARKS.c}
        for key in saved | answers
    ]


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


def _read(connection: Connection, name: str) -> Sequence[RowMapping]:
    """Return all rows of a table, with the columns that it has here."""
    table = Table(name, MetaData(), autoload_with=connection)
    return connection.execute(select(table)).mappings().all()


def _move(connection: Connection, table: Table, rows: _Rows, old: Sequence[str]) -> None:
    """Write rows into a new table, and drop the tables from which they are."""
    for row in rows:
        connection.execute(insert(table), row)
    count = connection.scalar(select(func.count()).select_from(table))
    if count != len(rows):
        raise GraderFault(
            f"The gradebook was not changed: of {len(rows)} rows for {table.name}, {count} were "
            "copied. Make a backup, and report this."
        )
    for name in old:
        _run(connection, f"DROP TABLE {name}")


def _run(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))
