"""How each cell of a notebook is shown in a student's feedback.

The student's own text, code and outputs are open, and so are headings and short texts of the
instructor. Long texts and code of the instructor are folded. Oversized content is cut with a note.
"""

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_locked, is_solution, is_task

from hw_grading.homework.notes import is_notes
from hw_grading.rendering.answers import Limits, code_html, outputs_html, printed_html, text_html
from hw_grading.rendering.feedback.summary import Facts, Points, comment_html, trusted_html
from hw_support.submission.cells import grade_id_of

_SHORT = 280  # characters; a longer text of the instructor is folded
_code = functools.lru_cache(maxsize=300)(code_html)  # the instructor's, for the whole class
_PARTS = re.compile(r"((?:\n* {0,3}#{1,6} .*\n?)*)((?s:.*))")  # the headings at the top, the rest


@dataclass(frozen=True)
class Shown:
    """A cell as the page shows it, in HTML. What it lacks is empty."""

    number: int  # the page's number for the cell, which links use
    kind: str  # "answer", "test", "given" (the instructor's) or "own"
    name: str  # the question's name, for answers and tests
    points: Points | None
    comment: str  # the grader's
    heading: str = ""  # of the instructor's text
    text: str = ""  # of a cell that is no code
    folded: bool = False  # whether the text is
    code: str = ""  # coloured
    outputs: str = ""


def shown_cells(facts: Facts, cells: Sequence[NotebookNode]) -> Iterator[Shown]:
    """Yield the cells of a notebook, without the grader's notes, which the box shows.

    The cells have no hidden content.
    """
    scores = {score.cell.name: score for score in facts.result.known.scores}
    limits = Limits()
    for number, cell in enumerate(cells):
        if is_notes(cell):
            continue
        name = grade_id_of(cell) or ""
        kind = _kind(cell, facts)
        graded = kind in ("answer", "test")
        yield Shown(
            number=number,
            kind=kind,
            name=str(facts.places.get(name, "")) if graded else "",
            points=facts.points([scores[name]] if graded and name in scores else []),
            comment=comment_html(facts.comments.get(name, "")),
            **_content(cell, kind, limits),
        )


def _kind(cell: NotebookNode, facts: Facts) -> str:
    if is_solution(cell) or is_task(cell):
        return "answer"
    if is_grade(cell) and cell.cell_type == "code":
        return "test"
    if is_locked(cell) or cell.source.strip() in facts.instructors:
        return "given"
    return "own"


def _content(cell: NotebookNode, kind: str, limits: Limits) -> dict[str, Any]:
    """Return the fields of `Shown` for a cell's text or code, and its outputs."""
    attached = cell.get("attachments")
    if cell.cell_type == "code":
        code, its = (code_html, limits) if kind in ("answer", "own") else (_code, None)
        return {
            "code": code(cell.source, its, nowrap=True),
            "outputs": outputs_html(cell, limits, for_graders=False),
        }
    if cell.cell_type == "raw":
        return {"text": printed_html(cell.source, folded=False)}
    if kind != "given":
        return {"text": text_html(cell.source, attached, limits)}
    headings, text = _PARTS.findall(cell.source)[0]
    return {
        "heading": trusted_html(headings, attached),
        "text": trusted_html(text, attached),
        "folded": len(text) > _SHORT or "](" in text or "<img" in text,
    }
