"""The contents of one student's folder in `submitted/`."""

import contextlib
import hashlib
import itertools
import os
import stat
import time
from collections.abc import Container
from pathlib import Path

from hw_grading.gradebook.folders import MOST_BYTES, MOST_LISTED, TIMESTAMP, files_below, time_of
from hw_grading.gradebook.scores import named
from hw_support.submission.file import MAX_BYTES, Unreadable, read_regular_file
from hw_support.submission.problems import Kind, Problem, Severity, quoted

SECRET = "submission_secret.txt"  # `nbgrader submit` draws it, and names the feedback page by it
_MOST_NAMED = 20  # files beside a notebook that messages name one by one
_MOST_NOTEBOOKS = 3
# The coarsest time resolution of file systems. A younger file may change without a new time.
_COARSEST_CLOCK_NS = 2_000_000_000

Stamp = tuple[tuple[str, int, int, int, int], ...]


def stamp_of(folder: Path) -> Stamp | None:
    """Return names, sizes and times of the files in a folder, which change if any file changes.

    Contents are not read. Return None if a file has changed so recently that its next change may
    not change its times. The caller must treat None as different from every stamp.
    """
    entries, newest = [], 0
    for path in itertools.islice(files_below(folder), MOST_LISTED):
        try:
            status = os.lstat(path)
        except OSError:
            return None
        newest = max(newest, status.st_ctime_ns)  # users can set st_mtime_ns, but not this time
        times = status.st_mtime_ns, status.st_ctime_ns
        entries.append((str(path), status.st_ino, status.st_size, *times))
    if time.time_ns() - newest < _COARSEST_CLOCK_NS:
        return None
    return tuple(sorted(entries))


def beside(notebook: Path, also_graded: Container[str] = ()) -> list[Problem]:
    """Report the files beside a notebook. They are not copied, and tests cannot see them.

    If the notebook is missing, other notebooks are not reported here: the message about the missing
    notebook names them. `also_graded` are names of other notebooks that are graded as well.
    """
    folder = notebook.parent
    ours = notebook, folder / TIMESTAMP, folder / SECRET
    files = (path for path in files_below(folder) if path not in ours)
    found = sorted(itertools.islice(files, MOST_LISTED))
    others = [
        path
        for path in found
        if path.suffix == ".ipynb"
        and path.parent.name != ".ipynb_checkpoints"  # JupyterLab's copies, not the student's
        and (path.parent != folder or path.name not in also_graded)
    ]
    found = [path for path in found if path.suffix != ".ipynb"]
    problems = []
    if others and os.path.lexists(notebook):
        problems.append(_other_notebooks(notebook, others))
    messages = []
    for path in found[:_MOST_NAMED]:
        what = "" if stat.S_ISREG(os.lstat(path).st_mode) else " (a link, pipe or device)"
        message = f"The file {quoted(path.relative_to(folder))}{what} was ignored"
        messages.append(f"{message}: only the notebook is graded.")
    if (more := len(found) - _MOST_NAMED) > 0:
        or_more = " or more" if len(found) == MOST_LISTED else ""
        messages.append(f"Other files that were ignored: {more:,}{or_more}.")
    return problems + [Problem(Kind.FOLDER, Severity.MENDED, message) for message in messages]


def _other_notebooks(notebook: Path, others: list[Path]) -> Problem:
    names = named([quoted(path.relative_to(notebook.parent)) for path in others], _MOST_NOTEBOOKS)
    verb = "was" if len(others) == 1 else "were"
    message = f"{names} {verb} submitted too but not graded: only {notebook.name} is graded."
    return Problem(Kind.OTHER_NOTEBOOK, Severity.MENDED, message)


def carry_along(submitted: Path, graded: Path) -> None:
    """Copy the time of submission and the secret, and no other file.

    nbgrader compares times to find new submissions. The exchange uses the secret to give a student
    the feedback.
    """
    with contextlib.suppress(Unreadable, UnicodeDecodeError):
        text = read_regular_file(submitted / TIMESTAMP, MOST_BYTES)
        time_of(text.decode().strip())
        _put(graded / TIMESTAMP, text)
    with contextlib.suppress(Unreadable):
        if secret := read_secret(submitted):
            _put(graded / SECRET, secret.encode("utf-8"))


def read_secret(folder: Path) -> str | None:
    """Return a submission's secret; None without a file; raise `Unreadable` if it is invalid."""
    path = folder / SECRET
    if not os.path.lexists(path):
        return None
    try:
        secret = read_regular_file(path, MOST_BYTES).decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable(f"{SECRET}: expected text in UTF-8, found other bytes") from None
    except Unreadable as why:
        raise Unreadable(f"{SECRET}: {why}") from None
    if not secret:
        raise Unreadable(f"{SECRET}: expected a secret, found an empty file")
    return secret


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # nbgrader has made an old file read-only
    path.write_bytes(content)


def digest_of(notebook: Path) -> str:
    """Return the SHA-256 of the submitted file, hexadecimal; "" if it cannot be read."""
    try:
        return hashlib.sha256(read_regular_file(notebook, MAX_BYTES)).hexdigest()
    except (Unreadable, OSError):
        return ""
