"""Released homeworks: their cells, the grader's limits and packages, and what belongs to which.

`make release` writes a file for each homework into `FOLDER`. Students get the files of the
homeworks that are due no later than theirs.
"""

import functools
import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from hw_support.submission.cells import InstructorCell, grade_id_of

FOLDER = Path(__file__).parent / "released"  # written by `make release`
_HARDLY_ANY = 0.1  # at most this share of the cells that only the expected homework has
_MOST = 0.5  # more than this share of the cells that only another homework has


@dataclass(frozen=True)
class Release:
    """One released homework. The limits are the grader's, on CPU time."""

    assignment: str
    version: str  # of the package that came with it
    cells: tuple[InstructorCell, ...]  # in the notebook's order, without hidden tests
    parts: Mapping[str, str]  # the heading above each cell, by grade id
    packages: frozenset[str]  # the distributions that the grader has, by their names on PyPI
    cpu_seconds_per_cell: float
    cpu_seconds_for_cell: Mapping[str, float]  # by grade id
    cpu_seconds_per_submission: float
    output_bytes_per_cell: int
    certification: str  # the grade id of the cell with name and pledge; "" if there is none
    begins: str  # the notebook's first line
    plain: tuple[str, ...] = ()  # the cells without a grade id; nothing depends on their code

    @property
    def file_name(self) -> str:
        """The file name under which the notebook is submitted."""
        return f"{self.assignment}.ipynb"

    @property
    def grade_ids(self) -> frozenset[str]:
        """The grade ids of all its cells."""
        return frozenset(cell.grade_id for cell in self.cells)

    def cell(self, grade_id: str) -> InstructorCell:
        """Return the cell with a grade id; KeyError if there is none."""
        return {cell.grade_id: cell for cell in self.cells}[grade_id]

    def is_optional(self, cell: InstructorCell) -> bool:
        """Whether an answer has no points, and no test with points depends on it alone."""
        tests = (other for other in self.cells if other.grade_id == f"test_{cell.grade_id}")
        without_points = cell.solution and not cell.points and not any(t.points for t in tests)
        return without_points and cell.grade_id != self.certification


@functools.cache
def releases() -> tuple[Release, ...]:
    """Read the homeworks that came with this package, sorted by name."""
    return tuple(map(read_release, sorted(FOLDER.glob("*.json"))))


def read_release(path: Path) -> Release:
    """Read the file of one homework."""
    return as_release(json.loads(path.read_text(encoding="utf-8")))


def as_release(content: Mapping[str, Any]) -> Release:
    """Make a `Release` from the result of `described`."""
    made = {
        "cells": _instructor_cells(content),
        "packages": frozenset(content["packages"]),
        "plain": tuple(content.get("plain", ())),
    }
    return Release(**{**content, **made})


def cells_of(notebook: NotebookNode) -> tuple[tuple[InstructorCell, ...], tuple[str, ...]]:
    """Return the graded and locked cells of a released notebook, and the sources of the others."""
    content = described(notebook)
    return _instructor_cells(content), tuple(content["plain"])


def _instructor_cells(content: Mapping[str, Any]) -> tuple[InstructorCell, ...]:
    return tuple(InstructorCell(**cell) for cell in content["cells"])


def described(notebook: NotebookNode, **more: Any) -> dict[str, Any]:
    """Return the JSON data of a released notebook, with `more` attributes, for `as_release`.

    The heading above a cell is the last one of level 2 or 3.
    """
    cells, plain, parts, heading = [], [], {}, ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            headings = [x for x in cell.source.splitlines() if x.startswith(("## ", "### "))]
            heading = headings[-1].lstrip("# ").strip() if headings else heading
        marks = cell.metadata.get("nbgrader")
        if not marks:
            plain.append(cell.source)
            continue
        parts[marks["grade_id"]] = heading
        kept = ("grade_id", "locked", "grade", "solution", "task", "checksum")
        cells.append(
            {
                **{name: marks.get(name) for name in kept},
                "cell_type": cell.cell_type,
                "source": cell.source,
                "points": float(marks["points"]) if "points" in marks else None,
            }
        )
    begins = first_line(notebook)
    return {"cells": cells, "plain": plain, "parts": parts, "begins": begins, **more}


def first_line(notebook: NotebookNode) -> str:
    """Return the first non-empty line of a notebook; "" if there is none."""
    lines = (line for cell in notebook.cells for line in cell.source.splitlines())
    return next((line.strip() for line in lines if line.strip()), "")


@dataclass(frozen=True)
class Mistaken:
    """A notebook of one homework that was submitted as another; both have cells of their own."""

    homework: str  # to which it belongs
    found: int  # that homework's own cells in the notebook
    of: int  # that homework's own cells in all
    found_of_own: int  # the other homework's own cells in the notebook


def grade_ids_in(notebook: NotebookNode) -> frozenset[str]:
    """Return all grade ids that a notebook's cells carry."""
    return frozenset(name for cell in notebook.cells if (name := grade_id_of(cell)) is not None)


def mistaken_for(
    found: AbstractSet[str], own: AbstractSet[str], others: Mapping[str, AbstractSet[str]]
) -> Mistaken | None:
    """Return the other homework to which a notebook clearly belongs, if there is one.

    `found` are the grade ids in the notebook, `own` those of the homework as which it was
    submitted. The notebook must have more than half of the cells that only the other homework has,
    and at most a tenth of those that only the expected one has. The other homework with the most
    such cells is returned.
    """
    possible = []
    for name, theirs in sorted(others.items()):
        only_own, only_theirs = own - theirs, theirs - own
        here = Mistaken(name, len(found & only_theirs), len(only_theirs), len(found & only_own))
        if here.found > _MOST * here.of and here.found_of_own <= _HARDLY_ANY * len(only_own):
            possible.append(here)
    return max(possible, key=lambda one: one.found, default=None)


def closest(found: AbstractSet[str], homeworks: Mapping[str, AbstractSet[str]]) -> list[str]:
    """Return the homeworks with the most grade ids in common; several if they tie."""
    common = {name: len(found & ids) for name, ids in homeworks.items()}
    most = max(common.values(), default=0)
    return [name for name, count in common.items() if count == most > 0]
