"""Dump and load a gradebook with PostgreSQL's own programs, `pg_dump` and `pg_restore`."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path

from sqlalchemy import Connection, create_engine, inspect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from hw_grading import DISTRIBUTION
from hw_grading.outcome import GraderFault
from hw_grading.records.database import shown_address
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

_OF_DEBIAN = Path("/usr/lib/postgresql")  # with a folder for each version
_SECONDS_TO_CONNECT = 10


@contextmanager
def connected(url: URL) -> Iterator[Connection]:
    """Yield a connection, and commit at the end; raise `GraderFault`, without the password."""
    try:
        # Without this, messages from a database in another encoding could not be read.
        usual = {"connect_timeout": str(_SECONDS_TO_CONNECT), "client_encoding": "utf8"}
        url = url.update_query_dict({**usual, **url.query})
        engine = create_engine(url, hide_parameters=True, poolclass=NullPool)
    except (ImportError, NoSuchModuleError) as error:
        raise GraderFault(
            f"A gradebook in PostgreSQL needs a package that is not installed ({error}). Write "
            "the address as postgresql+psycopg://… and type: pip install "
            f"'{DISTRIBUTION}[postgresql]'"
        ) from None
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error)
        said = " ".join(said.replace(url.password or "\0", "***").split())[:300]
        raise GraderFault(f"The database {shown_address(url)} cannot be used: {said}") from None
    finally:
        engine.dispose()


def major_version(connection: Connection) -> int:
    """Return the server's major version, such as 15."""
    return int(connection.exec_driver_sql("SHOW server_version_num").scalar() or 0) // 10_000


def encoding(connection: Connection) -> str:
    """Return the database's encoding, which should be "UTF8"."""
    return str(connection.exec_driver_sql("SHOW server_encoding").scalar())


def expect_empty(connection: Connection, url: URL) -> None:
    """Expect a database in UTF-8 without tables, or raise `GraderFault`."""
    make = "createdb --encoding=UTF8 --template=template0 NAME"
    if tables := inspect(connection).get_table_names():
        raise GraderFault(
            f"The database {shown_address(url)} is not empty: it has the table {tables[0]}. "
            f"Nothing was written. Make an empty one: {make}"
        )
    if (found := encoding(connection)) != "UTF8":
        raise GraderFault(
            f"The database {shown_address(url)} stores text as {found}, but names and comments "
            f"need UTF-8. Make another database: {make}"
        )


def url_of(address: str) -> URL:
    """Parse a PostgreSQL database's address, and set the driver that is used here."""
    try:
        url = make_url(address)
    except ArgumentError:
        url = None
    if url is None or url.get_backend_name() not in ("postgresql", "postgres") or not url.database:
        raise Unreadable(
            f"{quoted(address)}: expected the address of a PostgreSQL database, such as "
            "postgresql+psycopg://grader@/ml. See docs/one-server.md for how to make one"
        )
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    return url


def dump(url: URL, file: Path) -> int:
    """Dump a database at one moment into a new file, or raise `GraderFault`; return its version."""
    with connected(url) as connection:
        version = major_version(connection)
        if not inspect(connection).has_table("assignment"):
            raise GraderFault(
                f"The database {shown_address(url)} has no gradebook: run `nbgrader "
                "generate_assignment` first"
            )
    _run("pg_dump", version, url, f"--file={file}", "--format=custom", "--compress=1")
    return version


def load(url: URL, file: Path) -> None:
    """Load a file from `dump` into an empty database, all or nothing, or raise `GraderFault`."""
    with connected(url) as connection:
        expect_empty(connection, url)
        version = major_version(connection)
    _run("pg_restore", version, url, "--single-transaction", "--exit-on-error", str(file))


def client(name: str, server: int) -> tuple[Path | None, int]:
    """Return the best program for a server, and the program's version.

    The server's own version is the best, then the next newer one. An older `pg_dump` refuses to
    read. An older server may not know the statements of a newer `pg_restore`.
    """
    on_path = shutil.which(name)
    # Debian's program on the PATH only starts one of the others, so those come first.
    places = [*sorted(_OF_DEBIAN.glob(f"*/bin/{name}")), *([Path(on_path)] if on_path else [])]
    found = [(_version(place), place) for place in places]
    newer = [one for one in found if one[0] >= server]
    version, best = min(newer, key=itemgetter(0)) if newer else max(found, default=(0, None))
    return best, version


def what_to_install(name: str, found: int, server: int) -> str:
    """Return a sentence if a client is missing or too old, else ""."""
    install = f"On Debian: apt-get install postgresql-client-{server}"
    if not found:
        return f"The program {name} was not found. {install}"
    if found < server:
        return f"{name} has version {found}, older than the server's, {server}. {install}"
    return ""


def _version(program: Path) -> int:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    match = re.search(r"\b(\d+)(?:\.|\b)", done.stdout)
    return int(match[1]) if match and done.returncode == 0 else 0


def _run(name: str, server: int, url: URL, *words: str) -> None:
    program, version = client(name, server)
    if why := what_to_install(name, version, server):
        raise GraderFault(f"The database cannot be dumped or restored: {why}")
    line = [str(program), "--no-password", "--no-owner", "--no-privileges", *words]
    line.append(f"--dbname={_libpq(url)}")
    password = url.password or url.query.get("password")
    environment = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join(done.stderr.split())[-400:] or f"exit status {done.returncode}"
        raise GraderFault(f"{name} failed: {said}")


def _libpq(url: URL) -> str:
    """Return an address for libpq without the password, since all users can see commands."""
    words = {"host": url.host, "port": url.port, "user": url.username, "dbname": url.database}
    words |= {key: v if isinstance(v, str) else ",".join(v) for key, v in url.query.items()}
    given = {key: str(value) for key, value in words.items() if value and key != "password"}
    escaped = {key: re.sub(r"([\\'])", r"\\\1", value) for key, value in given.items()}
    return " ".join(f"{key}='{value}'" for key, value in escaped.items())
