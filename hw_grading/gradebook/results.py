"""The result of each submission: scores from the gradebook, reasons from graded notebooks.

The gradebook and the instructor's notebook are trusted. Only `records.graded_notebook` reads what
students wrote. If a file is damaged, its student's result says so; other results are not affected.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hw_grading.gradebook import graded_notebook
from hw_grading.gradebook.folders import why_unusable
from hw_grading.gradebook.graded_notebook import Fault, cells_by_id, faults_of, open_notebook
from hw_grading.gradebook.questions import Places, order_in, read_places
from hw_grading.gradebook.scores import Cell, Record, read_gradebook
from hw_grading.gradebook.timestamp import read_time
from hw_grading.homework.course import Course, shelf_of
from hw_grading.homework.homework import why_no_id
from hw_grading.outcome import Status
from hw_support.submission.file import Unreadable, read_submission
from hw_support.submission.problems import METADATA_KEY, Problem, Severity, quoted, read_problems


@dataclass(frozen=True)
class StudentResult:
    """One student's result: the gradebook's record, the outcome and its reason, and what failed."""

    record: Record
    status: Status
    reason: str
    problems: tuple[Problem, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Roster:
    """An assignment's cells in the notebook's order, and the students who handed in, by id."""

    course: Course
    assignment: str
    cells: tuple[Cell, ...]
    records: tuple[Record, ...]
    # With ungraded cells; empty if the instructor's notebook is missing
    places: Places


def read_results(course: Path, assignment: str) -> tuple[Roster, list[StudentResult]]:
    """Read a whole class: the gradebook, and each graded notebook once.

    Raises `NoScores`, `Unreadable` for the instructor's own notebook, `ManifestError`, or
    `GraderFault` for the settings.
    """
    roster = read_roster(course, assignment)
    return roster, [read_student(roster, record)[0] for record in roster.records]


def read_roster(course: Path, assignment: str) -> Roster:
    """Read the gradebook, who handed in, and the instructor's notebook; raise as `read_results`."""
    here = Course(course)
    cells, known, others = read_gradebook(here.db_url, assignment)
    places = read_places(here.source(assignment) / f"{assignment}.ipynb")
    order = order_in(places)
    cells.sort(key=lambda cell: order(cell.name))
    records = {student: Record(student) for student in _handed_in(here, assignment, others)}
    for record in known:
        scores = sorted(record.scores, key=lambda score: order(score.cell.name))
        records[record.student] = replace(record, scores=tuple(scores))
    by_id = tuple(records[student] for student in sorted(records))
    return Roster(here, assignment, tuple(cells), by_id, places)


def read_student(roster: Roster, record: Record) -> tuple[StudentResult, dict[str, dict[str, Any]]]:
    """Read a student's graded notebook; return the result, and the unchecked cells by grade id."""
    name = roster.assignment
    path = roster.course.autograded(record.student, name) / f"{name}.ipynb"
    cells: dict[str, dict[str, Any]] = {}
    problems: list[Problem] = []
    trouble = ""
    try:
        document = open_notebook(path)
    except (Unreadable, OSError) as why:
        trouble = f"its graded notebook cannot be read: {why}"
    else:
        cells, problems = cells_by_id(document), read_problems(document)
        section = document["metadata"].get(METADATA_KEY)
        if isinstance(section, dict) and section.get(graded_notebook.FINISHED) is not True:
            trouble = "its last grading did not finish"
    failures = [problem.message for problem in problems if problem.severity is Severity.FAILED]
    if reason := _why_not_graded(roster, record, trouble):
        status = Status.NOT_GRADED
    elif failures:
        status, reason = Status.SUBMISSION_FAILED, " ".join(failures)
    else:
        status = Status.GRADED
    faults = [fault for name, cell in cells.items() for fault in faults_of(name, cell)]
    return StudentResult(record, status, reason, tuple(problems), tuple(faults)), cells


def is_outdated(folder: Path, record: Record) -> bool:
    """Return whether the submission in a student's folder is newer than the graded one."""
    newer = None
    with contextlib.suppress(Unreadable):  # the run has reported it already
        newer = read_time(folder)
    return bool(newer and record.handed_in and newer > record.handed_in)


def _handed_in(course: Course, assignment: str, others: set[str]) -> Iterator[str]:
    """Yield the students who handed in anything that is not clearly for another assignment.

    A folder whose name begins with a dot was made by a machine, unless it has the assignment's
    folder.
    """
    step = course.directory.submitted_directory
    shelf = shelf_of(course.directory, step, assignment)
    for_others = {shelf_of(course.directory, step, other).within for other in others}
    for_others -= {shelf.within}
    try:
        folders = [entry for entry in os.scandir(shelf.parent) if entry.is_dir()]
    except OSError:
        return
    for folder in folders:
        try:
            names = set(os.listdir(folder))
        except OSError:
            names = {"unreadable"}  # a placeholder: such a folder counts as handed in
        student = shelf.name(folder.name)
        if folder.name.startswith("."):
            handed_in = bool(shelf.within) and shelf.within in names
        else:
            handed_in = any(name[0] != "." for name in names - for_others)
        if student and handed_in:
            yield student


def _why_not_graded(roster: Roster, record: Record, trouble: str) -> str:
    name = roster.assignment
    folder = roster.course.submitted(record.student, name)
    run = f"run `nbgrader autograde {name}`"
    notebook = folder / f"{name}.ipynb"
    if record.scored:
        if trouble:
            how = _why_unreadable(notebook, run) or f"To grade it again, {run}."
            return f"The submission has scores, but {trouble}. {how}"
        if is_outdated(folder, record):
            return f"The student submitted again after this grading: {run}."
        return ""
    if why := why_no_id(record.student):
        return f"{why[0].upper()}{why[1:]}. Rename the folder, and {run}."
    if why := why_unusable(folder):
        return f"{folder}: {why}, and {run}."
    if os.path.lexists(notebook):
        submitted = f"The notebook was submitted, but there are {_missing(record)}: {run}."
        return _why_unreadable(notebook, run) or submitted
    where = f"folder {folder.name}"
    if not os.path.isdir(folder):  # Path.is_dir raises for a name that is too long
        course = roster.course.directory
        own = shelf_of(course, course.submitted_directory, name).folder(record.student)
        where = "student's folder" + (f", which has no folder {name}" if own != folder else "")
        folder = own
    try:
        names = sorted(os.listdir(folder))
    except (OSError, ValueError):  # ValueError: a null character in the student's id
        names = []
    found = ", ".join(quoted(n) for n in names[:5]) + (", …" if len(names) > 5 else "")
    return f"No {name}.ipynb was submitted. In the {where}: {found or 'nothing'}."


def _why_unreadable(path: Path, run: str) -> str:
    try:
        read_submission(path)
    except (Unreadable, OSError) as error:
        why = str(error)
        return f"{why[0].upper()}{why[1:]}. Ask the student for another file, and {run}."
    return ""


def _missing(record: Record) -> str:
    """Name the missing scores. Scores are saved one by one, so a killed run may leave some out."""
    tests = [score for score in record.scores if not score.cell.by_hand]
    missing = [score.cell.name for score in tests if score.auto is None]
    return "no scores" if len(missing) == len(tests) else f"no scores for {', '.join(missing)}"
