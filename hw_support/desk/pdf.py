"""Make the PDF that is handed in from a finished notebook, with pandoc and typst.

Both come as wheels from PyPI, so neither LaTeX nor a browser is needed. Pandoc reads the text cells
and turns TeX into typst's mathematics; typst sets the pages. What either of them rejects is shown
as text, and a warning names the cell; nothing is left out without a word.

For whoever reads the pages: answers have a blue line at their left, and the instructor's test cells
stand in small type. They are not left out, since a student may have written in one; but scores are
the autograder's, and what counts here is what the tests printed.

A notebook is data. Its text reaches typst in string literals only; typst sees one temporary folder,
with the pictures in it, and pandoc no files but the texts; nothing is fetched.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any

from hw_support.desk.pdf_document import Document
from hw_support.desk.pdf_gaps import gaps
from hw_support.desk.pdf_typeset import PdfError

__all__ = ["PdfError", "gaps", "write_pdf"]


def write_pdf(notebook: Any, target: Path) -> list[str]:
    """Write a notebook as PDF, whole or not at all.

    The same notebook gives the same bytes, where typst's own fonts have all its characters.

    Parameters
    ----------
    notebook : NotebookNode
        In nbformat 4, with its outputs; nothing is run.
    target : Path
        The file to write. One that is there is replaced at the end.

    Returns
    -------
    list of str
        Sentences that say in which cell something is shown as text, was cut, or is missing.

    Raises
    ------
    PdfError
        When pandoc or typst is not installed or fails, or the file cannot be written. A file that
        was there is unchanged.
    """
    _check_installed()
    if not target.parent.is_dir():
        raise PdfError(f"{target} was not written: there is no folder {target.parent}.")
    try:
        with tempfile.TemporaryDirectory(prefix="pdf-", ignore_cleanup_errors=True) as folder:
            document = Document(notebook, Path(folder))
            content = document.pdf()
    except OSError as error:
        raise PdfError(
            f"the PDF was not made: {error.strerror or error}. If the disk is full, free some"
            " space; then try again."
        ) from error
    _write_whole(target, content)
    return document.warnings()


def _check_installed() -> None:
    try:
        import pypandoc
        import typst  # noqa: F401

        pypandoc.get_pandoc_path()
    except (ImportError, OSError) as error:
        missing = error.name if isinstance(error, ImportError) else "pandoc"
        raise PdfError(
            f"making a PDF needs pandoc and typst, and {missing} is not installed."
            " Install both with: pip install 'hw-support[pdf]'"
        ) from error


def _write_whole(target: Path, content: bytes) -> None:
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
    except OSError as error:
        raise PdfError(
            f"{target} was not written: {error.strerror or error}. A file of this name is"
            " unchanged. Close it if it is open elsewhere, free some space, or choose another"
            " folder; then try again."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
