"""The homework as it was handed out: its cells, the grader's limits and packages."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from hw_support.submission.mending import InstructorCell

FILE = Path(__file__).parent / "released.json"  # written by `make release`


@dataclass(frozen=True)
class Release:
    """What students got.

    Attributes
    ----------
    assignment
        Its name, "hw2".
    version
        Of the package that came with it.
    cells
        The instructor's cells, in the notebook's order, without hidden parts.
    parts
        The heading under which each of them stands, by grade id.
    packages
        Names of the distributions that the grader has, as PyPI writes them.
    cpu_seconds_per_cell, cpu_seconds_for_cell
        The grader's limits on computing time: for any cell, and for cells by grade id.
    cpu_seconds_per_submission
        For all cells together.
    """

    assignment: str
    version: str
    cells: tuple[InstructorCell, ...]
    parts: Mapping[str, str]
    packages: frozenset[str]
    cpu_seconds_per_cell: float
    cpu_seconds_for_cell: Mapping[str, float]
    cpu_seconds_per_submission: float

    @property
    def file_name(self) -> str:
        """Under which the notebook is handed in."""
        return f"{self.assignment}.ipynb"

    def cell(self, grade_id: str) -> InstructorCell:
        """Return the cell with a grade id; KeyError if there is none."""
        return {cell.grade_id: cell for cell in self.cells}[grade_id]


@functools.cache
def release() -> Release:
    """Read what came with this package."""
    content = json.loads(FILE.read_text(encoding="utf-8"))
    cells = tuple(InstructorCell(**cell) for cell in content.pop("cells"))
    return Release(**{**content, "cells": cells, "packages": frozenset(content["packages"])})


def described(notebook: NotebookNode, **more: Any) -> dict[str, Any]:
    """Return what `release` reads of a released notebook, as JSON has it.

    Parameters
    ----------
    notebook
        As nbgrader released it.
    more
        The other attributes of `Release`.
    """
    cells, parts, heading = [], {}, ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = _last_heading(cell.source) or heading
        marks = cell.metadata.get("nbgrader")
        if not marks:
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
    return {"cells": cells, "parts": parts, **more}


def _last_heading(source: str) -> str | None:
    """Return the text of the last heading of level 2 or 3 in a cell."""
    found = None
    for line in source.splitlines():
        if line.startswith(("## ", "### ")):
            found = line.lstrip("# ").strip()
    return found
