"""The points of a notebook: of a test cell's parts, of its cells, and those that its text states.

The parts of a test cell state its points, and nbgrader's metadata gets their sum. A text states
points by a placeholder, which a release fills in::

    - **Points:** {{ points }}
    ## Q1 Running mean ({{ points test_running_mean | words }})

Without names it stands for the whole notebook. Names are grade ids of cells with points, or
patterns such as ``q1_3*``. ``| words`` adds "point" or "points".
"""

import ast
import math
import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from nbformat import NotebookNode

from hw_support.source import named_checks_in, tree_of
from hw_support.submission.cells import grade_id_of, nbgrader_metadata, text_of

_METHODS = ("part", "table", "untouched", "shows", "random")  # of `Checks`, which make parts
_PLACEHOLDER = re.compile(r"\{\{ *points\b(?P<names>[^{}|]*)(?:\|(?P<form>[^{}]*))?\}\}")
_WORDS = "words"  # the only form other than a number


def points_of(cell: Mapping[str, Any]) -> float:
    """Return the points of a cell; 0 if it has none."""
    points = nbgrader_metadata(cell).get("points", 0)
    return float(points) if _has_points(cell) and isinstance(points, int | float) else 0.0


def differ(one: float, other: float) -> bool:
    """Whether two numbers of points differ by more than rounding."""
    return not math.isclose(one, other, abs_tol=1e-6)


def set_points(notebook: NotebookNode) -> list[str]:
    """Give each test cell the points of its parts.

    Return a sentence for each cell that had other points, if these were not 0.
    """
    changed = []
    for cell in notebook.cells:
        worth, stated = _worth_of_parts(cell), points_of(cell)
        if worth is not None and differ(worth, stated):
            cell.metadata["nbgrader"]["points"] = int(worth) if worth == int(worth) else worth
            if stated:
                changed.append(
                    f"cell {grade_id_of(cell)} has {stated:g} points in the panel Create "
                    f"Assignment, but its parts sum to {worth:g}. The release says {worth:g}. If "
                    f"that is right, write {worth:g} into the panel."
                )
    return changed


def _has_points(cell: Mapping[str, Any]) -> bool:
    marks = nbgrader_metadata(cell)
    return bool(marks.get("grade") or marks.get("task"))


# -- the parts of a test cell


def _worth_of_parts(cell: Mapping[str, Any]) -> float | None:
    """Return the points of a test cell's parts.

    None if the cell has no parts, or if the number cannot be read from its text: because of an
    expression in the place of a number, or a part in a loop or function.
    """
    marks = nbgrader_metadata(cell)
    if cell.get("cell_type") != "code" or not marks.get("grade") or marks.get("solution"):
        return None
    tree = tree_of(text_of(cell.get("source")))
    once: list[ast.expr] = []  # expressions outside of loops and functions
    for node in tree.body:
        once += node.decorator_list if isinstance(node, ast.FunctionDef) else []
        once += [node.value] if isinstance(node, ast.Expr) else []
    points = [_points_in(part) if part in once else None for part in parts_in(tree)]
    known = [number for number in points if number is not None]
    return round(sum(known), 6) if points and len(known) == len(points) else None


def parts_in(tree: ast.AST) -> list[ast.Call]:
    """Return the calls that make parts: the methods `part`, `table`, ... of a `Checks`."""
    made = {f"{name}.{method}" for name in named_checks_in(tree) for method in _METHODS}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call for call in calls if ast.unparse(call.func) in made]


def _points_in(call: ast.Call) -> float | None:
    """Return the argument `points`: the first number among two; None if it is not a number."""
    values = [keyword.value for keyword in call.keywords if keyword.arg == "points"]
    for value in values or call.args[:2]:
        try:
            points = ast.literal_eval(value)
        except (ValueError, TypeError):
            continue
        if isinstance(points, int | float):
            return float(points)
    return None


# -- what a text states


def worth_of(cells: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Return the points of a notebook's cells with points, as a release sets them, by grade id."""
    found = {}
    for cell in filter(_has_points, cells):
        worth = _worth_of_parts(cell)
        found[grade_id_of(cell) or ""] = points_of(cell) if worth is None else worth
    return found


def fill_points(notebook: NotebookNode) -> None:
    """Fill in the placeholders of a notebook's markdown cells."""
    worth = worth_of(notebook.cells)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = filled(cell.source, worth)


def filled(text: str, worth: Mapping[str, float]) -> str:
    """Return a text with its placeholders filled in; one that is not understood stays."""

    def stated(found: re.Match[str]) -> str:
        if _not_understood(found, worth):
            return found[0]
        names = found["names"].split() or ["*"]
        meant = {one for one in worth for name in names if fnmatchcase(one, name)}
        total = math.fsum(worth[one] for one in meant)
        unit = "" if found["form"] is None else " point" if total == 1 else " points"
        return f"{total:g}{unit}"

    return _PLACEHOLDER.sub(stated, text)


def not_understood(text: str, worth: Mapping[str, float]) -> list[tuple[int, str]]:
    """Return the line and the words of a text's placeholders that mean no cell and no form."""
    lines = enumerate(text.splitlines(), 1)
    every = [(number, found) for number, line in lines for found in _PLACEHOLDER.finditer(line)]
    return [(number, word) for number, found in every for word in _not_understood(found, worth)]


def _not_understood(found: re.Match[str], worth: Mapping[str, float]) -> list[str]:
    form = (found["form"] or _WORDS).strip()
    names = [n for n in found["names"].split() if not any(fnmatchcase(one, n) for one in worth)]
    return names + ([] if form == _WORDS else [form])
