"""Writes one zip of all data of a course that cannot be made again.

Graded notebooks are read before the gradebook, all else after it. So a backup that was made during
grading may hold scores without a notebook, as after a power cut: `nbgrader autograde` repairs that.
"""

import errno
import os
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from sqlalchemy.engine import make_url
from tqdm import tqdm

from hw_grading.grade.settings import WholeClass
from hw_grading.gradebook.database import shown_address
from hw_grading.homework.course import CONFIG, Course, fixed_folder
from hw_grading.homework.layout import STAFF
from hw_support.submission.file import UserError

_OF_A_GRADEBOOK = ("", "-journal", "-wal", "-shm")  # endings of SQLite's files
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def back_up(course: Course, to: Path | None = None) -> tuple[Path, list[str]]:
    """Write a backup, which gets its name when it is complete; raise `UserError` if that fails.

    `to` is a folder for it. Returns the file, and a line for each file left out.
    """
    root, url = Path(os.path.abspath(course.root)), make_url(course.db_url)
    book = Path(url.database or "") if url.get_backend_name() == "sqlite" else None
    left_out = [] if book else [f"the gradebook {shown_address(url)}: copy it with pg_dump"]
    target = Path(os.path.abspath(to or root / "backups"))
    target /= f"{root.name}-{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.zip"
    parts = list(_parts(course))
    if around := [path for path in parts if target.resolve().is_relative_to(path.resolve())]:
        raise UserError(f"{target} is in {around[0]}, which is backed up. Choose another place")
    try:
        target.parent.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as work:
            file, copy = Path(work, target.name), Path(work, "gradebook")
            file.touch(mode=0o600)
            with ZipFile(file, "w", ZIP_DEFLATED, strict_timestamps=False) as archive:
                left_out += _add(archive, root, parts[0], book)
                if book:
                    address = f"{book.absolute().as_uri()}?mode=ro"
                    with closing(sqlite3.connect(address, uri=True, timeout=600)) as db:
                        db.execute("VACUUM INTO ?", (str(copy),))  # as it is at one moment
                    copy.chmod(book.stat().st_mode)
                    archive.write(copy, _name(root, book))
                for part in parts[1:]:
                    left_out += _add(archive, root, part, book)
            with file.open("rb") as stream:
                os.fsync(stream.fileno())
            os.rename(file, target)
    except (OSError, sqlite3.Error) as error:
        why = getattr(error, "strerror", None) or f"the gradebook {book}: {error}"
        raise UserError(f"The backup {target} cannot be written: {why}") from error
    return target, left_out


def _parts(course: Course) -> Iterator[Path]:
    """Yield the files and folders that are backed up, the graded notebooks first."""
    directory, root, settings = course.directory, course.root, WholeClass(config=course.config)
    steps = ("autograded", "submitted", "source", "release")
    parts = [fixed_folder(directory, getattr(directory, f"{step}_directory")) for step in steps]
    parts += [root / STAFF, root / "grading", settings.place(root), *root.glob("*.csv")]
    parts += [*root.glob(f"{CONFIG}.*"), *course.folder.glob(f"{CONFIG}.*")]
    there = dict.fromkeys(Path(os.path.abspath(part)) for part in parts)
    return (part for part in there if not there.keys() & set(part.parents))


def _name(root: Path, path: Path) -> str:
    name = path.relative_to(root) if path.is_relative_to(root) else f"outside{path}"
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _add(archive: ZipFile, root: Path, part: Path, book: Path | None) -> list[str]:
    """Add a file, or a folder with all its content; return a line for each that is left out."""
    left_out, waiting = [], [part.resolve()] if part.exists() else []
    with tqdm(desc=part.name, unit=" files", disable=None, file=sys.stderr, leave=False) as bar:
        while waiting:
            place = waiting.pop()
            path = part / place.relative_to(part.resolve())
            if book and str(path) in {f"{book}{ending}" for ending in _OF_A_GRADEBOOK}:
                continue  # the copy is there, to which no journal belongs
            try:
                if place.is_symlink() or not (place.is_file() or place.is_dir()):
                    raise OSError("it is a link, or no regular file")
                archive.write(place, _name(root, path))
                waiting += [place / name for name in os.listdir(place)] if place.is_dir() else []
            except (OSError, ValueError, OverflowError) as error:  # the last two: of its time
                if getattr(error, "errno", None) in _FULL:
                    raise
                left_out.append(f"{path}: {getattr(error, 'strerror', None) or error}")
            bar.update()
    return left_out
