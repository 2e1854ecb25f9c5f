"""Our own tables in the gradebook's database, beside nbgrader's.

Rows have names as keys, since nbgrader's keys change when a gradebook is made again.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from nbgrader import api
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Float,
    Inspector,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
    delete,
    insert,
    inspect,
    select,
    text,
    true,
    update,
)

METADATA = MetaData()
MAX_IN_A_NAME = 128  # characters


def name_column(name: str, key: bool = False) -> Column[str]:
    """Return a column for the name of an assignment, a cell or a person."""
    return Column(name, String(MAX_IN_A_NAME), primary_key=key, nullable=False)


def now() -> datetime:
    """Return the current time, UTC, in the database's form."""
    return datetime.now(UTC).replace(tzinfo=None)


def matching(table: Table, key: Mapping[str, Any]) -> ColumnElement[bool]:
    """Return the condition that selects the rows with these values; None stands for any value."""
    wanted = (table.c[name] == value for name, value in key.items() if value is not None)
    return and_(true(), *wanted)


def upsert(connection: Connection, table: Table, key: Mapping[str, Any], **values: Any) -> None:
    """Write values into the row with a key; make the row if there is none."""
    if not connection.execute(update(table).where(matching(table, key)).values(values)).rowcount:
        connection.execute(insert(table).values(**key, **values))


def _filled(name: str, kind: Any) -> Column[Any]:
    """Return a column in which each row has a value."""
    return Column(name, kind, nullable=False)


def _key_of_an_answer() -> tuple[Column[str], ...]:
    return tuple(name_column(name, key=True) for name in ("assignment", "cell", "student"))


RUBRICS = Table(
    "hw_grading_rubric",
    METADATA,
    name_column("assignment", key=True),
    name_column("cell", key=True),
    _filled("revision", Integer),
    _filled("rubric", Text),  # JSON: the items in order
    name_column("grader"),  # who changed it last; "" for the mark scheme
)
ANSWERS = Table(  # as the last autograding found them, also those that are marked in formgrader
    "hw_grading_answer",
    METADATA,
    *_key_of_an_answer(),  # cell "": everything that the student wrote; "/x": all in notebook x
    _filled("digest", String(64)),
)
MARKS = Table(  # a row for each answer that people graded at the desk
    "hw_grading_mark",
    METADATA,
    *_key_of_an_answer(),
    _filled("revision", Integer),  # grows with each save, from 1 on
    _filled("chosen", Text),  # JSON: the ids of the items that apply
    _filled("adjustment", Float),
    _filled("comment", Text),  # the grader's own words
    _filled("done", Boolean),
    _filled("flagged", Boolean),
    _filled("flag_note", Text),
    Column("score", Float),  # the score and the comment last written into nbgrader's tables
    Column("given_comment", Text),
    _filled("digest", String(64)),  # of the answer that was graded, "" if not known
    name_column("grader"),
    _filled("at", DateTime),
)
EVENTS = Table(
    "hw_grading_event",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _filled("at", DateTime),
    name_column("grader"),
    name_column("assignment"),
    name_column("cell"),
    name_column("student"),  # "" for a change of the rubric
    _filled("action", String(16)),
    _filled("batch", String(32)),  # one id for everything in one save
    _filled("undoes", String(32)),  # the batch that this one takes back, or ""
    _filled("before", Text),  # JSON
    _filled("after", Text),
)
COMMENTS = Table(  # on any answer, beside those of marks; `hw_grading.gradebook.comments`
    "hw_grading_comment",
    METADATA,
    *_key_of_an_answer(),
    Column("line", Integer, primary_key=True, autoincrement=False),  # 0: the whole answer
    _filled("text", Text),
    name_column("grader"),
    _filled("at", DateTime),  # UTC
    _filled("digest", String(64)),  # of the answer that it is about
)
REQUESTS = Table(  # what a student asks about the points of a cell; `hw_grading.gradebook.requests`
    "hw_grading_request",
    METADATA,
    *_key_of_an_answer(),
    _filled("revision", Integer),  # grows with each change, from 1 on
    _filled("words", Text),
    _filled("version", String(40)),  # digests of what it is about: the answer, and its grading
    name_column("graded_by"),  # who had graded the answer by then; "" for tests alone
    _filled("at", DateTime),  # UTC; when it was handed in or, if that is not known, collected
    _filled("reply", Text),
    name_column("replied_by"),
    Column("replied_at", DateTime),  # NULL while it is open
)
LEASES = Table(  # which answer each open page shows; `hw_grading.gradebook.leases`
    "hw_grading_lease",
    METADATA,
    name_column("assignment", key=True),
    Column("page", String(32), primary_key=True),
    name_column("cell"),
    name_column("student"),
    name_column("grader"),
    _filled("until", DateTime),  # UTC; the row means nothing after that
)
SHARES = Table(  # whose answers each grader grades; `hw_grading.gradebook.shares`
    "hw_grading_share",
    METADATA,
    name_column("assignment", key=True),
    name_column("cell", key=True),
    name_column("grader", key=True),
    name_column("section", key=True),  # "" for the whole class
)
SECOND_MARKS = Table(  # `hw_grading.gradebook.second_marks`
    "hw_grading_second_mark",
    METADATA,
    *_key_of_an_answer(),
    name_column("grader", key=True),  # who marked the answer a second time
    _filled("revision", Integer),
    _filled("mark", Text),  # JSON
    _filled("first", Text),  # JSON: the first mark at that time
    name_column("first_grader"),
    _filled("digest", String(64)),  # of the answer that was marked, "" if not known
    name_column("taken"),  # whose mark a head grader took; "" until then
    _filled("at", DateTime),
)
EXTENSIONS = Table(
    "hw_grading_extension",
    METADATA,
    name_column("assignment", key=True),
    name_column("student", key=True),
    Column("until", DateTime),  # UTC; NULL if `seconds` is set
    Column("seconds", Float),  # relative to the due date, so it moves with it
    Column("slip", Integer),  # the most slip days that may be used
    _filled("reason", Text),
    name_column("author"),
    _filled("at", DateTime),
)
ABSENCES = Table(
    "hw_grading_absence",
    METADATA,
    name_column("assignment", key=True),  # "" if the student left the course
    name_column("student", key=True),
    _filled("reason", Text),
    name_column("author"),
    _filled("at", DateTime),
)
CORRECTIONS = Table(
    "hw_grading_correction",
    METADATA,
    Column("key", Integer, primary_key=True, autoincrement=True),
    name_column("assignment"),
    name_column("cell"),
    name_column("student"),  # "" for everybody
    _filled("kind", String(8)),
    _filled("points", Float),
    _filled("reason", Text),
    name_column("author"),
    _filled("at", DateTime),
    Column("undone_by", String(MAX_IN_A_NAME)),
    Column("undone_at", DateTime),
    Column("students", Text, nullable=False, default=""),  # of a group, as JSON
    sqlite_autoincrement=True,  # a number is never reused
)
RUNS = Table(
    "hw_grading_run",
    METADATA,
    name_column("assignment", key=True),
    name_column("student", key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    _filled("digest", String(64)),  # of the file; "" if it could not be read
    _filled("answers", Text),  # digests of the student's cells, as JSON
    _filled("graded_with", Text),  # as JSON: `GradedWith` in `runs`
    _filled("seed", String(40)),  # of hidden inputs
    _filled("status", String(32)),
    _filled("reason", Text),
    _filled("problems", Text),  # failures and repairs, as JSON
    _filled("cpu_seconds", Float),
    _filled("wall_seconds", Float),
    _filled("at", DateTime),  # UTC
)
PARTS = Table(
    "hw_grading_part",
    METADATA,
    name_column("assignment", key=True),
    name_column("student", key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),  # in the notebook
    name_column("cell"),
    _filled("name", String(160)),
    _filled("points", Float),
    _filled("earned", Float),
    _filled("passed", Boolean),
    _filled("message", Text),
    _filled("fresh", Boolean),
    _filled("fingerprint", String(200)),
)


def is_complete(there: Inspector) -> bool:
    """Whether a database has all tables, and the column that came last, and so all others."""
    is_there = METADATA.tables.keys() <= set(there.get_table_names())
    return is_there and not _missing(there, CORRECTIONS)


def _missing(there: Inspector, table: Table) -> list[Column[Any]]:
    """Return the columns that a table lacks."""
    names = {column["name"] for column in there.get_columns(table.name)}
    return [column for column in table.columns if column.name not in names]


def make_tables(connection: Connection) -> None:
    """Create the tables and columns that are missing.

    The transaction must have locked other writers out. A course that used nbgrader alone until now
    keeps the extensions that nbgrader's own column has.
    """
    there = inspect(connection)
    names = there.get_table_names()
    is_new = EXTENSIONS.name not in names
    METADATA.create_all(connection)
    if not is_new and "answer" in {column["name"] for column in there.get_columns(MARKS.name)}:
        # Earlier versions kept the digests in the table of marks.
        digests = "SELECT assignment, cell, student, answer FROM hw_grading_mark WHERE answer != ''"
        connection.execute(text(f"INSERT INTO hw_grading_answer {digests}"))
        connection.execute(delete(MARKS).where(MARKS.c.revision == 0))
        connection.execute(text("ALTER TABLE hw_grading_mark DROP COLUMN answer"))
    for table in (one for one in METADATA.sorted_tables if one.name in names):
        for column in _missing(there, table):  # of a later version
            kind = column.type.compile(connection.dialect)
            added = f"ADD COLUMN {column.name} {kind} NOT NULL DEFAULT ''"
            connection.execute(text(f"ALTER TABLE {table.name} {added}"))
    if is_new:
        given = api.SubmittedAssignment
        query = select(api.Assignment.name, given.student_id, given.extension).join(given)
        by = {"author": "nbgrader", "at": now().replace(microsecond=0), "reason": ""}
        for assignment, student, extension in connection.execute(query).all():
            if extension:
                key = {"assignment": assignment, "student": student}
                upsert(connection, EXTENSIONS, key, seconds=extension.total_seconds(), **by)
