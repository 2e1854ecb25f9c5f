"""A notebook on its way to paper: one typst file, whose lines belong to its cells.

An error of typst's names a line, so it is known which formula, picture or cell it rejects. That is
then written as text, and typst is run again.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any

from hw_support.desk.pdf.blocks import LONGEST_IN_HEADING, TextCell, TooDeepError
from hw_support.desk.pdf.code import outputs_as_text, written_code, written_outputs
from hw_support.desk.pdf.markdown import (
    parsed_cells,
    take_formulas,
    written_cells,
    written_formulas,
)
from hw_support.desk.pdf.pages import Entry, first_page, page_starts
from hw_support.desk.pdf.sheet import Line, Sheet
from hw_support.desk.pdf.style import STYLE
from hw_support.desk.pdf.text import broken, clean, excerpt, literal
from hw_support.desk.pdf.typeset import PdfError, RejectedError, fonts, typeset, without_glyph

__all__ = ["Document"]

_MOST_ATTEMPTS = 300
_PLACE = re.compile(r"main\.typ:(\d+):|(picture\w+\.svg):")
_UNREADABLE = (ValueError, RecursionError, LookupError, TypeError, AttributeError)
_NEW_PAGE = {"t": "RawBlock", "c": ["typst", "#pagebreak(weak: true)"]}


class Document:
    """A notebook as lines of typst.

    Parameters
    ----------
    notebook : NotebookNode
        In nbformat 4.
    folder : Path
        An empty folder, for temporary files.
    certification : str
        Grade id of the cell with name and pledge; ``""`` if there is none.
    """

    def __init__(self, notebook: Any, folder: Path, certification: str) -> None:
        self._folder, pandoc = folder / "pages", folder / "pandoc"
        self._folder.mkdir()
        pandoc.mkdir()
        language = notebook.metadata.get("language_info", {}).get("name", "python")
        self._language = language if isinstance(language, str) else "python"
        self._entries = [Entry(number, cell) for number, cell in enumerate(notebook.cells, 1)]
        texts = [entry for entry in self._entries if entry.cell.cell_type == "markdown"]
        sources = []
        for entry in texts:
            source, entry.formulas = take_formulas(clean(entry.cell.source))
            sources.append(source)
        for entry, blocks in zip(texts, parsed_cells(sources, pandoc), strict=True):
            entry.blocks = blocks
        self._first = first_page(self._entries, certification)
        starts = page_starts(self._first.rest)
        sheets = {entry: Sheet(entry, self._folder) for entry in self._entries}
        safe = [_safe(sheets[entry], starts) for entry in texts]
        shown = dict(zip(texts, written_cells(safe, pandoc), strict=True))
        cells = {entry: self._cell(sheets[entry], shown.get(entry)) for entry in self._entries}
        waiting = [(sheet, name) for sheet in sheets.values() for name in sheet.formulas]
        formulas = [sheet.formulas[name] for sheet, name in waiting]
        for (sheet, name), typst in zip(waiting, written_formulas(formulas, pandoc), strict=True):
            sheet.define(name, typst)
        begin = [Line(STYLE), *(line for sheet in sheets.values() for line in sheet.lines)]
        self._begin = [*begin, Line(self._titled())]
        self._cells = [cells[entry] for entry in self._first.entries]
        self._cells += [Line("#pagebreak(weak: true)")] if self._cells else []
        self._cells += [cells[entry] for entry in self._first.rest]
        self._spelled: dict[int, str] = {}  # characters that no font has

    def warnings(self) -> list[str]:
        """Return all warnings in the order of the cells."""
        for line in self._begin + self._cells:
            missing = [chr(c) for c in sorted(self._spelled) if chr(c) in line.typst]
            if line.entry and missing:
                shown = " ".join(missing[:20])
                line.entry.warn(f"no font here has {shown}; their numbers are shown.")
        return [*self._first.warnings, *(w for entry in self._entries for w in entry.warnings)]

    def pdf(self) -> bytes:
        """Return the PDF; what typst rejects becomes text, until it rejects nothing more.

        Raises
        ------
        PdfError
            When typst fails for another reason.
        """
        self._choose_fonts()
        for _ in range(_MOST_ATTEMPTS):
            try:
                return self._typeset(self._begin + self._cells)
            except RejectedError as error:
                if not (rejected := self._rejected(str(error))):
                    raise PdfError.of_typst(excerpt(str(error), 200)) from error
            for line in rejected:
                line.simplify()
        raise PdfError.of_typst("too many cells cannot be set")

    def _typeset(self, lines: list[Line]) -> bytes:
        text = "\n".join(line.typst for line in lines).translate(self._spelled)
        (self._folder / "main.typ").write_text(text, encoding="utf-8", newline="\n")
        return typeset(self._folder, "main.typ", self._fonts)

    def _rejected(self, diagnostic: str) -> list[Line]:
        """Return what typst rejects and can be written in a simpler way."""
        found = []
        for number, picture in _PLACE.findall(diagnostic):
            last = 0
            for line in self._begin + self._cells:
                first, last = last + 1, last + line.typst.count("\n") + 1
                named = picture in line.typst if picture else first <= int(number) <= last
                if named and line.instead and line not in found:
                    found.append(line)
        return found or [cell for cell in self._cells if cell.instead and not self._works(cell)]

    def _works(self, cell: Line) -> bool:
        try:
            self._typeset([*self._begin, cell])
        except RejectedError:
            return False
        return True

    def _cell(self, sheet: Sheet, shown: str | None) -> Line:
        """Return the lines of a cell; of a text cell pandoc has written them, or could not."""
        entry = sheet.entry
        cell = Line("", entry, lambda: _as_text(sheet, "it cannot be set otherwise"))
        try:
            if entry.cell.cell_type == "code":
                kind = "answer" if entry.is_answer else "test" if entry.is_test else "given"
                outputs = written_outputs(entry.cell.get("outputs") or [], sheet, entry.is_test)
                source = entry.cell.source
                code = written_code(source, kind, self._language, bool(outputs)) if source else ""
                cell.typst = code + outputs
            elif entry.cell.cell_type != "markdown":
                cell.typst = f"#source({literal(entry.cell.source)})"
            elif sheet.reason or shown is None:
                cell.typst = _as_text(sheet, sheet.reason or "its Markdown cannot be read")
            else:
                cell.typst = f"#marked[\n{shown}\n]" if entry.is_answer else shown
        except _UNREADABLE:
            cell.typst = _as_text(sheet, "it cannot be read")
        return cell

    def _titled(self) -> str:
        running, author, title = (
            literal(broken(text, LONGEST_IN_HEADING))
            for text in (
                excerpt(self._first.title, 45),
                excerpt(self._first.author, 45),
                self._first.title,
            )
        )
        shown = f"#show: paper.with(title: {running}, author: {author})"
        return f"{shown}\n#heading(level: 1, {title})"

    def _choose_fonts(self) -> None:
        """Take typst's fonts, with those of this computer where characters are missing."""
        everything = "".join(line.typst for line in self._begin + self._cells)
        used = {c for c in everything if c > "~"}
        kinds = {c: unicodedata.category(c) for c in used}  # Cf, Cc, marks, spaces: no glyph
        needed = sorted(c for c in used if kinds[c][0] not in "MZ" and kinds[c] not in ("Cf", "Cc"))
        self._fonts = fonts(system=False)
        if needed and without_glyph(needed, self._folder, self._fonts):
            self._fonts = fonts(system=True)
            missing = without_glyph(needed, self._folder, self._fonts)
            self._spelled = {ord(c): f"[U+{ord(c):04X}]" for c in missing}


def _safe(sheet: Sheet, starts: set[tuple[int, int]]) -> list[Any]:
    """Return the blocks of a text cell as pandoc may write them; the sheet says if they cannot."""
    entry, text, safe = sheet.entry, TextCell(sheet), []
    if entry.blocks is None:
        sheet.reason = "its Markdown cannot be read"
    try:
        for place, block in enumerate(entry.blocks or []):
            safe += [_NEW_PAGE] if (entry.number, place) in starts else []
            safe += text.blocks([block])
    except _UNREADABLE as error:
        sheet.reason = str(error) if isinstance(error, TooDeepError) else "it cannot be read"
        return []
    return safe


def _as_text(sheet: Sheet, reason: str) -> str:
    """Return the lines of a cell as its source and what it printed, with a warning."""
    cell = sheet.entry.cell
    sheet.entry.warnings.clear()
    sheet.lines.clear()
    sheet.formulas.clear()
    sheet.entry.warn(f"the cell is shown as its source, for {reason}.")
    outputs = outputs_as_text(cell.get("outputs") or [])
    return written_code(f"{cell.source}\n{outputs}".rstrip(), "given", "")
