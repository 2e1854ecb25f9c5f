"""The gradebook's database with our own tables, and our transactions in it.

Our tables are created after nbgrader's: in a database that is not empty, nbgrader would not set its
schema version.
"""

import contextlib
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbgrader import api
from sqlalchemy import event, inspect, select
from sqlalchemy.engine import URL, Connection, Engine, create_engine, make_url
from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from hw_grading import DISTRIBUTION
from hw_grading.gradebook.tables import is_complete, make_tables
from hw_support.submission.file import UserError

SECONDS_TO_WAIT = 20  # how long to wait for another writer of an SQLite gradebook
_HOW_TO_GET_ONE = (
    "Put it back from a backup, if there is one. Or type `hw-grading release`, which makes it"
)
_LOCK = 7_402_118  # key of our advisory lock in PostgreSQL; any number


def shown_address(url: URL) -> str:
    """Return a gradebook's address without secrets: options may contain a password too."""
    if url.get_backend_name() == "sqlite":
        return url.database or ":memory:"
    return url.set(query={}).render_as_string(hide_password=True)


class Unavailable(UserError):
    """The gradebook could not be read or written. Nothing was saved. The text says why."""


class Database:
    """A gradebook's database with our own tables; its methods raise `Unavailable`."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._engine: Engine | None = None
        self._file: tuple[int, int] | None = None  # the SQLite file that the engine was made for

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees one consistent snapshot of the gradebook."""
        with self._failures(), self._ready().connect() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def writing(self, seconds: float | None = None) -> Iterator[Connection]:
        """Yield a connection with a write transaction, of which only one runs at a time.

        It waits for other writers as long as `SECONDS_TO_WAIT`, or only these `seconds`.
        """
        with self._failures(), _locked(self._ready(), seconds) as connection:
            yield connection

    def make_tables(self) -> None:
        """Create our own tables where they are missing."""
        with self._failures():
            self._ready()
        self.close()

    def expect_homework(self, assignment: str) -> None:
        """Raise `Unavailable` unless a homework was released with this gradebook."""
        with self.reading() as connection:
            found = _has(connection, assignment)
        self.close()
        if not found:
            where = shown_address(self._url)
            raise Unavailable(f"The gradebook {where} has no {assignment}. {_HOW_TO_GET_ONE}")

    def has_homework(self, assignment: str) -> bool:
        """Whether a homework was released with this gradebook; makes neither file nor table."""
        try:
            with self._failures():
                _file_of(self._url)
                with engine_of(self._url).connect() as connection:
                    return _has(connection, assignment)
        except Unavailable:
            return False

    def close(self) -> None:
        """Close all connections."""
        if self._engine is not None:
            self._engine.dispose()

    def _ready(self) -> Engine:
        file = _file_of(self._url)
        if self._engine is None or self._file != file:  # the file was replaced by another gradebook
            engine = engine_of(self._url)
            if not inspect(engine).has_table(api.Assignment.__tablename__):
                raise Unavailable(
                    f"The gradebook {shown_address(self._url)} is empty. {_HOW_TO_GET_ONE}"
                )
            if not is_complete(inspect(engine)):
                with _locked(engine) as connection:
                    make_tables(connection)
            self._engine, self._file = engine, file
        return self._engine

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            self._engine = None  # the next call checks again that all tables exist
            said = str(getattr(error, "orig", None) or error)
            why = _why(said.replace(self._url.password or "\0", "***"))
            raise Unavailable(
                f"The gradebook {shown_address(self._url)} cannot be used: {why}. Nothing was "
                "saved. Try again."
            ) from error


def _has(connection: Connection, assignment: str) -> bool:
    notebooks = select(api.Notebook.id).join(api.Assignment)
    return bool(connection.execute(notebooks.where(api.Assignment.name == assignment)).first())


def _file_of(url: URL) -> tuple[int, int] | None:
    """Return the device and inode of an SQLite gradebook; None for another kind of database."""
    if url.get_backend_name() != "sqlite":
        return None
    try:
        about = Path(url.database or "").stat()
    except OSError:
        about = None
    if about is None or not stat.S_ISREG(about.st_mode):
        raise Unavailable(f"There is no gradebook {shown_address(url)}. {_HOW_TO_GET_ONE}")
    return about.st_dev, about.st_ino


def engine_of(url: URL) -> Engine:
    """Return an engine. In SQLite, a connection with the option ``writes`` locks others out."""
    if url.get_backend_name() != "sqlite":
        try:
            return create_engine(url, pool_pre_ping=True, hide_parameters=True)
        except (ImportError, NoSuchModuleError) as error:
            raise Unavailable(
                f"The gradebook {shown_address(url)} needs a package that is not installed "
                f"({error}). For PostgreSQL, write the address as postgresql+psycopg://… and "
                f"install psycopg: pip install '{DISTRIBUTION}[postgresql]'"
            ) from None
    # No pool: a pooled connection would keep writing to a file that was deleted or replaced.
    waits = {"timeout": SECONDS_TO_WAIT}
    engine = create_engine(url, connect_args=waits, hide_parameters=True, poolclass=NullPool)

    # Python's driver begins a transaction only at the first change. Data read before it may be out
    # of date by then. So each transaction is begun explicitly.
    @event.listens_for(engine, "connect")
    def leave_transactions_alone(connection: Any, _: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if seconds := options.get("seconds"):
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {round(1000 * seconds)}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")

    return engine


@contextlib.contextmanager
def _locked(engine: Engine, seconds: float | None = None) -> Iterator[Connection]:
    options = {"writes": True, "seconds": seconds}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            if seconds:
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(1000 * seconds)}")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        yield connection


def _why(said: str) -> str:
    lower = said.lower()
    if "locked" in lower:
        return f"it has been locked for {SECONDS_TO_WAIT} s"
    if any(words in lower for words in ("readonly", "read-only", "permission")):
        return "you have no permission to write to it"
    if any(words in lower for words in ("is full", "no space", "disk full")):
        return "its disk is full"
    return " ".join(said.split())[:200]
