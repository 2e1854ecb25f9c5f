"""A homework's sample class: right and wrong submissions, built from the source notebook.

``staff/<homework>/answers/sample_class.py`` defines ``sample_class(released)``, which returns a
list of `SampleSubmission`. The demonstration, the tests and the benchmarks grade them.
``python -m hw_grading.commands.sample FOLDER`` makes the demonstration's course.
"""

import runpy
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat
from nbgrader import utils

from hw_grading.homework.course import Course, scratch_course
from hw_grading.homework.folders import TIMESTAMP
from hw_grading.homework.homework import manifest_of
from hw_grading.homework.layout import STAFF
from hw_grading.homework.source_notebook import solved

ON_TIME = timedelta(hours=-5)
LATE = timedelta(days=1, hours=9)


@dataclass(frozen=True)
class SampleSubmission:
    """One student's submission, changed from a solved notebook."""

    student: str  # the id, which names the mistake
    change: Callable[[Any], None]  # changes a solved notebook in place
    handed_in: timedelta = ON_TIME  # after the due date


def cell_of(notebook: Any, grade_id: str) -> Any:
    """Return the cell with this grade id; KeyError if there is none."""
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id:
            return cell
    raise KeyError(f"no cell has the grade id {grade_id!r}")


def replace_in(notebook: Any, grade_id: str, old: str, new: str) -> None:
    """Replace text that occurs exactly once in a cell; ValueError otherwise."""
    cell = cell_of(notebook, grade_id)
    if cell.source.count(old) != 1:
        raise ValueError(f"{old!r} is {cell.source.count(old)} times in {grade_id}, expected once")
    cell.source = cell.source.replace(old, new)


def blank(notebook: Any, released: Any) -> None:
    """Replace every answer by its released stub."""
    for cell in notebook.cells:
        if utils.is_solution(cell):
            cell.source = cell_of(released, cell.metadata.nbgrader.grade_id).source


def sample_class_of(course: Path, assignment: str) -> Callable[[Any], list[SampleSubmission]]:
    """Return the function that makes a homework's sample class, or raise `FileNotFoundError`."""
    path = course / STAFF / assignment / "answers" / "sample_class.py"
    names = runpy.run_path(str(path), run_name=f"sample_class_{assignment}")
    found: Callable[[Any], list[SampleSubmission]] = names["sample_class"]
    return found


def write_class(course: Course, assignment: str) -> list[SampleSubmission]:
    """Write the sample class of a generated assignment as submissions; return them by student."""
    name = f"{assignment}.ipynb"
    source = nbformat.read(course.source(assignment) / name, as_version=4)
    released = nbformat.read(course.release(assignment) / name, as_version=4)
    submissions = sample_class_of(course.root, assignment)(released)
    due = manifest_of(course.root, assignment).due_moment or datetime.now(UTC)
    for submission in submissions:
        notebook = solved(released, source)
        submission.change(notebook)
        folder = course.submitted(submission.student, assignment)
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / name)
        moment = (due + submission.handed_in).astimezone(UTC)
        (folder / TIMESTAMP).write_text(f"{moment:%Y-%m-%d %H:%M:%S} UTC", encoding="utf-8")
    return submissions


def sample_course(folder: Path) -> Course:
    """Make a scratch course in which the sample class of each homework has submitted."""
    course = scratch_course(folder)
    for name in course.homeworks():
        course.run_nbgrader("generate_assignment", name)
        print(f"{name}: {len(write_class(course, name))} submissions in {folder}", flush=True)
    return course


if __name__ == "__main__":
    sample_course(Path(sys.argv[1]))
