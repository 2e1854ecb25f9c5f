"""What hidden parts look at: each names the words that promise it, and a visible part like it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

import nbformat
from settings import ROOT

from hw_grading.homework.instructor_cells import as_released


@dataclass(frozen=True)
class Promise:
    """A hidden part of a test cell."""

    cell: str
    part: str
    points: float
    promise: str
    twin: str


def parts_in(source: str) -> Iterator[tuple[str, float, dict[str, object]]]:
    """Give what each part of a test cell looks at, its points and its other arguments."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("checks", "checks.tries"):
            named = {k.arg or "": ast.literal_eval(k.value) for k in node.keywords}
            yield ast.literal_eval(node.args[0]), named.pop("points"), named


def test_cells(homework: str) -> dict[str, str]:
    """Return the sources of a homework's test cells, by grade id."""
    notebook = nbformat.read(ROOT / "source" / homework / f"{homework}.ipynb", as_version=4)
    return {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and "Checks(" in cell.source
    }


def promises(homework: str) -> list[Promise]:
    """Return all hidden parts of a homework, in the order of its notebook."""
    return [
        Promise(name, part, points, str(named.get("promise", "")), str(named.get("twin", "")))
        for name, source in test_cells(homework).items()
        for part, points, named in parts_in(source)
        if named.get("hidden")
    ]


def visible_parts(homework: str, cell: str) -> list[str]:
    """Return the parts of a test cell that students have."""
    return [part for part, _, _ in parts_in(as_released(test_cells(homework)[cell], "code"))]


def read_by_students(homework: str) -> str:
    """Return the texts and answer cells of the released notebook, with single spaces."""
    notebook = nbformat.read(ROOT / "release" / homework / f"{homework}.ipynb", as_version=4)
    texts = [cell.source for cell in notebook.cells if "Checks(" not in cell.source]
    return " ".join(" ".join(texts).split())
