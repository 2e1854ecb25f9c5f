"""Writes one file with all data of a course that cannot be generated again.

docs/one-server.md lists what is in it.

The order matters while the course is being graded. Graded notebooks are read before the gradebook,
and everything else after it. So the backup may hold scores without a notebook, as after a power
cut. The next `nbgrader autograde` repairs that. It never holds a graded notebook without scores.
"""

import contextlib
import os
import platform
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from hw_grading import DISTRIBUTION
from hw_grading.batch.lock import shared_or_busy
from hw_grading.batch.scratch import work_folder
from hw_grading.batch.settings import WholeClass
from hw_grading.homework.course import CONFIG, Course, fixed_folder
from hw_grading.outcome import GraderFault
from hw_grading.upkeep import archive, postgresql
from hw_grading.upkeep.archive import LeftOut
from hw_support.submission.file import Unreadable

FOLDER = "backups"
IN_COURSE, OUTSIDE, SECRET = "course", "outside", "course.secret"
SQLITE, POSTGRESQL = "gradebook.db", "gradebook.dump"
_WORK = ".backup-"
_SECONDS_FOR_GRADEBOOK = 600
_GRADED = "autograded"
_STEPS = ("submitted", "source", "release")
_NOT_KEPT = ("__pycache__", ".gitkeep")
_UNFINISHED = ".part"


@dataclass(frozen=True)
class Made:
    """A backup that was written and then verified."""

    path: Path
    files: int
    bytes_in_all: int  # before compression
    left_out: tuple[LeftOut, ...]  # the files that are not in it
    was_being_graded: bool


@dataclass(frozen=True)
class _Part:
    name: str
    path: Path
    not_kept: tuple[str, ...] = _NOT_KEPT
    is_first: bool = False  # read before the gradebook


def back_up(course: Course, to: Path | None = None) -> Made:
    """Write a backup, read it again to verify it, and only then give it its name.

    `to` is the file, or a folder for it; by default `backups/` in the course. Raises
    `Unreadable`, `GraderFault` or `OSError`. No part of a backup that cannot be made is left.
    """
    now = datetime.now(UTC)
    target = _target(course, to, now)
    parts = _parts(course)
    for part in parts:
        if _is_within(target, part.path):
            raise Unreadable(
                f"{target} is in {part.path}, which the backup contains. Choose another place"
            )
    graded = fixed_folder(course.directory, course.directory.autograded_directory)
    with (
        contextlib.nullcontext() if to is not None else _of_ours(target.parent),
        work_folder(target.parent, _WORK) as work,
        shared_or_busy(graded) as is_being_graded,
    ):
        file = work / target.name
        with open(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            with archive.Writer(stream, work) as writer:
                facts = {
                    "made": now.isoformat(timespec="seconds"),
                    "grader": metadata.version(DISTRIBUTION),
                    "python": platform.python_version(),
                    **_write(writer, course, parts, work),
                    "was_being_graded": is_being_graded,
                }
                writer.finish(facts)
            stream.flush()
            os.fsync(stream.fileno())
        contents = archive.read(file)
        _publish(file, target)
    left_out = tuple(writer.left_out)
    return Made(target, len(contents.digests), contents.bytes_in_all, left_out, is_being_graded)


def _write(
    writer: archive.Writer, course: Course, parts: list[_Part], work: Path
) -> dict[str, Any]:
    """Write all parts in order; return the facts for the list."""
    for part in (part for part in parts if part.is_first):
        writer.add(part.name, part.path, part.not_kept)
    url = make_url(course.db_url)
    database: dict[str, Any] = {"kind": url.get_backend_name(), "path": None}
    if database["kind"] == "sqlite":
        gradebook = Path(url.database or "")
        if _is_within(gradebook, course.root):
            database["path"] = os.path.relpath(gradebook, course.root)
        name, copy = SQLITE, work / SQLITE
        copy_sqlite(gradebook, copy)
    elif database["kind"] == "postgresql":
        name, copy = POSTGRESQL, work / POSTGRESQL
        database["version"] = postgresql.dump(url, copy)
    else:
        raise GraderFault(f"A gradebook in {database['kind']} cannot be backed up")
    writer.add(name, copy)
    copy.unlink()
    for part in (part for part in parts if not part.is_first):
        writer.add(part.name, part.path, part.not_kept)
    return {
        "course_id": course.directory.course_id,
        "root": str(course.root),
        "database": database,
        "parts": [part.name for part in parts],
        "outside": {p.name: str(p.path) for p in parts if p.name.startswith(f"{OUTSIDE}/")},
        "left_out": [[one.name, one.why] for one in writer.left_out],
    }


def copy_sqlite(gradebook: Path, copy: Path) -> None:
    """Copy a gradebook at one moment, even while others write to it, or raise `Unreadable`."""
    if not gradebook.is_file():
        raise Unreadable(
            f"There is no gradebook {gradebook}, so there is nothing to back up yet. If you "
            "expected one, check c.CourseDirectory.db_url in nbgrader_config.py"
        )
    until = time.monotonic() + _SECONDS_FOR_GRADEBOOK

    def give_up(status: int, remaining: int, total: int) -> None:
        if status != sqlite3.SQLITE_DONE and time.monotonic() > until:
            raise TimeoutError(f"it has been locked for {_SECONDS_FOR_GRADEBOOK} s")

    address = f"{gradebook.absolute().as_uri()}?mode=ro"
    try:
        with (
            contextlib.closing(sqlite3.connect(address, uri=True)) as old,
            contextlib.closing(sqlite3.connect(copy)) as new,
        ):
            old.backup(new, progress=give_up)
            found = new.execute("PRAGMA quick_check(1)").fetchone()[0]
    except (sqlite3.Error, TimeoutError) as error:
        raise Unreadable(f"The gradebook {gradebook} cannot be copied: {error}") from error
    if found != "ok":
        raise Unreadable(f"The gradebook {gradebook} is damaged, so no backup was made: {found}")


def _parts(course: Course) -> list[_Part]:
    root, directory = course.root, course.directory
    whole_class = WholeClass(config=course.config)
    steps = {name: getattr(directory, f"{name}_directory") for name in (_GRADED, *_STEPS)}
    folders = {name: fixed_folder(directory, step) for name, step in steps.items()}
    folders |= {"staff": root / "staff", "grading": root / "grading"}
    folders["results"] = whole_class.place(root)
    parts: list[_Part] = []
    for name, folder in folders.items():
        if os.path.realpath(folder) == os.path.realpath(root):
            raise GraderFault(
                "c.CourseDirectory.directory_structure in nbgrader_config.py does not give each "
                "step its own folder, which a backup needs. Begin it with {nbgrader_step}, as "
                "nbgrader's default does"
            )
        not_kept = _NOT_KEPT + ((_UNFINISHED,) if name in ("grading", "results") else ())
        if folder.is_dir() and not any(_is_within(folder, part.path) for part in parts):
            inside = f"{OUTSIDE}/{name}"
            if _is_within(folder, root):
                inside = f"{IN_COURSE}/{Path(os.path.relpath(folder, root)).as_posix()}"
            parts.append(_Part(inside, folder, not_kept, name == _GRADED))
    files = [root / f"{CONFIG}{suffix}" for suffix in (".py", ".json")]
    files += sorted(path for path in root.glob("*.csv") if not path.is_symlink())
    parts += [_Part(f"{IN_COURSE}/{file.name}", file) for file in files if file.is_file()]
    secret = whole_class.secret(root, directory.course_id)
    if secret.is_file():
        parts.append(_Part(SECRET, secret))
    return parts


def _target(course: Course, to: Path | None, now: datetime) -> Path:
    readable = "".join(c for c in course.directory.course_id if c.isalnum() or c in "-_")[:40]
    name = f"{readable or 'course'}-{now:%Y-%m-%dT%H%M%SZ}.tar.gz"
    to_file = to / name if to and to.is_dir() else to
    target = Path(os.path.abspath(to_file or course.root / FOLDER / name))
    if to is not None and not target.parent.is_dir():
        raise Unreadable(f"The folder {target.parent} for the backup does not exist. Make it first")
    if os.path.lexists(target):
        raise Unreadable(
            f"{target} exists already, and this command overwrites no backup. Choose another name"
        )
    return target


@contextlib.contextmanager
def _of_ours(folder: Path) -> Iterator[None]:
    """Make the course's folder for backups, and remove it if it stays empty."""
    folder.mkdir(mode=0o700, exist_ok=True)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _publish(file: Path, target: Path) -> None:
    """Give a finished file its name, unless another file has it by now."""
    try:
        os.link(file, target)
    except FileExistsError:
        raise Unreadable(
            f"{target} was made in the meantime, and this command overwrites no backup. Choose "
            "another name"
        ) from None
    except OSError:  # a file system without links
        os.rename(file, target)
    folder = os.open(target.parent, os.O_RDONLY)
    with contextlib.suppress(OSError):
        os.fsync(folder)
    os.close(folder)


def _is_within(path: Path, folder: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
