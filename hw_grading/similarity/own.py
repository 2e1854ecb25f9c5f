"""Find a student's own lines: the cells of a submission without the released lines.

In an answer, each line of the released stub is removed, as often as it is in the stub. Locked cells
are left out, even if the student edited them. In any other cell, all lines that occur anywhere in
the release are removed, because students copy tests to try things in them.
"""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from nbformat import NotebookNode

from hw_grading.homework.course import Course
from hw_support.submission.file import Unreadable, read_submission
from hw_support.submission.mending import grade_id_of
from hw_support.submission.problems import Severity

# The part of a submission that is compared. Nobody writes nearly so much.
MOST_CHARACTERS, MOST_CELLS = 100_000, 300
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
    locked, stubs, lines = {certification}, {}, set(_STUB)
    for cell in notebook.cells:
        stripped = [line.strip() for line in cell.source.splitlines()]
        lines.update(stripped)
        name = grade_id_of(cell)
        if name is not None and cell.metadata["nbgrader"].get("solution") is True:
            stubs[name] = Counter(stripped)
        elif name is not None:
            locked.add(name)
    return Released(frozenset(locked), stubs, frozenset(lines))


def read_work(path: Path, student: str, released: Released) -> Work:
    """Read a student's own lines; `Unreadable` says why the file is not a notebook."""
    notebook, problems = read_submission(path)
    failed = [problem.message for problem in problems if problem.severity is Severity.FAILED]
    if failed and not notebook.cells:
        raise Unreadable(failed[0].removesuffix(" It scores 0."))
    pieces: list[Piece] = []
    note, left = failed[0] if failed else "", MOST_CHARACTERS
    for number, cell in enumerate(notebook.cells, start=1):
        piece = _piece(cell, number, released)
        if piece is None:
            continue
        size = sum(map(len, piece.lines))
        if size > left or len(pieces) == MOST_CELLS:
            note = (
                f"The submission was compared in part: at most {MOST_CHARACTERS:,} characters "
                f"and {MOST_CELLS} cells are compared. Cells from number {number} on are left "
                "out."
            )
            break
        left -= size
        pieces.append(piece)
    return Work(student, tuple(pieces), note)


def _piece(cell: NotebookNode, number: int, released: Released) -> Piece | None:
    name = grade_id_of(cell)
    if name in released.locked or cell.cell_type not in ("code", "markdown"):
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
