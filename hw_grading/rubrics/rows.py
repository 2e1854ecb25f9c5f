"""The rows of one question in the desk's tables, within the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, delete, insert, select


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
        self.execute(delete(table).where(self.here(table, student)))
        for row in rows:
            self.insert(table, **row)

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
