"""Choose the page breaks of a notebook, and the contents of the first page.

The certification with name and pledge comes first, under the notebook's title. Each part begins a
new page: a heading of level 2 that is numbered (``Q1.1``) or has code or an answer under it, or a
numbered heading of level 3 (``1.2a``). A part right after its chapter's heading stays on that page,
so that no page is nearly empty.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hw_support.desk.certification import BLANK, NAME
from hw_support.desk.pdf.markdown import Formula, restored
from hw_support.desk.pdf.text import clean, excerpt, first_line
from hw_support.submission.mending import marks_of

_PART = re.compile(r"(?:Q|Question|Problem|Part|Exercise)?\s*\d+(?:\.\d+|\s*[a-z]\b|[.:)])", re.I)
_SHORT = 700  # characters from a chapter's heading to its first part, if they share a page


@dataclass(eq=False)
class Entry:
    """One cell and its parsed content."""

    number: int  # its place in the notebook, from 1
    cell: Any
    formulas: list[Formula] = field(default_factory=list)
    blocks: list[Any] | None = None  # pandoc's; None if it cannot read the cell, or it is no text
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        marks = marks_of(self.cell)
        self.grade_id = str(marks.get("grade_id", ""))
        self.is_answer = bool(marks.get("solution"))
        self.is_test = self.grade_id.startswith("test_") and bool(marks.get("locked"))
        line = excerpt(first_line(self.cell.source), 50)
        self.label = f"Cell {self.number} ({line})" if line else f"Cell {self.number}"

    def warn(self, sentence: str) -> None:
        """Add a warning once, behind the cell's name."""
        if (warning := f"{self.label}: {sentence}") not in self.warnings:
            self.warnings.append(warning)

    def heading(self, place: int, *levels: int) -> str | None:
        """Return the text of a block if it is a heading of one of these levels."""
        block = self.blocks[place] if self.blocks else {"t": ""}
        if block["t"] != "Header" or block["c"][0] not in levels:
            return None
        return plain_text(block["c"][2], self.formulas)


def plain_text(inlines: Any, formulas: list[Formula]) -> str:
    """Return the text of pandoc's inlines, with formulas as TeX."""
    match inlines:
        case list():
            return "".join(plain_text(inline, formulas) for inline in inlines)
        case {"t": "Str", "c": text} | {"t": "Code", "c": [_, text]}:
            return restored(text, formulas)
        case {"t": "Link" | "Image", "c": [_, content, _]} | {"c": list(content)}:
            return plain_text(content, formulas)
        case {"t": "Space" | "SoftBreak" | "LineBreak"}:
            return " "
    return ""


@dataclass(frozen=True)
class FirstPage:
    """The title, the student's name (or ``""``), the first page's cells, and all others."""

    title: str
    author: str
    entries: list[Entry]
    rest: list[Entry]
    warnings: list[str]


def first_page(entries: Sequence[Entry], certification: str) -> FirstPage:
    """Take title and certification out of a notebook's cells; the title's cell loses it.

    `certification` is its grade id; ``""`` if the homework has none.
    """
    rest = list(entries)
    title, warnings = "Notebook", []
    for entry in entries:
        if (found := entry.heading(0, 1)) is not None:
            title, entry.blocks = found, (entry.blocks or [])[1:]
            break
    if not certification:
        return FirstPage(title, "", [], rest, [])
    place = next((i for i, e in enumerate(entries) if e.grade_id == certification), None)
    if place is None:
        missing = "The certification cell, with your name and the pledge, is missing."
        advice = "Copy it from the homework that you were given."
        return FirstPage(title, "", [], rest, [f"{missing} {advice}"])
    entry, before = rest[place], rest[place - 1] if place else None
    titled = before and not before.is_answer and before.heading(0, 1, 2, 3, 4, 5, 6) is not None
    start = place - 1 if titled else place
    author = _student_name(entry.cell.source)
    if not author:
        none = f'there is no name under "{NAME}", so the pages show none at the top'
        warnings.append(f"{entry.label}: {none}.")
    if count := entry.cell.source.count(BLANK):
        still = f"still {'says' if count == 1 else 'say'} {BLANK}"
        warnings.append(f"{entry.label}: {count} of the answers in the certification {still}.")
    rest, first = rest[:start] + rest[place + 1 :], rest[start : place + 1]
    return FirstPage(title, author, first, rest, warnings)


def _student_name(certification: str) -> str:
    """Return the text under "Name:" in the certification; ``""`` if there is none."""
    text = re.sub(r"<!--.*?-->", "", clean(certification[:20_000]), flags=re.DOTALL)
    found = re.search(rf"\*\*{NAME}:?\*\*:?(.*?)(?:\n\s*\*\*|\Z)", text, re.DOTALL)
    name = excerpt(first_line(found[1]).strip("*_` "), 60) if found else ""
    return "" if BLANK in name else name


def page_starts(entries: Sequence[Entry]) -> set[tuple[int, int]]:
    """Return the headings that begin a page, by cell number and place among the cell's blocks."""
    starts: set[tuple[int, int]] = set()
    chapter: set[tuple[int, int]] = set()  # a heading of level 2 that has no page yet
    since: float = math.inf  # characters from a chapter's heading to its first part
    for entry in entries:
        if entry.cell.cell_type == "code" or entry.is_answer:
            starts |= chapter
            chapter = set()
            since += _SHORT + 1 if entry.is_answer else len(entry.cell.source)
        for place, block in enumerate(entry.blocks or [] if not entry.is_answer else []):
            words, here = entry.heading(place, 2, 3), (entry.number, place)
            numbered = bool(words and _PART.match(words))
            if words is None:
                since += len(str(block.get("c"))) // 10  # roughly the block's text
            elif block["c"][0] == 2:
                starts |= {here} if numbered else set()
                chapter, since = set() if numbered else {here}, 0
            elif numbered:
                if since > _SHORT:
                    starts.add(here)
                    chapter = set()
                since = math.inf
    return starts
