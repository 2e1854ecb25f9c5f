"""A student's folder in `submitted/`: whether it can be graded, and when it was submitted.

A student may have written any of these files.
"""

import itertools
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nbgrader.utils import parse_utc

from hw_support.submission.file import UserError, read_regular_file
from hw_support.submission.problems import quoted

MAX_LISTED = 10_000
_DEEPEST = 100  # nested folders: Python 3.11 fails at a few hundred
TIMESTAMP = "timestamp.txt"
MAX_BYTES_OF_MARK = 1_000  # of a file with a time or a secret; nbgrader's secret has 128
_LONGEST = 100  # characters
_EARLIEST = datetime(2000, 1, 1)  # naive, in UTC, like nbgrader's times
_AHEAD = timedelta(days=1)  # ahead of this machine's clock
# The third word is the name of a time zone, such as UTC or America/Los_Angeles, or an offset such
# as +0100. Anything else could be a file name, which the parser would open as a time zone file.
_ZONE = re.compile(r"[+-]?\w[\w+-]*(?:/\w[\w+-]*)*", re.ASCII)


def why_unusable(folder: Path) -> str:
    """Return why a folder in `submitted/` cannot be graded, and what to do; "" if it can."""
    if os.path.islink(folder) or os.path.islink(folder.parent):
        return "it is a symbolic link. Replace it with a copy of its target"
    for path in itertools.islice(files_below(folder, folders=True), MAX_LISTED):
        if len(path.parts) - len(folder.parts) > _DEEPEST:
            inner = path.parts[len(folder.parts)]
            return f"it has more than {_DEEPEST} folders within {quoted(inner)}. Remove them"
    return ""


def files_below(folder: Path, *, folders: bool = False) -> Iterator[Path]:
    """Yield all files below a folder, or all folders below it. Links are not followed."""
    left = [folder]
    while left:
        here = left.pop()
        try:
            entries = list(os.scandir(here))
        except OSError:
            continue
        inner = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
        if len(here.parts) - len(folder.parts) <= _DEEPEST:
            left += inner
        if folders:
            yield from inner
        else:
            yield from (Path(e.path) for e in entries if not e.is_dir(follow_symlinks=False))


def read_time(folder: Path) -> datetime | None:
    """Return the time of submission in UTC; None without a file; raise `UserError` if invalid."""
    path = folder / TIMESTAMP
    if not os.path.lexists(path):
        return None
    try:
        return time_of(read_regular_file(path, MAX_BYTES_OF_MARK).decode().strip())
    except (UserError, ValueError) as error:
        raise UserError(
            f"{path}: expected a time such as '2022-10-04 23:59:00 UTC', found none ({error}). "
            "The submission counts as on time. Write the time into the file, or remove the file"
        ) from None


def time_of(text: str) -> datetime:
    """Return the time in a text, in UTC, or raise `UserError` if it has none that is possible."""
    if not text:
        raise UserError("it is empty")
    if len(text) > _LONGEST or not text.isprintable():
        raise UserError(quoted(text))
    words = text.split(" ")
    if len(words) == 3 and not _ZONE.fullmatch(words[2]):
        raise UserError(f"{quoted(words[2])} is not a time zone")
    try:
        moment: datetime = parse_utc(text)
    except Exception:  # the parser can raise any error on untrusted text
        raise UserError(quoted(text)) from None
    if not _EARLIEST < moment < datetime.now(UTC).replace(tzinfo=None) + _AHEAD:
        when = "too long ago" if moment <= _EARLIEST else "in the future"
        raise UserError(f"{moment} is {when}")
    return moment
