"""The rows of one question in the desk's tables, within the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, delete, insert, select


@dataclass(frozen=True)
class Rows:
    """The rows of one question."""

    connection: Connection  # a connection with an open transaction
    assignment: str
    cell: str

    def all(self, table: Table, student: str | None = None) -> list[Row[Any]]:
        """Return the rows of this question."""
        query = select(table).where(self.here(table))
        if student is not None:
            query = query.where(table.c.student == student)
        return list(self.connection.execute(query))

    def replace(self, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
        """Replace all rows of this question by others."""
        self.execute(delete(table).where(self.here(table)))
        for row in rows:
            self.insert(table, **row)

    def here(self, table: Table) -> ColumnElement[bool]:
        """Return the condition that selects the rows of this question."""
        return and_(table.c.assignment == self.assignment, table.c.cell == self.cell)

    def insert(self, table: Table, **values: Any) -> None:
        """Insert a row of this question."""
        values |= {"assignment": self.assignment, "cell": self.cell}
        self.execute(insert(table).values(**values))

    def execute(self, statement: Any) -> None:
        """Execute a statement."""
        self.connection.execute(statement)


def now() -> datetime:
    """Return the current time, UTC, in the database's form."""
    return datetime.now(UTC).replace(tzinfo=None)
