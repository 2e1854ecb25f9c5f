"""The instructor's cells, as nbgrader's gradebook stores them and as students get them."""

import functools
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Assignment, Gradebook, Notebook, SourceCell
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from hw_grading.homework.order import stored_order
from hw_support.submission.cells import NEW_CELL, InstructorCell, grade_id_of


def instructor_cells(
    gradebook: Any, assignment: str, notebook: str, source: Path | None = None
) -> list[InstructorCell]:
    """Read the instructor's cells from nbgrader's open gradebook, in the notebook's order.

    The order is the one that `SaveOrder` of ``generate_assignment`` stored last, otherwise that of
    `source`, the instructor's notebook, which may be missing. If neither has all cells, it is the
    order of the database's rows. SQLite gives rows in the order in which `nbgrader
    generate_assignment` first saved them, from top to bottom. Other databases may not.

    `nbgrader.api.MissingEntry` if the assignment or notebook was never generated.
    """
    entry = gradebook.find_notebook(notebook, assignment)
    kinds = (entry.grade_cells, entry.solution_cells, entry.task_cells)
    graded, answers, tasks = ({cell.name for cell in cells} for cells in kinds)
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


def plain_cells(source: Path | None) -> list[str] | None:
    """Return the instructor's cells without a grade id, as students have them; None if unknown."""
    if not source or not source.is_file():
        return None
    cells = nbformat.read(source, as_version=4).cells
    return [as_released(c.source, c.cell_type) for c in cells if not grade_id_of(c)]


def test_cells(db_url: str, assignment: str) -> list[InstructorCell]:
    """Return the test cells of all notebooks of an assignment that was generated."""
    with Gradebook(db_url) as gradebook:
        names = [notebook.name for notebook in gradebook.find_assignment(assignment).notebooks]
        cells = [cell for name in names for cell in instructor_cells(gradebook, assignment, name)]
    return [cell for cell in cells if cell.is_test]


def grade_ids_by_assignment(db: Session | Connection) -> dict[str, frozenset[str]]:
    """Return the grade ids of each of the course's assignments, by name."""
    cells = select(Assignment.name, SourceCell.name)
    cells = cells.join(Notebook, Notebook.assignment_id == Assignment.id)
    cells = cells.join(SourceCell, SourceCell.notebook_id == Notebook.id)
    found: dict[str, set[str]] = {}
    for name, grade_id in db.execute(cells):
        found.setdefault(name, set()).add(grade_id)
    return {name: frozenset(ids) for name, ids in found.items()}


def _in_order(gradebook: Any, assignment: str, notebook: Any, source: Path | None) -> list[str]:
    """Return the grade ids of a notebook's cells from top to bottom."""
    names = [cell.name for cell in notebook.source_cells]
    known: list[Any] = stored_order(gradebook, assignment, notebook.name)
    if not set(names) <= set(known) and source and source.is_file():
        cells = nbformat.read(source, as_version=4).cells
        known = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in cells]
    return sorted(names, key=known.index) if set(names) <= set(known) else names


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
