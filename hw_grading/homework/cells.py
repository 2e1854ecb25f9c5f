"""The cells of a homework: their kinds and names, and the instructor's as students get them."""

import contextlib
import functools
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme
from nbgrader.utils import is_grade, is_locked, is_solution

from hw_grading.homework.points import fill_points
from hw_support.source import bound_by, checks_in
from hw_support.submission.cells import NEW_CELL, InstructorCell, grade_id_of, marks_of
from hw_support.submission.problems import quoted
from hw_support.submission.released import first_line

_HARDLY_ANY = 0.1  # at most this share of the cells that only the expected homework has
_MOST = 0.5  # more than this share of the cells that only another homework has


def is_test(cell: NotebookNode) -> bool:
    """Return whether a cell is a test cell, whose outputs are a score."""
    return bool(cell.cell_type == "code" and is_grade(cell) and not is_solution(cell))


def uses_checks(cell: NotebookNode | InstructorCell) -> bool:
    """Whether a test cell is written with `hw_support.Checks`."""
    return _calls_checks(cell.source)


@functools.lru_cache(1000)  # asked of each test cell of each submission, more than once
def _calls_checks(source: str) -> bool:
    return bool(checks_in(source))


def is_trusted(cell: NotebookNode) -> bool:
    """Return whether a cell is an unchanged code cell of the instructor, and not a test."""
    locked = cell.cell_type == "code" and is_locked(cell)
    return bool(locked and not is_grade(cell) and not is_solution(cell))


def instructors_first_cells(nb: NotebookNode) -> dict[str, str]:
    """Return the instructor's code cells before the first answer or test, by grade id.

    They bind the same names in every submission, so the examiner runs them only once.
    """
    first = {}
    for cell in nb.cells:
        if cell.cell_type == "code" and (is_solution(cell) or is_grade(cell)):
            break
        if is_trusted(cell):
            first[grade_id_of(cell) or ""] = cell.source
    return first


def instructors_names(nb: NotebookNode) -> set[str]:
    """Return the names that the instructor's cells bind, other than test cells."""
    return {name for cell in nb.cells if is_trusted(cell) for name in bound_by(cell.source)}


def name_of(cell: NotebookNode) -> str:
    """Return a name for a cell, for the middle of a sentence."""
    grade_id = grade_id_of(cell)
    if grade_id:
        return f"cell {quoted(grade_id)}"
    return f"the cell that begins with {quoted(cell.source.strip().partition(chr(10))[0], 40)}"


def at_start(cell: NotebookNode) -> str:
    """Return a name for a cell, for the start of a sentence."""
    name = name_of(cell)
    return name[0].upper() + name[1:]


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
            released=as_released(cell.source or "", cell.cell_type),
        )
        for cell in (cells[name] for name in _in_order(list(cells), notebooks))
    ]


def plain_cells(source: Path | None) -> list[str] | None:
    """Return the instructor's cells without a grade id, as students have them; None if unknown."""
    if not source or not source.is_file():
        return None
    notebook = nbformat.read(source, as_version=4)
    fill_points(notebook)
    return [as_released(c.source, c.cell_type) for c in notebook.cells if not grade_id_of(c)]


def test_cells(db_url: str, assignment: str) -> list[InstructorCell]:
    """Return the test cells of all notebooks of an assignment that was generated."""
    with Gradebook(db_url) as gradebook:
        names = [notebook.name for notebook in gradebook.find_assignment(assignment).notebooks]
        cells = [cell for name in names for cell in instructor_cells(gradebook, assignment, name)]
    return [cell for cell in cells if cell.is_test]


def _in_order(names: list[str], notebooks: tuple[Path, ...]) -> list[str]:
    """Return the grade ids of a notebook's cells from top to bottom."""
    for path in notebooks:
        with contextlib.suppress(OSError, ValueError):  # missing or damaged
            known = list(map(grade_id_of, nbformat.read(path, as_version=4).cells))
            if set(names) <= set(known):
                return sorted(names, key=known.index)
    return names


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


def mistaken_for(
    found: AbstractSet[str], own: AbstractSet[str], others: Mapping[str, AbstractSet[str]]
) -> str | None:
    """Return the other homework to which a notebook clearly belongs, if there is one.

    `found` are the grade ids in the notebook, `own` those of the homework as which it was
    submitted. The notebook must have more than half of the cells that only the other homework has,
    and at most a tenth of those that only the expected one has. The other homework with the most
    such cells is returned.
    """
    possible = {}
    for name, theirs in sorted(others.items()):
        only_own, only_theirs = own - theirs, theirs - own
        there = len(found & only_theirs)
        if there > _MOST * len(only_theirs) and len(found & only_own) <= _HARDLY_ANY * len(
            only_own
        ):
            possible[name] = there
    return max(possible, key=possible.__getitem__, default=None)


def cells_of(released: NotebookNode) -> tuple[list[InstructorCell], list[str]]:
    """Return the graded and locked cells of a released notebook, and the sources of the others."""
    content = described(released)
    return [InstructorCell(**cell) for cell in content["cells"]], content["plain"]


def described(nb: NotebookNode, /, **more: Any) -> dict[str, Any]:
    """Return the JSON data of a released notebook, with `more` attributes, for students.

    The heading above a cell is the last one of level 2 or 3.
    """
    cells, plain, parts, heading = [], [], {}, ""
    for cell in nb.cells:
        for line in cell.source.splitlines() if cell.cell_type == "markdown" else ():
            if line.startswith(("## ", "### ")):
                heading = line.lstrip("# ").strip()
        if (name := grade_id_of(cell)) is None:
            plain.append(cell.source)
            continue
        parts[name], marks = heading, marks_of(cell)
        names = ("grade_id", "locked", "grade", "solution", "task", "checksum")
        points = float(marks["points"]) if "points" in marks else None
        kept = {name: marks.get(name) for name in names}
        cells.append(kept | {"cell_type": cell.cell_type, "source": cell.source, "points": points})
    begins = first_line(nb)
    return {"cells": cells, "plain": plain, "parts": parts, "begins": begins, **more}
