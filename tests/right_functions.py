"""What is right in a test: a reference, made from cells and staff code as the examiner makes it."""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from hw_grading.examiner.reference import Reference
from hw_grading.homework.layout import ANSWER, SOLUTIONS, TEST

Cells = Sequence[tuple[str, str, str]]  # kind, grade id, source
_homeworks = (f"toy{n}" for n in itertools.count())  # modules are imported once


def reference_of(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *notebooks: Cells, **staff: str
) -> Reference:
    """Lay out a homework in an empty or missing folder; return its reference.

    Parameters
    ----------
    notebooks
        The cells of each notebook.
    staff
        The source of the modules ``reference`` and ``fresh`` in the homework's staff code.
    """
    homework = next(_homeworks)
    for name, source in staff.items():
        file = folder / "staff" / homework / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source, encoding="utf-8")
    (folder / SOLUTIONS).mkdir(parents=True)
    for number, cells in enumerate(notebooks):
        (folder / SOLUTIONS / f"{number}.json").write_text(json.dumps(cells), encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    return Reference(folder)


def notebook(test: str, *answers: str) -> Cells:
    """The cells of a notebook with answers and, below them, one test."""
    cells = [(ANSWER, f"answer{n}", source) for n, source in enumerate(answers)]
    return [*cells, (TEST, "test", test)]
