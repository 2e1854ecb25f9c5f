"""Make a PDF of a finished notebook with pandoc and typst: questions, answers, outputs.

The instructor's code is left out, and of its tests what passed. A cell that pandoc or typst cannot
set stands as plain text, below a line that says so.

Pandoc turns the texts into typst. Typst can read one temporary folder, which has the pictures.
Nothing is downloaded.
"""

import base64
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
from urllib.parse import unquote

from nbformat import NotebookNode

from hw_support.desk import DeskError
from hw_support.failures import without_colours
from hw_support.in_one_step import in_one_step
from hw_support.submission.cells import marks_of

_TEMPLATE = Path(__file__).with_name("pages.typ")
_FORMAT = "commonmark+tex_math_dollars+pipe_tables+strikeout+task_lists+autolink_bare_uris"
_SECONDS = 60  # for pandoc
_DEEPEST = 24  # lists in lists, brackets in formulas
_MAX_PIXELS = 50_000_000
_LONGEST_WORD, _LONGEST_LINE = 60, 1_000
_FIRST_LINES, _LAST_LINES = 40, 15  # of a long output
_BORDER = "\ue000"  # between two cells; `_clean` leaves none in a cell's own text
# Control characters, those that reorder the text around them, surrogates and the border.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ue000\ufdd0-\ufdef\ufffe\uffff]"
)
# Code and formulas in a text, in which nothing is replaced.
_VERBATIM = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]+`|\$\$.*?\$\$|\$[^$\n]+\$)", re.S)
_BARE_FORMULA = re.compile(r"(\\begin\{(align|equation|gather)\*?\}.*?\\end\{\2\*?\})", re.S)
_PICTURE = re.compile(r"!\[[^\]\n]*\]\(([^)\s]+)[^)\n]*\)")
# HTML that only styles is left out; other HTML is shown as it is written.
_STYLES = re.compile(
    r"</?(?:details|summary|b|i|u|em|strong|sub|sup|p|div|span|center|small|hr|a)\b[^<>]*>"
    r"|<!--.*?-->",
    re.S | re.I,
)
_TAG = re.compile(r"<(?=[a-zA-Z/!?])(?!https?:|mailto:)")
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\\.', re.S)
# Names of an earlier typst that pandoc still writes.
_RENAMED = ((re.compile(r"\bsect\b"), "inter"), (re.compile(r"\.circle\b"), ".o"))
_NO_PICTURE = "(A picture that is damaged, too large, or no PNG or JPEG.)"


class _Refused(Exception):
    """A cell that cannot be set."""


def expect_writable(target: Path) -> None:
    """Raise an error if a package is missing, or if no PDF can have this path."""
    if target.suffix.lower() != ".pdf" or not target.parent.is_dir():  # it may be the notebook
        asked = "expected a name that ends in .pdf, in a folder that exists"
        raise DeskError(f"{target} was not written: {asked}.")
    try:
        import pypandoc
        import typst  # noqa: F401

        pypandoc.get_pandoc_path()
    except (ImportError, OSError) as error:
        missing = error.name if isinstance(error, ImportError) else "pandoc"
        raise DeskError(
            f"Making a PDF needs pandoc and typst, and {missing} is not installed."
            f' Type: "{sys.executable}" -m pip install pypandoc_binary typst'
        ) from error


def write_pdf(
    notebook: NotebookNode,
    target: Path,
    *,
    author: str = "",
    is_given: Callable[[NotebookNode], bool] = lambda cell: False,
) -> list[str]:
    """Write a notebook as PDF, in one step; nothing is run.

    `author` stands at the top of each page. The code of cells for which `is_given` is true is left
    out. Returned is a sentence for each cell that stands as plain text. A file at `target` is
    unchanged if an error is raised.
    """
    expect_writable(target)
    try:
        with tempfile.TemporaryDirectory(prefix="pdf-", ignore_cleanup_errors=True) as scratch:
            folder = Path(scratch)
            cells, refused = _cells(notebook, folder, is_given)
            title = _first_line(notebook.cells[0]) if notebook.cells else ""
            show = f"#show: paper.with(title: {_literal(title)}, author: {_literal(author)})\n"
            begin = _TEMPLATE.read_text(encoding="utf-8") + show
            try:
                content = _typeset(folder, begin + "\n".join(cells))
            except _Refused:
                for place, cell in enumerate(cells):
                    try:
                        _typeset(folder, begin + cell)
                    except _Refused:
                        refused.add(place)
                        cells[place] = _as_text(notebook.cells[place])
                content = _typeset(folder, begin + "\n".join(cells))
        with in_one_step(target) as temporary:
            temporary.write_bytes(content)
    except _Refused as error:
        failed = f"The PDF was not made: typst, which sets the pages, failed ({error})."
        raise DeskError(failed) from None
    except OSError as error:
        raise DeskError(
            f"{target} was not written: {error.strerror or error}. A file of this name is "
            "unchanged. Close it if it is open elsewhere, or free some space, and try again."
        ) from error
    named = (f"{place + 1} ({_first_line(notebook.cells[place])})" for place in sorted(refused))
    return [f"Cell {name} cannot be set, so it stands as plain text." for name in named]


def _cells(
    notebook: NotebookNode, folder: Path, is_given: Callable[[NotebookNode], bool]
) -> tuple[list[str], set[int]]:
    """Return typst for each cell, and the places of those that stand as plain text."""
    texts = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "markdown"]
    sources = [_prepared(notebook.cells[i], folder) for i in texts]
    set_texts = dict(zip(texts, _set(sources, folder), strict=True))
    cells, refused = [], set()
    for i, cell in enumerate(notebook.cells):
        text = set_texts[i] if i in set_texts else _code(cell, folder, is_given(cell))
        if _is_too_deep(text):
            refused.add(i)
            text = _as_text(cell)
        cells.append(f"#marked[\n{text}\n]" if marks_of(cell).get("solution") else text)
    return cells, refused


def _prepared(cell: NotebookNode, folder: Path) -> str:
    """Return a markdown text without HTML, with the names of its pictures' files in the folder."""

    def picture(found: re.Match[str]) -> str:
        if inline := re.match(r"data:image/[\w.+-]+;base64,", found[1]):
            contents = [found[1][inline.end() :]]
        else:
            name = unquote(found[1].removeprefix("attachment:"))
            contents = list((cell.get("attachments") or {}).get(name, {}).values())
        if not contents:
            return f"*(The picture {found[1][:200]} is not in the notebook.)*"
        name, _ = _stored(contents[0], folder)
        return f"![]({name})" if name else f"*{_NO_PICTURE}*"

    pieces = _VERBATIM.split(_clean(cell.source))
    for i, piece in enumerate(pieces[::2]):
        piece = _PICTURE.sub(picture, _BARE_FORMULA.sub(r"$$\1$$", piece))
        piece = _STYLES.sub("", re.sub(r"<br\b[^<>]*>", "\\\n", piece, flags=re.I))
        pieces[2 * i] = re.sub(rf"(\w{{{_LONGEST_WORD}}})", "\\1\u200b", _TAG.sub(r"\<", piece))
    return "".join(pieces)


def _set(texts: Sequence[str], folder: Path) -> list[str]:
    """Return pandoc's typst for each text; each is a file, so none can swallow the next."""
    import pypandoc  # an extra that a student may lack

    (folder / "border").write_text(f"{_BORDER}\n", encoding="utf-8")
    names = []
    for number, text in enumerate(texts):
        (folder / f"cell{number}").write_text(text, encoding="utf-8", newline="\n")
        names += [f"cell{number}", "border"]
    command = [pypandoc.get_pandoc_path(), "--sandbox", "--from", _FORMAT, "--to", "typst"]
    command += ["--wrap", "none", "--file-scope", *names]
    quiet = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "timeout": _SECONDS}
    try:
        written = subprocess.check_output(command, cwd=folder, **quiet)  # type: ignore[call-overload]
    except subprocess.SubprocessError as error:
        raise _Refused(f"pandoc ended: {error}") from error
    typst = str(written.decode("utf-8")).replace("\r\n", "\n")
    for old, new in _RENAMED:
        typst = old.sub(new, typst)
    return typst.split(_BORDER)[: len(texts)]


def _is_too_deep(typst: str) -> bool:
    """Whether brackets are nested so deep that typst may crash."""
    bare = _STRING.sub(" ", typst)
    depths = itertools.accumulate((c in "([{") - (c in ")]}") for c in bare)
    return max(depths, default=0) > _DEEPEST


def _typeset(folder: Path, text: str) -> bytes:
    """Make a PDF from typst code, which can read the files of this folder; or `_Refused`."""
    import typst  # an extra that a student may lack

    path, nowhere = folder / "main.typ", str(folder / "packages")
    path.write_text(text, encoding="utf-8", newline="\n")
    try:
        compiler = typst.Compiler(
            root=str(folder),
            font_paths=typst.Fonts(include_system_fonts=True),
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


def _stored(content: str, folder: Path) -> tuple[str, int]:
    """Write a PNG or JPEG in base64 to a file; return its name, "" for none, and its width."""
    from PIL import Image  # slow to import; it comes with matplotlib

    try:
        data = base64.b64decode("".join(content.split()), validate=True)
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data)) as image:
            across, down = image.size
            if image.format in ("PNG", "JPEG") and across * down <= _MAX_PIXELS:
                image.load()
                name = f"picture{len([*folder.glob('picture*')])}.{image.format.lower()}"
                (folder / name).write_bytes(data)
                return name, across
    except Exception:  # each of Pillow's formats raises its own errors
        pass
    return "", 0


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
                printed = re.sub(r"^passed  .*\n", "", printed, flags=re.MULTILINE)
            if printed.strip():
                size = "6.3pt" if is_given else "7.4pt"
                shown.append(f"#printed({_literal(_shortened(printed))}, {size})")
            printed = ""
            if picture:
                name, width = _stored(picture, folder)
                drawn = f"#picture({_literal(name)}, {width})"
                shown.append(drawn if name else f"#note({_literal(_NO_PICTURE)})")
            elif data:
                shown.append(f"#note({_literal(f'[An output of the kind {min(data)[:50]}.]')})")
    return "\n".join(shown)


def _source(text: str, language: str = "") -> str:
    shown = _literal(_broken(text.strip("\n").expandtabs(4)))
    return f"#source({shown}, {_literal(language) if language else 'none'})"


def _as_text(cell: NotebookNode) -> str:
    """Return a cell that cannot be set: its text, below a line that says so."""
    note = _literal("[This cell cannot be set, so it stands as plain text.]")
    return f"#note({note})\n{_source(cell.source)}"


def _shortened(text: str) -> str:
    """Return what a terminal shows of a text at last, without colours; the middle may be cut."""
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in without_colours(text).split("\n")]
    lines = [line[:_LONGEST_LINE] for line in lines]
    left_out = len(lines) - _FIRST_LINES - _LAST_LINES
    if left_out > 0:
        note = f"[… {left_out:,} lines left out …]"
        lines = [*lines[:_FIRST_LINES], note, *lines[-_LAST_LINES:]]
    return _broken("\n".join(lines).strip("\n").expandtabs(8))


def _literal(text: str) -> str:
    """Return a typst string literal on one line: the escapes are those of JSON."""
    return json.dumps(_clean(text), ensure_ascii=False)


def _clean(text: str) -> str:
    """Return a text with unprintable characters as escapes."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def _broken(text: str) -> str:
    """Allow line breaks within long words."""
    return re.sub(rf"(\S{{{_LONGEST_WORD}}})(?=\S)", "\\1\u200b", text)


def _first_line(cell: NotebookNode) -> str:
    return _clean(cell.source.strip().partition("\n")[0].strip("# "))[:60]
