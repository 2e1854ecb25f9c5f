"""Lists what a class has handed in: students' folders, not yet their notebooks.

A student can give a folder in `submitted/` any name and any content. A folder whose name is not a
student id is refused, and so is one that is a symbolic link or too deeply nested. The others are
graded if they are new, or if what an earlier run left in `autograded/` is not their whole result.
"""

import contextlib
import functools
import glob
import hashlib
import itertools
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader.api import Assignment, Gradebook, MissingEntry, SubmittedAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import rmtree
from sqlalchemy.engine import make_url

from hw_grading.homework.course import Course, shelf_of
from hw_grading.homework.folders import (
    MAX_BYTES_OF_MARK,
    MAX_LISTED,
    TIMESTAMP,
    files_below,
    read_time,
    time_of,
    why_unusable,
)
from hw_grading.homework.homework import why_no_id
from hw_grading.notebooks import FINISHED, HANDED_IN, open_notebook
from hw_grading.texts import named
from hw_support.submission.file import MAX_BYTES, UserError, read_regular_file
from hw_support.submission.problems import METADATA_KEY, Kind, Problem, Severity, quoted
from hw_support.submission.released import ENDING

SECRET = "submission_secret.txt"  # `nbgrader submit` draws it, and names the feedback page by it
_NO_TIME = "1970-01-01 00:00:00 UTC"  # `time_of` refuses it, nbgrader reads it
_MAX_NAMED = 3  # files beside a notebook, or students, that a message names
_SECONDS_FOR_GRADEBOOK = 600  # formgrader or a backup may hold its lock; SQLite's default is 5 s


@dataclass(frozen=True)
class Submission:
    """A student's folder in `submitted/`, and what there is to grade."""

    student: str
    folder: Path
    graded: Path  # the student's folder in `autograded/`
    notebooks: tuple[str, ...]  # names, without ".ipynb"; one may be missing
    why: str = ""  # it cannot be graded, and what to do
    secret: bytes = b""  # in `graded` before it is removed; b"" if there is none

    @property
    def paths(self) -> list[Path]:
        """The submitted notebooks."""
        return [self.folder / f"{name}.ipynb" for name in self.notebooks]

    @property
    def size(self) -> int:
        """The bytes of the submitted notebooks."""
        total = 0
        for path in self.paths:
            with contextlib.suppress(OSError):
                total += path.lstat().st_size
        return total

    def remove_graded(self) -> None:
        """Remove what an earlier run, or a failed one, left in `autograded/`."""
        if os.path.lexists(self.graded):
            rmtree(str(self.graded))


def _folders(course: CourseDirectory, assignment: str) -> Iterator[tuple[str, Path]]:
    """Yield students and their submitted folders, in the order of their names.

    Those that the command excludes are left out.
    """
    step = course.submitted_directory
    shelf = shelf_of(course, step, assignment)
    excluded = course.student_id_exclude.split(",")
    pattern = course.format_path(step, course.student_id, assignment)
    for folder in sorted(glob.glob(pattern, include_hidden=True)):
        name = Path(folder).parts[len(shelf.parent.parts)]
        if (student := shelf.name(name) or name) not in excluded:
            yield student, Path(folder)


def to_grade(course: Course, assignment: str, *, force: bool, log: Any) -> list[Submission]:
    """Return the submissions that are to be graded or refused; with `force`, also old ones."""
    with Gradebook(with_long_wait(course.db_url)) as gradebook:
        rows = gradebook.db.query(SubmittedAssignment.student_id).join(Assignment)
        scored = {who for (who,) in rows.filter(Assignment.name == assignment)}
        expected: tuple[str, ...] = ()
        with contextlib.suppress(MissingEntry):
            notebooks = gradebook.find_assignment(assignment).notebooks
            expected = tuple(sorted(one.name for one in notebooks))
    found = []
    for student, folder in _folders(course.directory, assignment):
        graded = course.autograded(student, assignment)
        why = ""
        if bad := why_no_id(student):
            why = f"{bad}. Rename the folder, and grade again"
        elif unusable := why_unusable(folder):
            why = f"{folder}: {unusable}, and grade again"
        if why:
            shown = ascii(student)[1:-1] if bad else student
            found.append(Submission(shown, folder, graded, (), why))
            continue
        there = tuple(name for name in expected if os.path.lexists(folder / f"{name}.ipynb"))
        one = Submission(
            student, folder, graded, there or expected, secret=_mark_in(graded, SECRET)
        )
        if force or not all(os.path.exists(graded / p.name) for p in one.paths):
            found.append(one)
        elif why := _why_outdated(one, student in scored):
            log.warning("%s: %s: grading it again", student, why)
            found.append(one)
        else:
            log.info("Skipping existing assignment: %s", graded)
    lost = [
        one.student
        for one in found
        if one.student in scored and not (one.secret or _mark_in(one.folder, SECRET))
    ]
    if lost:
        log.warning(
            f"{named(lost, _MAX_NAMED)}: graded before, but neither submitted/ nor autograded/ has "
            f"{SECRET}, so a new one is made: in nbgrader's exchange their feedback gets another "
            "name. Is this a new folder with an old gradebook? Then copy the old autograded/ into "
            "it, and grade again with --force"
        )
    return found


def _why_outdated(one: Submission, has_scores: bool) -> str:
    """Return why the graded notebooks are not the result of the submission, or ""."""
    if not has_scores:
        return "it has no scores in the gradebook"
    for path in one.paths:
        graded = one.graded / path.name
        finished, handed_in = _finished(graded, _stamp(graded))
        if not finished:
            return f"{path.name} was not graded completely, or not by this grader"
        if handed_in != _digest(path, _stamp(path)):
            return f"{path.name} was graded in another version"
    new, old = _time_in(one.folder), _time_in(one.graded)
    return "it has another time of submission" if new and new != old else ""


_Stamp = tuple[int, int, int]  # changes when a file is written: inode, size, time in nanoseconds


def _stamp(file: Path) -> _Stamp | None:
    with contextlib.suppress(OSError):
        about = file.lstat()
        return about.st_ino, about.st_size, about.st_mtime_ns
    return None


# `hw-grading watch` asks for all of a class each minute, and most of them are as they were.
@functools.lru_cache(10_000)
def _finished(graded: Path, _: _Stamp | None) -> tuple[bool, object]:
    """Return whether a graded notebook was graded completely, and the digest of what was."""
    with contextlib.suppress(UserError, OSError):
        marks = open_notebook(graded)["metadata"].get(METADATA_KEY)
        if isinstance(marks, dict):
            return marks.get(FINISHED) is True, marks.get(HANDED_IN)
    return False, None


@functools.lru_cache(10_000)
def _digest(notebook: Path, _: _Stamp | None) -> str:
    return submission_digest(notebook)


def _time_in(folder: Path) -> datetime | None:
    """Return the time in a folder; None without one that is possible, such as `_NO_TIME`."""
    with contextlib.suppress(UserError):
        return read_time(folder)
    return None


def with_long_wait(db_url: str) -> str:
    """Return a gradebook's address; for SQLite, add a longer wait for the file's lock."""
    url = make_url(db_url)
    if url.get_backend_name() != "sqlite" or "timeout" in url.query:
        return db_url
    url = url.update_query_dict({"timeout": str(_SECONDS_FOR_GRADEBOOK)})
    return url.render_as_string(hide_password=False)


# -- one folder


def beside(
    notebook: Path, also_graded: Iterable[str] = (), given: Mapping[str, bytes] | None = None
) -> list[Problem]:
    """Report the files beside a notebook. They are not copied, and tests cannot see them.

    `also_graded` are names of other notebooks that are graded as well. JupyterLab's copies of a
    notebook are not reported, nor are the descriptions and files (`given`, by path) that students
    got, if they are unchanged.
    """
    folder, known = notebook.parent, {notebook.name, TIMESTAMP, SECRET, *also_graded}
    others: dict[Kind, list[str]] = {}
    for path in sorted(itertools.islice(files_below(folder), MAX_LISTED)):
        name = str(path.relative_to(folder))
        is_ours = path.parent.name == ".ipynb_checkpoints" or name.endswith(ENDING)
        if name not in known and not is_ours and not _is_unchanged(path, (given or {}).get(name)):
            kind = Kind.OTHER_NOTEBOOK if path.suffix == ".ipynb" else Kind.FOLDER
            others.setdefault(kind, []).append(quoted(name))
    problems = []
    for kind, names in sorted(others.items(), reverse=True):
        verb = "was" if len(names) == 1 else "were"
        what = "submitted too but not graded" if kind is Kind.OTHER_NOTEBOOK else "ignored"
        said = f"{named(names, _MAX_NAMED)} {verb} {what}: only {notebook.name} is graded."
        problems.append(Problem(kind, Severity.REPAIRED, said))
    return problems


def _is_unchanged(path: Path, given: bytes | None) -> bool:
    """Whether a student's file has the bytes of the one that the course gave."""
    if given is None:
        return False
    with contextlib.suppress(UserError):
        return read_regular_file(path, len(given)) == given
    return False


def carry_along(submitted: Path, graded: Path, secret: bytes = b"") -> None:
    """Copy the time of submission and the secret, and no other file.

    `nbgrader release_feedback` fails if one of the files is missing. It names the page by the
    secret, so without one that can be used, or an earlier `secret`, the page gets a name that
    nobody can guess.
    """
    graded.mkdir(parents=True, exist_ok=True)
    for name, other in (
        (TIMESTAMP, _NO_TIME.encode()),
        (SECRET, secret or secrets.token_hex(64).encode()),
    ):
        content = _mark_in(submitted, name)
        if content or not (graded / name).exists():
            (graded / name).unlink(missing_ok=True)  # nbgrader has made an old file read-only
            (graded / name).write_bytes(content or other)


def _mark_in(folder: Path, name: str) -> bytes:
    """Return a time or a secret, as its file has it; b"" if it cannot be used."""
    read = time_of if name == TIMESTAMP else str
    with contextlib.suppress(UserError, UnicodeDecodeError, OSError):
        found = read_regular_file(folder / name, MAX_BYTES_OF_MARK)
        return found if read(found.decode().strip()) else b""
    return b""


def submission_digest(notebook: Path) -> str:
    """Return the SHA-256 of the submitted file, hexadecimal; "" if it cannot be read."""
    try:
        return hashlib.sha256(read_regular_file(notebook, MAX_BYTES)).hexdigest()
    except (UserError, OSError):
        return ""
