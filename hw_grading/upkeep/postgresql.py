"""A gradebook in PostgreSQL, by PostgreSQL's own programs: `pg_dump` and `pg_restore`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine, inspect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from hw_grading import DISTRIBUTION
from hw_grading.outcome import GraderFault
from hw_grading.records.database import shown_address
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import shown

_OF_DEBIAN = Path("/usr/lib/postgresql")  # where each version has a folder
_SECONDS_TO_CONNECT = 10


@contextmanager
def connected(url: URL) -> Iterator[Connection]:
    """Give a connection to a database; what is written is committed at the end of the block.

    Raises
    ------
    GraderFault
        A package is missing, nobody answers, or a statement fails. The text has no password.
    """
    try:
        # Without an encoding, what a database of another one says could not be read.
        usual = {"connect_timeout": str(_SECONDS_TO_CONNECT), "client_encoding": "utf8"}
        url = url.update_query_dict({**usual, **url.query})
        engine = create_engine(url, hide_parameters=True, poolclass=NullPool)
    except (ImportError, NoSuchModuleError) as error:
        raise GraderFault(
            f"A gradebook in PostgreSQL needs a package that is not installed ({error}). Write "
            f"postgresql+psycopg://… and type: pip install '{DISTRIBUTION}[postgresql]'"
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
    """Return the server's version, such as 15."""
    number = connection.exec_driver_sql("SHOW server_version_num").scalar()
    return int(number or 0) // 10_000


def encoding(connection: Connection) -> str:
    """Return in what the database keeps text: it should be "UTF8"."""
    return str(connection.exec_driver_sql("SHOW server_encoding").scalar())


def expect_empty(connection: Connection, url: URL) -> None:
    """Expect a database without tables.

    Raises
    ------
    GraderFault
        It has some, or keeps text in another encoding than UTF-8.
    """
    if tables := inspect(connection).get_table_names():
        raise GraderFault(
            f"The database {shown_address(url)} is not empty: it has the table {tables[0]}. "
            "Nothing was written. Make an empty one: createdb --encoding=UTF8 --template=template0 "
            "NAME"
        )
    if (found := encoding(connection)) != "UTF8":
        raise GraderFault(
            f"The database {shown_address(url)} keeps text as {found}, and names and comments need "
            "UTF-8. Make another: createdb --encoding=UTF8 --template=template0 NAME"
        )


def url_of(address: str) -> URL:
    """Return a database's address as it was typed, with the driver that is used here.

    Raises
    ------
    Unreadable
        It is no address of a PostgreSQL database.
    """
    try:
        url = make_url(address)
    except ArgumentError:
        url = None
    if url is None or url.get_backend_name() not in ("postgresql", "postgres") or not url.database:
        raise Unreadable(
            f"{shown(address)}: expected the address of a PostgreSQL database, such as "
            "postgresql+psycopg://grader@/ml. docs/one-server.md says how to make one"
        )
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    return url


def dump(url: URL, file: Path) -> int:
    """Write a whole database, as it is at one moment, into a new file; return the server's version.

    Raises
    ------
    GraderFault
        It cannot be reached, it has no gradebook, or `pg_dump` is missing, too old, or fails.
    """
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
    """Read a file that `dump` has written into an empty database: wholly or not at all.

    Raises
    ------
    GraderFault
        The database is not empty, or `pg_restore` is missing, too old, or fails.
    """
    with connected(url) as connection:
        expect_empty(connection, url)
        version = major_version(connection)
    _run("pg_restore", version, url, "--single-transaction", "--exit-on-error", str(file))


def client(name: str, server: int) -> tuple[Path | None, int]:
    """Return the program that fits a server best, and its version.

    The server's own version comes first, then the next newer one: an older `pg_dump` refuses to
    read, and what a newer `pg_restore` says an older server may not know.
    """
    on_path = shutil.which(name)
    places = [Path(on_path)] if on_path else []
    places += sorted(_OF_DEBIAN.glob(f"*/bin/{name}"))
    found = [(_version(place), place) for place in places]
    # Debian's program on the PATH only looks for one of the others.
    newer = sorted(
        (version, place.parent.parent.parent != _OF_DEBIAN, place)
        for version, place in found
        if version >= server
    )
    if newer:
        return newer[0][2], newer[0][0]
    return (max(found)[1], max(found)[0]) if found else (None, 0)


def what_to_install(name: str, found: int, server: int) -> str:
    """Return a sentence for a client that is not good enough, or "" for one that is."""
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
        raise GraderFault(f"The database cannot be written out or read in: {why}")
    line = [str(program), "--no-password", "--no-owner", "--no-privileges", *words]
    line.append(f"--dbname={_libpq(url)}")
    password = url.password or url.query.get("password")
    environment = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join(done.stderr.split())[-400:] or f"exit status {done.returncode}"
        raise GraderFault(f"{name} failed: {said}")


def _libpq(url: URL) -> str:
    """Return an address in libpq's own words, without the password: anybody can see commands."""
    words = {"host": url.host, "port": url.port, "user": url.username, "dbname": url.database}
    words |= {key: v if isinstance(v, str) else ",".join(v) for key, v in url.query.items()}
    given = {key: str(value) for key, value in words.items() if value and key != "password"}
    escaped = {key: re.sub(r"([\\'])", r"\\\1", value) for key, value in given.items()}
    return " ".join(f"{key}='{value}'" for key, value in escaped.items())
