"""The content of a platform's download: each student's files, and the files left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from hw_grading.records.downloads import NOTEBOOK, ZIP, Upload, notebook_in, the_one_of
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted


@dataclass(frozen=True)
class Who:
    """A student, as the platform names them."""

    said: str  # the name for messages
    # Pairs of a roster's column and a value in it, the most certain first
    keys: tuple[tuple[str, str], ...]
    or_else: tuple[str, ...] = ()  # other possible Canvas ids in the same file name
    canvas_name: str = ""  # the text before the id in such a name


@dataclass(frozen=True)
class Found:
    """A notebook in a download."""

    who: Who
    platform: str  # such as "Canvas"
    file: str  # the download and the path in it
    read: Callable[[], bytes]  # returns the notebook's bytes or raises `Unreadable`
    when: datetime | None = None  # None if the platform gives none
    late: bool | None = None  # True if the platform says so; None if it says nothing
    attempt: int = 0  # grows with each upload; 0 if the platform gives no number


@dataclass(frozen=True)
class LeftOut:
    """A file that is not collected, and why."""

    file: str
    why: str


# What a platform's `sort` returns.
Sorted = tuple[list[Found], list[LeftOut]]


def is_work(upload: Upload) -> bool:
    """Whether a file can be the graded notebook, or contain it."""
    return upload.suffix in (NOTEBOOK, ZIP)


def not_work(upload: Upload) -> str:
    """Return why a file is left out, if its student submitted nothing that can be graded."""
    return f"expected a notebook or a zip, found {quoted(upload.suffix or 'no ending')}"


def work_of_one(uploads: Sequence[Upload], notebook: str) -> Upload:
    """Return the file of one student to grade; a zip only if there is no notebook.

    Raises `Unreadable` if it is not clear which one.
    """
    notebooks = [upload for upload in uploads if upload.suffix == NOTEBOOK]
    zips = [upload for upload in uploads if upload.suffix == ZIP]
    chosen = notebooks or zips
    number = the_one_of([upload.name for upload in chosen], notebook)
    if number is not None:
        return chosen[number]
    names = ", ".join(quoted(PurePosixPath(upload.name).name) for upload in chosen[:5])
    raise Unreadable(
        f"expected one notebook, or one named {notebook}{NOTEBOOK}, found {len(chosen)} "
        f"({names or 'none'}). Keep only the one that counts"
    )


def content_of_work(upload: Upload, notebook: str) -> bytes:
    """Return a file's notebook: the file itself, or the one in a zip.

    Raises `Unreadable` if there is none, or it cannot be read.
    """
    content = upload.read()
    return notebook_in(content, notebook) if upload.suffix == ZIP else content
