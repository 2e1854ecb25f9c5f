"""Released homeworks: their cells, the grader's limits and packages, and what belongs to which.

`make release` writes a file for each homework into `FOLDER`. Students get that of their
homework.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from hw_support.submission.cells import InstructorCell, grade_id_of

FOLDER = Path(__file__).parent / "released"  # written by `make release`


@dataclass(frozen=True)
class Release:
    """One released homework. The limits are the grader's, on CPU time."""

    assignment: str
    cells: tuple[InstructorCell, ...]  # in the notebook's order, without hidden tests
    parts: Mapping[str, str]  # the heading above each cell, by grade id
    packages: frozenset[str]  # the distributions that the grader has, by their names on PyPI
    cpu_seconds_per_cell: float
    cpu_seconds_for_cell: Mapping[str, float]  # by grade id
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

    def cpu_seconds_for(self, cell: NotebookNode) -> float:
        """Return the limit on a cell's CPU seconds."""
        return self.cpu_seconds_for_cell.get(grade_id_of(cell) or "", self.cpu_seconds_per_cell)

    def is_optional(self, cell: InstructorCell) -> bool:
        """Whether an answer has no points, and no test with points depends on it alone."""
        tests = (other for other in self.cells if other.grade_id == f"test_{cell.grade_id}")
        without_points = cell.solution and not cell.points and not any(t.points for t in tests)
        return without_points and cell.grade_id != self.certification


@functools.cache
def releases() -> tuple[Release, ...]:
    """Read the homeworks that came with this package, sorted by name."""
    files = sorted(FOLDER.glob("*.json"))
    return tuple(as_release(json.loads(file.read_text(encoding="utf-8"))) for file in files)


def as_release(content: Mapping[str, Any]) -> Release:
    """Make a `Release` from the result of `described`."""
    cells = tuple(InstructorCell(**cell) for cell in content["cells"])
    plain = tuple(content.get("plain", ()))
    packages = frozenset(content["packages"])
    return Release(**{**content, "cells": cells, "plain": plain, "packages": packages})


def first_line(notebook: NotebookNode) -> str:
    """Return the first non-empty line of a notebook; "" if there is none."""
    lines = (line for cell in notebook.cells for line in cell.source.splitlines())
    return next((line.strip() for line in lines if line.strip()), "")


def grade_ids_in(notebook: NotebookNode) -> frozenset[str]:
    """Return all grade ids that a notebook's cells carry."""
    return frozenset(name for cell in notebook.cells if (name := grade_id_of(cell)) is not None)
