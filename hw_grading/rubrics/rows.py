"""The rows of one question in the desk's tables and its rubric, within the caller's transaction."""

import math
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, delete, insert, select

from hw_grading.rubrics.model import Item, Kind, Rubric
from hw_grading.rubrics.tables import ITEMS, RUBRICS


@dataclass(frozen=True)
class Rows:
    """The rows of one question, or of one student's answer to it where a student is named."""

    connection: Connection  # with an open transaction
    assignment: str
    cell: str

    def here(self, table: Table, student: str | None = None) -> ColumnElement[bool]:
        """Return the condition that selects the rows."""
        question = and_(table.c.assignment == self.assignment, table.c.cell == self.cell)
        return question if student is None else and_(question, table.c.student == student)

    def all(self, table: Table, student: str | None = None) -> list[Row[Any]]:
        """Return the rows."""
        return list(self.connection.execute(select(table).where(self.here(table, student))))

    def replace(
        self, table: Table, rows: Iterable[Mapping[str, Any]], student: str | None = None
    ) -> None:
        """Replace all rows by others."""
        self.connection.execute(delete(table).where(self.here(table, student)))
        for row in rows:
            self.insert(table, **row)

    def insert(self, table: Table, **values: Any) -> None:
        """Insert a row of this question."""
        values |= {"assignment": self.assignment, "cell": self.cell}
        self.connection.execute(insert(table).values(**values))


def read_rubric(rows: Rows, first: Rubric) -> tuple[Rubric, str]:
    """Return the rubric and who changed it last; `first` and "" before any change.

    The bounds are not above those of `first`, because the question may be worth less by now.
    """
    found = rows.all(RUBRICS)
    if not found:
        return first, ""
    row = found[0]
    items = tuple(
        Item(item.id, item.points, item.text, item.note)
        for item in sorted(rows.all(ITEMS), key=lambda item: item.position)
        if not item.deleted
    )
    rubric = Rubric(items, Kind(row.kind), row.lower, row.upper, row.revision)
    return rubric.within(first.upper), str(row.grader)


def write_rubric(rows: Rows, rubric: Rubric, grader: str, max_points: float) -> Rubric:
    """Write a rubric as its next revision. Return it with ids for its new items.

    If its upper bound is the question's maximum, infinity is stored: the maximum may be raised.
    """
    items = tuple(
        Item(item.id or uuid.uuid4().hex, item.points, item.text.strip(), item.note.strip())
        for item in rubric.items
    )
    rubric = replace(rubric, items=items, revision=rubric.revision + 1)
    earlier = {row.id: {**row._mapping, "deleted": True} for row in rows.all(ITEMS)}
    added = {"deleted": False, "revision": rubric.revision}
    present = {item.id: asdict(item) | {"position": n, **added} for n, item in enumerate(items)}
    rows.replace(ITEMS, (earlier | present).values())
    values = {"kind": str(rubric.kind), "lower": rubric.lower, "revision": rubric.revision}
    upper = rubric.upper if rubric.upper < max_points else math.inf
    rows.replace(RUBRICS, [{"grader": grader, "upper": upper, **values}])
    return rubric
