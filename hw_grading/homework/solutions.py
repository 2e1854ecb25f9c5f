"""The solutions of a homework as data: the code cells of its source notebooks.

They go to the examiner only, where `hw_grading.examiner.reference` runs them.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import is_solution

from hw_grading.homework.cells import is_test, is_trusted
from hw_support.source import checks_in
from hw_support.submission.cells import grade_id_of

FOLDER = "solutions"  # of a homework's code, with a file for each notebook
# The kinds of cells. A plain one is not the grader's, but may have what a solution needs.
LOCKED, ANSWER, TEST, PLAIN = "locked", "answer", "test", "plain"


def solutions_of(notebooks: Iterable[Path]) -> dict[str, bytes]:
    """Return the code cells of source notebooks, as JSON by path.

    Notebooks without a test cell that uses `Checks` are left out, since nobody asks what is right;
    also those that cannot be read, which a release names.
    """
    found = {}
    for path in notebooks:
        try:
            cells = cells_in(path)
        except (OSError, ValueError):
            continue
        if any(kind == TEST and checks_in(source) for kind, _, source in cells):
            found[f"{FOLDER}/{path.stem}.json"] = json.dumps(cells).encode()
    return found


def in_source(grade_id: str) -> str:
    """Return what a message calls a cell of the source notebook."""
    return f"cell {grade_id}" if grade_id else "cells without a grade id"


def sources_in(solutions: bytes) -> dict[str, str]:
    """Return the texts of the cells in a file of solutions, by what messages call them."""
    found: dict[str, str] = {}
    for _, grade_id, source in json.loads(solutions):
        name = in_source(grade_id)
        found[name] = f"{found.get(name, '')}{source}\n"
    return found


def cells_in(path: Path) -> list[tuple[str, str, str]]:
    """Return kind, grade id and source of the code cells of a notebook.

    OSError or ValueError if the notebook cannot be read.
    """
    cells = nbformat.read(path, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    return [(kind_of(cell), grade_id_of(cell) or "", cell.source) for cell in code]


def kind_of(cell: NotebookNode) -> str:
    """Return the kind of a code cell."""
    if is_test(cell):
        return TEST
    if is_trusted(cell):
        return LOCKED
    return ANSWER if is_solution(cell) else PLAIN
