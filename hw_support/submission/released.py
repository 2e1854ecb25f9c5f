"""Released notebooks: their cells, the grader's limits and packages, and what belongs to which.

The release of ``ps1.ipynb`` writes its description beside it, into ``ps1.released.json``. Students
get both. Only the student's commands read the description; the grader does not.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from hw_support.submission.cells import InstructorCell, grade_id_of
from hw_support.submission.file import UserError

ENDING = ".released.json"


@dataclass(frozen=True)
class Release:
    """One released notebook. The limits are the grader's, on CPU time."""

    assignment: str
    notebook: str  # its name, without ".ipynb"
    cells: tuple[InstructorCell, ...]  # in the notebook's order, without hidden tests
    parts: Mapping[str, str]  # the heading above each cell, by grade id
    packages: frozenset[str]  # the distributions that the grader has, by their names on PyPI
    cpu_seconds_per_cell: float
    cpu_seconds_for_cell: Mapping[str, float]  # by grade id
    output_bytes_per_cell: int
    certification: str  # the grade id of the cell with name and pledge; "" if there is none
    begins: str  # the notebook's first line
    arrays: tuple[str, ...] = ()  # names of the notebook's arrays that plots show
    plots: Mapping[str, str] = field(default_factory=dict)  # conditions on plots, by grade id
    plain: tuple[str, ...] = ()  # the cells without a grade id; nothing depends on their code
    # Sentences on known mistakes: by the name of the `Checks`, and by the failure's fingerprint.
    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    files: tuple[str, ...] = ()  # the instructor's files that each submission gets, by path
    folder: Path = field(
        default=Path(), compare=False
    )  # in which the files and the description are

    @property
    def file_name(self) -> str:
        """The file name under which the notebook is submitted."""
        return f"{self.notebook}.ipynb"

    @property
    def grade_ids(self) -> frozenset[str]:
        """The grade ids of all its cells."""
        return frozenset(cell.grade_id for cell in self.cells)

    def cell(self, grade_id: str) -> InstructorCell:
        """Return the cell with a grade id; KeyError if there is none."""
        return {cell.grade_id: cell for cell in self.cells}[grade_id]

    def gave(self, cell: NotebookNode) -> bool:
        """Whether a cell is the instructor's: a locked one, or one as it was released."""
        if name := grade_id_of(cell):
            return self.cell(name).locked
        return " ".join(cell.source.split()) in {" ".join(text.split()) for text in self.plain}

    def cpu_seconds_for(self, cell: NotebookNode) -> float:
        """Return the limit on a cell's CPU seconds."""
        return self.cpu_seconds_for_cell.get(grade_id_of(cell) or "", self.cpu_seconds_per_cell)

    def is_optional(self, cell: InstructorCell) -> bool:
        """Whether an answer has no points, and no test with points depends on it alone."""
        tests = (other for other in self.cells if other.grade_id == f"test_{cell.grade_id}")
        without_points = cell.solution and not cell.points and not any(t.points for t in tests)
        return without_points and cell.grade_id != self.certification


def releases_for(notebook: Path) -> tuple[Release, ...]:
    """Read the descriptions beside a notebook, or else in this folder; none if there are none.

    In the folder of a course, its releases count too. `UserError` if one cannot be read.
    """
    here = Path()
    places = ((notebook.parent, "*"), (here, "*"), (here, "release/*/*"))
    found = (sorted(folder.glob(names + ENDING)) for folder, names in places)
    return tuple(map(read_release, next(filter(None, found), [])))


def read_release(path: Path) -> Release:
    """Read a description; `UserError` if that fails."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return as_release({**content, "folder": path.parent})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"the description {path} cannot be read ({type(error).__name__}: {error}). Take the "
            "file again from the folder or the zip that you were given"
        ) from None


def as_release(content: Mapping[str, Any]) -> Release:
    """Make a `Release` from the result of `described`."""
    cells = tuple(InstructorCell(**cell) for cell in content["cells"])
    several = {name: tuple(content.get(name, ())) for name in ("plain", "files", "arrays")}
    packages = frozenset(content["packages"])
    return Release(**{**content, **several, "cells": cells, "packages": packages})


def first_line(notebook: NotebookNode) -> str:
    """Return the first non-empty line of a notebook; "" if there is none."""
    lines = (line for cell in notebook.cells for line in cell.source.splitlines())
    return next((line.strip() for line in lines if line.strip()), "")


def grade_ids_in(notebook: NotebookNode) -> frozenset[str]:
    """Return all grade ids that a notebook's cells carry."""
    return frozenset(name for cell in notebook.cells if (name := grade_id_of(cell)) is not None)
