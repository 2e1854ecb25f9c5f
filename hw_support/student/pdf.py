"""Make a PDF of a finished notebook with pandoc and typst: questions, answers, outputs.

The instructor's code is left out, what the homework's texts have folded, and of tests what passed.
A cell that pandoc or typst cannot set stands as plain text, below a line that says so.

Pandoc, with the filter `pages.lua`, turns the texts into typst; `pages.typ` says how the pages
look. Typst can read one temporary folder, which has the texts and the pictures. Nothing is
downloaded.
"""

import base64
import copy
import functools
import io
import itertools
import json
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nbformat import NotebookNode

from hw_support.checks.failures import without_colours
from hw_support.errors import UserError
from hw_support.in_one_step import in_one_step
from hw_support.submission.cells import nbgrader_metadata

_TEMPLATE, _FILTER = (Path(__file__).with_name(f"pages.{ending}") for ending in ("typ", "lua"))
_FORMAT = "commonmark+tex_math_dollars+pipe_tables+strikeout+task_lists+autolink_bare_uris"
_SECONDS = 30  # for pandoc
_DEEPEST, _MAX_SLASHES = 24, 100  # brackets in brackets, and fractions in one formula
_MAX_PIXELS = 50_000_000
_LONGEST_LINE = 1_000
_LONG_TEXT = 300  # characters
_HEADING, _FENCED = re.compile(r"^#{1,6} .*$", re.M), re.compile(r"^```.*?^```", re.M | re.S)
_FOLDED = re.compile(r"<details>.*?</details>", re.S)
_PROGRESS = re.compile(r"^.*\d+%\|.*\| *\S+/\S+ \[.*\]$")  # as tqdm prints it
_PASSED = re.compile(r"^passed  .*\n(?: {8}.*\n)*", re.M)  # of a test
_FIRST_LINES, _LAST_LINES = 40, 15  # of a long output
_BORDER = "\ue000"  # between two cells; `_clean` leaves none in a cell's own text
# Control characters, those that reorder the text around them, surrogates and the border.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ue000\ufdd0-\ufdef\ufffe\uffff]"
)
_BARE_FORMULA = re.compile(r"(?<!\$)(\\begin\{(align|equation|gather)\*?\}.*?\\end\{\2\*?\})", re.S)
_INLINE_PICTURE = re.compile(r"data:image/[\w.+-]+;base64,([A-Za-z0-9+/=]+)")
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\\.', re.S)


class _Refused(Exception):
    """A cell that cannot be set."""


def expect_writable(target: Path) -> None:
    """Raise an error if a package is missing, or if no PDF can have this path."""
    if target.suffix.lower() != ".pdf" or not target.parent.is_dir():  # it may be the notebook
        asked = "expected a name that ends in .pdf, in a folder that exists"
        raise UserError(f"{target} was not written: {asked}.")
    try:
        import pypandoc
        import typst  # noqa: F401

        pypandoc.get_pandoc_path()
    except (ImportError, OSError) as error:
        missing = error.name if isinstance(error, ImportError) else "pandoc"
        raise UserError(
            f"Making a PDF needs pandoc and typst, and {missing} is not installed. In a terminal "
            f'type: "{sys.executable}" -m pip install pypandoc_binary typst (236 MB)'
        ) from error


def write_pdf(
    notebook: NotebookNode,
    target: Path,
    *,
    author: str = "",
    is_given: Callable[[NotebookNode], bool] = lambda cell: False,
    answers: bool = False,
) -> list[str]:
    """Write a notebook as PDF, in one step; nothing is run.

    `author` stands at the top of each page. Cells for which `is_given` is true are the course's:
    their code is left out, and what their texts have folded. With `answers`, their long texts are
    left out too, but for headings. Returned is a sentence for each cell that stands as plain text.
    A file at `target` is unchanged if an error is raised.
    """
    expect_writable(target)
    if answers:
        notebook = _folded(notebook, is_given)
    try:
        with tempfile.TemporaryDirectory(prefix="pdf-", ignore_cleanup_errors=True) as scratch:
            content, refused = _content(notebook, Path(scratch), author, is_given)
        with in_one_step(target) as temporary:
            temporary.write_bytes(content)
    except _Refused as error:
        failed = f"The PDF was not made: typst, which sets the pages, failed ({error})."
        raise UserError(failed) from None
    except OSError as error:
        raise UserError(
            f"{target} was not written: {error.strerror or error}. A file of this name is "
            "unchanged. Close it if it is open elsewhere, or free some space, and try again."
        ) from error
    named = (f"{place + 1} ({_first_line(notebook.cells[place])})" for place in sorted(refused))
    return [f"Cell {name} cannot be set, so it stands as plain text." for name in named]


def _folded(notebook: NotebookNode, is_given: Callable[[NotebookNode], bool]) -> NotebookNode:
    """Return a copy in which the given texts that are long have nothing but their headings."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type != "markdown" or not is_given(cell):
            continue
        cell.source = _FOLDED.sub("", cell.source)
        if len(cell.source) > _LONG_TEXT:
            headings = _HEADING.findall(_FENCED.sub("", cell.source))
            cell.source = "\n\n".join([*headings, "[…]"])
    return notebook


def _content(
    notebook: NotebookNode, folder: Path, author: str, is_given: Callable[[NotebookNode], bool]
) -> tuple[bytes, set[int]]:
    """Return the PDF, and the places of the cells that stand as plain text; or `_Refused`."""
    markdown = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    texts = iter(_set([_text(cell, folder, is_given(cell)) for cell in markdown], folder))
    cells = [
        next(texts) if cell.cell_type == "markdown" else _code(cell, folder, is_given(cell))
        for cell in notebook.cells
    ]
    title = _first_line(notebook.cells[0]) if notebook.cells else ""
    show = f"#show: paper.with(title: {_literal(title)}, author: {_literal(author)})\n"
    begin, refused = _TEMPLATE.read_text(encoding="utf-8") + show, set[int]()

    def page(place: int) -> str:
        cell, text = notebook.cells[place], cells[place]
        if text is None or place in refused:
            refused.add(place)
            note = _literal("[This cell cannot be set, so it stands as plain text.]")
            text = f"#note({note})\n{_source(cell.source)}"
        return f"#marked[\n{text}\n]" if nbgrader_metadata(cell).get("solution") else text

    places = range(len(cells))
    try:
        return _typeset(folder, begin + "\n".join(map(page, places))), refused
    except _Refused:
        for place in places:
            try:
                _typeset(folder, begin + page(place))
            except _Refused:
                refused.add(place)
    return _typeset(folder, begin + "\n".join(map(page, places))), refused


def _text(cell: NotebookNode, folder: Path, is_given: bool) -> str:
    """Return a text with the names of its pictures' files, which are written into the folder."""
    source = _FOLDED.sub("", cell.source) if is_given else cell.source
    text = _BARE_FORMULA.sub(r"$$\1$$", _clean(source))
    for name, bundle in (cell.get("attachments") or {}).items():
        for address in (f"attachment:{quote(name)}", f"attachment:{name}"):
            if address in text and (file := _stored(next(iter(bundle.values()), ""), folder)):
                text = text.replace(address, file)
    return _INLINE_PICTURE.sub(lambda found: _stored(found[1], folder) or found[0], text)


def _set(texts: Sequence[str], folder: Path) -> list[str | None]:
    """Return typst for each text, and None for one that cannot be set.

    Each text is a file, so none can swallow the next. If pandoc fails, they are set one by one.
    """
    import pypandoc  # an extra that a student may lack

    (folder / "border").write_text(f"{_BORDER}\n", encoding="utf-8")
    names = []
    for number, text in enumerate(texts):
        (folder / f"cell{number}").write_text(text, encoding="utf-8", newline="\n")
        names += [f"cell{number}", "border"]
    command = [pypandoc.get_pandoc_path(), "--sandbox", "--from", _FORMAT, "--to", "typst"]
    command += ["--lua-filter", str(_FILTER), "--wrap", "none", "--file-scope", *names]
    quiet = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "timeout": _SECONDS}
    try:
        written = subprocess.check_output(command, cwd=folder, **quiet)  # type: ignore[call-overload]
    except subprocess.SubprocessError:
        return [None] if len(texts) == 1 else [_set([text], folder)[0] for text in texts]
    typst = str(written.decode("utf-8")).replace("\r\n", "\n")
    return [None if _is_too_deep(text) else text for text in typst.split(_BORDER)[: len(texts)]]


def _is_too_deep(typst: str) -> bool:
    """Whether brackets or fractions are nested so deep that typst may crash."""
    bare = _STRING.sub(" ", typst)
    depths = itertools.accumulate((c in "([{") - (c in ")]}") for c in bare)
    slashes = max(part.count("/") for part in bare.split("$"))
    return max(depths, default=0) > _DEEPEST or slashes > _MAX_SLASHES


def _typeset(folder: Path, text: str) -> bytes:
    """Make a PDF from typst code, which can read the files of this folder; or `_Refused`."""
    import typst  # an extra that a student may lack

    path, nowhere = folder / "main.typ", str(folder / "packages")
    path.write_text(text, encoding="utf-8", newline="\n")
    try:
        compiler = typst.Compiler(
            root=str(folder),
            font_paths=_fonts(),
            package_path=nowhere,
            package_cache_path=nowhere,
        )
        content = compiler.compile(str(path), format="pdf")
    except BaseException as error:
        if isinstance(error, typst.TypstError) or type(error).__name__ == "PanicException":
            raise _Refused(_clean(str(error))[:200]) from error
        raise
    assert isinstance(content, bytes)
    return content


@functools.cache
def _fonts() -> Any:
    """Find the fonts of typst and of this computer, which takes a while."""
    import typst  # an extra that a student may lack

    return typst.Fonts(include_system_fonts=True)


def _stored(content: str, folder: Path) -> str:
    """Write a PNG or JPEG in base64 into the folder; return the file's name, "" if it is none."""
    from PIL import Image  # slow to import; it comes with matplotlib

    try:
        data = base64.b64decode("".join(content.split()), validate=True)
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data)) as image:
            if image.format in ("PNG", "JPEG") and image.width * image.height <= _MAX_PIXELS:
                image.load()
                name = f"picture{len([*folder.glob('picture*')])}.{image.format.lower()}"
                (folder / name).write_bytes(data)
                return name
    except Exception:  # each of Pillow's formats raises its own errors
        pass
    return ""


def _code(cell: NotebookNode, folder: Path, is_given: bool) -> str:
    """Return typst for a code cell: its source, if it is the student's, and its outputs."""
    source = "" if is_given or not cell.source.strip() else _source(cell.source, "python")
    shown, printed = [source], ""
    for output in [*(cell.get("outputs") or []), {}]:
        data, kind = output.get("data", {}), output.get("output_type")
        picture = data.get("image/png") or data.get("image/jpeg")
        text = data.get("text/plain", "")
        if kind == "stream":
            printed += output.text
        elif kind == "error":
            printed += "\n".join(output.traceback or [f"{output.ename}: {output.evalue}"])
        elif text and not picture:
            printed += "" if is_given else f"{text}\n"
        else:
            if is_given:  # of tests, what failed and the points
                printed = _PASSED.sub("", without_colours(printed))
            if printed.strip():
                size = "6.3pt" if is_given else "7.4pt"
                shown.append(f"#printed({_literal(_shortened(printed))}, {size})")
            printed = ""
            if picture and (name := _stored(picture, folder)):
                shown.append(f"#picture({_literal(name)})")
            elif data:
                note = f"[An output of the kind {min(data)[:50]}, which cannot be shown.]"
                shown.append(f"#note({_literal(note)})")
    return "\n".join(shown)


def _source(text: str, language: str = "") -> str:
    shown = _literal(text.strip("\n").expandtabs(4))
    return f"#source({shown}, {_literal(language) if language else 'none'})"


def _shortened(text: str) -> str:
    """Return what a terminal shows of a text at last, without colours and progress bars.

    The middle may be cut.
    """
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in without_colours(text).split("\n")]
    lines = [line[:_LONGEST_LINE] for line in lines if not _PROGRESS.fullmatch(line)]
    left_out = len(lines) - _FIRST_LINES - _LAST_LINES
    if left_out > 0:
        note = f"[… {left_out:,} lines left out …]"
        lines = [*lines[:_FIRST_LINES], note, *lines[-_LAST_LINES:]]
    return "\n".join(lines).strip("\n").expandtabs(8)


def _literal(text: str) -> str:
    """Return a typst string literal on one line: the escapes are those of JSON."""
    return json.dumps(_clean(text), ensure_ascii=False)


def _clean(text: str) -> str:
    """Return a text with unprintable characters as escapes."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def _first_line(cell: NotebookNode) -> str:
    return _clean(cell.source.strip().partition("\n")[0].strip("# "))[:60]
