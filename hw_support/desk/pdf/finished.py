"""Look for what a finished notebook does not have: cells that were not run, or not in order."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from hw_support.desk.pdf.text import excerpt, first_line

__all__ = ["gaps"]

_MOST_NAMED = 5


def gaps(notebook: Any) -> list[str]:
    """Say what looks as if the notebook was not run from top to bottom, and then saved.

    Parameters
    ----------
    notebook : NotebookNode
        In nbformat 4.

    Returns
    -------
    list of str
        Sentences for the student; none for a notebook that was run by *Restart Kernel and Run All
        Cells* and saved. A cell that ends in an error is no gap: it was run.
    """
    code = [
        (number, cell)
        for number, cell in enumerate(notebook.cells, 1)
        if cell.cell_type == "code" and cell.source.strip()
    ]
    if not notebook.cells:
        return ["The notebook has no cells."]
    if code and all(_count(cell) is None for _, cell in code):
        return ["No cell has been run, or the outputs were cleared before the notebook was saved."]
    run = [(number, cell) for number, cell in code if _count(cell) is not None]
    not_run = [_name(number, cell) for number, cell in code if _count(cell) is None]
    sentences = []
    if not_run:
        sentences.append(f"Not run since it was written or cleared: {_listed(not_run)}.")
    sentences += _out_of_order(run)
    silent = [_name(n, cell) for n, cell in run if not cell.get("outputs") and _shows(cell)]
    if silent:
        sentences.append(f"Run, but without the output that it should have: {_listed(silent)}.")
    return sentences


def _out_of_order(run: Sequence[tuple[int, Any]]) -> list[str]:
    """Name the fewest cells without which the others were run from top to bottom."""
    counts = [_count(cell) for _, cell in run]
    in_order = set(_longest_rise([count for count in counts if count is not None]))
    odd = [_name(*run[i]) + f" as [{counts[i]}]" for i in range(len(run)) if i not in in_order]
    if not odd:
        return []
    return [f"Not run in the order in which the cells stand: {_listed(odd)}."]


def _longest_rise(counts: list[int]) -> list[int]:
    """Return the places of a longest strictly rising subsequence."""
    ends: list[int] = []  # for each length, the place of the smallest possible end
    before: list[int | None] = []
    for i, count in enumerate(counts):
        low, high = 0, len(ends)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if counts[ends[middle]] < count else (low, middle)
        before.append(ends[low - 1] if low else None)
        ends[low : low + 1] = [i]
    rise: list[int] = []
    place = ends[-1] if ends else None
    while place is not None:
        rise.append(place)
        place = before[place]
    return rise[::-1]


def _shows(cell: Any) -> bool:
    """Whether a cell that was run has an output for certain."""
    marks = cell.metadata.get("nbgrader")
    marks = marks if isinstance(marks, dict) else {}
    if str(marks.get("grade_id", "")).startswith("test_"):
        return True
    if marks.get("grade") and marks.get("solution"):  # a plot, which a person looks at
        return True
    try:
        statements = ast.parse(cell.source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False  # magics, or no Python
    return any(_prints(statement) for statement in statements)


def _prints(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=[_, *_], keywords=keywords)):
            return all(keyword.arg in ("sep", "end", "flush") for keyword in keywords)
    return False


def _count(cell: Any) -> int | None:
    count = cell.get("execution_count")
    return count if isinstance(count, int) else None


def _name(number: int, cell: Any) -> str:
    return f"cell {number} ({excerpt(first_line(cell.source), 40)})"


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMED])
    more = len(names) - _MOST_NAMED
    return f"{shown}, and {more} more" if more > 0 else shown
