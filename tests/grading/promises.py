"""Hidden parts, with the words of the notebook that ask for them, and their visible twins."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

import nbformat
from settings import ROOT

from hw_grading.homework.instructor_cells import as_released
from hw_grading.homework.points import parts_in


@dataclass(frozen=True)
class Promise:
    """A hidden part of a test cell."""

    cell: str
    part: str
    points: float
    promise: str
    twin: str


def read_parts(source: str) -> Iterator[tuple[str, float, dict[str, object]]]:
    """Yield the name, the points and the other arguments of each part of a test cell."""
    for call in parts_in(ast.parse(source)):
        named = {k.arg or "": ast.literal_eval(k.value) for k in call.keywords}
        yield ast.literal_eval(call.args[0]), named.pop("points"), named


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
        for part, points, named in read_parts(source)
        if named.get("hidden")
    ]


def visible_parts(homework: str, cell: str) -> list[str]:
    """Return the parts of a test cell that students have."""
    return [part for part, _, _ in read_parts(as_released(test_cells(homework)[cell], "code"))]


def read_by_students(homework: str) -> str:
    """Return the texts and answer cells of the released notebook, with single spaces."""
    notebook = nbformat.read(ROOT / "release" / homework / f"{homework}.ipynb", as_version=4)
    texts = [cell.source for cell in notebook.cells if "Checks(" not in cell.source]
    return " ".join(" ".join(texts).split())
