"""Finds the answers for a person that a student wrote into cells of their own."""

import itertools
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from nbformat import NotebookNode

from hw_support.submission.cells import InstructorCell, grade_id_of, places_in, trimmed
from hw_support.submission.problems import METADATA_KEY, Kind, Problem, mended_cell


def continues(cell: Any) -> str | None:
    """Return the grade id of the answer that a student's own cell continues; None if of none."""
    metadata = cell.get("metadata") if isinstance(cell, dict) else None
    section = metadata.get(METADATA_KEY) if isinstance(metadata, dict) else None
    name = section.get("continues") if isinstance(section, dict) else None
    return name if isinstance(name, str) else None


def first_line(source: str) -> str:
    """Return the line by which a released cell is known, also if a student edited the others."""
    return trimmed(source).partition("\n")[0]


def find_answers(
    nb: NotebookNode, instructor_cells: Sequence[InstructorCell], given: AbstractSet[str]
) -> Iterable[Problem]:
    """Make a student's own cell the answer for a person that is missing or empty at its place.

    `given` has the first lines of the released cells without a grade id.
    """
    places = places_in(nb)
    earlier: str | None = None  # the nearest earlier instructor's cell that exists
    for instructor in instructor_cells:
        name = instructor.grade_id
        place = places.get(name)
        if instructor.is_for_a_person and (place is None or _is_empty(nb.cells[place], instructor)):
            own = _own_cells(nb, place, earlier, given)
            if own := [cell for cell in own if _is_code(cell) == _is_code(instructor)]:
                own[0].metadata = NotebookNode(nbgrader=instructor.metadata())
                was = "was deleted, or lost its grade id"
                if place is not None:
                    del nb.cells[place]
                    was = "was left empty"
                what = f"{was}: an added cell at its place is graded as the answer."
                yield mended_cell(Kind.ADDED_CELL, name, what)
                places = places_in(nb)
        if name in places:
            earlier = name


def _own_cells(
    nb: NotebookNode, place: int | None, earlier: str | None, given: AbstractSet[str]
) -> list[NotebookNode]:
    """Return a student's own cells where an answer should be, the likeliest ones first."""
    if place is None:
        first = places_in(nb)[earlier] + 1 if earlier else 0
        here = itertools.takewhile(lambda cell: not grade_id_of(cell), nb.cells[first:])
        return [cell for cell in here if _is_own(cell, given)]
    below, above = nb.cells[place + 1 :], nb.cells[:place][::-1]
    return [
        cell
        for cells in (below, above)
        for cell in itertools.takewhile(lambda one: _is_blank(one) or _is_own(one, given), cells)
        if not _is_blank(cell)
    ]


def _is_blank(cell: NotebookNode) -> bool:
    return not grade_id_of(cell) and not cell.source.strip() and not cell.get("attachments")


def _is_own(cell: NotebookNode, given: AbstractSet[str]) -> bool:
    known = grade_id_of(cell) or _is_blank(cell)
    return not known and first_line(cell.source) not in given


def _is_empty(cell: NotebookNode, instructor: InstructorCell) -> bool:
    written = cell.source.strip() and not instructor.is_unchanged(cell.source)
    return not written and not cell.get("attachments")


def _is_code(cell: NotebookNode | InstructorCell) -> bool:
    return bool(cell.cell_type == "code")


def mark_continued(nb: NotebookNode, answers: AbstractSet[str], given: AbstractSet[str]) -> None:
    """Mark the student's own cells below each answer that have its type."""
    above: NotebookNode | None = None
    for cell in nb.cells:
        if grade_id_of(cell):
            above = cell if grade_id_of(cell) in answers else None
        elif above and not _is_blank(cell):
            if not _is_own(cell, given):
                above = None
            elif _is_code(cell) == _is_code(above):
                cell.metadata[METADATA_KEY] = NotebookNode(continues=grade_id_of(above))
