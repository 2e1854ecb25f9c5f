"""The contents of one student's folder in `submitted/`."""

import contextlib
import hashlib
import itertools
import os
import time
from collections.abc import Container
from pathlib import Path

from hw_grading.gradebook.folders import (
    MAX_BYTES_OF_MARK,
    MAX_LISTED,
    TIMESTAMP,
    files_below,
    time_of,
)
from hw_grading.gradebook.scores import named
from hw_support.submission.file import MAX_BYTES, UserError, read_regular_file
from hw_support.submission.problems import Kind, Problem, Severity, quoted

SECRET = "submission_secret.txt"  # `nbgrader submit` draws it, and names the feedback page by it
_MAX_NAMED = 3  # files beside a notebook that a message names
# The coarsest time resolution of file systems. A younger file may change without a new time.
_COARSEST_CLOCK_NS = 2_000_000_000

Stamp = tuple[tuple[str, int, int, int, int], ...]


def stamp_of(folder: Path) -> Stamp | None:
    """Return names, sizes and times of the files in a folder, which change if any file changes.

    Contents are not read. Return None if a file has changed so recently that its next change may
    not change its times. The caller must treat None as different from every stamp.
    """
    entries, newest = [], 0
    for path in itertools.islice(files_below(folder), MAX_LISTED):
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

    `also_graded` are names of other notebooks that are graded as well. JupyterLab's copies of a
    notebook are not reported. If the notebook is missing, no other notebook is reported here: the
    message about the missing notebook names them.
    """
    folder = notebook.parent
    ours = notebook, folder / TIMESTAMP, folder / SECRET
    files = (path for path in files_below(folder) if path not in ours)
    notebooks, others = [], []
    for path in sorted(itertools.islice(files, MAX_LISTED)):
        if path.suffix != ".ipynb":
            others.append(path)
        elif path.parent.name != ".ipynb_checkpoints" and (
            path.parent != folder or path.name not in also_graded
        ):
            notebooks.append(path)
    problems = []
    if not os.path.lexists(notebook):
        notebooks = []
    for kind, found, what in (
        (Kind.OTHER_NOTEBOOK, notebooks, "submitted too but not graded"),
        (Kind.FOLDER, others, "ignored"),
    ):
        if found:
            names = named([quoted(path.relative_to(folder)) for path in found], _MAX_NAMED)
            verb = "was" if len(found) == 1 else "were"
            message = f"{names} {verb} {what}: only {notebook.name} is graded."
            problems.append(Problem(kind, Severity.MENDED, message))
    return problems


def carry_along(submitted: Path, graded: Path) -> None:
    """Copy the time of submission and the secret, and no other file.

    nbgrader compares times to find new submissions. The exchange uses the secret to give a student
    the feedback.
    """
    for name, read in ((TIMESTAMP, time_of), (SECRET, str)):
        with contextlib.suppress(UserError, UnicodeDecodeError):
            content = read_regular_file(submitted / name, MAX_BYTES_OF_MARK)
            if not read(content.decode().strip()):
                continue
            graded.mkdir(parents=True, exist_ok=True)
            (graded / name).unlink(missing_ok=True)  # nbgrader has made an old file read-only
            (graded / name).write_bytes(content)


def digest_of(notebook: Path) -> str:
    """Return the SHA-256 of the submitted file, hexadecimal; "" if it cannot be read."""
    try:
        return hashlib.sha256(read_regular_file(notebook, MAX_BYTES)).hexdigest()
    except (UserError, OSError):
        return ""
