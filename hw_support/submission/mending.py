"""Restores the instructor's cells in a submitted notebook, and finds answers in added cells.

Students split, copy, delete, move, retype and edit cells, mostly by accident. `mend` starts from
the instructor's list of cells. It trusts only the text of a submitted cell and its grade id.

- The metadata and type of a known cell are rebuilt, and the source too if it is locked. A student's
  lines in a locked text are kept in a cell below it.
- A locked cell that has lost its grade id, in another program or by copying, is known by its text.
- If several cells have the same id, one is kept as the graded cell. The others become plain cells,
  which run but are not graded, as later cells may need what they define.
- If an answer for a person to grade is missing or empty, and the student wrote a cell of the same
  type at its place, that cell is the answer.
- A deleted test, written answer or task is restored at its place. A deleted code answer is not: the
  student may have moved the definition into another cell, and the stub would override it.
- The instructor's cells and the answers are put into the released order. As few cells as possible
  are moved, and tests and locked cells rather than answers. The plain code cells directly above an
  answer move with it.
- The student's own cells directly below an answer for a person continue it: see `continues`.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from hw_support.submission.cells import (
    NEW_CELL,
    SCHEMA_VERSION,
    InstructorCell,
    grade_id_of,
    places_in,
    trimmed,
)
from hw_support.submission.problems import (
    METADATA_KEY,
    Kind,
    Problem,
    Severity,
    insert_cell,
    mended_cell,
    quoted,
)

_WEIGHT_OF_ANSWER = 10_000  # in units of another cell's weight, when cells are put in order
_SCHEMAS = (1, 2, SCHEMA_VERSION)  # the versions of nbgrader's metadata
_IsOwn = Callable[[NotebookNode], bool]  # whether a cell is the student's, and not empty


def mend(
    nb: NotebookNode,
    instructor_cells: Sequence[InstructorCell],
    plain: Iterable[str] | None = None,
) -> list[Problem]:
    """Mend a notebook from `read_submission` in place, and return what was done.

    The instructor's cells are all in the gradebook, in the instructor's order. `plain` has the
    sources of the released cells without a grade id. If it is None, a student's own cells are not
    told from these, and no cell is taken for an answer. Mending a mended notebook changes nothing.
    """
    known = {cell.grade_id: cell for cell in instructor_cells}
    is_own = _own_cells(instructor_cells, plain) if plain is not None else None
    problems = [
        *_drop_unknown(nb, known),
        *_recognise(nb, instructor_cells),
        *_settle_duplicates(nb, known),
        *_rebuild(nb, known),
        *_put_in_order(nb, instructor_cells),
        *(_find_answers(nb, instructor_cells, is_own) if is_own else ()),
        *_put_back_deleted(nb, instructor_cells),
    ]
    if is_own:
        _mark_continued(nb, known, is_own)
    return problems


def _drop_unknown(nb: NotebookNode, known: dict[str, InstructorCell]) -> Iterable[Problem]:
    for cell in nb.cells:
        if "nbgrader" not in cell.metadata or grade_id_of(cell) in known:
            continue
        marks = cell.metadata.pop("nbgrader")
        flags = ("grade", "solution", "locked", "task")
        if isinstance(marks, dict) and not any(marks.get(flag) for flag in flags):
            continue  # nbgrader's tools leave this metadata on plain cells
        name = marks.get("grade_id") if isinstance(marks, dict) else None
        message = (
            f"No cell of this homework has the grade id {quoted(name)}: the cell with this id is "
            "run as a plain cell, without points."
        )
        yield Problem(Kind.UNKNOWN_CELL, Severity.MENDED, message)


def _recognise(nb: NotebookNode, instructor_cells: Sequence[InstructorCell]) -> Iterable[Problem]:
    there = {grade_id_of(cell) for cell in nb.cells}
    lost = [cell for cell in instructor_cells if cell.locked and cell.grade_id not in there]
    plain = [cell for cell in nb.cells if not grade_id_of(cell)] if lost else []
    by_text = {(cell.cell_type, trimmed(cell.source)): cell for cell in plain}
    for instructor in lost:
        if cell := by_text.pop((instructor.cell_type, trimmed(instructor.given)), None):
            cell.metadata = NotebookNode(nbgrader=instructor.metadata())
            what = "had lost its grade id: it was recognised by its text."
            yield mended_cell(Kind.METADATA, instructor.grade_id, what)


def _settle_duplicates(nb: NotebookNode, known: dict[str, InstructorCell]) -> Iterable[Problem]:
    copies: dict[str, list[NotebookNode]] = {}
    for cell in nb.cells:
        if grade_id := grade_id_of(cell):
            copies.setdefault(grade_id, []).append(cell)
    for grade_id, cells in copies.items():
        if len(cells) == 1:
            continue
        # Keep the copy that holds an answer; for a locked cell, keep the unchanged copy.
        instructor = known[grade_id]
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
        yield Problem(Kind.DUPLICATE_CELL, Severity.MENDED, message, grade_id)


def _rebuild(nb: NotebookNode, known: dict[str, InstructorCell]) -> Iterable[Problem]:
    for cell in list(nb.cells):
        grade_id = grade_id_of(cell)
        if grade_id is None:
            continue
        instructor, metadata = known[grade_id], known[grade_id].metadata()
        as_released = _is_as_released(cell)
        if cell.cell_type != instructor.cell_type:
            types = f"from a {instructor.cell_type} cell to a {cell.cell_type} cell"
            what = f"was changed {types}: it was changed back."
            yield mended_cell(Kind.RETYPED_CELL, grade_id, what)
            _retype(cell, instructor.cell_type)
        if instructor.locked:
            if not instructor.is_unchanged(cell.source):
                what = "is from an earlier release: it was updated."
                if not as_released:
                    what = "is locked, but its text was edited: the instructor's text was restored."
                    if kept := _new_lines(cell, instructor):
                        insert_cell(nb, nb.cells.index(cell) + 1, kept)  # ids are unique now
                        what = f"{what[:-1]}, and the new lines were moved to a cell below."
                yield mended_cell(Kind.EDITED_CELL, grade_id, what)
            cell.source = instructor.source
        if edits := _edits(cell.metadata["nbgrader"], metadata):
            message = (
                f"The metadata of cell {quoted(grade_id)} was edited ({edits}): the instructor's "
                "was restored."
            )
            yield Problem(Kind.METADATA, Severity.MENDED, message, grade_id)
        cell.metadata = NotebookNode(nbgrader=metadata)


def _is_as_released(cell: NotebookNode) -> bool:
    """Whether a cell still has its checksum from some release; it is nbgrader's."""
    marks = cell.metadata["nbgrader"]
    flags = [bool(marks.get("grade")), bool(marks.get("solution")), _is_locked(marks)]
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


def _edits(found: dict[str, Any], expected: NotebookNode) -> str:
    """Say what a student has edited in nbgrader's metadata, which may be of an earlier version."""
    keys = ("points", "grade", "solution", "locked", "task", "schema_version")
    before = {**found, "locked": _is_locked(found)} if "locked" in found else found
    if found.get("schema_version") in _SCHEMAS:
        before = {**before, "schema_version": expected["schema_version"]}
    if not (found.get("grade") or found.get("task")):  # early versions give points to every cell
        before = {key: value for key, value in before.items() if key != "points"}
    return ", ".join(
        f"{key} {quoted(before[key], 20)} for {quoted(expected.get(key), 20)}"
        for key in keys
        if key in before and _plain(before[key]) != _plain(expected.get(key))
    )


def _is_locked(marks: dict[str, Any]) -> bool:
    """Whether nbgrader takes a cell for locked: each test is, whatever its flag says."""
    return not marks.get("solution") and bool(marks.get("grade") or marks.get("locked"))


def _plain(value: Any) -> Any:
    """Return the number in a text: early versions store points as text."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _retype(cell: NotebookNode, cell_type: str) -> None:
    cell.cell_type = cell_type
    for key in ("attachments",) if cell_type == "code" else ("outputs", "execution_count"):
        cell.pop(key, None)
    if cell_type == "code":
        cell.update(outputs=[], execution_count=None)


def _put_in_order(
    nb: NotebookNode, instructor_cells: Sequence[InstructorCell]
) -> Iterable[Problem]:
    there = places_in(nb)
    released = [cell for cell in instructor_cells if cell.grade_id in there]
    staying = _heaviest_in_order(sorted(released, key=lambda cell: there[cell.grade_id]), released)
    before: str | None = None
    for instructor in released:
        grade_id = instructor.grade_id
        if grade_id not in staying:
            first = last = places_in(nb)[grade_id]
            while instructor.solution and first and _is_plain_code(nb.cells[first - 1]):
                first -= 1  # it may define what the answer needs
            moved = nb.cells[first : last + 1]
            del nb.cells[first : last + 1]
            place = places_in(nb)[before] + 1 if before else 0
            nb.cells[place:place] = moved
            where = f"below {quoted(before)}" if before else "at the top"
            what = f"was moved: it was moved back to its place, {where}."
            yield mended_cell(Kind.MOVED_CELL, grade_id, what)
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


def _put_back_deleted(
    nb: NotebookNode, instructor_cells: Sequence[InstructorCell]
) -> Iterable[Problem]:
    place = 0  # after the nearest earlier instructor's cell that exists
    for instructor in instructor_cells:
        here = places_in(nb).get(instructor.grade_id)
        if here is not None:
            place = here + 1
            continue
        if instructor.solution and not instructor.grade:
            done = (
                "it was not restored, because another cell may define the same. Tests that "
                "need it fail if no cell does."
            )
        else:
            cell = NEW_CELL[instructor.cell_type](instructor.source)
            cell.metadata = NotebookNode(nbgrader=instructor.metadata())
            insert_cell(nb, place, cell)
            place += 1
            done = "it was restored" + (", empty." if instructor.solution else ".")
        yield mended_cell(Kind.DELETED_CELL, instructor.grade_id, f"was deleted: {done}")


def _own_cells(instructor_cells: Sequence[InstructorCell], plain: Iterable[str]) -> _IsOwn:
    """Return a function that tells a student's own cells, which are not empty, from the others.

    A heading is enough to know a released cell without a grade id: the student may have edited the
    text below it, or have an earlier release.
    """
    texts = frozenset(map(trimmed, plain))
    known = texts | {trimmed(t) for cell in instructor_cells for t in (cell.source, cell.given)}
    headings = {text.partition("\n")[0] for text in texts if text.startswith("#")}

    def is_own(cell: NotebookNode) -> bool:
        text = trimmed(cell.source)
        is_released = text in known or text.partition("\n")[0] in headings
        return not (grade_id_of(cell) or _is_blank(cell) or is_released)

    return is_own


def _is_blank(cell: NotebookNode) -> bool:
    return not grade_id_of(cell) and not cell.source.strip() and not cell.get("attachments")


def _find_answers(
    nb: NotebookNode, instructor_cells: Sequence[InstructorCell], is_own: _IsOwn
) -> Iterable[Problem]:
    """Make a student's own cell the answer for a person that is missing or empty at its place."""
    earlier = -1  # the place of the nearest earlier instructor's cell that exists
    for instructor in instructor_cells:
        place = places_in(nb).get(instructor.grade_id)
        if instructor.is_for_a_person and (place is None or _is_empty(nb.cells[place], instructor)):
            candidates = _cells_around(nb.cells, place, earlier, is_own)
            fitting = (c for c in candidates if c.cell_type == instructor.cell_type and is_own(c))
            if own := next(fitting, None):
                own.metadata = NotebookNode(nbgrader=instructor.metadata())
                was = "was deleted, or lost its grade id"
                if place is not None:
                    del nb.cells[place]
                    was = "was left empty"
                what = f"{was}: an added cell at its place is graded as the answer."
                yield mended_cell(Kind.ADDED_CELL, instructor.grade_id, what)
        earlier = places_in(nb).get(instructor.grade_id, earlier)


def _is_empty(cell: NotebookNode, instructor: InstructorCell) -> bool:
    written = cell.source.strip() and not instructor.is_unchanged(cell.source)
    return not written and not cell.get("attachments")


def _cells_around(
    cells: list[NotebookNode], place: int | None, earlier: int, is_own: _IsOwn
) -> list[NotebookNode]:
    """Return the cells in which an answer may be: below the empty cell at `place`, then above it.

    Without a `place`, they are below the instructor's cell at `earlier`, up to the next one.
    """
    if place is None:
        below = cells[earlier + 1 :]
        return list(itertools.takewhile(lambda cell: not grade_id_of(cell), below))

    def together(some: Iterable[NotebookNode]) -> list[NotebookNode]:
        return list(itertools.takewhile(lambda cell: _is_blank(cell) or is_own(cell), some))

    return together(cells[place + 1 :]) + together(reversed(cells[:place]))[::-1]


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
