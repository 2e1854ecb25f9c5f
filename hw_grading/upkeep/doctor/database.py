"""The gradebook's database."""

import contextlib
import os
import sqlite3
import time
from pathlib import Path
from typing import Any

import psutil
from nbgrader import api
from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from hw_grading.gradebook.database import Unavailable, engine_of, shown_address
from hw_grading.homework.course import Course
from hw_grading.upkeep.doctor.folders import typed
from hw_support.desk.doctor import Line
from hw_support.failures import one_line

_WHAT = "gradebook"
_NOT_YET = "`python -m hw_grading release HOMEWORK` makes it"
_OTHER_VERSION = "Another version of nbgrader made it. Make a backup, then: nbgrader db upgrade"
_RECIPE = "docs/one-server.md"
_SEVERAL = 3  # graders, who may each run a server
_SECONDS = 5
_LONGEST = 300  # characters of a database's message
_SECONDS_OFF = 60
_ON_NETWORK = ("nfs", "cifs", "smb", "afs", "ceph", "lustre", "gpfs", "beegfs", "9p", "fuse.sshfs")


def gradebook(course: Course) -> Line:
    """Check whether the gradebook can be reached, read and written."""
    url = make_url(course.db_url)
    if url.get_backend_name() == "sqlite":
        return Line(_WHAT, *_sqlite(Path(url.database or "")))
    if url.get_backend_name() == "postgresql":
        return Line(_WHAT, *_connected(url))
    found = f"{url.get_backend_name()}, which is not tested"
    return Line(_WHAT, found, "Use SQLite or PostgreSQL: c.CourseDirectory.db_url.")


def _sqlite(path: Path) -> tuple[str, str | None]:
    """Return what was found, and what to do if it is not fine."""
    found = f"SQLite, {path}"
    folder = path.parent
    if not folder.is_dir():
        return found, f"There is no folder {folder}. Type: mkdir -p {typed(folder)}"
    if not os.access(folder, os.W_OK):  # a journal is written beside it
        return found, f"You have no permission to write to {folder}. Type: ls -ld {typed(folder)}"
    kind = file_system(folder)
    on_network = kind.startswith(_ON_NETWORK)
    if not path.exists():
        found += f", not there yet ({_NOT_YET})"
        return found, _not_on(kind) if on_network else None
    if not os.access(path, os.W_OK):
        return found, f"You have no permission to write to it. Type: chmod u+w {typed(path)}"
    try:
        facts = _asked(path)
    except sqlite3.Error as error:
        return found, (
            f"It cannot be read ({error}). If a grading run uses it, try again later; otherwise "
            f"put a backup back ({_RECIPE})."
        )
    found += f", journal {facts['journal']}"
    if facts["check"] != "ok":
        return f"{found}: {facts['check']}", f"It is damaged. Put a backup back ({_RECIPE})."
    if facts["version"] is None:
        return f"{found}, empty ({_NOT_YET})", None
    if facts["version"] != api.get_alembic_version():
        return found, _OTHER_VERSION
    if on_network:
        return found, _not_on(kind)
    if facts["graders"] >= _SEVERAL:
        found += f", {facts['graders']} graders: if each runs their own server, move it to "
        found += f"PostgreSQL ({_RECIPE})"
    return found, None


def _not_on(kind: str) -> str:
    return (
        f"It is on a network file system ({kind}), where SQLite's locks may fail. Move it to a "
        f"disk of this machine (c.CourseDirectory.db_url), or to PostgreSQL ({_RECIPE})."
    )


def _asked(path: Path) -> dict[str, Any]:
    address = f"{path.absolute().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True, timeout=_SECONDS)) as db:

        def one(query: str) -> Any:
            return (db.execute(query).fetchone() or [None])[0]

        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
        of_version, of_graders = "alembic_version" in tables, "hw_grading_event" in tables
        return {
            "journal": one("PRAGMA journal_mode"),
            "check": one("PRAGMA quick_check(1)"),
            "version": one("SELECT version_num FROM alembic_version") if of_version else None,
            "graders": one("SELECT count(DISTINCT grader) FROM hw_grading_event")
            if of_graders
            else 0,
        }


def _connected(url: URL) -> tuple[str, str | None]:
    # Without this encoding, messages from a database in another one could not be read.
    usual = {"connect_timeout": str(_SECONDS), "client_encoding": "utf8"}
    try:
        with engine_of(url.update_query_dict({**usual, **url.query})).connect() as connection:
            return _postgresql(connection, url)
    except (Unavailable, SQLAlchemyError) as error:
        said = str(getattr(error, "orig", None) or error).replace(url.password or "\0", "***")
        return f"PostgreSQL, {shown_address(url)}", f"{one_line(said, _LONGEST)}. See {_RECIPE}."


def _postgresql(connection: Connection, url: URL) -> tuple[str, str | None]:
    found = f"PostgreSQL, {shown_address(url)}"
    if (encoding := connection.scalar(text("SHOW server_encoding"))) != "UTF8":
        return found, f"It stores text as {encoding}. Make another database, in UTF-8 ({_RECIPE})."
    if not connection.scalar(text("SELECT has_schema_privilege(current_schema(), 'CREATE')")):
        role = connection.scalar(text("SELECT current_user"))
        grant = f"GRANT CREATE ON SCHEMA public TO {role};"
        advice = f"You have no permission to make tables in it. As its owner, type in psql: {grant}"
        return found, advice
    there = connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())"))
    if (off := abs(float(there or 0) - time.time())) > _SECONDS_OFF:
        found += f", whose clock differs by {off:,.0f} s"
        return found, "Type on both machines: timedatectl set-ntp true"
    if not inspect(connection).has_table("alembic_version"):
        return f"{found}, empty ({_NOT_YET})", None
    made_by = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if made_by != api.get_alembic_version():
        return found, _OTHER_VERSION
    return f"{found}, UTF-8", None


def file_system(folder: Path) -> str:
    """Return a folder's kind of file system, such as "ext4"; "" if unknown."""
    real = folder.resolve()
    around = [p for p in psutil.disk_partitions(all=True) if real.is_relative_to(p.mountpoint)]
    around.sort(key=lambda part: len(part.mountpoint))  # of mounts over each other, the last counts
    return str(around[-1].fstype) if around else ""
