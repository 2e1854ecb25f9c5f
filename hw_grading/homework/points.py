"""The points of a notebook: of test cells, and those that headings, table and first cell state.

The parts of a test cell state its points, and nbgrader's metadata gets their sum. Texts that
students read state points too. If one of them says another number, these checks report it. They
skip text that is not clearly a number.
"""

import ast
import itertools
import math
import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from hw_grading.homework.instructor_cells import as_released
from hw_grading.homework.manifest import Manifest, ManifestError
from hw_support.submission.cells import marks_of

_HEADING = re.compile(r"^(?P<marks>#{1,6})\s+(?P<text>.*?)\s*#*$")
_IN_HEADING = re.compile(r"\((?:[^()]*[\s,])?(?P<points>\d+(?:\.\d+)?) points?\)$")
_IN_LIST = re.compile(r"\*\*Points:?\*\*:?\s*(?P<points>\d+(?:\.\d+)?)\b")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_FENCE = re.compile(r"^\s*(```|~~~)")
_RULE = re.compile(r"^\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?$")
_IN_ALL = ("total", "sum", "in all", "all")
_PARTS = tuple(f"checks.{method}" for method in ("part", "table", "untouched", "shows"))


def total_of(notebook: NotebookNode) -> float:
    """Return the total points of a notebook's cells."""
    return sum(map(points_of, notebook.cells))


def check_total(manifest: Manifest, file: Path, notebook: NotebookNode) -> None:
    """Raise `ManifestError` if the manifest in a file states other points than the notebook has."""
    total = total_of(notebook)
    if manifest.points is not None and _differ(manifest.points, total):
        raise ManifestError(
            f"{file}: points is {manifest.points:g}, but the cells of the notebook sum to "
            f"{total:g}. Change one of the two."
        )


def set_points(notebook: NotebookNode) -> list[str]:
    """Give each test cell the points of its parts; return a sentence for each cell that changed."""
    changes = []
    for cell in notebook.cells:
        worth, before = worth_of_parts(cell), points_of(cell)
        if worth is not None and _differ(worth, before):
            cell.metadata["nbgrader"]["points"] = int(worth) if worth == int(worth) else worth
            name = marks_of(cell).get("grade_id")
            changes.append(f"cell {name} has {_said(worth)} now, as its parts; it had {before:g}")
    return changes


def disagreements(notebook: NotebookNode) -> list[str]:
    """Return a sentence for each number of points that contradicts another in the source."""
    return [
        *_in_headings(notebook),
        *_in_table(notebook),
        *_in_first_cell(notebook),
    ]


def points_of(cell: NotebookNode) -> float:
    """Return the points of a cell; 0 if it has none."""
    marks = marks_of(cell)
    points = marks.get("points", 0)
    graded = marks.get("grade") or marks.get("task")
    return float(points) if graded and isinstance(points, int | float) else 0.0


def _differ(one: float, other: float) -> bool:
    return not math.isclose(one, other, abs_tol=1e-6)


def _said(points: float) -> str:
    return f"{points:g} {'point' if points == 1 else 'points'}"


def _compared(says: str, stated: float, others: str, points: float) -> Iterator[str]:
    if _differ(stated, points):
        yield f"{says}, but {others} {points:g}. Change one of the two."


def worth_of_parts(cell: NotebookNode) -> float | None:
    """Return the points of a test cell's parts.

    None if the cell has no points or no parts, or if the number cannot be read from its text:
    because of an expression in the place of a number, or a part in a loop or function.
    """
    if cell.cell_type != "code" or not (
        marks_of(cell).get("locked") and marks_of(cell).get("grade")
    ):
        return None
    try:
        tree = ast.parse(cell.source)
    except (SyntaxError, ValueError):
        return None
    parts = parts_in(tree)
    outside = [value for node in tree.body for value in _called_by(node)]
    points = [points_in(part) if part in outside else None for part in parts]
    known = [number for number in points if number is not None]
    return sum(known) if parts and len(known) == len(points) else None


def _called_by(statement: ast.stmt) -> list[ast.expr]:
    """Return the expressions that a statement evaluates once: its own, or its decorators."""
    if isinstance(statement, ast.FunctionDef):
        return statement.decorator_list
    return [statement.value] if isinstance(statement, ast.Expr) else []


def parts_in(tree: ast.AST) -> list[ast.Call]:
    """Return the calls that make parts: the methods `part`, `table`, ... of a `Checks`."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call for call in calls if ast.unparse(call.func) in _PARTS]


def points_in(call: ast.Call) -> float | None:
    """Return the argument `points`, which may be the second one; None if it is not a number."""
    values = [keyword.value for keyword in call.keywords if keyword.arg == "points"]
    values = values or call.args[1:2]
    try:
        value = ast.literal_eval(values[0])
    except (IndexError, ValueError, TypeError):
        return None
    return float(value) if isinstance(value, int | float) else None


def _lines(cell: NotebookNode) -> Iterator[str]:
    """Yield the lines of an instructor's text as students get it, without lines of code."""
    if cell.cell_type != "markdown" or marks_of(cell).get("solution"):
        return
    fenced = False
    for line in as_released(cell.source, "markdown").splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            yield line


def _in_headings(notebook: NotebookNode) -> Iterator[str]:
    """Compare each heading that ends in ``(6 points)`` with the cells below it."""
    entries: list[re.Match[str] | float] = []
    for cell in notebook.cells:
        entries += [*filter(None, map(_HEADING.match, _lines(cell))), points_of(cell)]
    for place, entry in enumerate(entries):
        if isinstance(entry, float) or not (found := _IN_HEADING.search(entry["text"])):
            continue
        stated, below = float(found["points"]), 0.0
        for following in entries[place + 1 :]:
            if isinstance(following, float):
                below += following
            elif len(following["marks"]) <= len(entry["marks"]):
                break
        says = f'the heading "{entry["text"]}" says {_said(stated)}'
        yield from _compared(says, stated, "the cells below it have", below)


def _in_table(notebook: NotebookNode) -> Iterator[str]:
    """Compare the table at the top, the first with a column "points", with all cells."""
    rows = _first_table(notebook)
    if not rows:
        return
    column = [head.casefold() for head in rows[0]].index("points")
    total = total_of(notebook)
    stated = 0.0
    for row in rows[1:]:
        number = _NUMBER.fullmatch(row[column]) if column < len(row) else None
        points = float(number[0]) if number else 0.0
        if row[0].casefold().rstrip(":") not in _IN_ALL:
            stated += points
        elif number:
            says = f'the row "{row[0]}" of the table at the top says {_said(points)}'
            yield from _compared(says, points, "the cells have", total)
    says = f"the rows of the table at the top sum to {_said(stated)}"
    yield from _compared(says, stated, "the cells have", total)


def _first_table(notebook: NotebookNode) -> list[list[str]]:
    """Return the rows of the first table with a column "points" above all cells with points."""
    for cell in itertools.takewhile(lambda cell: not points_of(cell), notebook.cells):
        lines = [line.strip() for line in _lines(cell)]
        for place, line in enumerate(lines[:-1]):
            heads = _columns(line)
            is_head = "|" in line and _RULE.match(lines[place + 1])
            if is_head and "points" in [head.casefold() for head in heads]:
                rows = itertools.takewhile(lambda row: "|" in row, lines[place + 2 :])
                return [heads, *map(_columns, rows)]
    return []


def _columns(line: str) -> list[str]:
    return [column.strip(" *_") for column in line.strip("|").split("|")]


def _in_first_cell(notebook: NotebookNode) -> Iterator[str]:
    """Compare ``**Points:** 100`` in the first cell with all cells."""
    text = "\n".join(line for cell in notebook.cells[:1] for line in _lines(cell))
    if stated := _IN_LIST.search(text):
        says = f"the first cell says **Points:** {stated['points']}"
        yield from _compared(says, float(stated["points"]), "the cells have", total_of(notebook))
