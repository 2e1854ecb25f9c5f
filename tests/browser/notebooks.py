"""Notebooks to open: the released one with answers in it, or only some of its cells."""

import copy
from collections.abc import Iterable

from nbformat import NotebookNode

from hw_grading.commands.sample import solved


def some_of(notebook: NotebookNode, *cells: str) -> NotebookNode:
    """Return a notebook of some cells, named by id, in this order."""
    by_id = {cell.id: cell for cell in notebook.cells}
    part = copy.deepcopy(notebook)
    part.cells = [copy.deepcopy(by_id[name]) for name in cells]
    return part


def answered(
    released: NotebookNode, source: NotebookNode, answers: Iterable[str] = (), **others: str
) -> NotebookNode:
    """Return the released notebook with the instructor's answers, or others, in some cells.

    Parameters
    ----------
    released, source
        The students' notebook and the instructor's.
    answers
        Ids of cells that get the instructor's answer.
    others
        Sources of cells by grade id.
    """
    notebook, right = copy.deepcopy(released), solved(released, source)
    for cell, solution in zip(notebook.cells, right.cells, strict=True):
        if cell.id in answers:
            cell.source = solution.source
        elif (name := cell.metadata.get("nbgrader", {}).get("grade_id")) in others:
            cell.source = others[name]
    return notebook
