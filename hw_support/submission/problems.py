"""The problems of a submission, in words that a person can act on.

A student's text (names, identifiers, lines of code) enters a message only through `quoted`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbformat import NotebookNode

METADATA_KEY = "hw_grading"


class Severity(StrEnum):
    """How severe a problem is: grading went on, or it failed wholly or in part."""

    REPAIRED = "mended"
    FAILED = "failed"


class Kind(StrEnum):
    """The kind of a problem, for counting and for tests."""

    OTHER_HOMEWORK = "other-homework"  # submitted as this one
    FOLDER = "folder"  # other files beside the notebook
    OTHER_NOTEBOOK = "other-notebook"  # besides the graded one
    METADATA = "metadata"  # it has lost its grade id
    UNKNOWN_CELL = "unknown-cell"
    DUPLICATE_CELL = "duplicate-cell"
    RETYPED_CELL = "retyped-cell"
    EDITED_CELL = "edited-cell"
    DELETED_CELL = "deleted-cell"
    MOVED_CELL = "moved-cell"
    ADDED_CELL = "added-cell"  # the student's own cell is graded as the answer
    TIME_LIMIT = "time-limit"
    OUTPUT_LIMIT = "output-limit"
    MEMORY_LIMIT = "memory-limit"
    DISK_LIMIT = "disk-limit"
    PROTOCOL = "protocol"  # the kernel sends replies that match no request
    GRADER = "grader"  # not the submission's fault
    KERNEL = "kernel"  # died, did not start, or had to be killed
    SCORE = "score"  # a test returned a number that is no score


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of a submission."""

    kind: Kind
    severity: Severity
    message: str  # a sentence: what was expected, what was found, what was done
    cell: str | None = None  # the grade id of the instructor's cell concerned


def repaired_cell(kind: Kind, grade_id: str, what: str) -> Problem:
    """Return a repaired problem of one of the instructor's cells; `what` is said of the cell."""
    return Problem(kind, Severity.REPAIRED, f"Cell {quoted(grade_id)} {what}", grade_id)


def quoted(text: object, limit: int = 60) -> str:
    """Quote a student's text on one line of at most `limit` printable characters."""
    return f"'{plain(str(text), limit)}'"


def plain(text: str, limit: int) -> str:
    """Return at most `limit` characters on one line, without terminal control characters."""
    line = " ".join(text[: 4 * limit].split())
    if not line.isprintable():
        line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def encodable(text: str) -> str:
    """Replace lone surrogates by '?': neither UTF-8 files nor checksums can hold them."""
    return text.encode("utf-8", "replace").decode("utf-8")


def insert_cell(nb: NotebookNode, place: int, cell: NotebookNode) -> None:
    """Insert a cell, and change its id if another cell has it."""
    taken = {c.get("id") for c in nb.cells}
    while cell.id in taken:
        cell.id += "-"
    nb.cells.insert(place, cell)
