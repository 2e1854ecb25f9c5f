"""Write a PDF file in one step."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from hw_support.desk.pdf.document import Document
from hw_support.desk.pdf.typeset import PdfError
from hw_support.in_one_step import in_one_step


def write_pdf(notebook: Any, target: Path, certification: str = "") -> list[str]:
    """Write a notebook in nbformat 4 as PDF, in one step; nothing is run.

    The cell with name and pledge comes first, if its grade id is given. The same notebook gives the
    same bytes, if typst's own fonts have all its characters. Returned are sentences that name each
    cell in which something is shown as text, was cut, or is missing. A file at `target` is
    unchanged if a `PdfError` is raised.
    """
    _check_installed()
    if not target.parent.is_dir():
        raise PdfError(f"{target} was not written: there is no folder {target.parent}.")
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


def _check_installed() -> None:
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
