"""Reads and mends random files; expects a valid notebook in the released order.

    python tests/hostile/fuzz_notebook.py --seconds 60

A file that ends in a line break is read with its outputs.
"""

import json
import random
import warnings
from collections.abc import Iterable
from typing import Any

import atheris
import nbformat
from fuzz_wire import fuzz, other_tree
from nbformat import NotebookNode

with atheris.instrument_imports(
    include=[
        "hw_support.submission.file",
        "hw_support.submission.mending",
        "hw_support.submission.problems",
    ]
):
    from hw_grading.homework.notes import add_problems, put_notes_on_top
    from hw_support.submission import file as submission_file
    from hw_support.submission.cells import InstructorCell, grade_id_of
    from hw_support.submission.mending import mend


def _instructors(grade_id: str, kind: str, source: str, **flags: Any) -> InstructorCell:
    none: dict[str, Any] = {"locked": False, "grade": False, "solution": False, "task": False}
    rest: dict[str, Any] = {"points": None, "checksum": None}
    return InstructorCell(grade_id, kind, source, **{**none, **rest, **flags})


CELLS = [
    _instructors("setup", "code", "import numpy", locked=True, checksum="0" * 32),
    _instructors("f", "code", "def f(): ...", solution=True),
    _instructors("test_f", "code", "f()", locked=True, grade=True, points=2.0, checksum="1" * 32),
    _instructors("why", "markdown", "Why?", grade=True, solution=True, points=1.0),
    _instructors("task", "markdown", "Do.", locked=True, task=True, points=1.0, checksum="2" * 32),
]


def _cell(cell: InstructorCell, **changes: Any) -> dict[str, Any]:
    entry = {"cell_type": cell.cell_type, "source": [cell.source, "\n"], "id": cell.grade_id}
    entry["metadata"] = {"nbgrader": dict(cell.metadata()), "tags": ["skip-execution"]}
    return {**entry, "outputs": [], "execution_count": None, **changes}


PICTURE = {"a.png": {"image/png": "iVBORw0KGgo=", "text/html": "<b>"}}
STREAM = {"output_type": "stream", "name": "stdout", "text": ["out"]}
DOCUMENTS: list[Any] = [
    {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [_cell(cell) for cell in CELLS]},
    {
        "nbformat": 4,
        "metadata": {"kernelspec": {"name": "python3"}, "hw_grading": {"problems": []}},
        "cells": [
            *(_cell(CELLS[2]), _cell(CELLS[1], outputs=[STREAM]), _cell(CELLS[1], source="x = 1")),
            *(_cell(CELLS[3], attachments=PICTURE), _cell(CELLS[0], cell_type="markdown")),
        ],
    },
]


def seeds() -> Iterable[bytes]:
    """Yield valid files and invalid ones."""
    for document in DOCUMENTS:
        yield json.dumps(document).encode()
        yield json.dumps(document, indent=1).encode() + b"\n"
    yield from (b"", b"null", b"\xef\xbb\xbf{}", b"[" * 1500, b'{"cells": [{"a":' * 400)


def one_file(data: bytes) -> None:
    """Read a file, mend it and put notes on top; the result can be stored and read again."""
    try:
        nb = submission_file.notebook_of(data, keep_outputs=data.endswith(b"\n"))
    except submission_file.Unreadable:
        return
    _expect_valid(nb)
    problems = mend(nb, CELLS)
    there = [grade_id for cell in nb.cells if (grade_id := grade_id_of(cell))]
    assert there == [cell.grade_id for cell in CELLS if cell.grade_id in there]
    mended = nbformat.writes(nb)
    mend(nb, CELLS)
    assert nbformat.writes(nb) == mended
    add_problems(nb, problems)
    put_notes_on_top(nb)
    _expect_valid(nb)


def _expect_valid(nb: NotebookNode) -> None:
    assert len({cell.id for cell in nb.cells}) == len(nb.cells)  # nbformat would change them
    nbformat.validate(nb)
    nbformat.writes(nb).encode()


def other_file(data: bytes, most: int, seed: int) -> bytes:
    """Change a file: mostly its structure, else its bytes."""
    draw = random.Random(seed)
    try:
        if draw.random() < 0.8:
            tree = other_tree(json.loads(data), draw)
            return json.dumps(tree, default=str).encode()[:most] + data[-1:].strip(b"]}")
    except Exception:
        pass
    return bytes(atheris.Mutate(data, most))


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # nbformat's, about what it mends while it converts
    fuzz(one_file, other_file, seeds(), "-max_len=8000")
