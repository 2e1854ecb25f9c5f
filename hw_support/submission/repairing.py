"""Restores the instructor's cells in a submitted notebook, and finds answers in added cells.

Students split, copy, delete, move, retype and edit cells, mostly by accident. `repair` starts from
the instructor's list of cells. It trusts only the text of a submitted cell and its grade id.

- The metadata and type of a known cell are rebuilt, and the source too if it is locked. A student's
  lines in a locked text are kept in a cell below it.
- A locked cell that has lost its grade id, in another program or by copying, is known by its text.
- If several cells have the same id, one is kept as the graded cell. The others become plain cells,
  which run but are not graded, as later cells may need what they define.
- The instructor's cells and the answers are put into the released order. As few cells as possible
  are moved, and tests and locked cells rather than answers. The plain code cells directly above an
  answer move with it.
- If an answer for a person to grade is missing or empty, and the student wrote a cell of the same
  type at its place, that cell is the answer.
- A deleted test, written answer or task is restored at its place. A deleted code answer is not: the
  student may have moved the definition into another cell, and the stub would override it.
- The student's own cells directly below an answer for a person continue it: see `continues`.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterable, Sequence

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from hw_support.submission.cells import NEW_CELL, InstructorCell, grade_id_of, trimmed
from hw_support.submission.problems import (
    METADATA_KEY,
    Kind,
    Problem,
    Severity,
    insert_cell,
    quoted,
    repaired_cell,
)

_WEIGHT_OF_ANSWER = 10_000  # in units of another cell's weight, when cells are put in order
_FLAGS = ("grade", "solution", "locked", "task")
_IsOwn = Callable[[NotebookNode], bool]  # whether a cell is the student's, and not empty


def repair(
    nb: NotebookNode, cells: Sequence[InstructorCell], plain: Iterable[str] | None = None
) -> list[Problem]:
    """Repair a notebook from `read_submission` in place, and return what was done.

    `cells` are the instructor's, all in the instructor's order. `plain` has the sources of the
    released cells without a grade id. If it is None, a student's own cells are not told from these,
    and no cell is taken for an answer. Repairing a repaired notebook changes nothing.
    """
    known = {cell.grade_id: cell for cell in cells}
    is_own = _own_cells(cells, plain)
    problems = [
        *_identify(nb, known),
        *_rebuild(nb, known),
        *_put_in_order(nb, cells),
        *_fill_places(nb, cells, is_own),
    ]
    _mark_continued(nb, known, is_own)
    return problems


def _own_cells(cells: Sequence[InstructorCell], plain: Iterable[str] | None) -> _IsOwn:
    """Return a function that tells a student's own cells, which are not empty, from the others.

    A heading is enough to know a released cell without a grade id: the student may have edited the
    text below it, or have an earlier release.
    """
    if plain is None:
        return lambda cell: False
    texts = frozenset(map(trimmed, plain))
    known = texts | {trimmed(t) for cell in cells for t in (cell.source, cell.given)}
    headings = {text.partition("\n")[0] for text in texts if text.startswith("#")}

    def is_own(cell: NotebookNode) -> bool:
        text = trimmed(cell.source)
        is_released = text in known or text.partition("\n")[0] in headings
        return not (grade_id_of(cell) or _is_blank(cell) or is_released)

    return is_own


def _is_blank(cell: NotebookNode) -> bool:
    return not grade_id_of(cell) and not cell.source.strip() and not cell.get("attachments")


def _places(nb: NotebookNode) -> dict[str, int]:
    """Return the place of each graded or locked cell; their ids are unique and known."""
    return {grade_id: i for i, cell in enumerate(nb.cells) if (grade_id := grade_id_of(cell))}


def _identify(nb: NotebookNode, known: dict[str, InstructorCell]) -> Iterable[Problem]:
    """Leave each known grade id on one cell at most, and no other metadata of nbgrader's."""
    by_id: dict[str | None, list[NotebookNode]] = {}
    by_text: dict[tuple[str, str], NotebookNode] = {}
    for cell in nb.cells:
        if (grade_id := grade_id_of(cell)) in known:
            by_id.setdefault(grade_id, []).append(cell)
            continue
        by_text[cell.cell_type, trimmed(cell.source)] = cell
        marks = cell.metadata.pop("nbgrader", {})
        if any(marks.get(flag) for flag in _FLAGS):  # if not: nbgrader's tools leave it
            message = (
                f"No cell of this homework has the grade id {quoted(marks.get('grade_id'))}: the "
                "cell with this id is run as a plain cell, without points."
            )
            yield Problem(Kind.UNKNOWN_CELL, Severity.REPAIRED, message)
    for grade_id, instructor in known.items():
        cells, text = by_id.get(grade_id, []), trimmed(instructor.given)
        is_lost = instructor.locked and not cells
        if is_lost and (lost := by_text.pop((instructor.cell_type, text), None)):
            lost.metadata = NotebookNode(nbgrader=instructor.metadata())
            what = "had lost its grade id: it was recognised by its text."
            yield repaired_cell(Kind.METADATA, grade_id, what)
        if len(cells) < 2:
            continue
        # Keep the copy that holds an answer; for a locked cell, keep the unchanged copy.
        wanted = [c for c in cells if instructor.is_unchanged(c.source) == instructor.locked]
        keeper = (wanted or cells)[-1]
        for cell in cells:
            if cell is not keeper:
                del cell.metadata["nbgrader"]
        message = (
            f"{len(cells)} cells have the grade id {quoted(grade_id)}, expected one: the last "
            f"{'unchanged' if instructor.locked else 'answered'} one is graded; the others are "
            "run as plain cells."
        )
        yield Problem(Kind.DUPLICATE_CELL, Severity.REPAIRED, message, grade_id)


def _rebuild(nb: NotebookNode, known: dict[str, InstructorCell]) -> Iterable[Problem]:
    """Restore metadata and type of known cells, and the source of locked ones."""
    for cell in [cell for cell in nb.cells if grade_id_of(cell)]:
        grade_id = cell.metadata["nbgrader"]["grade_id"]
        instructor, as_released = known[grade_id], _is_as_released(cell)
        if cell.cell_type != instructor.cell_type:
            types = f"from a {instructor.cell_type} cell to a {cell.cell_type} cell"
            what = f"was changed {types}: it was changed back."
            yield repaired_cell(Kind.RETYPED_CELL, grade_id, what)
            other = NEW_CELL[instructor.cell_type](cell.source, id=cell.id, metadata=cell.metadata)
            if instructor.cell_type == "markdown" and "attachments" in cell:
                other["attachments"] = cell.attachments
            cell.clear()
            cell.update(other)
        if instructor.locked:
            if not instructor.is_unchanged(cell.source):
                what = "is from an earlier release: it was updated."
                if not as_released:
                    what = "is locked, but its text was edited: the instructor's text was restored."
                    if kept := _new_lines(cell, instructor):
                        insert_cell(nb, nb.cells.index(cell) + 1, kept)  # ids are unique now
                        what = f"{what[:-1]}, and the new lines were moved to a cell below."
                yield repaired_cell(Kind.EDITED_CELL, grade_id, what)
            cell.source = instructor.source
        cell.metadata = NotebookNode(nbgrader=instructor.metadata())


def _is_as_released(cell: NotebookNode) -> bool:
    """Whether a cell still has its checksum from some release; it is nbgrader's."""
    marks = cell.metadata["nbgrader"]
    is_test, is_answer = bool(marks.get("grade")), bool(marks.get("solution"))
    # As nbgrader takes them: a test is locked, whatever its flag says.
    flags = [is_test, is_answer, not is_answer and (is_test or bool(marks.get("locked")))]
    try:
        points = [float(marks["points"])] if flags[0] else []
    except (KeyError, TypeError, ValueError):
        return False
    text = "".join(map(str, [cell.source, cell.cell_type, *flags, marks["grade_id"], *points]))
    digest = hashlib.md5(text.encode("utf-8"), usedforsecurity=False)
    return bool(marks.get("checksum") == digest.hexdigest())


def _new_lines(cell: NotebookNode, instructor: InstructorCell) -> NotebookNode | None:
    """Return a cell with the lines that a student wrote into a locked text; None if none."""
    known = {line.strip() for line in instructor.given.splitlines()} - {""}
    lines = [line for line in cell.source.splitlines() if line.strip() not in known]
    if cell.cell_type != "markdown" or not (text := "\n".join(lines).strip()):
        return None
    kept: NotebookNode = new_markdown_cell(text)
    if attached := cell.get("attachments"):
        kept["attachments"] = attached
    return kept


def _put_in_order(nb: NotebookNode, cells: Sequence[InstructorCell]) -> Iterable[Problem]:
    there = _places(nb)
    released = [cell for cell in cells if cell.grade_id in there]
    staying = _heaviest_in_order(sorted(released, key=lambda cell: there[cell.grade_id]), released)
    before: str | None = None
    for instructor in released:
        grade_id = instructor.grade_id
        if grade_id not in staying:
            first = last = _places(nb)[grade_id]
            while instructor.solution and first and _is_plain_code(nb.cells[first - 1]):
                first -= 1  # it may define what the answer needs
            moved = nb.cells[first : last + 1]
            del nb.cells[first : last + 1]
            place = _places(nb)[before] + 1 if before else 0
            nb.cells[place:place] = moved
            where = f"below {quoted(before)}" if before else "at the top"
            what = f"was moved: it was moved back to its place, {where}."
            yield repaired_cell(Kind.MOVED_CELL, grade_id, what)
        before = grade_id


def _is_plain_code(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and not grade_id_of(cell)


def _heaviest_in_order(
    cells: Sequence[InstructorCell], released: Sequence[InstructorCell]
) -> set[str]:
    """Return the grade ids of the cells that can stay: the heaviest sequence in order."""
    rank = {cell.grade_id: n for n, cell in enumerate(released)}
    best: list[tuple[int, list[str]]] = []  # for each cell, the heaviest sequence that ends with it
    for n, cell in enumerate(cells):
        weight = _WEIGHT_OF_ANSWER if cell.solution and cell.cell_type == "code" else 1
        earlier = [best[k] for k in range(n) if rank[cells[k].grade_id] < rank[cell.grade_id]]
        heaviest, ids = max(earlier, default=(0, []), key=lambda one: one[0])
        best.append((heaviest + weight, [*ids, cell.grade_id]))
    return set(max(best, default=(0, []), key=lambda one: one[0])[1])


def _fill_places(
    nb: NotebookNode, cells: Sequence[InstructorCell], is_own: _IsOwn
) -> Iterable[Problem]:
    """Find answers for a person that are missing or empty in own cells; restore what is missing."""
    place, there = 0, _places(nb)  # the place is after the instructor's cell before
    for instructor in cells:
        here, grade_id = there.get(instructor.grade_id), instructor.grade_id
        near: Iterable[NotebookNode] = ()
        if instructor.is_for_a_person and here is None:
            near = itertools.takewhile(lambda cell: not grade_id_of(cell), nb.cells[place:])
        elif instructor.is_for_a_person and _is_empty(nb.cells[here], instructor):
            above, below = reversed(nb.cells[:here]), nb.cells[here + 1 :]  # type: ignore[operator]
            near = [*_together(below, is_own), *reversed(_together(above, is_own))]
        own = next((c for c in near if c.cell_type == instructor.cell_type and is_own(c)), None)
        if own:
            own.metadata = NotebookNode(nbgrader=instructor.metadata())
            was = "was deleted, or lost its grade id" if here is None else "was left empty"
            if here is not None:
                del nb.cells[here]
            what = f"{was}: an added cell at its place is graded as the answer."
            yield repaired_cell(Kind.ADDED_CELL, grade_id, what)
        elif here is None and instructor.solution and not instructor.grade:
            what = (
                "was deleted: it was not restored, because another cell may define the same. Tests "
                "that need it fail if no cell does."
            )
            yield repaired_cell(Kind.DELETED_CELL, grade_id, what)
        elif here is None:
            cell = NEW_CELL[instructor.cell_type](instructor.source)
            cell.metadata = NotebookNode(nbgrader=instructor.metadata())
            insert_cell(nb, place, cell)
            what = f"was deleted: it was restored{', empty' if instructor.solution else ''}."
            yield repaired_cell(Kind.DELETED_CELL, grade_id, what)
        if own or here is None:
            there = _places(nb)
        place = there.get(grade_id, place - 1) + 1


def _is_empty(cell: NotebookNode, instructor: InstructorCell) -> bool:
    written = cell.source.strip() and not instructor.is_unchanged(cell.source)
    return not written and not cell.get("attachments")


def _together(cells: Iterable[NotebookNode], is_own: _IsOwn) -> list[NotebookNode]:
    return list(itertools.takewhile(lambda cell: _is_blank(cell) or is_own(cell), cells))


def _mark_continued(nb: NotebookNode, known: dict[str, InstructorCell], is_own: _IsOwn) -> None:
    """Mark the student's own cells below each answer for a person that have its type."""
    above: NotebookNode | None = None
    for cell in nb.cells:
        if grade_id := grade_id_of(cell):
            above = cell if known[grade_id].is_for_a_person or known[grade_id].task else None
        elif above and not _is_blank(cell):
            if not is_own(cell):
                above = None
            elif cell.cell_type == above.cell_type:
                cell.metadata[METADATA_KEY] = NotebookNode(continues=grade_id_of(above))
