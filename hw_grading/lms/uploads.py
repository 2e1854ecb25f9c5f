"""Reads files from a learning platform, which are not trusted, and says what they are.

Each file has a size limit, and so has the list of files in each zip. Links are not followed. A file
name cannot lead out of its folder.
"""

import io
import os
import stat
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import IO

from hw_grading.lms.roster import Who
from hw_support.submission.file import MAX_BYTES, Unreadable
from hw_support.submission.problems import quoted

NOTEBOOK, ZIP = ".ipynb", ".zip"
# Limits in bytes for a zip's list of files. An entry has at least 46 bytes, and the whole list is
# read at once.
MAX_LISTED_BY_PLATFORM, _MAX_LISTED_BY_STUDENT = 50_000_000, 1_000_000
_MAX_NAME = 200  # bytes in the name of a file or folder
_NOT_HANDED_IN = ("__MACOSX", ".ipynb_checkpoints")  # folders that operating systems and tools add


@dataclass(frozen=True)
class Upload:
    """One file in a download."""

    name: str  # the file's path, as the platform gave it
    read: Callable[[], bytes]  # returns the file's content

    @property
    def suffix(self) -> str:
        """The file name's extension, in lower case."""
        return PurePosixPath(self.name).suffix.lower()

    @property
    def folder(self) -> str:
        """The folder that contains the file."""
        return str(PurePosixPath(self.name).parent)

    @property
    def is_work(self) -> bool:
        """Whether the file can be the graded notebook, or contain it."""
        return self.suffix in (NOTEBOOK, ZIP)


@dataclass(frozen=True)
class Named:
    """What a platform says about a file."""

    group: str  # files of one group are one submission
    who: tuple[Who, ...]  # several students may submit together
    own: str  # the file's name as its student wrote it
    when: datetime | None = None  # None if the platform gives no time
    late: bool | None = None  # True if the platform says so; None if it says nothing
    attempt: int = 0  # grows with each upload; 0 if the platform gives no number


# Returns what a platform says about a file, or None if it is no student's. Raises `Unreadable`.
Naming = Callable[[Upload], Named | None]
# What a platform's own list of the course vouches for, by its number of a student
Accounts = Mapping[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Found:
    """A submission of one student in a download."""

    who: Who
    named: Named
    platform: str  # such as "Canvas"
    file: str  # the download and the path in it
    read: Callable[[], bytes]  # returns the notebook's bytes or raises `Unreadable`


@dataclass(frozen=True)
class LeftOut:
    """A file that is not collected, and why."""

    file: str
    why: str


def why_unsafe(name: str) -> str:
    """Return why a path leads out of its folder or is not allowed; "" if it is safe."""
    parts = name.split("/")
    if any(part in ("", ".", "..") or len(os.fsencode(part)) > _MAX_NAME for part in parts):
        return "its path leads out of the folder, or is too long. Rename the file"
    if not name.isprintable() or "\\" in name:
        return "its name has characters that are not allowed. Rename the file"
    return ""


def opened(file: IO[bytes], most_listed: int) -> zipfile.ZipFile:
    """Open a zip; raise `Unreadable` if it is not one, or its list of files has too many bytes."""
    try:
        # Find the record as `ZipFile` does, which then reads the whole list.
        end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
        if end and end[5] > most_listed:
            raise Unreadable(
                f"expected fewer files in the zip: its list has more than {most_listed:,} bytes"
            )
        return zipfile.ZipFile(file)
    except Unreadable:
        raise
    except Exception as error:  # a hostile zip can raise any error
        raise Unreadable(f"expected a zip, found another file ({quoted(error, 120)})") from None


def is_a_machines(name: str) -> bool:
    """Return whether a program, not a person, put the file at this path into a download."""
    parts = name.split("/")
    return parts[-1].startswith(".") or any(part in _NOT_HANDED_IN for part in parts)


def content_of(bundle: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return the content of a file in a zip; raise `Unreadable` if it is unsafe or too large."""
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise Unreadable("expected a regular file, found a symbolic link")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unreadable("expected an ordinary zip, found another compression. Pack the zip again")
    try:
        with bundle.open(entry) as file:
            content = file.read(MAX_BYTES + 1)
    except Exception as error:  # a hostile zip can raise any error
        raise Unreadable(f"it cannot be read ({quoted(error, 120)})") from None
    if len(content) > MAX_BYTES:
        raise Unreadable(f"expected at most {MAX_BYTES:,} bytes, found more")
    return content


def content_of_work(upload: Upload, notebook: str) -> bytes:
    """Return a file's notebook, the file itself or the one in a zip, or raise `Unreadable`."""
    content = upload.read()
    if upload.suffix != ZIP:
        return content
    with opened(io.BytesIO(content), _MAX_LISTED_BY_STUDENT) as bundle:
        files = [e for e in bundle.infolist() if not (e.is_dir() or is_a_machines(e.filename))]
        found = [e for e in files if e.filename.lower().endswith(NOTEBOOK)]
        the_one = [e for e in found if PurePosixPath(e.filename).name == notebook + NOTEBOOK]
        the_one = found if len(found) == 1 else the_one
        if len(the_one) != 1:
            inner = [e for e in files if e.filename.lower().endswith(ZIP)]
            names = ", ".join(quoted(e.filename) for e in (found or inner)[:5])
            which = f"{len(found)} ({names}). Keep only the one that counts" if found else "none"
            which += f", but zips in it ({names}). Unpack them" if inner and not found else ""
            raise Unreadable(
                f"expected a zip with one notebook, found {which}. If this is a download of many "
                "students' files, rename it: its name looks like one student's"
            )
        return content_of(bundle, the_one[0])
