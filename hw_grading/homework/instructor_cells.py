"""The instructor's cells, as nbgrader's gradebook stores them and as students get them."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Assignment, Notebook, SourceCell
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme

from hw_grading.homework.order import stored_order
from hw_support.submission.mending import NEW_CELL, InstructorCell


def instructor_cells(
    gradebook: Any, assignment: str, notebook: str, source: Path | None = None
) -> list[InstructorCell]:
    """Read the instructor's cells from nbgrader's gradebook, in the notebook's order.

    Parameters
    ----------
    gradebook
        An open `nbgrader.api.Gradebook`.
    assignment, notebook
        Their names, "ps1" and "ps1".
    source
        The instructor's notebook. It gives the order of cells that were generated before the order
        was stored. None, or the path of a missing file, if the notebook is not available.

    Raises
    ------
    nbgrader.api.MissingEntry
        The assignment or notebook was never generated.

    Notes
    -----
    The order is the one that `hw_grading.plugins.order.SaveOrder` stored last, otherwise that of
    `source`. If neither knows all cells, it is the order of the database's rows. SQLite gives rows
    in the order in which `nbgrader generate_assignment` first saved them, from top to bottom. Other
    databases may not.
    """
    entry = gradebook.find_notebook(notebook, assignment)
    graded = {cell.name for cell in entry.grade_cells}
    answers = {cell.name for cell in entry.solution_cells}
    tasks = {cell.name for cell in entry.task_cells}
    points = {c.name: float(c.max_score) for c in (*entry.grade_cells, *entry.task_cells)}
    cells = {cell.name: cell for cell in entry.source_cells}
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
        for cell in (cells[name] for name in _in_order(gradebook, assignment, entry, source))
    ]


def grade_ids_of_others(gradebook: Any, assignment: str) -> dict[str, frozenset[str]]:
    """Return the grade ids of the course's other assignments, by name.

    Parameters
    ----------
    gradebook
        An open `nbgrader.api.Gradebook`.
    assignment
        The assignment to leave out.
    """
    cells = gradebook.db.query(Assignment.name, SourceCell.name)
    cells = cells.join(Notebook, Notebook.assignment_id == Assignment.id)
    cells = cells.join(SourceCell, SourceCell.notebook_id == Notebook.id)
    found: dict[str, set[str]] = {}
    for name, grade_id in cells.filter(Assignment.name != assignment):
        found.setdefault(name, set()).add(grade_id)
    return {name: frozenset(ids) for name, ids in found.items()}


def _in_order(gradebook: Any, assignment: str, notebook: Any, source: Path | None) -> list[str]:
    """Return the grade ids of a notebook's cells from top to bottom."""
    names = [cell.name for cell in notebook.source_cells]
    known = stored_order(gradebook, assignment, notebook.name)
    if not set(names) <= set(known):
        known = _order_in(source) if source and source.is_file() else []
    if not set(names) <= set(known):
        return names
    return sorted(names, key=known.index)


def _order_in(source: Path) -> list[str]:
    cells = nbformat.read(source, as_version=4).cells
    return [str(cell.metadata.get("nbgrader", {}).get("grade_id")) for cell in cells]


@functools.lru_cache(maxsize=1000)
def as_released(source: str, cell_type: str) -> str:
    """Return a cell's text as students got it: without hidden tests and without the mark scheme."""
    cell = NEW_CELL[cell_type](source)
    for remover in (
        ClearHiddenTests(enforce_metadata=False),
        ClearMarkScheme(enforce_metadata=False, check_attachment_leakage=False),
    ):
        remover.preprocess_cell(cell, {}, 0)
    return str(cell.source)
