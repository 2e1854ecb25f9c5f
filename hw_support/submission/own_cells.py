"""Finds the answers for a person that a student wrote into cells of their own."""

import functools
import itertools
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from nbformat import NotebookNode

from hw_support.submission.cells import (
    InstructorCell,
    grade_id_of,
    places_in,
    section_of,
    trimmed,
)
from hw_support.submission.problems import METADATA_KEY, Kind, Problem, mended_cell


def continues(cell: Any) -> str | None:
    """Return the grade id of the answer that a student's own cell continues; None if of none."""
    name = section_of(cell, METADATA_KEY).get("continues")
    return name if isinstance(name, str) else None


def released_texts(
    instructor_cells: Sequence[InstructorCell], plain: Iterable[str]
) -> Callable[[str], bool]:
    """Return a function that says whether a text is a released one, and not the student's own.

    `plain` has the released cells without a grade id. A heading is enough to know one of them, in
    case that the student edited the text below it, or has an earlier release.
    """
    plain = frozenset(map(trimmed, plain))
    known = plain | {trimmed(t) for cell in instructor_cells for t in (cell.source, cell.given)}
    headings = {heading for text in plain if (heading := _heading(text))}
    return lambda text: trimmed(text) in known or _heading(trimmed(text)) in headings


def _heading(text: str) -> str:
    return text.partition("\n")[0] if text.startswith("#") else ""


def find_answers(
    nb: NotebookNode, instructor_cells: Sequence[InstructorCell], is_released: Callable[[str], bool]
) -> Iterable[Problem]:
    """Make a student's own cell the answer for a person that is missing or empty at its place.

    `is_released` is the result of `released_texts`.
    """
    is_own = functools.partial(_is_own, is_released=is_released)
    places = places_in(nb)
    earlier: str | None = None  # the nearest earlier instructor's cell that exists
    for instructor in instructor_cells:
        name = instructor.grade_id
        place = places.get(name)
        if instructor.is_for_a_person and (place is None or _is_empty(nb.cells[place], instructor)):
            own = _own_cell(nb, instructor.cell_type, place, places.get(earlier or ""), is_own)
            if own:
                own.metadata = NotebookNode(nbgrader=instructor.metadata())
                was = "was deleted, or lost its grade id"
                if place is not None:
                    del nb.cells[place]
                    was = "was left empty"
                what = f"{was}: an added cell at its place is graded as the answer."
                yield mended_cell(Kind.ADDED_CELL, name, what)
                places = places_in(nb)
        if name in places:
            earlier = name


def _own_cell(
    nb: NotebookNode,
    cell_type: str,
    place: int | None,
    earlier: int | None,
    is_own: Callable[[NotebookNode], bool],
) -> NotebookNode | None:
    """Return the student's first own cell where an answer should be; None if there is none.

    It is below the empty cell at `place`, otherwise above that one. Without `place` it is below the
    cell at `earlier`, or at the top.
    """

    def together(cells: Iterable[NotebookNode]) -> list[NotebookNode]:
        return list(itertools.takewhile(lambda cell: _is_blank(cell) or is_own(cell), cells))

    if place is None:
        below = nb.cells[0 if earlier is None else earlier + 1 :]
        cells = list(itertools.takewhile(lambda cell: not grade_id_of(cell), below))
    else:
        cells = together(nb.cells[place + 1 :]) + together(reversed(nb.cells[:place]))[::-1]
    return next((cell for cell in cells if cell.cell_type == cell_type and is_own(cell)), None)


def _is_blank(cell: NotebookNode) -> bool:
    return not grade_id_of(cell) and not cell.source.strip() and not cell.get("attachments")


def _is_own(cell: NotebookNode, is_released: Callable[[str], bool]) -> bool:
    return not (grade_id_of(cell) or _is_blank(cell) or is_released(cell.source))


def _is_empty(cell: NotebookNode, instructor: InstructorCell) -> bool:
    written = cell.source.strip() and not instructor.is_unchanged(cell.source)
    return not written and not cell.get("attachments")


def mark_continued(
    nb: NotebookNode, answers: AbstractSet[str], is_released: Callable[[str], bool]
) -> None:
    """Mark the student's own cells below each answer that have its type."""
    above: NotebookNode | None = None
    for cell in nb.cells:
        if grade_id_of(cell):
            above = cell if grade_id_of(cell) in answers else None
        elif above and not _is_blank(cell):
            if not _is_own(cell, is_released):
                above = None
            elif cell.cell_type == above.cell_type:
                cell.metadata[METADATA_KEY] = NotebookNode(continues=grade_id_of(above))
