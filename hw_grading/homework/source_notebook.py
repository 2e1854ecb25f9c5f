"""Checks of the instructor's notebook: what a release removes from it, and its points.

nbgrader removes what is between two lines, such as ``### BEGIN SOLUTION`` and ``### END SOLUTION``.
If one of them is mistyped, students could read what is between them. The parts of a test cell state
its points, and nbgrader's metadata gets their sum.
"""

import ast
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from hw_grading.homework.cells import as_released, is_test, uses_checks
from hw_grading.homework.homework import Manifest
from hw_support.submission.cells import marks_of
from hw_support.submission.problems import quoted

_KINDS = ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME")
_MEANT = re.compile(
    r"\s*(?:#+|<!--)\s*(?:begin|end)[\s_-]*(?:solution|hidden[\s_-]*test|mark\w*[\s_-]*scheme)",
    re.IGNORECASE,
)
_FOR_STAFF = re.compile(r"\w+\.grade_with\(.*|^\s*(?:from|import)\s+staff\b", re.MULTILINE)
_GRADE_WITH = re.compile(r"\w+\.grade_with\(\"staff\.\w+\"\)")
_PARTS = tuple(f"checks.{method}" for method in ("part", "table", "untouched", "shows"))


# -- what a release removes


def mistakes(notebook: NotebookNode) -> Iterator[str]:
    """Yield a sentence for each cell that would show students what is hidden, or is broken."""
    about = [notebook.metadata.get(name, {}) for name in ("kernelspec", "language_info")]
    language = about[0].get("language") or about[1].get("name") or "python"
    if not language.lower().startswith("python"):
        yield f"its kernel runs {quoted(language)}. Only Python kernels can be graded."
    for number, cell in enumerate(notebook.cells, 1):
        if said := next(_in_cell(cell), ""):
            yield f"cell {marks_of(cell).get('grade_id') or f'{number} from the top'}: {said}"


def check_cells(notebook: NotebookNode, file: Path) -> None:
    """Raise `RuntimeError`, with these sentences, if the notebook of a file has `mistakes`."""
    if wrong := [f"{file}: {sentence}" for sentence in mistakes(notebook)]:
        raise RuntimeError("\n".join([*wrong, "Nothing was released."]))


def unknown_cells(manifest: Manifest, cells: Iterable[NotebookNode]) -> Iterator[str]:
    """Yield a sentence for each cell that a manifest names and a homework does not have."""
    named = {manifest.certification, *manifest.limits, *manifest.shown_beside} - {""}
    for beside in manifest.shown_beside.values():
        named |= {*beside.answers, *beside.printed}
    for grade_id in sorted(named - {marks_of(cell).get("grade_id") for cell in cells}):
        yield f"it names the cell {quoted(grade_id)}, but no cell of the notebook has this id."


def _in_cell(cell: NotebookNode) -> Iterator[str]:
    open_kind = ""
    hidden = []  # lines between BEGIN HIDDEN TESTS and END HIDDEN TESTS
    for line in cell.source.splitlines():
        marks = [(w, kind) for w in ("BEGIN", "END") for kind in _KINDS if f"{w} {kind}" in line]
        if not marks and _MEANT.match(line):
            names = ", ".join(f"BEGIN {kind} and END {kind}" for kind in _KINDS)
            yield f"the line {quoted(line.strip())} removes nothing. Allowed are {names}."
        for word, kind in marks:
            if open_kind != (kind if word == "END" else ""):
                yield f"{word} {kind} is not allowed here: each BEGIN needs its own END below it."
            open_kind = kind if word == "BEGIN" else ""
        if not marks and open_kind == "HIDDEN TESTS":
            hidden.append(line)
    if open_kind:
        yield f"BEGIN {open_kind} has no END {open_kind} below it."
    is_answer, is_solved = marks_of(cell).get("solution"), "BEGIN SOLUTION" in cell.source
    if cell.get("attachments") and (is_answer or is_solved or "BEGIN MARK SCHEME" in cell.source):
        yield (
            f"students would get its attached picture {quoted(min(cell.attachments))} although "
            "text is removed. Move the picture into a cell of its own, or into the text as data."
        )
    if is_solved and not is_answer:
        yield "it has a solution, but its type is not that of an answer (panel Create Assignment)."
    if is_test(cell):
        yield from _in_test(cell, hidden)
    elif "BEGIN HIDDEN TESTS" in cell.source:
        yield "it has hidden tests, but its type is not Autograder tests (panel Create Assignment)."


def _in_test(cell: NotebookNode, hidden: list[str]) -> Iterator[str]:
    for line in filter(None, map(str.strip, hidden if uses_checks(cell) else ())):
        if not _GRADE_WITH.fullmatch(line):
            yield (
                f"its hidden line {quoted(line)} is not allowed, because students see every part: "
                "the only hidden line of a cell with `Checks` is "
                'checks.grade_with("staff.<homework>").'
            )
    released = as_released(cell.source, "code")
    if found := _FOR_STAFF.search(released):
        yield (
            f"students would read {quoted(found[0].strip())}. Put it between BEGIN HIDDEN TESTS "
            "and END HIDDEN TESTS."
        )
    for text, whose in ((cell.source, ""), (released, ", without its hidden tests")):
        try:
            # A cell without `Checks` runs in the kernel, where magics are allowed.
            ast.parse(text if uses_checks(cell) else TransformerManager().transform_cell(text))
        except (SyntaxError, ValueError) as error:
            where = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
            yield f"it is not valid Python{whose} ({error.args[0]}{where})."


# -- points


def points_of(cell: NotebookNode) -> float:
    """Return the points of a cell; 0 if it has none."""
    marks = marks_of(cell)
    points = marks.get("points", 0)
    graded = marks.get("grade") or marks.get("task")
    return float(points) if graded and isinstance(points, int | float) else 0.0


def differ(one: float, other: float) -> bool:
    """Whether two numbers of points differ by more than rounding."""
    return not math.isclose(one, other, abs_tol=1e-6)


def set_points(notebook: NotebookNode) -> None:
    """Give each test cell the points of its parts."""
    for cell in filter(is_test, notebook.cells):
        worth = _worth_of_parts(cell.source)
        if worth is not None and differ(worth, points_of(cell)):
            cell.metadata["nbgrader"]["points"] = int(worth) if worth == int(worth) else worth


def _worth_of_parts(source: str) -> float | None:
    """Return the points of a test cell's parts.

    None if the cell has no parts, or if the number cannot be read from its text: because of an
    expression in the place of a number, or a part in a loop or function.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    once: list[ast.expr] = []  # expressions outside of loops and functions
    for node in tree.body:
        once += node.decorator_list if isinstance(node, ast.FunctionDef) else []
        once += [node.value] if isinstance(node, ast.Expr) else []
    points = [points_in(part) if part in once else None for part in parts_in(tree)]
    known = [number for number in points if number is not None]
    return sum(known) if points and len(known) == len(points) else None


def parts_in(tree: ast.AST) -> list[ast.Call]:
    """Return the calls that make parts: the methods `part`, `table`, ... of a `Checks`."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call for call in calls if ast.unparse(call.func) in _PARTS]


def points_in(call: ast.Call) -> float | None:
    """Return the argument `points`, which may be the second one; None if it is not a number."""
    values = [keyword.value for keyword in call.keywords if keyword.arg == "points"]
    try:
        value = ast.literal_eval((values or call.args[1:2])[0])
    except (IndexError, ValueError, TypeError):
        return None
    return float(value) if isinstance(value, int | float) else None
