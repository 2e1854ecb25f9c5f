"""The desk's own tables in the gradebook's database, and the rows of one question in them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Float,
    Integer,
    Row,
    String,
    Table,
    Text,
    and_,
    delete,
    insert,
    select,
)

from hw_grading.gradebook.database import METADATA, name_column

_QUESTION = ("assignment", "cell")
_ANSWER = (*_QUESTION, "student")


def _table(name: str, keys: tuple[str, ...], *columns: Column[Any]) -> Table:
    """Return a table whose first keys are names."""
    return Table(name, METADATA, *(name_column(key, key=True) for key in keys), *columns)


def _filled(name: str, kind: Any) -> Column[Any]:
    """Return a column in which each row has a value."""
    return Column(name, kind, nullable=False)


RUBRICS = _table(
    "desk_rubric",
    _QUESTION,
    _filled("kind", String(16)),
    _filled("lower", Float),
    _filled("upper", Float),
    _filled("revision", Integer),
    name_column("grader"),
)
ITEMS = _table(
    "desk_item",
    _QUESTION,
    Column("id", String(32), primary_key=True),
    _filled("position", Integer),
    _filled("points", Float),
    _filled("text", Text),
    _filled("note", Text),
    _filled("deleted", Boolean),
    _filled("revision", Integer),  # the rubric's revision at the item's last change
)
GRADINGS = _table(
    "desk_grading",
    _ANSWER,
    _filled("revision", Integer),  # grows with each save
    _filled("adjustment", Float),
    _filled("comment", Text),  # the grader's own words
    _filled("done", Boolean),
    _filled("flagged", Boolean),
    _filled("flag_note", Text),
    Column("score", Float),  # the score last written into nbgrader's tables
    Column("given_comment", Text),
    _filled("digest", String(64)),  # of the graded answer, "" if not known
    name_column("grader"),
    _filled("at", DateTime),
    _filled("seconds", Float),
)
APPLIED = _table("desk_applied", _ANSWER, Column("item", String(32), primary_key=True))
EVENTS = _table(
    "desk_event",
    (),
    Column("id", Integer, primary_key=True, autoincrement=True),
    _filled("at", DateTime),
    name_column("grader"),
    name_column("assignment"),
    name_column("cell"),
    name_column("student"),  # "" for a change of the rubric
    _filled("action", String(16)),
    _filled("batch", String(32)),  # one id for everything in one save
    _filled("undoes", String(32)),  # the batch that this one takes back, or ""
    _filled("before", Text),
    _filled("after", Text),
)
ANSWERS = _table("desk_answer", _ANSWER, _filled("digest", String(64)))  # at the last autograding


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
