"""Reads downloads from a learning platform: untrusted files and zips.

Each file has a size limit, and so has the list of files in each zip. Links are not followed. A file
name cannot lead out of its folder.
"""

import io
import os
import stat
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from hw_support.submission.file import MAX_BYTES, Unreadable
from hw_support.submission.problems import quoted

NOTEBOOK, ZIP = ".ipynb", ".zip"
# Limits in bytes for a zip's list of files. An entry has at least 46 bytes, and the whole list is
# read at once.
MOST_LISTED_BY_PLATFORM, _MOST_LISTED_BY_STUDENT = 50_000_000, 1_000_000
_LONGEST_NAME = 200  # bytes in the name of a file or folder
_NOT_HANDED_IN = ("__MACOSX", ".ipynb_checkpoints")  # folders that operating systems and tools add


@dataclass(frozen=True)
class Upload:
    """One file of one student."""

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


def safe_path(name: str) -> str:
    """Return a path; raise `Unreadable` if it leads out of its folder or is not allowed."""
    parts = name.split("/")
    if any(part in ("", ".", "..") or len(os.fsencode(part)) > _LONGEST_NAME for part in parts):
        raise Unreadable("its path leads out of the folder, or is too long. Rename the file")
    if not name.isprintable() or "\\" in name:
        raise Unreadable("its name has characters that are not allowed. Rename the file")
    return name


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


def files_in(bundle: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    """Yield the files that a person put into a zip, without those that a machine added."""
    yield from (e for e in bundle.infolist() if not (e.is_dir() or is_a_machines(e.filename)))


def is_a_machines(name: str) -> bool:
    """Return whether a program, not a person, put the file at this path into a download."""
    parts = name.split("/")
    return parts[-1].startswith(".") or any(part in _NOT_HANDED_IN for part in parts)


def notebook_in(content: bytes, notebook: str) -> bytes:
    """Return the notebook in a student's zip, as `the_one_of` chooses, or raise `Unreadable`."""
    with opened(io.BytesIO(content), _MOST_LISTED_BY_STUDENT) as bundle:
        files = list(files_in(bundle))
        found = [e for e in files if e.filename.lower().endswith(NOTEBOOK)]
        number = the_one_of([entry.filename for entry in found], notebook)
        if number is None:
            inner = [e for e in files if e.filename.lower().endswith(ZIP)]
            names = ", ".join(quoted(e.filename) for e in (found or inner)[:5])
            if found:
                which = f"{len(found)} ({names}). Keep only the one that counts"
            elif inner:
                which = (
                    f"none, but zips in it ({names}). Unpack them, and collect the notebook under "
                    f"the name <student>_{notebook}{NOTEBOOK}"
                )
            else:
                which = "none. Ask the student for the notebook"
            raise Unreadable(
                f"expected a zip with one notebook, found {which}. If this is a download of many "
                "students' files, rename it: its name looks like one student's"
            )
        return content_of(bundle, found[number])


def the_one_of(names: Sequence[str], notebook: str) -> int | None:
    """Return the index of the only notebook, or of the only one of that name, or None."""
    if len(names) == 1:
        return 0
    named = [n for n, name in enumerate(names) if PurePosixPath(name).name == notebook + NOTEBOOK]
    return named[0] if len(named) == 1 else None


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
