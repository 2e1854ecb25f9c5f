"""One student's folder in `submitted/`: what lies in it, and whether it can be graded."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import stat
import time
from collections.abc import Container, Iterator
from pathlib import Path

from hw_grading.records.secret import SECRET, read_secret
from hw_grading.records.timestamp import MOST_BYTES, TIMESTAMP, time_of
from hw_support.submission.file import MAX_BYTES, Unreadable, read_regular_file
from hw_support.submission.problems import Kind, Problem, Severity, shown

_MOST_NAMED = 20  # files beside a notebook that are named one by one
_MOST_NOTEBOOKS = 3
_MOST_LISTED = 10_000
_DEEPEST = 100  # folders in folders: Python 3.11 fails at a few hundred
_COARSEST_CLOCK_NS = 2_000_000_000  # of file systems: what is younger may change unseen

Stamp = tuple[tuple[str, int, int, int, int], ...]


def stamp_of(folder: Path) -> Stamp | None:
    """Return what changes with each file in a folder: names, sizes, times; contents are not read.

    Returns
    -------
    Stamp or None
        None if something has changed so recently that the next change may leave the times as
        they are. Such a stamp is equal to no other.
    """
    entries = []
    newest = 0
    for path in itertools.islice(_files(folder), _MOST_LISTED):
        try:
            status = os.lstat(path)
        except OSError:
            return None
        newest = max(newest, status.st_ctime_ns)  # which nobody can set, as the other
        times = status.st_mtime_ns, status.st_ctime_ns
        entries.append((str(path), status.st_ino, status.st_size, *times))
    if time.time_ns() - newest < _COARSEST_CLOCK_NS:
        return None
    return tuple(sorted(entries))


def beside(notebook: Path, also_graded: Container[str] = ()) -> list[Problem]:
    """Return what lies beside a notebook, all of which is left behind: no test has seen it.

    Parameters
    ----------
    notebook
        In a student's folder. Where it is missing, what is said of that names other notebooks.
    also_graded
        Names of files that are graded as well.
    """
    folder = notebook.parent
    ours = notebook, folder / TIMESTAMP, folder / SECRET
    files = (path for path in _files(folder) if path not in ours)
    found = list(itertools.islice(files, _MOST_LISTED))
    found.sort()
    others = [path for path in found if path.suffix == ".ipynb" and not _is_a_machines(path)]
    others = [path for path in others if path.parent != folder or path.name not in also_graded]
    found = [path for path in found if path.suffix != ".ipynb"]
    problems = []
    if others and os.path.lexists(notebook):
        problems.append(_other_notebooks(notebook, others))
    messages = []
    for path in found[:_MOST_NAMED]:
        what = "" if stat.S_ISREG(os.lstat(path).st_mode) else " (a link, pipe or device)"
        message = f"The file {shown(path.relative_to(folder))}{what} was left behind"
        messages.append(f"{message}: only the notebook is graded.")
    if more := len(found) - _MOST_NAMED if len(found) > _MOST_NAMED else 0:
        or_more = " or more" if len(found) == _MOST_LISTED else ""
        messages.append(f"{more:,}{or_more} further files were left behind.")
    return problems + [Problem(Kind.FOLDER, Severity.MENDED, message) for message in messages]


def _is_a_machines(path: Path) -> bool:
    """Whether JupyterLab made a copy, not the student."""
    return path.parent.name == ".ipynb_checkpoints"


def _other_notebooks(notebook: Path, others: list[Path]) -> Problem:
    """Say, in words for students too, which notebooks were handed in and not graded."""
    names = [shown(path.relative_to(notebook.parent)) for path in others[:_MOST_NOTEBOOKS]]
    more = len(others) - len(names)
    said = ", ".join(names) + (f" and {more:,} more" if more else "")
    verb = "was" if len(others) == 1 else "were"
    message = f"{said} {verb} handed in as well and {verb} not graded: only {notebook.name} is."
    return Problem(Kind.OTHER_NOTEBOOK, Severity.MENDED, message)


def carry_along(submitted: Path, graded: Path) -> None:
    """Copy what nbgrader's later steps need of a submission, beside the notebook.

    By the time of submission nbgrader finds out what was handed in again; by the secret a student
    gets the feedback through the exchange. What is neither is left behind.
    """
    with contextlib.suppress(Unreadable, UnicodeDecodeError):
        text = read_regular_file(submitted / TIMESTAMP, MOST_BYTES)
        time_of(text.decode().strip())
        _put(graded / TIMESTAMP, text)
    with contextlib.suppress(Unreadable):
        if secret := read_secret(submitted):
            _put(graded / SECRET, secret.encode("utf-8"))


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # nbgrader has made it read-only
    path.write_bytes(content)


def digest_of(notebook: Path) -> str:
    """Return the SHA-256 of what was handed in, hexadecimal; "" if nothing can be read."""
    try:
        return hashlib.sha256(read_regular_file(notebook, MAX_BYTES)).hexdigest()
    except (Unreadable, OSError):
        return ""


def why_unusable(folder: Path) -> str | None:
    """Return why a folder in `submitted/` cannot be graded, and what to do; None if it can."""
    if folder.is_symlink() or folder.parent.is_symlink():
        return "it is a symbolic link. Put a copy of what it leads to there"
    for path in itertools.islice(_files(folder, folders=True), _MOST_LISTED):
        if len(path.parts) - len(folder.parts) > _DEEPEST:
            inner = path.parts[len(folder.parts)]
            return f"it has more than {_DEEPEST} folders within {shown(inner)}. Remove them"
    return None


def _files(folder: Path, *, folders: bool = False) -> Iterator[Path]:
    """Give the files in a folder and its folders, or those folders; no link is followed."""
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
