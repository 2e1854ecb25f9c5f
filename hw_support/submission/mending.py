"""Gives a submitted notebook back the cells that the instructor handed out.

Students split, copy, delete, move, retype and edit cells, mostly by accident, and nbgrader's own
metadata goes along or is lost. `mend` starts from the instructor's list of cells, and trusts only
two things in the submission: what a cell says, and which grade id it carries.

- A known cell's metadata is rebuilt wholly, its type and (when it is locked) its source too.
- Of several cells with one id, one is kept as the graded cell; the others stay as plain cells, run
  but not graded. That holds for copies of tests as well: students use them to try things in, and
  what they define there may be needed further down. A copy costs some time and no points.
- A deleted test, written answer or task is put back at its place. A deleted code answer is not:
  its stub would override the definition if the student moved it into another cell.
- The instructor's cells are put into the released order, relative to each other and to the answers:
  a test must not run before what it tests, nor before the data that it needs, nor after a test that
  hands out a right version of what it tests. As few cells as can be are moved, tests and locked
  cells rather than answers. An answer takes along the plain code cells directly above it, which may
  define what it needs; a student's other cells stay where they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from hw_support.submission.problems import Kind, Problem, Severity, shown

SCHEMA_VERSION = 3  # of nbgrader's metadata
NEW_CELL = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}


@dataclass(frozen=True, slots=True)
class InstructorCell:
    """A cell as the gradebook knows it.

    Parameters
    ----------
    grade_id, cell_type, source
        Its identity; "code" or "markdown"; its text with hidden tests, without solutions.
    locked
        Students are not meant to edit it.
    grade, solution, task
        It carries points; it is where students answer; it is a manually graded task.
    points
        Of a graded cell or a task, else None.
    checksum
        nbgrader's checksum of `source`, type, flags, and points.
    released
        The source as students got it, without hidden tests or mark scheme; `source` if None.
    """

    grade_id: str
    cell_type: str
    source: str
    locked: bool
    grade: bool
    solution: bool
    task: bool
    points: float | None
    checksum: str | None
    released: str | None = None

    @property
    def is_test(self) -> bool:
        """Whether its outputs decide on points without a person."""
        return self.grade and not self.solution and self.cell_type == "code"

    def is_unchanged(self, source: str) -> bool:
        """Whether a text is this cell's own but for white space at the ends of lines."""
        return _trimmed(source) in (_trimmed(self.source), _trimmed(self.released or self.source))

    def metadata(self) -> NotebookNode:
        """Return nbgrader's metadata for this cell."""
        values: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "grade_id": self.grade_id,
            "grade": self.grade,
            "solution": self.solution,
            "locked": self.locked,
            "task": self.task,
            "cell_type": self.cell_type,
        }
        if self.points is not None:
            values["points"] = self.points
        if self.checksum is not None:
            values["checksum"] = self.checksum
        return NotebookNode(values)


def mend(nb: NotebookNode, instructor_cells: Sequence[InstructorCell]) -> list[Problem]:
    """Mend a submitted notebook in place, and say what was done.

    Mending a mended notebook changes nothing.

    Parameters
    ----------
    nb
        A valid notebook, as `hw_support.submission.file.read_submission` gives it.
    instructor_cells
        All cells that the gradebook knows, in the instructor's order.
    """
    known = {cell.grade_id: cell for cell in instructor_cells}
    return [
        *_drop_unknown(nb, known),
        *_settle_duplicates(nb, known),
        *_rebuild(nb, known),
        *_put_back_deleted(nb, instructor_cells),
        *_put_in_order(nb, instructor_cells),
    ]


def _mended(kind: Kind, cell: str | None, message: str) -> Problem:
    return Problem(kind, Severity.MENDED, message, cell)


def _trimmed(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.splitlines()).strip()


def grade_id_of(cell: NotebookNode) -> str | None:
    """Return the grade id that a cell carries; None if it carries none."""
    marks = cell.metadata.get("nbgrader")
    grade_id = marks.get("grade_id") if isinstance(marks, dict) else None
    return grade_id if isinstance(grade_id, str) else None


def _places(nb: NotebookNode) -> dict[str, int]:
    """Where each graded or locked cell stands; ids are unique and known by now."""
    return {grade_id: i for i, cell in enumerate(nb.cells) if (grade_id := grade_id_of(cell))}


def _drop_unknown(nb: NotebookNode, known: dict[str, InstructorCell]) -> Iterable[Problem]:
    for cell in nb.cells:
        if "nbgrader" not in cell.metadata or grade_id_of(cell) in known:
            continue
        marks = cell.metadata.pop("nbgrader")
        flags = ("grade", "solution", "locked", "task")
        if isinstance(marks, dict) and not any(marks.get(flag) for flag in flags):
            continue  # nbgrader's tools leave such a mark on plain cells
        name = marks.get("grade_id") if isinstance(marks, dict) else None
        yield _mended(
            Kind.UNKNOWN_CELL,
            None,
            f"No cell of this homework has the grade id {shown(name)}: the cell that carries it is "
            "run as a plain cell and carries no points.",
        )


def _settle_duplicates(nb: NotebookNode, known: dict[str, InstructorCell]) -> Iterable[Problem]:
    copies: dict[str, list[NotebookNode]] = {}
    for cell in nb.cells:
        if grade_id := grade_id_of(cell):
            copies.setdefault(grade_id, []).append(cell)
    for grade_id, cells in copies.items():
        if len(cells) == 1:
            continue
        # Of an answer the copy that holds one; of a locked cell the one that is still itself.
        instructor = known[grade_id]
        wanted = [c for c in cells if instructor.is_unchanged(c.source) == instructor.locked]
        keeper = (wanted or cells)[-1]
        for cell in cells:
            if cell is not keeper:
                del cell.metadata["nbgrader"]
        yield _mended(
            Kind.DUPLICATE_CELL,
            grade_id,
            f"{len(cells)} cells have the grade id {shown(grade_id)}, expected one: the last "
            f"{'unchanged' if instructor.locked else 'answered'} one is graded, the others are run "
            "as plain cells.",
        )


def _rebuild(nb: NotebookNode, known: dict[str, InstructorCell]) -> Iterable[Problem]:
    for cell in nb.cells:
        grade_id = grade_id_of(cell)
        if grade_id is None:
            continue
        instructor = known[grade_id]
        as_released = _is_as_released(cell)
        if cell.cell_type != instructor.cell_type:
            yield _mended(
                Kind.RETYPED_CELL,
                grade_id,
                f"Cell {shown(grade_id)} was turned from a {instructor.cell_type} cell into a "
                f"{cell.cell_type} cell: it was turned back.",
            )
            _retype(cell, instructor.cell_type)
        if instructor.locked and not instructor.is_unchanged(cell.source):
            what = (
                "is of an earlier release: it was brought up to date."
                if as_released
                else "is not to be edited, and was: the instructor's text was restored."
            )
            yield _mended(Kind.EDITED_CELL, grade_id, f"Cell {shown(grade_id)} {what}")
        if instructor.locked:
            cell.source = instructor.source
        metadata = instructor.metadata()
        if edits := _edits(cell.metadata["nbgrader"], metadata):
            yield _mended(
                Kind.METADATA,
                grade_id,
                f"The metadata of cell {shown(grade_id)} was edited ({edits}): the instructor's "
                "was restored.",
            )
        cell.metadata = NotebookNode(nbgrader=metadata)


def _is_as_released(cell: NotebookNode) -> bool:
    """Whether a cell still has the checksum that some release gave it."""
    from nbgrader.utils import compute_checksum  # takes a second to import

    try:
        return bool(cell.metadata["nbgrader"].get("checksum") == compute_checksum(cell))
    except (KeyError, TypeError, ValueError):
        return False


def _edits(found: dict[str, Any], expected: NotebookNode) -> str:
    keys = ("points", "grade", "solution", "locked", "task", "schema_version")
    return ", ".join(
        f"{key} {shown(found[key], 20)} for {shown(expected.get(key), 20)}"
        for key in keys
        if key in found and found[key] != expected.get(key)
    )


def _retype(cell: NotebookNode, cell_type: str) -> None:
    cell.cell_type = cell_type
    if cell_type == "code":
        cell.pop("attachments", None)
        cell.outputs = []
        cell.execution_count = None
    else:
        cell.pop("outputs", None)
        cell.pop("execution_count", None)


def _put_back_deleted(
    nb: NotebookNode, instructor_cells: Sequence[InstructorCell]
) -> list[Problem]:
    problems = []
    place = 0  # behind the nearest earlier cell of the instructor's that is there
    places = _places(nb)
    for instructor in instructor_cells:
        grade_id = instructor.grade_id
        here = places.get(grade_id)
        if here is not None:
            place = here + 1
            continue
        if instructor.solution and not instructor.grade:
            done = (
                "it was not put back, so that it cannot hide a definition that stands in another "
                "cell; tests that need it fail if there is none."
            )
        else:
            cell = NEW_CELL[instructor.cell_type](instructor.source)
            cell.metadata = NotebookNode(nbgrader=instructor.metadata())
            taken = {c.get("id") for c in nb.cells}
            while cell.id in taken:
                cell.id += "-"
            nb.cells.insert(place, cell)
            places = _places(nb)
            place += 1
            done = "it was put back" + (", empty." if instructor.solution else ".")
        message = f"Cell {shown(grade_id)} was deleted: {done}"
        problems.append(_mended(Kind.DELETED_CELL, grade_id, message))
    return problems


def _put_in_order(
    nb: NotebookNode, instructor_cells: Sequence[InstructorCell]
) -> Iterable[Problem]:
    there = _places(nb)
    released = [cell for cell in instructor_cells if cell.grade_id in there]
    staying = _heaviest_in_order(sorted(released, key=lambda cell: there[cell.grade_id]), released)
    before: str | None = None
    for instructor in released:
        grade_id = instructor.grade_id
        if grade_id not in staying:
            last = _places(nb)[grade_id]
            first = _first_of_its_own(nb, last) if instructor.solution else last
            moved = nb.cells[first : last + 1]
            del nb.cells[first : last + 1]
            place = _places(nb)[before] + 1 if before else 0
            nb.cells[place:place] = moved
            where = f"behind {shown(before)}" if before else "at the top"
            yield _mended(
                Kind.MOVED_CELL,
                grade_id,
                f"Cell {shown(grade_id)} had been moved: it was put back to its place, {where}.",
            )
        before = grade_id


def _first_of_its_own(nb: NotebookNode, place: int) -> int:
    """Return the place of the first of the plain code cells that stand directly above an answer.

    They may define what it needs.
    """
    while (
        place and nb.cells[place - 1].cell_type == "code" and not grade_id_of(nb.cells[place - 1])
    ):
        place -= 1
    return place


_WEIGHT_OF_ANSWER = 10_000  # of other cells


def _heaviest_in_order(
    cells: Sequence[InstructorCell], released: Sequence[InstructorCell]
) -> set[str]:
    """Return the grade ids of the cells that can stay: the heaviest that are in order already."""
    rank = {cell.grade_id: n for n, cell in enumerate(released)}
    best: list[tuple[int, list[str]]] = []  # for each cell: the heaviest that end with it
    for n, cell in enumerate(cells):
        weight = _WEIGHT_OF_ANSWER if cell.solution and cell.cell_type == "code" else 1
        earlier = [best[k] for k in range(n) if rank[cells[k].grade_id] < rank[cell.grade_id]]
        heaviest, ids = max(earlier, default=(0, []), key=lambda one: one[0])
        best.append((heaviest + weight, [*ids, cell.grade_id]))
    return set(max(best, default=(0, []), key=lambda one: one[0])[1])
