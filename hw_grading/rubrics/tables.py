"""The desk's own tables, in the gradebook's database."""

from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Float, Integer, String, Table, Text

from hw_grading.records.database import METADATA, name_column

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
GROUPS = _table("desk_group", _ANSWER, name_column("name"))
SHARES = _table(
    "desk_share",
    _QUESTION,
    Column("position", Integer, primary_key=True, autoincrement=False),
    name_column("grader"),
)
PRESENCE = _table(
    "desk_presence",
    ("assignment", "grader"),
    name_column("cell"),
    name_column("student"),
    _filled("at", Float),  # seconds since 1970
)
