"""How each cell of a notebook is shown in a student's feedback.

The student's own text, code and outputs are open, and so are the first heading of each cell and
short texts of the instructor. Long texts and code of the instructor are folded. Oversized content
is cut with a note.
"""

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from nbformat import NotebookNode

from hw_grading.homework.layout import ANSWER, LOCKED, TEST
from hw_grading.homework.notebook import kind_of
from hw_grading.homework.notes import is_notes
from hw_grading.rendering.answers import LONGEST_PRINTED, code_html, outputs_html, text_html
from hw_grading.rendering.feedback.notes import Note, Notes, Piece
from hw_grading.rendering.feedback.summary import PageFacts, Points, Remark, trusted_html
from hw_grading.rendering.limits import PageLimits
from hw_grading.texts import without_codes, without_controls
from hw_support.submission.cells import grade_id_of
from hw_support.submission.problems import plain

_SHORT = 280  # characters; a longer text of the instructor is folded
_FAILED = re.compile(r"^([^<>\n]*FAILED  [^<>\n]*(?:\n {8}[^<>\n]*)*)", re.MULTILINE)  # in HTML
_instructors_code = functools.lru_cache(maxsize=300)(code_html)  # the same for the whole class


@dataclass(frozen=True)
class Section:
    """A heading and the text below it. The text is HTML or `plain`. Each may be missing."""

    heading: str = ""
    text: str = ""
    plain: str | None = None
    folded: bool = False


@dataclass(frozen=True)
class ShownCell:
    """A cell as the page shows it."""

    number: int  # the page's number for the cell, which links use
    kind: str  # "answer", "test", "given" (the instructor's) or "own"
    name: str  # the question's name, for answers and tests
    points: Points | None
    remark: Remark | None
    section: Section | None  # the cell's text; None for a code cell
    code: tuple[Piece, ...]  # the cell's code, coloured; none for a text cell
    first_line: str  # the first line of the code
    outputs: Markup
    notes: list[Note]  # on the whole answer


def shown_cells(facts: PageFacts, cells: Sequence[NotebookNode]) -> Iterator[ShownCell]:
    """Yield the cells of a notebook, without the grader's notes, which the box shows.

    The cells have no hidden content.
    """
    scores = {score.cell.name: score for score in facts.result.known.scores}
    limits, notes = PageLimits(), Notes(facts.result.comments, cells)
    for number, cell in enumerate(cells):
        if is_notes(cell):
            continue
        name = grade_id_of(cell) or ""
        kind = _kind(cell, facts)
        is_code = cell.cell_type == "code"
        graded = kind in ("answer", "test")
        score = [scores[name]] if graded and name in scores else []
        render = functools.partial(text_html, limits=limits) if kind != "given" else trusted_html
        code = Markup()
        if is_code and kind in ("answer", "own"):
            code = code_html(cell.source, limits, nowrap=True)
        elif is_code:
            code = _instructors_code(cell.source, nowrap=True)
        yield ShownCell(
            number=number,
            kind=kind,
            name=str(facts.places.get(name, "")) if graded else "",
            points=facts.points(score),
            remark=facts.remark(name),
            section=None if is_code else _section(cell, kind, render, limits),
            code=notes.split(cell, code) if is_code else (),
            first_line=plain(cell.source.strip().partition("\n")[0], 60),
            outputs=outputs_in(cell, kind, limits) if is_code else Markup(),
            notes=notes.below(cell),
        )


def _kind(cell: NotebookNode, facts: PageFacts) -> str:
    kind = kind_of(cell)
    if kind in (ANSWER, TEST):
        return kind
    is_given = kind == LOCKED or cell.source.strip() in facts.instructors
    return "given" if is_given else "own"


def _section(
    cell: NotebookNode, kind: str, render: Callable[..., Markup], limits: PageLimits
) -> Section:
    attached = cell.get("attachments")
    if cell.cell_type == "raw":
        text = without_codes(limits.cut(cell.source, LONGEST_PRINTED))
        return Section(plain=without_controls(text))
    if kind != "given":
        return Section(text=render(cell.source, attached))
    first, _, rest = cell.source.lstrip().partition("\n")
    heading, text = (first, rest) if first.startswith("#") else ("", cell.source)
    return Section(
        heading=render(heading, attached) if heading else "",
        text=render(text, attached) if text.strip() else "",
        folded=len(text) > _SHORT or "](" in text or "<img" in text,
    )


def outputs_in(cell: NotebookNode, kind: str, limits: PageLimits) -> Markup:
    """Return the outputs of a cell; failed parts of a test stand out."""
    shown = outputs_html(cell, limits, for_graders=False)
    if kind != "test":
        return shown
    return Markup(_FAILED.sub(r'<span class="failed">\1</span>', str(shown)))
