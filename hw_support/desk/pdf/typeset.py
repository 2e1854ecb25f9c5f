"""Run typst, which sets the pages, on the files of a folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hw_support.desk.errors import DeskError
from hw_support.desk.pdf.text import literal


class PdfError(DeskError):
    """The PDF could not be made; the message says why and what you should do."""

    @classmethod
    def of_typst(cls, reason: str) -> PdfError:
        """Return the error for a failure of typst that no cell causes."""
        return cls(
            f"the PDF was not made: typst, which typesets the pages, failed ({reason}). Remove "
            "unusual content from your cells, and try again."
        )


class RejectedError(ValueError):
    """Typst does not accept a file; the message is its diagnostic, with files and lines."""


def fonts(system: bool) -> Any:
    """Return typst's own fonts, and this computer's too if `system` is True."""
    import typst  # an extra that a student may lack

    return typst.Fonts(include_system_fonts=system)


def typeset(folder: Path, text: str, faces: Any, **options: Any) -> bytes:
    """Make a PDF from typst code, which can read only the files of this folder.

    `RejectedError` if the text, or a file in it, cannot be compiled.
    """
    import typst

    path = folder / "main.typ"
    path.write_text(text, encoding="utf-8", newline="\n")
    nowhere = str(folder / "packages")  # where typst would put packages that a file asks for
    try:
        compiler = typst.Compiler(
            root=str(folder), font_paths=faces, package_path=nowhere, package_cache_path=nowhere
        )
        content = compiler.compile(str(path), format="pdf", **options)
    except typst.TypstError as error:
        raise RejectedError(error.diagnostic or error.message) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # it is no Exception
            raise
        raise PdfError.of_typst("typst had an internal error") from error
    if not isinstance(content, bytes):
        raise PdfError.of_typst("typst returned no PDF")
    return content


def without_glyph(characters: list[str], folder: Path, faces: Any) -> set[str]:
    """Return the characters that none of the fonts has.

    PDF/A allows no missing glyphs. So typst names each of them when it makes a PDF/A file.
    """
    text = "\n".join(f"#text({literal(character)})" for character in characters)
    try:
        typeset(folder, text, faces, pdf_standards="a-2b")
    except RejectedError as error:
        return {characters[int(n) - 1] for n in re.findall(r"main\.typ:(\d+):", str(error))}
    return set()
