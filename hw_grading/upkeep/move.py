"""Moves a gradebook from a file (SQLite) to PostgreSQL, in one transaction.

Tables are made as the code of nbgrader and of this project describes them, so that booleans, times
and durations have the right types. Any other table, such as alembic's, is made as in the file.
Afterwards both databases are compared, row by row.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader import api
from sqlalchemy import Connection, MetaData, String, Table, func, inspect, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

# Some of these imports only declare tables.
import hw_grading.final_scores.corrections
import hw_grading.records.extensions
import hw_grading.rubrics.tables  # noqa: F401
from hw_grading.batch.lock import course_locked
from hw_grading.homework.course import Course, fixed_folder
from hw_grading.homework.order import CELL_ORDER
from hw_grading.outcome import GraderFault
from hw_grading.records.database import METADATA, engine_of, shown_address
from hw_grading.upkeep import postgresql
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

# These describe every table of this project. A test looks for others.
DESCRIBED: tuple[MetaData, ...] = (api.Base.metadata, METADATA, CELL_ORDER.metadata)
_ROWS_AT_ONCE = 1_000
_INSTEAD_OF_NULL = "\N{REPLACEMENT CHARACTER}"  # PostgreSQL has no text with a null character


@dataclass(frozen=True)
class Moved:
    """A gradebook that was moved."""

    old: Path  # the file, which is unchanged
    new: URL  # the database's address, without a password
    rows: dict[str, int]  # their number by table
    without_null: int  # the number of rows in which a null character was replaced
    has_password: bool  # whether the given address had one


def move(course: Course, address: str) -> Moved:
    """Copy a course's gradebook, a file, into an empty database; the file is unchanged.

    Raises `Unreadable` or `GraderFault` if it was not moved. Then the new database is unchanged.
    """
    url = postgresql.url_of(address)
    old = _file_of(course)
    graded = fixed_folder(course.directory, course.directory.autograded_directory)
    with contextlib.ExitStack() as stack:
        if graded.is_dir():
            stack.enter_context(course_locked(course.root, graded))
        source = stack.enter_context(_held(old))
        target = stack.enter_context(postgresql.connected(url))
        postgresql.expect_empty(target, url)
        tables = _tables(source)
        for table in tables:
            _expect_fit(source, table, old)
        _expect_no_orphans(source, tables, old)
        _make(source, target, tables)
        replaced = sum(_copy(source, target, table) for table in tables)
        rows = {table.name: _compare(source, target, table) for table in tables}
    new = url.difference_update_query(["password"])._replace(password=None)
    return Moved(old, new, rows, replaced, bool(url.password or url.query.get("password")))


def _file_of(course: Course) -> Path:
    url = make_url(course.db_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise Unreadable(
            f"The settings name {shown_address(url)}, which is not a file: there is nothing to move"
        )
    path = Path(url.database)
    if not path.is_file():
        raise Unreadable(
            f"There is no gradebook {path}, so there is nothing to move. Write the new address "
            "into nbgrader_config.py, and run `nbgrader generate_assignment`"
        )
    return path


@contextlib.contextmanager
def _held(path: Path) -> Iterator[Connection]:
    """Lock a gradebook for other writers, and change nothing in it."""
    engine = engine_of(URL.create("sqlite", database=str(path)))
    try:
        with engine.connect().execution_options(writes=True) as connection:
            version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            if version != api.get_alembic_version():
                raise Unreadable(
                    f"{path} was made by another version of nbgrader. Make a backup (python -m "
                    "hw_grading backup), type `nbgrader db upgrade`, then move it"
                )
            yield connection
            connection.rollback()
    except SQLAlchemyError as error:
        said = " ".join(str(getattr(error, "orig", None) or error).split())[:200]
        raise Unreadable(f"The gradebook {path} cannot be moved: {said}") from error
    finally:
        engine.dispose()


def _tables(source: Connection) -> list[Table]:
    """Return the tables of a gradebook, each after the tables that it refers to."""
    there = set(inspect(source).get_table_names())
    found = [t for metadata in DESCRIBED for t in metadata.sorted_tables if t.name in there]
    others = MetaData()
    for name in sorted(there - {table.name for table in found}):
        table = Table(name, others, autoload_with=source, resolve_fks=False)
        for column in table.columns:
            column.type = column.type.as_generic(allow_nulltype=True)
            column.server_default = None  # in SQLite's dialect
    return found + others.sorted_tables


def _expect_fit(source: Connection, table: Table, path: Path) -> None:
    """Expect that PostgreSQL, which is stricter than SQLite, accepts a table's rows."""
    there = {column["name"] for column in inspect(source).get_columns(table.name)}
    if odd := sorted(there ^ {column.name for column in table.columns}):
        raise Unreadable(
            f"{path}: the table {table.name} has columns that this version of the grader does "
            f"not know ({odd[0]}). Type `nbgrader db upgrade`, open the desk once, then move it"
        )
    for column in table.columns:
        limit = column.type.length if isinstance(column.type, String) else None
        if limit is None:
            continue
        query = select(column).where(func.length(column) > limit).limit(1)
        if (long := source.execute(query).scalar()) is not None:
            raise Unreadable(
                f"{path}: in the table {table.name} a {column.name} has {len(long)} characters "
                f"({quoted(long)}), but PostgreSQL stores at most {limit}. Make it shorter first"
            )


def _expect_no_orphans(source: Connection, tables: list[Table], path: Path) -> None:
    """Expect that all rows refer to existing rows, which SQLite does not enforce."""
    deletes = []
    for table in tables:
        for foreign in table.foreign_keys:
            mine, theirs = foreign.parent, foreign.column
            is_known = select(theirs).where(theirs == mine).correlate(table).exists()
            lost = select(func.count()).select_from(table).where(mine.is_not(None), ~is_known)
            if source.execute(lost).scalar():
                deletes.append(
                    f"DELETE FROM {table.name} WHERE {mine.name} NOT IN "
                    f"(SELECT {theirs.name} FROM {theirs.table.name});"
                )
    if deletes:
        raise Unreadable(
            f"{path} has rows that refer to deleted rows, which PostgreSQL refuses. Make a "
            f'backup, then remove them: sqlite3 {path} "{" ".join(deletes)}" Then move it again'
        )


def _make(source: Connection, target: Connection, tables: list[Table]) -> None:
    """Make the tables, with the indexes that the file's tables have."""
    for metadata in dict.fromkeys(table.metadata for table in tables):
        metadata.create_all(target, tables=[one for one in tables if one.metadata is metadata])
    quoted = target.dialect.identifier_preparer.quote
    for table in tables:  # without them, a large class is slow
        known = {index["name"] for index in inspect(target).get_indexes(table.name)}
        for index in inspect(source).get_indexes(table.name):
            name, columns = index["name"], index["column_names"]
            if name in known or not name or index["unique"] or None in columns:
                continue
            listed = ", ".join(quoted(str(column)) for column in columns)
            target.execute(text(f"CREATE INDEX {quoted(name)} ON {quoted(table.name)} ({listed})"))


def _copy(source: Connection, target: Connection, table: Table) -> int:
    """Copy a table's rows; return the number of rows with a replaced null character."""
    replaced = 0
    names = [column.name for column in table.columns]
    for rows in _rows(source, table):
        fitting = [_without_null(row) for row in rows]
        replaced += sum(new != old for new, old in zip(fitting, rows, strict=True))
        target.execute(table.insert(), [dict(zip(names, row, strict=True)) for row in fitting])
    if (column := table.autoincrement_column) is not None:
        name = target.dialect.identifier_preparer.quote(table.name)
        sequence = target.execute(select(func.pg_get_serial_sequence(name, column.name))).scalar()
        highest = target.execute(select(func.max(column))).scalar()
        if sequence and highest:
            target.execute(select(func.setval(sequence, highest)))
    return replaced


def _compare(source: Connection, target: Connection, table: Table) -> int:
    """Compare a table in both databases, and return its number of rows."""
    count, digest = _digest(source, table)
    if (count, digest) != (found := _digest(target, table)):
        raise GraderFault(
            f"The table {table.name} has {count} rows, but its copy differs (rows: {found[0]}). "
            "Nothing was moved. This is a bug of this program: please report it"
        )
    return count


def _digest(connection: Connection, table: Table) -> tuple[int, int]:
    """Return the number of rows and the sum of their digests, which ignores the order."""
    count = total = 0
    for rows in _rows(connection, table):
        for row in rows:
            count += 1
            digest = hashlib.sha256(repr(_without_null(row)).encode("utf-8", "surrogatepass"))
            total += int.from_bytes(digest.digest(), "big")
    return count, total


def _rows(connection: Connection, table: Table) -> Iterator[list[tuple[Any, ...]]]:
    result = connection.execute(select(table), execution_options={"yield_per": _ROWS_AT_ONCE})
    try:
        for rows in result.partitions():
            yield [tuple(row) for row in rows]
    except (ValueError, TypeError, LookupError) as error:
        raise Unreadable(
            f"The table {table.name} has a value of another type than its column: {error}"
        ) from error


def _without_null(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(v.replace("\0", _INSTEAD_OF_NULL) if isinstance(v, str) else v for v in row)
