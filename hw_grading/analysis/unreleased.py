"""Finds edits in the instructor's notebook since release, by comparing it with the gradebook."""

from dataclasses import dataclass

import nbformat
from nbgrader.api import Gradebook
from nbgrader.preprocessors import ClearSolutions
from nbgrader.utils import is_grade, is_solution, is_task

from hw_grading.batch.snapshot import digest_of_source
from hw_grading.gradebook.graded_notebook import open_notebook
from hw_grading.homework.course import Course
from hw_grading.homework.instructor_cells import instructor_cells
from hw_grading.plugins.releasing import PLACEHOLDER, is_saved
from hw_support.submission.cells import grade_id_of
from hw_support.submission.file import Unreadable


@dataclass(frozen=True)
class Edits:
    """Grade ids of the cells that differ since the release."""

    changed: list[str]  # with another text, other points, or another position
    added: list[str]
    removed: list[str]
    released: dict[str, str]  # digests of the released cells' sources


def edits_since_release(course: Course, assignment: str) -> Edits:
    """Compare the instructor's notebook with its version in the gradebook.

    Solutions and cells without a grade id are ignored, because grading does not use them.
    Raises `Unreadable` if the notebook is missing or damaged.
    """
    path = course.source(assignment) / f"{assignment}.ipynb"
    try:
        open_notebook(path)  # raises an error that says what is wrong
        notebook = nbformat.read(path, as_version=4)
    except (Unreadable, OSError, ValueError) as error:
        raise Unreadable(f"{path} cannot be read as a notebook: {error}") from None
    notebook, _ = ClearSolutions(config=course.config).preprocess(notebook, {})
    cells = {grade_id_of(cell) or "": cell for cell in notebook.cells if is_saved(cell)}
    with Gradebook(course.db_url) as gradebook:
        known = {c.grade_id: c for c in instructor_cells(gradebook, assignment, assignment, path)}
    both = [name for name in cells if name in known]
    moved = both != [name for name in known if name in cells]
    changed = []
    for name in both:
        cell, old = cells[name], known[name]
        points = cell.metadata.nbgrader.get("points") if is_grade(cell) or is_task(cell) else None
        is_text_same = PLACEHOLDER in cell.source or cell.source == old.source
        same_points = points is None or float(points) == old.points
        marks = (is_grade(cell), is_solution(cell), is_task(cell), cell.cell_type)
        same_marks = marks == (old.grade, old.solution, old.task, old.cell_type)
        if not (is_text_same and same_points and same_marks) or moved:
            changed.append(name)
    added = [name for name in cells if name not in known]
    removed = [name for name in known if name not in cells]
    digests = {name: digest_of_source(cell.source) for name, cell in known.items()}
    return Edits(changed, added, removed, digests)
