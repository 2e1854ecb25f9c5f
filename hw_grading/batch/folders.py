"""What stands in `submitted/` and `autograded/` before a run: the folders, not yet the notebooks.

nbgrader takes folders as they come. Here those are put right that it would overlook, choke on, or
take for graded:

- it uses a student's folder name as a glob pattern: `a[b]` is skipped, and `*` gets the notebooks
  of all others;
- a folder without the notebook (or with it under another name) is skipped, and so is one whose name
  begins with a dot;
- one name with a line break in it stops the whole class, and others become HTML in formgrader: who
  is called by what is no student id is refused;
- it copies all that lies beside the notebook, also what a symbolic link points to, and fails at a
  pipe, a dangling link, or folders in folders without end;
- it fails at a `timestamp.txt` that is no time;
- after a kill it takes the half-made folder of the student in progress for graded;
- it sees that another file was handed in only by the time, which not every platform tells.

All of it goes through the converter's public attributes `assignments` and `coursedir`, which are
exchanged between the moment when nbgrader has listed the submissions and the first one. A student
whose folder cannot be used is not graded: nbgrader goes on with the others, and its command fails
in the end.
"""

from __future__ import annotations

import contextlib
import fnmatch
import glob
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import rmtree
from sqlalchemy.engine import make_url

from hw_grading.batch.lock import course_locked
from hw_grading.batch.submitted import digest_of, why_unusable
from hw_grading.homework.course import fixed_folder, shelf_of
from hw_grading.homework.homework import why_no_id
from hw_grading.outcome import GraderFault
from hw_grading.records.graded_notebook import FINISHED, HANDED_IN
from hw_grading.records.timestamp import read_time
from hw_support.submission.file import Unreadable, read_regular_file
from hw_support.submission.problems import METADATA_KEY

_MAX_BYTES_OF_OUR_OWN = 2_000_000_000
_SECONDS_FOR_GRADEBOOK = 600  # which formgrader, or a backup, may be using; SQLite's own is 5 s


class CarefulCourseDirectory(CourseDirectory):
    """A course whose students may have anything in and for a folder.

    Attributes
    ----------
    unusable
        Why a folder in `submitted/` cannot be graded, by student id, where its name tells.
    ignored
        What `ignore` holds but for the submission at hand.
    on_fault
        Called with a student who cannot be graded, and why.
    """

    unusable: dict[str, str]
    ignored: list[str]
    on_fault: Callable[[str, str], None]

    def format_path(self, step: str, student: str, assignment: str, escape: bool = False) -> str:
        """Return where a student's work is.

        nbgrader asks for a submission's path before it looks what is there. So this is where it is
        told to copy nothing from beside the notebook, or to go on with the next student.

        Raises
        ------
        GraderFault
            A submission that cannot be graded.
        """
        path = str(super().format_path(step, student, assignment, escape))
        of_one = not escape and step == self.submitted_directory and "(?P<" not in student
        if of_one and (why := self.unusable.get(student) or why_unusable(Path(path))):
            self.on_fault(student, f"{path}: {why}, and grade again")
            raise GraderFault(f"NOT GRADED: {path}: {why}, and grade again")
        if of_one:
            # nbgrader joins a pattern to each folder's path: an absolute one stays as it is.
            self.ignore = [*self.ignored, glob.escape(path)]
        return path

    def get_existing_timestamp(self, dest_path: str) -> Any:
        """Return the time of submission (UTC, without a time zone), or None."""
        try:
            return read_time(Path(dest_path))
        except Unreadable as why:
            self.log.warning("%s", why)
            return None


@contextlib.contextmanager
def held(converter: Any) -> Iterator[None]:
    """Hold the course of an `Autograde` converter, its listed submissions put right.

    Raises
    ------
    GraderFault
        Another run is grading this course.
    """
    course = converter.coursedir
    autograded = fixed_folder(course, course.autograded_directory)
    with course_locked(Path(course.root), autograded):
        prepare(converter)
        yield


def prepare(converter: Any) -> None:
    """Put the listed submissions of an `Autograde` converter right.

    No other run may be grading the course (`held`): what it is at would look half-made.
    """
    old = converter.coursedir
    careful = CarefulCourseDirectory(parent=old.parent, config=old.config)
    for name in old.trait_names(config=True):
        careful.set_trait(name, getattr(old, name))
    careful.db_url = patient(old.db_url)
    careful.unusable, careful.ignored = {}, list(old.ignore)
    careful.on_fault = lambda student, why: None
    expected = [n for n in notebook_names(old) if fnmatch.fnmatch(n, old.notebook_id)]
    add_overlooked(converter, old.submitted_directory, expected)
    for folder, why in drop_unnameable(converter, old.submitted_directory).items():
        # Listed under a name that can be printed, so that nbgrader counts it among its failures.
        printable = ascii(folder)[1:-1]
        converter.assignments[printable] = [os.path.join(printable, "notebook.ipynb")]
        careful.unusable[_student(converter, printable)] = why
    converter.coursedir = careful
    remove_outdated(converter)


def patient(db_url: str) -> str:
    """Return a gradebook's address, with a longer wait for its lock where it is a file's."""
    url = make_url(db_url)
    if url.get_backend_name() != "sqlite" or "timeout" in url.query:
        return db_url
    url = url.update_query_dict({"timeout": str(_SECONDS_FOR_GRADEBOOK)})
    return url.render_as_string(hide_password=False)


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
    for folder in glob.glob(pattern, include_hidden=True):
        found = glob.glob(os.path.join(glob.escape(folder), course.notebook_id + ".ipynb"))
        if not {Path(path).stem for path in found} & set(expected):
            found = [*found, *(os.path.join(folder, f"{name}.ipynb") for name in expected)]
        if found:
            converter.assignments[folder] = found


def not_graded(converter: Any) -> list[str]:
    """Return the students of a `GenerateFeedback` converter who handed in and were not graded."""
    course = converter.coursedir
    shelf = shelf_of(course, course.submitted_directory, course.assignment_id)
    pattern = course.format_path(
        course.submitted_directory, course.student_id, course.assignment_id
    )
    excluded = course.student_id_exclude.split(",") if course.student_id_exclude else ()
    graded = {student for _, student in students(converter)}
    names = {Path(path).parts[len(shelf.parent.parts)] for path in glob.glob(pattern)}
    handed_in = {shelf.name(name) or "" for name in names} - {""}
    return sorted(handed_in - graded - set(excluded))


def drop_unnameable(converter: Any, step: str) -> dict[str, str]:
    """Leave out folders whose name is no student id: see `hw_grading.homework.homework.why_no_id`.

    Parameters
    ----------
    converter
        An nbgrader converter that has listed its submissions.
    step
        The folder that it reads, such as "submitted".

    Returns
    -------
    dict
        Folders that were left out, and why and what to do, as the end of a sentence.
    """
    dropped = {}
    course = converter.coursedir
    shelf = shelf_of(course, step, course.assignment_id)
    for folder in list(converter.assignments):
        name = Path(folder).parts[len(shelf.parent.parts)]
        if why := why_no_id(shelf.name(name) or name):
            del converter.assignments[folder]
            dropped[folder] = f"{why}. Rename the folder"
    return dropped


def remove_outdated(converter: Any) -> None:
    """Remove from `autograded/` what has to be graded now.

    That is what a killed run left half-made, and what was graded of another file than is in
    `submitted/` now: not every platform tells times, by which nbgrader would see that. Whole are
    notebooks with the marks of `MarkFinished`.
    """
    course = converter.coursedir
    if converter.force:
        return  # nbgrader removes them itself
    names = notebook_names(course)
    excluded = course.student_id_exclude.split(",") if course.student_id_exclude else ()
    for folder, student in students(converter):
        graded = Path(
            course.format_path(course.autograded_directory, student, course.assignment_id)
        )
        if student in excluded or not graded.is_dir() or graded.is_symlink():
            continue
        listed = [Path(n).name for n in converter.assignments[folder] if Path(n).stem in names]
        outdated = {n: why for n in listed if (why := _why_outdated(graded / n, Path(folder, n)))}
        if not outdated:
            continue
        for name, why in outdated.items():
            converter.log.warning("%s: %s %s: grading it anew", student, name, why)
        try:
            if course.notebook_id == "*":
                rmtree(str(graded))
            else:
                for name in outdated:
                    (graded / name).unlink(missing_ok=True)
        except OSError as error:
            converter.log.error("NOT GRADED: %s: removing %s failed: %s", student, graded, error)


def _why_outdated(graded: Path, submitted: Path) -> str:
    marks = _marks(graded)
    if marks.get(FINISHED) is not True:
        return "was not graded to the end (a killed run, or one without this package)"
    graded_digest = marks.get(HANDED_IN)  # None before that mark was in use
    if graded_digest not in (None, digest_of(submitted)):
        return "is not the one that was graded"
    return ""


def is_finished(path: Path) -> bool:
    """Whether a notebook in `autograded/` was graded and written to the end."""
    return _marks(path).get(FINISHED) is True


def _marks(path: Path) -> dict[str, Any]:
    """Return what the grader wrote into a notebook in `autograded/`."""
    try:
        marks = json.loads(read_regular_file(path, _MAX_BYTES_OF_OUR_OWN))["metadata"][METADATA_KEY]
    except (Unreadable, OSError, ValueError, RecursionError, KeyError, TypeError):
        return {}
    return marks if isinstance(marks, dict) else {}


def students(converter: Any) -> Iterator[tuple[str, str]]:
    """Give the folder and the student id of each listed submission."""
    for folder in converter.assignments:
        with contextlib.suppress(NbGraderException):
            yield folder, _student(converter, folder)


def _student(converter: Any, folder: str) -> str:
    resources = converter.init_single_notebook_resources(converter.assignments[folder][0])
    return str(resources["nbgrader"]["student"])


def notebook_names(course: Any) -> list[str]:
    """Return the names of the assignment's notebooks, as the gradebook has them."""
    with Gradebook(course.db_url, course.course_id) as gradebook:
        try:
            assignment = gradebook.find_assignment(course.assignment_id)
        except MissingEntry:
            return []
        return [notebook.name for notebook in assignment.notebooks]
