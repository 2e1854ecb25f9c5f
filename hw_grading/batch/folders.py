"""Repairs `submitted/` and `autograded/` before a run: the folders, not yet the notebooks.

nbgrader would skip some folders, fail at others, or treat them as graded. This module handles these
cases:

- nbgrader uses a student's folder name as a glob pattern: it skips `a[b]`, and `*` gets the
  notebooks of all other students;
- it skips a folder without the notebook (or with the notebook under another name), and a folder
  whose name begins with a dot;
- a folder name with a line break stops the whole class, and other names become HTML in formgrader.
  A folder is refused if its name is not a student id;
- nbgrader copies all files beside the notebook, including the targets of symbolic links. It fails
  at a pipe, a dangling link, or very deeply nested folders;
- it fails at a `timestamp.txt` that contains no time;
- if it is killed, its next run treats the unfinished folder as graded;
- it notices a new file only if the time of submission changed, but some platforms give no times.

The code uses only the converter's public attributes `assignments` and `coursedir`. It replaces them
after nbgrader has listed the submissions, and before it converts the first one. A student whose
folder cannot be used is not graded: nbgrader goes on with the others, and its command fails at the
end.
"""

import contextlib
import fnmatch
import glob
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from nbgrader.api import Assignment, Gradebook, MissingEntry, SubmittedAssignment
from nbgrader.converters import Autograde, NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import rmtree
from sqlalchemy.engine import make_url

from hw_grading.batch.lock import course_locked
from hw_grading.batch.submitted import digest_of
from hw_grading.gradebook.folders import read_time, why_unusable
from hw_grading.gradebook.graded_notebook import FINISHED, HANDED_IN
from hw_grading.homework.course import fixed_folder, shelf_of
from hw_grading.homework.homework import why_no_id
from hw_grading.outcome import GraderFault
from hw_support.submission.file import UserError, read_regular_file
from hw_support.submission.problems import METADATA_KEY

_MAX_BYTES_OF_OUR_OWN = 2_000_000_000
_SECONDS_FOR_GRADEBOOK = 600  # formgrader or a backup may hold its lock; SQLite's default is 5 s


class CarefulCourseDirectory(CourseDirectory):
    """A course directory that copes with any content and any name of a student's folder."""

    unusable: dict[str, str]  # students whose folder has an unusable name, with the reason
    ignored: list[str]  # the value of `ignore`, without the entry for the current submission
    on_fault: Callable[[str, str], None]  # called with a student who cannot be graded, and why

    def format_path(self, step: str, student: str, assignment: str, escape: bool = False) -> str:
        """Return the path of a student's work.

        nbgrader calls this before it looks into a submission's folder. So this method sets
        `ignore`, which keeps nbgrader from copying the files beside the notebook. For a submission
        that cannot be graded it raises `GraderFault`: then nbgrader goes on with the next student.
        """
        path = str(super().format_path(step, student, assignment, escape))
        of_one = not escape and step == self.submitted_directory and "(?P<" not in student
        if of_one and (why := self.unusable.get(student) or why_unusable(Path(path))):
            self.on_fault(student, f"{path}: {why}, and grade again")
            raise GraderFault(f"NOT GRADED: {path}: {why}, and grade again")
        if of_one:
            # nbgrader joins each pattern to the folder's path. An absolute pattern stays unchanged.
            self.ignore = [*self.ignored, glob.escape(path)]
        return path

    def get_existing_timestamp(self, dest_path: str) -> Any:
        """Return the time of submission (UTC, without a time zone), or None."""
        try:
            return read_time(Path(dest_path))
        except UserError as why:
            self.log.warning("%s", why)
            return None


@contextlib.contextmanager
def locked_and_prepared(converter: Any) -> Iterator[CarefulCourseDirectory]:
    """Lock the course of an `Autograde` converter, and repair its listed submissions."""
    course = converter.coursedir
    autograded = fixed_folder(course, course.autograded_directory)
    with course_locked(Path(course.root), autograded):
        yield prepare(converter)


def prepare(converter: Any) -> CarefulCourseDirectory:
    """Repair the listed submissions of a converter. The caller holds the course's lock."""
    old = converter.coursedir
    careful = CarefulCourseDirectory(parent=old.parent, config=old.config)
    for name in old.trait_names(config=True):
        careful.set_trait(name, getattr(old, name))
    careful.db_url = with_long_wait(old.db_url)
    careful.unusable, careful.ignored = {}, list(old.ignore)
    careful.on_fault = lambda student, why: None
    expected = [n for n in notebook_names(old) if fnmatch.fnmatch(n, old.notebook_id)]
    add_overlooked(converter, old.submitted_directory, expected)
    for folder, why in drop_invalid_ids(converter, old.submitted_directory).items():
        # List it under a printable name: then nbgrader counts it as a failure.
        printable = ascii(folder)[1:-1]
        converter.assignments[printable] = [os.path.join(printable, "notebook.ipynb")]
        careful.unusable[_student(converter, printable)] = why
    converter.coursedir = careful
    remove_outdated(converter)
    return careful


def with_long_wait(db_url: str) -> str:
    """Return a gradebook's address; for SQLite, add a longer wait for the file's lock."""
    url = make_url(db_url)
    if url.get_backend_name() != "sqlite" or "timeout" in url.query:
        return db_url
    url = url.update_query_dict({"timeout": str(_SECONDS_FOR_GRADEBOOK)})
    return url.render_as_string(hide_password=False)


def add_overlooked(converter: Any, step: str, expected: Sequence[str] = ()) -> None:
    """List the folders that nbgrader skipped, and the notebooks that should be in them.

    `step` is the folder that the converter reads, such as "submitted". If a student's folder has
    none of the `expected` notebooks, all are listed. They are then read as missing files, and score
    0 for that reason.
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
    """Return the students who handed in but were not graded, for a `GenerateFeedback` converter."""
    course = converter.coursedir
    shelf = shelf_of(course, course.submitted_directory, course.assignment_id)
    ids = course.student_id, course.assignment_id
    pattern = course.format_path(course.submitted_directory, *ids)
    excluded = course.student_id_exclude.split(",")
    graded = {student for _, student in students(converter)}
    names = {Path(path).parts[len(shelf.parent.parts)] for path in glob.glob(pattern)}
    handed_in = {shelf.name(name) or "" for name in names} - {""}
    return sorted(handed_in - graded - set(excluded))


def drop_invalid_ids(converter: Any, step: str) -> dict[str, str]:
    """Drop folders whose name is not a student id; return for each the reason and what to do."""
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
    """Remove the folders and notebooks from `autograded/` that have to be graded again.

    These are unfinished ones of a killed run, those whose file in `submitted/` has changed since,
    and those without scores in the gradebook, which is then an older or a new one. nbgrader notices
    a change only if the time of submission changed, but some platforms give no times.
    """
    course = converter.coursedir
    if converter.force:
        return  # nbgrader removes them itself
    names, with_scores = notebook_names(course), _with_scores(course)
    for folder, student in students(converter):
        graded = _graded(course, student)
        if not graded.is_dir() or graded.is_symlink():
            continue
        listed = [Path(n).name for n in converter.assignments[folder] if Path(n).stem in names]
        outdated = {n: why for n in listed if (why := _why_outdated(graded / n, Path(folder, n)))}
        if student not in with_scores:
            outdated = dict.fromkeys(listed, "has no scores in the gradebook")
        if not outdated:
            continue
        for name, why in outdated.items():
            converter.log.warning("%s: %s %s: grading it again", student, name, why)
        try:
            if course.notebook_id == "*":
                rmtree(str(graded))
            else:
                for name in outdated:
                    (graded / name).unlink(missing_ok=True)
        except OSError as error:
            converter.log.error("NOT GRADED: %s: removing %s failed: %s", student, graded, error)


def _with_scores(course: Any) -> set[str]:
    """Return the students whose submissions the gradebook has."""
    with Gradebook(course.db_url, course.course_id) as gradebook:
        rows = gradebook.db.query(SubmittedAssignment.student_id).join(Assignment)
        return {student for (student,) in rows.filter(Assignment.name == course.assignment_id)}


def _why_outdated(graded: Path, submitted: Path) -> str:
    marks = _marks(graded)
    if marks.get(FINISHED) is not True:
        return "was not graded completely (the run was killed, or it did not use this package)"
    graded_digest = marks.get(HANDED_IN)  # None if an earlier version, without this mark, graded it
    if graded_digest not in (None, digest_of(submitted)):
        return "was graded in another version"
    return ""


def _marks(path: Path) -> dict[str, Any]:
    try:
        marks = json.loads(read_regular_file(path, _MAX_BYTES_OF_OUR_OWN))["metadata"][METADATA_KEY]
    except (UserError, OSError, ValueError, RecursionError, KeyError, TypeError):
        return {}
    return marks if isinstance(marks, dict) else {}


def students(converter: Any) -> Iterator[tuple[str, str]]:
    """Yield the folder and the student id of each listed submission that is not excluded."""
    excluded = converter.coursedir.student_id_exclude.split(",")
    for folder in converter.assignments:
        with contextlib.suppress(NbGraderException):
            if (student := _student(converter, folder)) not in excluded:
                yield folder, student


def _graded(course: CourseDirectory, student: str) -> Path:
    return Path(course.format_path(course.autograded_directory, student, course.assignment_id))


def _student(converter: Any, folder: str) -> str:
    resources = converter.init_single_notebook_resources(converter.assignments[folder][0])
    return str(resources["nbgrader"]["student"])


def expected(converter: Autograde) -> Iterator[tuple[str, Path]]:
    """Yield students and notebooks in the order in which nbgrader will grade them."""
    course = converter.coursedir
    known = notebook_names(course)
    for folder, student in sorted(students(converter)):
        if student in course.unusable or why_unusable(Path(folder)):
            continue
        listed = map(Path, sorted(converter.assignments[folder]))
        notebooks = [path for path in listed if path.stem in known]
        if _will_be_graded(converter, student, notebooks):
            for path in notebooks:
                yield student, path


def _will_be_graded(converter: Autograde, student: str, notebooks: list[Path]) -> bool:
    """Return whether nbgrader's loop will grade a student; see `BaseConverter.init_destination`."""
    course = converter.coursedir
    folder = _graded(course, student)
    names = [""] if course.notebook_id == "*" else [path.name for path in notebooks]
    if not all(os.path.exists(folder / name) for name in names) or converter.force:
        return True
    new, old = map(course.get_existing_timestamp, (notebooks[0].parent, folder))
    return bool(new and old and new > old)


def notebook_names(course: Any) -> list[str]:
    """Return the names of the assignment's notebooks in the gradebook."""
    with Gradebook(course.db_url, course.course_id) as gradebook:
        try:
            assignment = gradebook.find_assignment(course.assignment_id)
        except MissingEntry:
            return []
        return [notebook.name for notebook in assignment.notebooks]
