"""How each cell of a notebook is shown in a student's feedback.

The student's own text, code and outputs are open, and so are headings and short texts of the
instructor. Long texts and code of the instructor are folded. Oversized content is cut with a note.
"""

import functools
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup
from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_locked, is_solution, is_task

from hw_grading.gradebook import terminal
from hw_grading.gradebook.graded_notebook import plain
from hw_grading.rendering.allowance import Allowance
from hw_grading.rendering.cleaning import clean_html
from hw_grading.rendering.colours import LONGEST_CODE, colour_python
from hw_grading.rendering.feedback.facts import Facts, Points, Remark, counts, remark_of
from hw_grading.rendering.outputs import clean_outputs
from hw_support.submission.cells import grade_id_of
from hw_support.submission.problems import is_notes

_SHORT = 280  # characters; a longer text of the instructor is folded
_SECONDS = 30.0  # CPU time for one student's own cells; the cells after it are shown as text
_LONGEST_TEXT = 30_000  # in one printed text
_MOST_OUTPUTS = 200  # in one cell
_MOST_PICTURES = 15_000_000  # characters of pictures and tables on the page
_PICTURES = ("image/png", "image/jpeg", "image/gif")
_HEADING = re.compile(r"#{1,6} +\S.*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")

_FAILED_PART = re.compile(r"^(.*FAILED  .*(?:\n {8}.*)?)$", re.MULTILINE)


Markdown = Callable[..., Markup]  # renders a text, with its attachments


@dataclass(frozen=True)
class Section:
    """A heading and the text below it. The text is HTML or `plain`. Each may be missing."""

    heading: str = ""
    text: str = ""
    plain: str | None = None
    folded: bool = False


@dataclass(frozen=True)
class Output:
    """One output: `kind` is "text", "error", "html", "picture" or "note"."""

    kind: str
    content: str  # a text, HTML, or the address of a picture
    sizes: Mapping[str, float] = field(default_factory=dict)  # a picture's width and height

    @property
    def size(self) -> int:
        """Its characters of pictures and tables, which are limited."""
        return len(self.content) if self.kind in ("picture", "html") else 0

    @property
    def pieces(self) -> Iterator[tuple[str, bool]]:
        """Pieces of a test's printed text, and whether each piece reports a failed part."""
        for number, piece in enumerate(_FAILED_PART.split(self.content)):
            yield piece, number % 2 == 1


@dataclass(frozen=True)
class Shown:
    """A cell as the page shows it."""

    number: int  # the page's number for the cell, which links use
    kind: str  # "answer", "test", "given" (the instructor's) or "own"
    name: str  # the question's name, for answers and tests
    points: Points | None
    remark: Remark | None
    sections: tuple[Section, ...]  # the cell's text; empty for a code cell
    code: str  # the cell's code, coloured if it is `Markup`; "" for a text cell
    first_line: str  # the first line of the code
    outputs: tuple[Output, ...]


def shown_cells(
    facts: Facts, cells: Sequence[NotebookNode], markdown: Markdown, students: Markdown
) -> Iterator[Shown]:
    """Yield the cells of a notebook, without the grader's notes, which the box shows.

    The cells have no hidden content; their outputs are cleaned in place. `markdown` renders a text
    by the instructor or a grader, `students` one by the student, with its attachments.
    """
    scores = {score.cell.name: score for score in facts.record.scores} if facts.record else {}
    left = _MOST_PICTURES
    allowance = Allowance()
    until = time.process_time() + _SECONDS
    for number, cell in enumerate(cells):
        if is_notes(cell):
            continue
        name = grade_id_of(cell) or ""
        kind = _kind(cell, facts)
        outputs: tuple[Output, ...] = ()
        code = ""
        as_text = kind in ("answer", "own") and time.process_time() > until
        if cell.cell_type == "code":
            clean_outputs(cell, allowance)
            outputs = tuple(_outputs(cell, kind, left, allowance))
            left -= sum(output.size for output in outputs)
            code = terminal.shown(cell.source, LONGEST_CODE) if as_text else _coloured(cell.source)
        graded = kind in ("answer", "test")
        score = scores.get(name)
        comment = facts.comments.get(name)
        yield Shown(
            number=number,
            kind=kind,
            name=str(facts.places.get(name, "")) if graded else "",
            points=facts.points([score]) if graded and score and counts(score) else None,
            remark=remark_of(comment, markdown) if comment else None,
            sections=tuple(_sections(cell, kind, markdown, students, as_text=as_text)),
            code=code,
            first_line=plain(cell.source.strip().partition("\n")[0], 60),
            outputs=outputs,
        )


def _kind(cell: NotebookNode, facts: Facts) -> str:
    if is_solution(cell) or is_task(cell):
        return "answer"
    if is_grade(cell) and cell.cell_type == "code":
        return "test"
    if is_locked(cell) or cell.source.strip() in facts.instructors:
        return "given"
    return "own"


def _sections(
    cell: NotebookNode, kind: str, markdown: Markdown, students: Markdown, *, as_text: bool
) -> Iterator[Section]:
    attached = cell.get("attachments")
    if cell.cell_type == "raw" or (cell.cell_type == "markdown" and as_text):
        yield Section(plain=terminal.shown(cell.source, _LONGEST_TEXT))
    elif cell.cell_type == "markdown" and kind != "given":
        yield Section(text=students(cell.source, attached))
    elif cell.cell_type == "markdown":
        for heading, text in _apart(cell.source):
            yield Section(
                heading=markdown(heading, attached) if heading else "",
                text=markdown(text, attached) if text else "",
                folded=len(text) > _SHORT or "](" in text or "<img" in text,
            )


def _apart(source: str) -> Iterator[tuple[str, str]]:
    """Yield each heading of a text and what is below it. A ``#`` in code is not a heading."""
    heading, below, fence = "", list[str](), ""
    for line in source.splitlines():
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence):
            fence = ""
        if not fence and _HEADING.fullmatch(line):
            if heading or any(map(str.strip, below)):
                yield heading, "\n".join(below).strip("\n")
            heading, below = line, []
        else:
            below.append(line)
    yield heading, "\n".join(below).strip("\n")


@functools.lru_cache(maxsize=300)  # the instructor's code is the same for the whole class
def _coloured(code: str) -> str:
    code = terminal.shown(code, LONGEST_CODE)
    coloured = colour_python(code, nowrap=True)
    return code if coloured is None else coloured


def _outputs(cell: NotebookNode, kind: str, left: int, allowance: Allowance) -> Iterator[Output]:
    """Yield the outputs of a cell, with at most `left` characters of pictures and tables."""
    for output in cell.outputs[:_MOST_OUTPUTS]:
        if output.output_type == "stream":
            yield Output("text", terminal.shown(output.text, _LONGEST_TEXT))
        elif output.output_type == "error":
            text = "\n".join(output.traceback) or f"{output.ename}: {output.evalue}"
            yield Output("error", terminal.shown(text, _LONGEST_TEXT))
        elif kind == "test" and output.output_type == "execute_result":
            continue  # the points, which are shown above
        else:
            shown = _picture_or_text(output, allowance)
            if shown.size > left:
                note = f"An output of {shown.size / 1e6:.1f} MB is not shown: it is too large."
                shown = Output("note", note)
            left -= shown.size
            yield shown
    if (more := len(cell.outputs) - _MOST_OUTPUTS) > 0:
        yield Output("note", f"{more:,} more outputs are not shown.")


def _picture_or_text(output: NotebookNode, allowance: Allowance) -> Output:
    for mime in _PICTURES:
        if mime in output.data:
            data = "".join(output.data[mime].split())
            return Output("picture", f"data:{mime};base64,{data}", output.metadata.get(mime, {}))
    if "text/html" in output.data:
        return Output("html", Markup(clean_html(output.data["text/html"], allowance=allowance)))
    return Output("text", terminal.shown(output.data.get("text/plain", ""), _LONGEST_TEXT))
