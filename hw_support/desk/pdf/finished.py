"""Find the cells of a notebook that were not run, or not in order."""

import ast
import bisect
from typing import Any

from hw_support.desk.pdf.text import excerpt, first_line
from hw_support.submission.cells import marks_of

_MOST_NAMED = 5


def gaps(notebook: Any) -> list[str]:
    """List signs that the notebook was not run from top to bottom and then saved, in sentences.

    A cell that ends in an error was run, so it is no gap.
    """
    if not notebook.cells:
        return ["The notebook has no cells."]
    run, counts, not_run, silent = [], [], [], []
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        name = f"cell {number} ({excerpt(first_line(cell.source), 40)})"
        count = cell.get("execution_count")
        if not isinstance(count, int):
            not_run.append(name)
            continue
        run.append(f"{name} as [{count}]")
        counts.append(count)
        if not cell.get("outputs") and _shows(cell):
            silent.append(name)
    if not_run and not run:
        return ["No cell was run, or you cleared the outputs before you saved the notebook."]
    in_order = _longest_rise(counts)
    odd = [name for i, name in enumerate(run) if i not in in_order]
    found = {
        "Not run, or its output was cleared": not_run,
        "Not run in order from top to bottom": odd,
        "Run, but the expected output is missing": silent,
    }
    return [f"{what}: {_listed(names)}." for what, names in found.items() if names]


def _longest_rise(counts: list[int]) -> set[int]:
    """Return the places of a longest strictly rising subsequence."""
    ends: list[int] = []  # for each length, the smallest possible end
    chains: list[tuple[int, Any]] = []  # its place, with the chain before it
    for i, count in enumerate(counts):
        length = bisect.bisect_left(ends, count)
        ends[length : length + 1] = [count]
        chains[length : length + 1] = [(i, chains[length - 1] if length else None)]
    rise, chain = set(), chains[-1] if chains else None
    while chain:
        place, chain = chain
        rise.add(place)
    return rise


def _shows(cell: Any) -> bool:
    """Whether a cell must have an output once it was run."""
    marks = marks_of(cell)
    is_test = str(marks.get("grade_id", "")).startswith("test_")
    if is_test or (marks.get("grade") and marks.get("solution")):  # a plot, which people look at
        return True
    try:
        statements = ast.parse(cell.source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False  # magics, or no Python
    return any(map(_prints, statements))


def _prints(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=[_, *_], keywords=keywords)):
            return all(keyword.arg in ("sep", "end", "flush") for keyword in keywords)
    return False


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f", and {more} more" if more > 0 else "")
