"""What stands in `submitted/` and `autograded/` before a run: the folders, not yet the notebooks.

nbgrader takes folders as they come. Here those are put right that it would overlook, choke on, or
take for graded:

- it uses a student's folder name as a glob pattern, so that `a[b]` is skipped;
- a folder without the notebook (or with it under another name) is skipped;
- one name with a line break in it stops the whole class;
- it copies what a symbolic link points to, and fails at a pipe or a dangling link;
- it fails at a `timestamp.txt` that is no time;
- after a kill it takes the half-made folder of the student in progress for graded.

All of it happens between the moment when nbgrader has listed the submissions and the first one,
through the converter's public attributes `assignments` and `coursedir`.
"""

from __future__ import annotations

import contextlib
import fnmatch
import glob
import json
import os
import stat
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import parse_utc, rmtree

from hw_grading.problems import METADATA_KEY, Kind, Problem, Severity, shown
from hw_grading.submission_file import Unreadable, read_regular_file

try:
    import fcntl
except ImportError:  # Windows: two runs at once are then not told apart
    fcntl = None  # type: ignore[assignment]

FINISHED = "finished"
_MAX_BYTES_OF_OUR_OWN = 2_000_000_000


class CarefulCourseDirectory(CourseDirectory):
    """A course whose students may have a `timestamp.txt` of any content."""

    def get_existing_timestamp(self, dest_path: str) -> Any:
        """Return the time of submission (UTC, without a time zone), or None."""
        path = Path(dest_path, "timestamp.txt")
        if not os.path.lexists(path):
            return None
        try:
            text = read_regular_file(path, 1_000).decode("utf-8").strip()
            return parse_utc(text) if text else None
        except (Unreadable, ValueError, OverflowError, TypeError, AttributeError) as error:
            self.log.warning(
                "%s: expected a time such as '2022-10-04 23:59:00 UTC', found none (%s): graded as "
                "a submission without a time, so without a late penalty",
                path,
                shown(error),
            )
            return None


def prepare(converter: Any) -> dict[str, list[Problem]]:
    """Put the listed submissions of an `Autograde` converter right.

    Returns
    -------
    dict
        What was found in the folders, by student id.
    """
    old = converter.coursedir
    careful = CarefulCourseDirectory(parent=old.parent, config=old.config)
    careful.set_trait("ignore", list(old.ignore))  # it will grow, and only for this run
    for name in set(old.trait_names(config=True)) - {"ignore"}:
        careful.set_trait(name, getattr(old, name))
    converter.coursedir = careful
    expected = [n for n in _notebook_names(careful) if fnmatch.fnmatch(n, careful.notebook_id)]
    add_overlooked(converter, careful.submitted_directory, expected)
    drop_unnameable(converter)
    problems: dict[str, list[Problem]] = {}
    for folder, student in _students(converter):
        problems[student] = _leave_behind(converter, Path(folder))
    remove_half_made(converter)
    return problems


def add_overlooked(converter: Any, step: str, expected: Sequence[str] = ()) -> None:
    """List the folders that nbgrader passed over, and the notebooks that ought to be there.

    Parameters
    ----------
    converter
        An nbgrader converter that has listed its submissions.
    step
        The folder that it reads, such as "submitted".
    expected
        Names of notebooks. Where none of them is there, all are listed: they are then read as
        missing files, and score 0 with that reason.
    """
    course = converter.coursedir
    pattern = course.format_path(step, course.student_id, course.assignment_id)
    for folder in glob.glob(pattern):
        found = converter.assignments.get(folder)
        if found is None:
            found = glob.glob(os.path.join(glob.escape(folder), course.notebook_id + ".ipynb"))
        if not {Path(path).stem for path in found} & set(expected):
            found = [*found, *(os.path.join(folder, f"{name}.ipynb") for name in expected)]
        if found:
            converter.assignments[folder] = found


def drop_unnameable(converter: Any) -> None:
    """Leave out folders whose name neither nbgrader nor its database can hold."""
    for folder in list(converter.assignments):
        why = None
        if "\n" in folder:
            why = "its name has a line break"
        elif set(folder[len(str(converter.coursedir.root)) :]) & set("<>\"'&`"):
            why = "its name has characters that pages of HTML give a meaning to"
        elif any("\ud800" <= c <= "\udfff" for c in folder):
            why = "its name is not valid UTF-8"
        if why:
            del converter.assignments[folder]
            converter.log.error(
                "NOT GRADED: %s: %s. Rename the folder and grade again", ascii(folder), why
            )


def remove_half_made(converter: Any) -> None:
    """Remove what a killed run left half-made in `autograded/`, so that it is graded now.

    Whole are notebooks with the mark of `MarkFinished`; those that were graded before that mark
    was in use are graded anew as well. While another run is grading this course, nothing is
    removed: what looks half-made may be in its hands.
    """
    course = converter.coursedir
    if converter.force:
        return  # nbgrader removes them itself
    if not _hold_course(converter):
        converter.log.warning(
            "Another run is grading this course: half-made folders are not looked for"
        )
        return
    names = _notebook_names(course)
    excluded = course.student_id_exclude.split(",") if course.student_id_exclude else ()
    for folder, student in _students(converter):
        graded = Path(
            course.format_path(course.autograded_directory, student, course.assignment_id)
        )
        if student in excluded or not graded.is_dir() or graded.is_symlink():
            continue
        notebooks = [Path(n).name for n in converter.assignments[folder] if Path(n).stem in names]
        half_made = [graded / n for n in notebooks if not is_finished(graded / n)]
        if not half_made:
            continue
        converter.log.warning(
            "%s: %s was not graded to the end (a killed run, or one without this package): grading "
            "it anew",
            student,
            ", ".join(path.name for path in half_made),
        )
        try:
            if course.notebook_id == "*":
                rmtree(str(graded))
            else:
                for path in half_made:
                    path.unlink(missing_ok=True)
        except OSError as error:
            converter.log.error("NOT GRADED: %s: removing %s failed: %s", student, graded, error)


def is_finished(path: Path) -> bool:
    """Whether a notebook in `autograded/` was graded and written to the end."""
    try:
        document = json.loads(read_regular_file(path, _MAX_BYTES_OF_OUR_OWN))
        return document["metadata"][METADATA_KEY][FINISHED] is True
    except (Unreadable, ValueError, RecursionError, KeyError, TypeError):
        return False


def _leave_behind(converter: Any, folder: Path) -> list[Problem]:
    """Have nbgrader not copy what is no regular file of a reasonable size."""
    course = converter.coursedir
    limit = course.max_file_size * 1000
    odd_name = glob.escape(str(folder)) != str(folder)
    ignored, problems = [], []
    for path in _files(folder):
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode):
            why = "a link, pipe or device"
        elif path.suffix != ".ipynb" and status.st_size > limit:
            why = f"larger than {limit:,} bytes"
        elif odd_name and any(fnmatch.fnmatch(path.name, p) for p in [*course.ignore, "*.ipynb"]):
            ignored.append(path)  # nbgrader's own patterns do not find it in such a folder
            continue
        else:
            continue
        ignored.append(path)
        name = shown(path.relative_to(folder))
        if path.suffix != ".ipynb":
            message = f"The file {name} beside the notebook is {why}: it was left behind."
            problems.append(Problem(Kind.FOLDER, Severity.MENDED, message))
    # nbgrader joins a pattern to each folder's path: an absolute one stays as it is.
    course.ignore = [*course.ignore, *(glob.escape(str(path)) for path in ignored)]
    return problems


def remove_extras(graded: Path, instructors: Path) -> list[Problem]:
    """Remove what nbgrader copied from beside the notebook: only the notebook is graded.

    A saved run or a module of the student's would be read by the notebook, and has been seen by no
    test. Kept are notebooks, ``timestamp.txt``, and files that the instructor handed out.
    """
    problems = []
    for path in _files(graded):
        inside = path.relative_to(graded)
        if path.suffix == ".ipynb" or (instructors / inside).is_file():
            continue
        if inside == Path("timestamp.txt"):
            continue
        path.unlink()
        message = f"The file {shown(inside)} was left behind: only the notebook is graded."
        problems.append(Problem(Kind.FOLDER, Severity.MENDED, message))
    return problems


def _files(folder: Path) -> Iterator[Path]:
    for where, _, names in os.walk(folder):
        yield from (Path(where, name) for name in names)


def _students(converter: Any) -> Iterator[tuple[str, str]]:
    """Give the folder and the student id of each listed submission."""
    for folder, notebooks in converter.assignments.items():
        with contextlib.suppress(NbGraderException):
            resources = converter.init_single_notebook_resources(notebooks[0])
            yield folder, resources["nbgrader"]["student"]


def _notebook_names(course: Any) -> list[str]:
    with Gradebook(course.db_url, course.course_id) as gradebook:
        try:
            assignment = gradebook.find_assignment(course.assignment_id)
        except MissingEntry:
            return []
        return [notebook.name for notebook in assignment.notebooks]


def _hold_course(converter: Any) -> bool:
    """Lock `autograded/` as long as the converter lives; False while another run holds it."""
    if fcntl is None:
        return True
    course = converter.coursedir
    folder = os.path.join(course.root, course.autograded_directory)
    os.makedirs(folder, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY)
    weakref.finalize(converter, os.close, lock)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
