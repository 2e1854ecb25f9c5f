"""Finds a student's own lines: the cells of a submission without the released lines.

The submission is mended first, as in grading. So no cell type or metadata hides what is graded.

In an answer, each line of the released stub is removed, as often as it is in the stub. Locked cells
are left out. In any other cell, all lines that occur anywhere in the release are removed, because
students copy tests to try things in them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from nbformat import NotebookNode

from hw_grading.homework.course import Course
from hw_grading.records.scores import named
from hw_support.submission.cells import InstructorCell, grade_id_of
from hw_support.submission.file import Unreadable, read_submission
from hw_support.submission.mending import mend
from hw_support.submission.problems import Severity
from hw_support.submission.released import cells_of

# The part of a submission that is compared. Nobody writes nearly so much.
MOST_CHARACTERS, MOST_CELLS = 100_000, 300
_MOST_NAMED = 15  # cells that are left out
_STUB = ("# YOUR CODE HERE", "YOUR ANSWER HERE", "raise NotImplementedError()")


class Kind(StrEnum):
    """The kind of text; only pieces of the same kind are compared."""

    CODE = "code"
    TEXT = "text"


@dataclass(frozen=True)
class Piece:
    """One cell with some of the student's own lines."""

    cell: str  # the grade id of an answer; "" for a cell that the student added
    number: int  # its place in the submitted notebook, from 1
    kind: Kind
    lines: tuple[str, ...]  # all lines of the cell
    own: tuple[bool, ...]  # for each line, whether the student wrote it

    @property
    def size(self) -> int:
        """The number of its characters."""
        return sum(map(len, self.lines))


@dataclass(frozen=True)
class Work:
    """One student's work; `note` names the part that is not compared, "" if there is none."""

    student: str
    pieces: tuple[Piece, ...]
    note: str = ""


@dataclass(frozen=True)
class Released:
    """The released notebook."""

    locked: frozenset[str]  # the grade ids of locked cells and of the certification
    stubs: dict[str, Counter[str]]  # the stripped lines of each answer, by grade id
    lines: frozenset[str]  # all lines of the release, stripped
    cells: tuple[InstructorCell, ...] = ()  # its graded and locked cells
    plain: tuple[str, ...] = ()  # the sources of the other cells


def read_released(course: Course, assignment: str, certification: str) -> Released:
    """Read the released notebook; `Unreadable` if it is missing or damaged.

    `certification` is the grade id of the cell with name and pledge, which is not compared; "" if
    there is none.
    """
    path = course.release(assignment) / f"{assignment}.ipynb"
    notebook, problems = read_submission(path)
    if any(problem.severity is Severity.FAILED for problem in problems):
        raise Unreadable(
            f"The released notebook {path} cannot be read: {problems[-1].message} Run `nbgrader "
            f"generate_assignment {assignment}`"
        )
    lines = {*_STUB, *(line for cell in notebook.cells for line in _stripped(cell.source))}
    cells, plain = cells_of(notebook)
    stubs = {cell.grade_id: Counter(_stripped(cell.source)) for cell in cells if cell.solution}
    locked = {certification, *(cell.grade_id for cell in cells if not cell.solution)}
    return Released(frozenset(locked), stubs, frozenset(lines), cells, plain)


def _stripped(source: str) -> list[str]:
    return [line.strip() for line in source.splitlines()]


def read_work(path: Path, student: str, released: Released) -> Work:
    """Read a student's own lines; `Unreadable` says why the file is not a notebook."""
    notebook, problems = read_submission(path)
    failed = [problem.message for problem in problems if problem.severity is Severity.FAILED]
    if failed and not notebook.cells:
        raise Unreadable(failed[0].removesuffix(" It scores 0."))
    number_of = {cell.id: number for number, cell in enumerate(notebook.cells, start=1)}
    mend(notebook, released.cells, released.plain)
    pieces: list[Piece] = []
    number = 0
    for cell in notebook.cells:
        number = number_of.get(cell.id, number)  # lines typed into a locked cell are now below it
        if piece := _piece(cell, number, released):
            pieces.append(piece)
    kept, left_out = _within_limits(sorted(pieces, key=lambda piece: piece.number))
    notes = failed[:1]
    if left_out:
        notes.append(
            f"The submission was compared in part: at most {MOST_CHARACTERS:,} characters and "
            f"{MOST_CELLS} cells are compared. Cells left out: {numbers_of(left_out)}."
        )
    return Work(student, tuple(kept), " ".join(notes))


def _within_limits(pieces: Sequence[Piece]) -> tuple[list[Piece], list[Piece]]:
    """Return the pieces that are compared and those that are left out.

    Answers go before other cells, and short cells before long ones. So no cell that a student adds
    keeps an answer from being compared.
    """
    kept = set[int]()
    left = MOST_CHARACTERS
    for piece in sorted(pieces, key=lambda piece: (not piece.cell, piece.size)):
        if piece.size <= left and len(kept) < MOST_CELLS:
            kept.add(piece.number)
            left -= piece.size
    left_out = [piece for piece in pieces if piece.number not in kept]
    return [piece for piece in pieces if piece.number in kept], left_out


def numbers_of(pieces: Sequence[Piece]) -> str:
    """Return the numbers of some cells, in words if there are many."""
    return named([str(piece.number) for piece in pieces], _MOST_NAMED)


def _piece(cell: NotebookNode, number: int, released: Released) -> Piece | None:
    name = grade_id_of(cell)
    if name in released.locked:
        return None
    lines = tuple(cell.source.splitlines())
    stub = released.stubs.get(name or "")
    own = []
    left = Counter(stub)
    for line in map(str.strip, lines):
        if stub is None:
            own.append(bool(line) and line not in released.lines)
        else:
            own.append(bool(line) and not left[line] and line not in _STUB)
            left[line] -= left[line] > 0
    if not any(own):
        return None
    kind = Kind.CODE if cell.cell_type == "code" else Kind.TEXT
    return Piece(name if stub is not None and name else "", number, kind, lines, tuple(own))
