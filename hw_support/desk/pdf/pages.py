"""Choose the page breaks of a notebook, and the contents of the first page.

The certification with name and pledge comes first, under the notebook's title. Each part begins a
new page: a heading of level 2 that is numbered (``Q1.1``) or has code or an answer under it, or a
numbered heading of level 3 (``1.2a``). A part right after its chapter's heading stays on that page,
so that no page is nearly empty.
"""

import math
import re

from hw_support.desk.certification import BLANK, NAME
from hw_support.desk.pdf.sheet import Sheet
from hw_support.desk.pdf.text import clean, excerpt, first_line

_PART = re.compile(r"(?:Q|Question|Problem|Part|Exercise)?\s*\d+(?:\.\d+|\s*[a-z]\b|[.:)])", re.I)
_SHORT = 700  # characters from a chapter's heading to its first part, if they share a page


def first_page(
    sheets: list[Sheet], certification: str
) -> tuple[str, str, list[Sheet], list[Sheet], list[str]]:
    """Take title and certification out of a notebook's cells; the title's cell loses it.

    `certification` is its grade id; ``""`` if the homework has none. Returned are the title, the
    student's name (or ``""``), the first page's cells, all others, and warnings.
    """
    title, warnings = "Notebook", []
    for sheet in sheets:
        if (found := sheet.heading(0, 1)) is not None:
            title, sheet.blocks = found, (sheet.blocks or [])[1:]
            break
    if not certification:
        return title, "", [], sheets, []
    place = next((i for i, s in enumerate(sheets) if s.grade_id == certification), None)
    if place is None:
        missing = "The certification cell, with your name and the pledge, is missing."
        advice = "Copy it from the homework that you were given."
        return title, "", [], sheets, [f"{missing} {advice}"]
    sheet, before = sheets[place], sheets[place - 1] if place else None
    titled = before and not before.is_answer and before.heading(0, 1, 2, 3, 4, 5, 6) is not None
    start = place - 1 if titled else place
    author = _student_name(sheet.cell.source)
    if not author:
        none = f'there is no name under "{NAME}", so the pages show none at the top'
        warnings.append(f"{sheet.label}: {none}.")
    if count := sheet.cell.source.count(BLANK):
        still = f"still {'says' if count == 1 else 'say'} {BLANK}"
        warnings.append(f"{sheet.label}: {count} of the answers in the certification {still}.")
    return title, author, sheets[start : place + 1], sheets[:start] + sheets[place + 1 :], warnings


def _student_name(certification: str) -> str:
    """Return the text under "Name:" in the certification; ``""`` if there is none."""
    text = re.sub(r"<!--.*?-->", "", clean(certification[:20_000]), flags=re.DOTALL)
    found = re.search(rf"\*\*{NAME}:?\*\*:?(.*?)(?:\n\s*\*\*|\Z)", text, re.DOTALL)
    name = excerpt(first_line(found[1]).strip("*_` "), 60) if found else ""
    return "" if BLANK in name else name


def page_starts(sheets: list[Sheet]) -> set[tuple[int, int]]:
    """Return the headings that begin a page, by cell number and place among the cell's blocks."""
    starts: set[tuple[int, int]] = set()
    chapter: set[tuple[int, int]] = set()  # a heading of level 2 that has no page yet
    since: float = math.inf  # characters from a chapter's heading to its first part
    for sheet in sheets:
        if sheet.cell.cell_type == "code" or sheet.is_answer:
            starts |= chapter
            chapter = set()
            since += _SHORT + 1 if sheet.is_answer else len(sheet.cell.source)
        for place, block in enumerate(sheet.blocks or [] if not sheet.is_answer else []):
            words, here = sheet.heading(place, 2, 3), (sheet.number, place)
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
