"""Where the pages of a notebook begin, and what stands on the first one.

The certification, with name and pledge, comes first, under the notebook's title. Then the cells
follow in their order. A new page begins with each part: with a heading of level 2 that is numbered
(``Q1.1``) or has code or an answer under it, and with a numbered heading of level 3 (``1.2a``). A
part right after the heading of its chapter stays on the chapter's page, so that no page is nearly
empty; plain text, such as instructions, flows on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hw_support.desk.certification import BLANK, NAME
from hw_support.desk.pdf.blocks import plain_text
from hw_support.desk.pdf.markdown import Formula
from hw_support.desk.pdf.text import clean, excerpt, first_line

__all__ = ["Entry", "FirstPage", "first_page", "page_starts", "student_name"]

_PART = re.compile(r"(?:Q|Question|Problem|Part|Exercise)?\s*\d+(?:\.\d+|\s*[a-z]\b|[.:)])", re.I)
_SHORT = 700  # characters between a chapter's heading and its first part, which share a page


@dataclass
class Entry:
    """One cell with what was read in it.

    Attributes
    ----------
    number : int
        Its place in the notebook, from 1.
    cell : NotebookNode
        The cell.
    formulas : list of Formula
        Those of a Markdown cell.
    blocks : list or None
        Pandoc's blocks of a Markdown cell; None if there are none, or they cannot be read.
    """

    number: int
    cell: Any
    formulas: list[Formula] = field(default_factory=list)
    blocks: list[Any] | None = None

    @property
    def grade_id(self) -> str:
        """The cell's id in nbgrader, or ``""``."""
        return str(self._marks.get("grade_id", ""))

    @property
    def is_answer(self) -> bool:
        """Whether the student answers in this cell."""
        return bool(self._marks.get("solution"))

    @property
    def is_test(self) -> bool:
        """Whether this is one of the instructor's test cells."""
        return self.grade_id.startswith("test_") and bool(self._marks.get("locked"))

    @property
    def label(self) -> str:
        """How warnings name the cell."""
        line = excerpt(first_line(self.cell.source), 50)
        return f"Cell {self.number} ({line})" if line else f"Cell {self.number}"

    @property
    def _marks(self) -> Any:
        marks = self.cell.metadata.get("nbgrader", {})
        return marks if isinstance(marks, dict) else {}


@dataclass(frozen=True)
class FirstPage:
    """What stands on the first page.

    Attributes
    ----------
    title : str
        The notebook's heading of level 1.
    author : str
        The student's name; ``""`` if it was not filled in.
    entries : list of Entry
        The certification, after the heading above it; none if there is no such cell.
    rest : list of Entry
        All other cells.
    warnings : list of str
        What is missing on this page.
    """

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
        All cells.
    certification : str
        Grade id of the certification; ``""`` if the homework has none.
    """
    place = next((i for i, e in enumerate(entries) if e.grade_id == certification), None)
    title = "Notebook"
    rest = list(entries)
    for i, entry in enumerate(rest):
        if entry.blocks and entry.blocks[0]["t"] == "Header" and entry.blocks[0]["c"][0] == 1:
            title = plain_text(entry.blocks[0]["c"][2], entry.formulas)
            rest[i] = Entry(entry.number, entry.cell, entry.formulas, entry.blocks[1:])
            break
    if not certification:
        return FirstPage(title, "", [], rest, [])
    if place is None:
        missing = (
            "There is no certification cell with name and pledge; it may have been deleted."
            " Copy it back from the homework as you got it."
        )
        return FirstPage(title, "", [], rest, [missing])
    start = place
    if place and _heading(rest[place - 1]) and not rest[place - 1].is_answer:
        start -= 1
    source = rest[place].cell.source
    author = student_name(source)
    warnings = []
    if not author:
        warnings.append(
            f'{rest[place].label}: no name stands under "{NAME}", so the pages have none at the'
            " top."
        )
    if count := source.count(BLANK):
        warnings.append(
            f"{rest[place].label}: {count} of the answers in the certification still"
            f" {'says' if count == 1 else 'say'} {BLANK}."
        )
    return FirstPage(
        title, author, rest[start : place + 1], rest[:start] + rest[place + 1 :], warnings
    )


def student_name(certification: str) -> str:
    """Return what stands under "Name:" in the certification; ``""`` if nothing does."""
    text = re.sub(r"<!--.*?-->", "", clean(certification[:20_000]), flags=re.DOTALL)
    found = re.search(rf"\*\*{NAME}:?\*\*:?(.*?)(?:\n\s*\*\*|\Z)", text, re.DOTALL)
    name = excerpt(first_line(found[1]).strip("*_` "), 60) if found else ""
    return "" if BLANK in name else name


def _heading(entry: Entry) -> bool:
    return bool(entry.blocks) and entry.blocks[0]["t"] == "Header"  # type: ignore[index]


def page_starts(entries: Sequence[Entry]) -> set[tuple[int, int]]:
    """Return the headings that begin a page.

    Parameters
    ----------
    entries : sequence of Entry
        The cells after the first page.

    Returns
    -------
    set of (int, int)
        The number of a cell, and the place of the heading among its blocks.
    """
    starts: set[tuple[int, int]] = set()
    chapter: tuple[int, int] | None = None  # a heading of level 2 without a page, so far
    since: int | None = None  # characters since the heading of a chapter, until its first part

    def begin(heading: tuple[int, int]) -> None:
        nonlocal chapter
        starts.add(heading)
        chapter = None

    for entry in entries:
        if entry.cell.cell_type == "code" or entry.is_answer:
            if chapter:
                begin(chapter)
            if since is not None:
                since = _SHORT + 1 if entry.is_answer else since + len(entry.cell.source)
        if entry.is_answer:
            continue
        for place, block in enumerate(entry.blocks or []):
            level = block["c"][0] if block["t"] == "Header" else 0
            if level not in (2, 3):
                if since is not None:
                    since += len(str(block.get("c"))) // 10  # a block's words, roughly
                continue
            here = (entry.number, place)
            numbered = _PART.match(plain_text(block["c"][2], entry.formulas))
            if level == 2:
                chapter, since = here, 0
                if numbered:
                    begin(here)
            elif numbered:
                if since is None or since > _SHORT:
                    begin(here)
                since = None
    return starts
