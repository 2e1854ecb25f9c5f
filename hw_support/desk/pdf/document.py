"""A notebook on its way to paper: a typst file for each cell, and one that includes them all.

An error of typst's names a file and a line, so it is known which cell it rejects, and which formula
or picture there. That is then written as text, and typst is run again.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hw_support.desk.pdf.blocks import LONGEST_IN_HEADING, TextCell, TooDeepError
from hw_support.desk.pdf.code import (
    code_expression,
    formulas_of_outputs,
    outputs_as_text,
    outputs_expression,
)
from hw_support.desk.pdf.markdown import converted_formulas, parsed_cells, prepared
from hw_support.desk.pdf.pages import Entry, first_page, page_starts
from hw_support.desk.pdf.sheet import Pictures, Sheet
from hw_support.desk.pdf.style import STYLE
from hw_support.desk.pdf.text import break_long, clean, excerpt, joined, literal
from hw_support.desk.pdf.typeset import PdfError, RejectedError, fonts, typeset, without_glyph

__all__ = ["Document"]

_MOST_ATTEMPTS = 300
_MOST_OF_A_CELL = 20
_PLACE = re.compile(r"^error: [^┌]*┌─ [^\n]*?cell(\d+)\.typ:(\d+):", re.MULTILINE)
_PICTURE = re.compile(r"^error: [^┌]*┌─ [^\n]*?(picture\d+\.svg):", re.MULTILINE)
_RISK = re.compile(r"/\*risk (\d+)\*/")


@dataclass
class _State:
    """How far a cell had to be simplified, and what came of it."""

    failed: set[int] = field(default_factory=set)
    as_text: bool = False
    warnings: list[str] = field(default_factory=list)
    written: str = ""


class Document:
    """A notebook as typst files, one for each cell.

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
        self._folder = folder / "pages"
        self._folder.mkdir()
        (folder / "pandoc").mkdir()
        self._pictures = Pictures(self._folder)
        self._missing: set[str] = set()
        language = notebook.metadata.get("language_info", {}).get("name", "python")
        self._language = language if isinstance(language, str) else "python"
        entries = [Entry(number, cell) for number, cell in enumerate(notebook.cells, 1)]
        texts = [entry for entry in entries if entry.cell.cell_type == "markdown"]
        sources = []
        for entry in texts:
            text, entry.formulas = prepared(entry.cell.source)
            sources.append(text)
        for entry, blocks in zip(texts, parsed_cells(sources, folder / "pandoc"), strict=True):
            entry.blocks = blocks
        formulas = [formula for entry in texts for formula in entry.formulas]
        for entry in entries:
            if entry.cell.cell_type == "code":
                formulas += formulas_of_outputs(entry.cell.get("outputs") or [])
        self._converted = converted_formulas(formulas, folder / "pandoc")
        self._first = first_page(entries, certification)
        self._starts = page_starts(self._first.rest)
        self._entries = {e.number: e for e in (*self._first.entries, *self._first.rest)}
        self._states = {number: _State() for number in self._entries}

    def warnings(self) -> list[str]:
        """Return all warnings in the order of the cells."""
        cells = (self._states[number].warnings for number in sorted(self._states))
        return [*self._first.warnings, *(warning for cell in cells for warning in cell)]

    def pdf(self) -> bytes:
        """Return the PDF; what typst rejects becomes text, until it rejects nothing more.

        Raises
        ------
        PdfError
            When typst fails for another reason.
        """
        for number in self._entries:
            self._write(number)
        (self._folder / "style.typ").write_text(STYLE, encoding="utf-8")
        self._fonts = self._choose_fonts()
        self._write_main()
        for _ in range(_MOST_ATTEMPTS):
            try:
                return typeset(self._folder, "main.typ", self._fonts)
            except RejectedError as error:
                if not self._simplified(str(error)):
                    raise PdfError.of_typst(excerpt(str(error), 200)) from error
        raise PdfError.of_typst("too many cells cannot be set")

    def _simplified(self, diagnostic: str) -> bool:
        """Have the cells that typst rejects written in a simpler way; False if there is none."""
        changed = {
            int(number)
            for number, line in _PLACE.findall(diagnostic)
            if self._simplify(int(number), int(line))
        }
        for name in set(_PICTURE.findall(diagnostic)) - self._pictures.refused:
            self._pictures.refused.add(name)
            changed |= {n for n, state in self._states.items() if f'"{name}"' in state.written}
        for number in self._entries if not changed else ():
            if not self._states[number].as_text and not self._compiles(number):
                self._states[number].as_text = True
                changed.add(number)
        for number in changed:
            self._write(number)
        return bool(changed)

    def _simplify(self, number: int, line: int) -> bool:
        state = self._states[number]
        lines = state.written.split("\n")
        risk = _RISK.match(lines[line - 1]) if 0 < line <= len(lines) else None
        if risk and len(state.failed) < _MOST_OF_A_CELL:
            state.failed.add(int(risk[1]))
        elif state.as_text:
            return False
        else:
            state.as_text = True
        return True

    def _compiles(self, number: int) -> bool:
        main = f'#import "style.typ": *\n#show: paper\n#include "cell{number}.typ"\n'
        (self._folder / "alone.typ").write_text(main, encoding="utf-8")
        try:
            typeset(self._folder, "alone.typ", self._fonts)
        except RejectedError:
            return False
        return True

    def _write(self, number: int) -> None:
        entry, state = self._entries[number], self._states[number]
        sheet = Sheet(entry.label, self._pictures, frozenset(state.failed))
        if state.as_text:
            expression = self._as_text(entry, sheet, "it cannot be set otherwise")
        else:
            try:
                expression = self._expression(entry, sheet)
            except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
                reason = str(error) if isinstance(error, TooDeepError) else "it cannot be read"
                expression = self._as_text(entry, sheet, reason)
        missing = sorted(self._missing & set(expression))
        if missing:
            sheet.warn(f"no font here has {' '.join(missing[:20])}; their numbers are shown.")
            expression = self._spelled(expression)
        state.warnings = sheet.warnings
        state.written = f'#import "style.typ": *\n#{{{expression}}}\n'
        path = self._folder / f"cell{number}.typ"
        path.write_text(state.written, encoding="utf-8", newline="\n")

    def _spelled(self, text: str) -> str:
        """Return the text with the numbers of the characters that no font has."""
        return text.translate({ord(c): f"[U+{ord(c):04X}]" for c in self._missing})

    def _expression(self, entry: Entry, sheet: Sheet) -> str:
        cell = entry.cell
        if cell.cell_type == "code":
            kind = "answer" if entry.is_answer else "test" if entry.is_test else "given"
            outputs = outputs_expression(
                cell.get("outputs") or [], self._converted, sheet, entry.is_test
            )
            source = code_expression(cell.source, kind, self._language, bool(outputs))
            return joined([source if cell.source else "", outputs])
        if cell.cell_type == "markdown":
            if entry.blocks is None:
                return self._as_text(entry, sheet, "its Markdown cannot be read")
            attachments = cell.get("attachments") or {}
            text = TextCell(sheet, entry.formulas, self._converted, attachments)
            parts: list[str] = []
            for place, block in enumerate(entry.blocks):
                if (entry.number, place) in self._starts:
                    parts.append("pagebreak(weak: true)")
                parts.append(text.blocks([block]))
            return f"marked({joined(parts)})" if entry.is_answer else joined(parts)
        return f"source({literal(clean(cell.source))})"

    def _as_text(self, entry: Entry, sheet: Sheet, reason: str) -> str:
        sheet.warn(f"the cell is shown as its source, for {reason}.")
        outputs = outputs_as_text(entry.cell.get("outputs") or [])
        return code_expression(f"{entry.cell.source}\n{outputs}".rstrip(), "given", "")

    def _write_main(self) -> None:
        running, author, title = (
            literal(break_long(self._spelled(text), LONGEST_IN_HEADING))
            for text in (
                excerpt(self._first.title, 45),
                excerpt(self._first.author, 45),
                self._first.title,
            )
        )
        lines = ['#import "style.typ": *', f"#show: paper.with(title: {running}, author: {author})"]
        lines += [f"#heading(level: 1, {title})"]
        lines += [f'#include "cell{entry.number}.typ"' for entry in self._first.entries]
        lines += ["#pagebreak(weak: true)"] if self._first.entries else []
        lines += [f'#include "cell{entry.number}.typ"' for entry in self._first.rest]
        (self._folder / "main.typ").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _choose_fonts(self) -> Any:
        """Return typst's fonts, with those of this computer where characters are missing."""
        everything = "".join(state.written for state in self._states.values())
        used = {c for c in everything + self._first.title + self._first.author if c > "~"}
        kinds = {c: unicodedata.category(c) for c in used}  # Cf, Cc, marks, spaces: no glyph
        needed = sorted(c for c in used if kinds[c][0] not in "MZ" and kinds[c] not in ("Cf", "Cc"))
        own = fonts(system=False)
        if not needed or not without_glyph(needed, self._folder, own):
            return own
        more = fonts(system=True)
        self._missing = without_glyph(needed, self._folder, more)
        for number in self._entries if self._missing else ():
            self._write(number)
        return more
