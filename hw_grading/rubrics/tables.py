"""The desk's own tables, in the gradebook's database."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, Float, Integer, String, Table, Text

from hw_grading.records.database import METADATA, name_column

RUBRICS = Table(
    "desk_rubric",
    METADATA,
    name_column("assignment", key=True),
    name_column("cell", key=True),
    Column("kind", String(16), nullable=False),
    Column("lower", Float, nullable=False),
    Column("upper", Float, nullable=False),
    Column("revision", Integer, nullable=False),
    name_column("grader"),
)
ITEMS = Table(
    "desk_item",
    METADATA,
    name_column("assignment", key=True),
    name_column("cell", key=True),
    Column("id", String(32), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("points", Float, nullable=False),
    Column("text", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),  # the rubric's revision at the item's last change
)
GRADINGS = Table(
    "desk_grading",
    METADATA,
    name_column("assignment", key=True),
    name_column("cell", key=True),
    name_column("student", key=True),
    Column("revision", Integer, nullable=False),  # grows with each save
    Column("adjustment", Float, nullable=False),
    Column("comment", Text, nullable=False),  # the grader's own words
    Column("done", Boolean, nullable=False),
    Column("flagged", Boolean, nullable=False),
    Column("flag_note", Text, nullable=False),
    Column("score", Float),  # the score last written into nbgrader's tables
    Column("given_comment", Text),
    Column("digest", String(64), nullable=False),  # of the graded answer, "" if not known
    name_column("grader"),
    Column("at", DateTime, nullable=False),
    Column("seconds", Float, nullable=False),
)
APPLIED = Table(
    "desk_applied",
    METADATA,
    name_column("assignment", key=True),
    name_column("cell", key=True),
    name_column("student", key=True),
    Column("item", String(32), primary_key=True),
)
EVENTS = Table(
    "desk_event",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", DateTime, nullable=False),
    name_column("grader"),
    name_column("assignment"),
    name_column("cell"),
    name_column("student"),  # "" for a change of the rubric
    Column("action", String(16), nullable=False),
    Column("batch", String(32), nullable=False),  # one id for everything in one save
    Column("undoes", String(32), nullable=False),  # the batch that this one takes back, or ""
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
)
ANSWERS = Table(  # as of the last autograding
    "desk_answer",
    METADATA,
    name_column("assignment", key=True),
    name_column("cell", key=True),
    name_column("student", key=True),
    Column("digest", String(64), nullable=False),
)
GROUPS = Table(
    "desk_group",
    METADATA,
    name_column("assignment", key=True),
    name_column("cell", key=True),
    name_column("student", key=True),
    name_column("name"),
)
SHARES = Table(
    "desk_share",
    METADATA,
    name_column("assignment", key=True),
    name_column("cell", key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    name_column("grader"),
)
PRESENCE = Table(
    "desk_presence",
    METADATA,
    name_column("assignment", key=True),
    name_column("grader", key=True),
    name_column("cell"),
    name_column("student"),
    Column("at", Float, nullable=False),  # seconds since 1970
)
