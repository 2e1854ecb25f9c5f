"""The instructor's cells as the gradebook has them, and as a description for students has them."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook

from hw_grading.homework.notebook import Notebook, as_released
from hw_support.submission.cells import InstructorCell, grade_id_of, nbgrader_metadata
from hw_support.submission.file import UserError
from hw_support.submission.released import first_line


def instructor_cells(
    gradebook: Any, assignment: str, notebook: str, *notebooks: Path
) -> list[InstructorCell]:
    """Read the instructor's cells from nbgrader's open gradebook, in the notebook's order.

    The gradebook does not store the order. It is that of the first of these notebooks, the released
    one and its source, that exists and has all cells. Otherwise it is the order of the database's
    rows: in SQLite, the order in which the cells were first saved, from top to bottom.

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
            released=as_released(cell.source or ""),
        )
        for cell in (cells[name] for name in _in_order(list(cells), notebooks))
    ]


def _in_order(names: list[str], notebooks: Iterable[Path]) -> list[str]:
    """Return the grade ids of a notebook's cells from top to bottom."""
    for path in notebooks:
        with suppress(OSError, UserError):  # missing or damaged
            known = [cell.grade_id for cell in Notebook.read(path).cells]
            if set(names) <= set(known):
                return sorted(names, key=known.index)
    return names


def plain_cells(source: Path) -> list[str] | None:
    """Return the instructor's cells without a grade id, as students have them; None if unknown."""
    if not source.is_file():
        return None
    return [cell.released for cell in Notebook.read(source).cells if not cell.grade_id]


def test_cells(db_url: str, assignment: str) -> list[InstructorCell]:
    """Return the test cells of all notebooks of an assignment that was generated."""
    with Gradebook(db_url) as gradebook:
        names = [notebook.name for notebook in gradebook.find_assignment(assignment).notebooks]
        cells = [cell for name in names for cell in instructor_cells(gradebook, assignment, name)]
    return [cell for cell in cells if cell.is_test]


def description_of(nb: NotebookNode, /, **more: Any) -> dict[str, Any]:
    """Return the JSON data of a released notebook, with `more` attributes, for students.

    The heading above a cell is the last one of level 2 or 3.
    """
    cells, plain = [], []
    for cell in nb.cells:
        if (name := grade_id_of(cell)) is None:
            plain.append(cell.source)
            continue
        marks = nbgrader_metadata(cell)
        flags = {flag: marks.get(flag) for flag in ("locked", "grade", "solution", "task")}
        points = float(marks["points"]) if "points" in marks else None
        about = {"grade_id": name, **flags, "checksum": marks.get("checksum")}
        cells.append(
            {**about, "cell_type": cell.cell_type, "source": cell.source, "points": points}
        )
    known = [cell for cell in Notebook.of(nb).cells if cell.grade_id]
    parts = {cell.grade_id: cell.place.section for cell in known}
    return {"cells": cells, "plain": plain, "parts": parts, "begins": first_line(nb), **more}
