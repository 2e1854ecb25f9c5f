"""A notebook as one typst file, in which each line belongs to a cell.

An error of typst names a line, and so the formula, picture or cell that it rejects. This one is
then written as text, and typst is run again.
"""

import re
import sys
import tempfile
import unicodedata
from functools import partial
from pathlib import Path
from typing import Any

from hw_support.desk.pdf.blocks import LONGEST_IN_HEADING, TextCell, TooDeepError, typst_block
from hw_support.desk.pdf.code import outputs_as_text, written_code, written_outputs
from hw_support.desk.pdf.markdown import parsed, take_formulas, written
from hw_support.desk.pdf.pages import first_page, page_starts
from hw_support.desk.pdf.sheet import Line, Sheet
from hw_support.desk.pdf.style import STYLE
from hw_support.desk.pdf.text import broken, clean, excerpt, literal
from hw_support.desk.pdf.typeset import PdfError, RejectedError, fonts, typeset, without_glyph
from hw_support.in_one_step import in_one_step

_MOST_ATTEMPTS = 300
_PLACE = re.compile(r"main\.typ:(\d+):|(picture\w+\.svg):")


def write_pdf(notebook: Any, target: Path, certification: str = "") -> list[str]:
    """Write a notebook in nbformat 4 as PDF, in one step; nothing is run.

    The cell with name and pledge comes first, if its grade id is given. The same notebook gives the
    same bytes, if typst's own fonts have all its characters. Returned are sentences that name each
    cell in which something is shown as text, was cut, or is missing. A file at `target` is
    unchanged if a `PdfError` is raised.
    """
    expect_writable(target)
    try:
        with tempfile.TemporaryDirectory(prefix="pdf-", ignore_cleanup_errors=True) as folder:
            document = Document(notebook, Path(folder), certification)
            content = document.pdf()
    except OSError as error:
        raise PdfError(
            f"the PDF was not made: {error.strerror or error}. If the disk is full, free some"
            " space; then try again."
        ) from error
    try:
        with in_one_step(target) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise PdfError(
            f"{target} was not written: {error.strerror or error}. A file of this name is"
            " unchanged. Close it if it is open elsewhere, free some space, or choose another"
            " folder; then try again."
        ) from error
    return document.warnings()


def expect_writable(target: Path) -> None:
    """Raise `PdfError` if a package is missing, or if no PDF can have this path."""
    if target.suffix.lower() != ".pdf":  # it may be the notebook
        raise PdfError(f"{target} was not written: expected a file name that ends in .pdf.")
    if not target.parent.is_dir():
        raise PdfError(f"{target} was not written: there is no folder {target.parent}.")
    try:
        import pypandoc
        import typst  # noqa: F401

        pypandoc.get_pandoc_path()
    except (ImportError, OSError) as error:
        missing = error.name if isinstance(error, ImportError) else "pandoc"
        raise PdfError(
            f"making a PDF needs pandoc and typst, and {missing} is not installed."
            f' Type: "{sys.executable}" -m pip install pypandoc_binary typst'
        ) from error


class Document:
    """A notebook as lines of typst; the folder is an empty one, for temporary files."""

    def __init__(self, notebook: Any, folder: Path, certification: str) -> None:
        self._folder, pandoc = folder / "pages", folder / "pandoc"
        self._folder.mkdir()
        pandoc.mkdir()
        numbered = enumerate(notebook.cells, 1)
        self._sheets = [Sheet(number, cell, self._folder) for number, cell in numbered]
        texts = [sheet for sheet in self._sheets if sheet.cell.cell_type == "markdown"]
        taken = [take_formulas(clean(sheet.cell.source)) for sheet in texts]
        blocks = parsed([source for source, _ in taken], pandoc)
        for sheet, (_, formulas), read in zip(texts, taken, blocks, strict=True):
            sheet.formulas, sheet.blocks = formulas, read
        title, author, first, rest, self._warnings = first_page(self._sheets, certification)
        starts = page_starts(rest)
        language = notebook.metadata.get("language_info", {}).get("name", "python")
        safe = [_blocks(sheet, starts, str(language)) for sheet in self._sheets]
        asked = [(sheet, name) for sheet in self._sheets for name in sheet.named]
        cells, mathematics = written(safe, [sheet.named[name] for sheet, name in asked], pandoc)
        for (sheet, name), converted in zip(asked, mathematics, strict=True):
            sheet.define(name, converted)
        lines = {}
        for sheet, shown in zip(self._sheets, cells, strict=True):
            instead = partial(_as_text, sheet, "it cannot be typeset")
            lines[sheet] = Line(shown or "", sheet, instead)
            if shown is None:
                lines[sheet].simplify()
        definitions = [line for sheet in self._sheets for line in sheet.lines]
        self._begin = [Line(STYLE), *definitions, Line(_titled(title, author))]
        self._cells = [lines[sheet] for sheet in first]
        self._cells += [Line("#pagebreak(weak: true)")] if first else []
        self._cells += [lines[sheet] for sheet in rest]
        self._spelled: dict[int, str] = {}  # characters that no font has

    def warnings(self) -> list[str]:
        """Return all warnings, in the order of the cells."""
        for line in self._begin + self._cells:
            missing = [chr(c) for c in sorted(self._spelled) if chr(c) in line.typst]
            if line.sheet and missing:
                shown = " ".join(missing[:20])
                line.sheet.warn(
                    f"no installed font has {shown}; the numbers of these characters are shown."
                )
        return [*self._warnings, *(w for sheet in self._sheets for w in sheet.warnings)]

    def pdf(self) -> bytes:
        """Return the PDF; turn everything that typst rejects into text first.

        `PdfError` if typst fails for another reason.
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
        raise PdfError.of_typst("too many cells cannot be typeset")

    def _typeset(self, lines: list[Line]) -> bytes:
        text = "\n".join(line.typst for line in lines).translate(self._spelled)
        return typeset(self._folder, text, self._fonts)

    def _rejected(self, diagnostic: str) -> list[Line]:
        """Return the rejected lines that can be written in a simpler way."""
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

    def _choose_fonts(self) -> None:
        """Use typst's fonts, and add this computer's fonts if characters are missing."""
        everything = "".join(line.typst for line in self._begin + self._cells)
        used = {c for c in everything if c > "~"}
        kinds = {c: unicodedata.category(c) for c in used}  # Cf, Cc, marks, spaces: no glyph
        needed = sorted(c for c in used if kinds[c][0] not in "MZ" and kinds[c] not in ("Cf", "Cc"))
        self._fonts = fonts(system=False)
        if needed and without_glyph(needed, self._folder, self._fonts):
            self._fonts = fonts(system=True)
            missing = without_glyph(needed, self._folder, self._fonts)
            self._spelled = {ord(c): f"[U+{ord(c):04X}]" for c in missing}


def _titled(title: str, author: str) -> str:
    texts = (excerpt(title, 45), excerpt(author, 45), title)
    running, name, full = (literal(broken(text, LONGEST_IN_HEADING)) for text in texts)
    return f"#show: paper.with(title: {running}, author: {name})\n#heading(level: 1, {full})"


def _blocks(sheet: Sheet, starts: set[tuple[int, int]], language: str) -> list[Any]:
    """Return a cell as blocks that pandoc may write as typst."""
    cell = sheet.cell
    try:
        if cell.cell_type == "code":
            kind = "answer" if sheet.is_answer else "test" if sheet.is_test else "given"
            outputs = written_outputs(cell.get("outputs") or [], sheet, sheet.is_test)
            code = written_code(cell.source, kind, language, bool(outputs)) if cell.source else ""
            return [typst_block(code + outputs)]
        if cell.cell_type != "markdown":
            return [typst_block(f"#source({literal(cell.source)})")]
        if sheet.blocks is None:
            raise TooDeepError("its Markdown cannot be read")
        text, safe = TextCell(sheet), []
        for place, block in enumerate(sheet.blocks):
            if (sheet.number, place) in starts:
                safe.append(typst_block("#pagebreak(weak: true)"))
            safe += text.blocks([block])
        return [typst_block("#marked["), *safe, typst_block("]")] if sheet.is_answer else safe
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        reason = str(error) if isinstance(error, TooDeepError) else "it cannot be read"
        return [typst_block(_as_text(sheet, reason))]


def _as_text(sheet: Sheet, reason: str) -> str:
    """Return a cell's source and printed output as text, with a warning."""
    cell = sheet.cell
    sheet.warnings.clear()
    sheet.lines.clear()
    sheet.named.clear()
    sheet.warn(f"the cell is shown as source, because {reason}.")
    outputs = outputs_as_text(cell.get("outputs") or [])
    return written_code(f"{cell.source}\n{outputs}".rstrip(), "given", "")
