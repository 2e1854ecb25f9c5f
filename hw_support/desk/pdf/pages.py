"""Choose the page breaks of a notebook, and the contents of the first page.

The certification with name and pledge comes first, under the notebook's title. The cells follow in
their order. Each part begins a new page. A part begins with a heading of level 2 that is numbered
(``Q1.1``) or has code or an answer under it, or with a numbered heading of level 3 (``1.2a``). A
part right after its chapter's heading stays on that page, so that no page is nearly empty. Plain
text, such as instructions, begins no page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hw_support.desk.certification import BLANK, NAME
from hw_support.desk.pdf.markdown import Formula, restored
from hw_support.desk.pdf.text import clean, excerpt, first_line

__all__ = ["Entry", "FirstPage", "first_page", "page_starts", "plain_text"]

_PART = re.compile(r"(?:Q|Question|Problem|Part|Exercise)?\s*\d+(?:\.\d+|\s*[a-z]\b|[.:)])", re.I)
_SHORT = 700  # characters from a chapter's heading to its first part, if they share a page


@dataclass(eq=False)
class Entry:
    """One cell, its place in the notebook (from 1), and its parsed content.

    The blocks are pandoc's, for a Markdown cell; None for other cells or if pandoc cannot read it.
    """

    number: int
    cell: Any
    formulas: list[Formula] = field(default_factory=list)
    blocks: list[Any] | None = None
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read the cell's nbgrader metadata."""
        marks = self.cell.metadata.get("nbgrader")
        marks = marks if isinstance(marks, dict) else {}
        self.grade_id = str(marks.get("grade_id", ""))
        self.is_answer = bool(marks.get("solution"))
        self.is_test = self.grade_id.startswith("test_") and bool(marks.get("locked"))
        line = excerpt(first_line(self.cell.source), 50)
        self.label = f"Cell {self.number} ({line})" if line else f"Cell {self.number}"

    def warn(self, sentence: str) -> None:
        """Add a warning once; the sentence begins with the cell's name."""
        if f"{self.label}: {sentence}" not in self.warnings:
            self.warnings.append(f"{self.label}: {sentence}")

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
    """Take title and certification out of a notebook's cells.

    Parameters
    ----------
    entries : sequence of Entry
        All cells. The title is removed from its cell.
    certification : str
        Grade id of the certification; ``""`` if the homework has none.
    """
    rest = list(entries)
    title, author, warnings = "Notebook", "", []
    for entry in entries:
        if (found := entry.heading(0, 1)) is not None:
            title, entry.blocks = found, (entry.blocks or [])[1:]
            break
    place = next((i for i, e in enumerate(entries) if e.grade_id == certification), None)
    if not certification or place is None:
        if certification:
            warnings = ["The certification cell, with your name and the pledge, is missing. Copy "
                        "it from the homework that you were given."]  # fmt: skip
        return FirstPage(title, "", [], rest, warnings)
    entry, before = rest[place], rest[place - 1] if place else None
    titled = before and not before.is_answer and before.heading(0, 1, 2, 3, 4, 5, 6) is not None
    start = place - 1 if titled else place
    author = _student_name(entry.cell.source)
    if not author:
        warnings.append(
            f'{entry.label}: there is no name under "{NAME}", so the pages show none at the top.'
        )
    if count := entry.cell.source.count(BLANK):
        says = "says" if count == 1 else "say"
        warnings.append(
            f"{entry.label}: {count} of the answers in the certification still {says} {BLANK}."
        )
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
    chapter: tuple[int, int] | None = None  # a heading of level 2 that has no page yet
    since: int | None = None  # characters from a chapter's heading to its first part
    for entry in entries:
        if entry.cell.cell_type == "code" or entry.is_answer:
            starts |= {chapter} if chapter else set()
            chapter = None
            if since is not None:
                since = _SHORT + 1 if entry.is_answer else since + len(entry.cell.source)
        for place, block in enumerate(entry.blocks or [] if not entry.is_answer else []):
            words, here = entry.heading(place, 2, 3), (entry.number, place)
            numbered = bool(words and _PART.match(words))
            if words is None:
                if since is not None:
                    since += len(str(block.get("c"))) // 10  # roughly the block's text
            elif block["c"][0] == 2:
                chapter, since = None if numbered else here, 0
                starts |= {here} if numbered else set()
            elif numbered:
                if since is None or since > _SHORT:
                    starts.add(here)
                    chapter = None
                since = None
    return starts
