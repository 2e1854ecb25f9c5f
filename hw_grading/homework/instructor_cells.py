"""The instructor's cells, as nbgrader's gradebook has them, and as students get them."""

from __future__ import annotations

from typing import Any

from nbgrader.api import Assignment, Notebook, SourceCell
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme

from hw_support.submission.mending import NEW_CELL, InstructorCell


def instructor_cells(gradebook: Any, assignment: str, notebook: str) -> list[InstructorCell]:
    """Read the instructor's cells from nbgrader's gradebook, in the notebook's order.

    Parameters
    ----------
    gradebook
        An open `nbgrader.api.Gradebook`.
    assignment, notebook
        Their names, "ps1" and "ps1".

    Raises
    ------
    nbgrader.api.MissingEntry
        The assignment or notebook was never generated.

    Notes
    -----
    The order is that in which `nbgrader generate_assignment` saved them, one commit for each cell
    from top to bottom; SQLite gives rows back in that order. nbgrader's `add_missing_cells` rests
    on the same. Cells that were reordered after submissions came in keep their first order.
    """
    entry = gradebook.find_notebook(notebook, assignment)
    graded = {cell.name for cell in entry.grade_cells}
    answers = {cell.name for cell in entry.solution_cells}
    tasks = {cell.name for cell in entry.task_cells}
    points = {c.name: float(c.max_score) for c in (*entry.grade_cells, *entry.task_cells)}
    return [
        InstructorCell(
            grade_id=cell.name,
            cell_type=cell.cell_type,
            source=cell.source or "",
            locked=bool(cell.locked),
            grade=cell.name in graded,
            solution=cell.name in answers,
            task=cell.name in tasks,
            points=points.get(cell.name),
            checksum=cell.checksum,
            released=as_released(cell.source or "", cell.cell_type),
        )
        for cell in entry.source_cells
    ]


def grade_ids_of_others(gradebook: Any, assignment: str) -> dict[str, frozenset[str]]:
    """Return the grade ids of the course's other assignments, by name.

    Parameters
    ----------
    gradebook
        An open `nbgrader.api.Gradebook`.
    assignment
        The one to leave out.
    """
    cells = gradebook.db.query(Assignment.name, SourceCell.name)
    cells = cells.join(Notebook, Notebook.assignment_id == Assignment.id)
    cells = cells.join(SourceCell, SourceCell.notebook_id == Notebook.id)
    found: dict[str, set[str]] = {}
    for name, grade_id in cells.filter(Assignment.name != assignment):
        found.setdefault(name, set()).add(grade_id)
    return {name: frozenset(ids) for name, ids in found.items()}


def as_released(source: str, cell_type: str) -> str:
    """Return a cell's text as students got it: without hidden tests, without mark scheme."""
    cell = NEW_CELL[cell_type](source)
    for remover in (
        ClearHiddenTests(enforce_metadata=False),
        ClearMarkScheme(enforce_metadata=False, check_attachment_leakage=False),
    ):
        remover.preprocess_cell(cell, {}, 0)
    return str(cell.source)
