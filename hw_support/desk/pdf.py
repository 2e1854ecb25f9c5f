"""Make a PDF of a finished notebook with pandoc and typst: questions, answers, outputs.

The instructor's code is left out, and of its tests what passed. A cell that pandoc or typst cannot
set stands as plain text, below a line that says so.

A notebook is data. Its text reaches typst only in string literals; of what pandoc makes of a
formula, only mathematics is accepted. Typst can read one temporary folder, which has the pictures,
and pandoc nothing but the texts. Nothing is downloaded.
"""

import base64
import contextlib
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

from nbformat import NotebookNode

from hw_support.desk import DeskError
from hw_support.failures import without_colours
from hw_support.in_one_step import in_one_step
from hw_support.submission.cells import marks_of

_TEMPLATE = Path(__file__).with_name("pages.typ")
_FORMAT = "commonmark+tex_math_dollars+pipe_tables+strikeout+task_lists+autolink_bare_uris"
_SECONDS = 30  # for pandoc
_DEEPEST = 24  # lists in lists, brackets in formulas
_MAX_SLASHES = 100  # in one formula: fractions in fractions
_MAX_PIXELS = 50_000_000
_LONGEST_WORD, _LONGEST_LINE = 60, 1_000
_FIRST_LINES, _LAST_LINES = 40, 15  # of a long output
_BORDER = "\ue000"  # between two cells; `_clean` leaves none in a cell's own text
_BORDER_BLOCK = {"t": "Para", "c": [{"t": "Str", "c": _BORDER}]}
# Control characters, those that reorder the text around them, surrogates and the border.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ue000\ufdd0-\ufdef\ufffe\uffff]"
)
_BARE_FORMULA = re.compile(r"(?<!\$)(\\begin\{(align|equation|gather)\*?\}.*?\\end\{\2\*?\})", re.S)
_STRING = r'"(?:\\.|[^"\\])*"|\\.'
# The code that pandoc writes between the literals; any other is refused.
_KNOWN_CODE = re.compile(
    r"#(?=[(;]|(?:raw|link|source|picture|note|quote|figure|table|align|h|box|scale)\(|block\[|horizontalrule|"
    r"strong\[|emph\[|strike\[|set enum\()"
)
_FOREIGN = re.compile(r"#|\bstd\b|//|/\*|@|\b(?:read|eval|include|import|plugin)\b")
# Names of an earlier typst that pandoc still writes.
_RENAMED = {"sect": "inter", ".circle": ".o"}
_OLD_NAMES = re.compile(rf"{_STRING}|\bsect\b|\.circle\b", re.S)
# HTML that only styles is left out; other HTML is shown as it is written.
_STYLES = re.compile(
    r"</?(?:details|summary|b|i|u|em|strong|sub|sup|p|div|span|center|small|br|hr|a)\b[^<>]*>"
    r"|<!--.*?-->",
    re.S | re.I,
)


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
    sources = [_BARE_FORMULA.sub(r"$$\1$$", _clean(notebook.cells[i].source)) for i in texts]
    safe: dict[int, list[Any]] = {}
    for i, blocks in zip(texts, _each(sources, lambda some: _read(some, folder)), strict=True):
        if blocks is not None:
            with contextlib.suppress(_Refused, LookupError, TypeError, ValueError, RecursionError):
                safe[i] = [_block(block, notebook.cells[i], folder) for block in blocks]
    written = zip(safe, _each([*safe.values()], lambda some: _write(some, folder)), strict=True)
    set_texts = {i: _checked(text) for i, text in written if text is not None}
    cells, refused = [], set()
    for i, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            text = set_texts.get(i)
        else:
            text = _code(cell, folder, is_given(cell))
        if text is None:
            refused.add(i)
            text = _as_text(cell)
        cells.append(f"#marked[\n{text}\n]" if marks_of(cell).get("solution") else text)
    return cells, refused


def _each(items: Sequence[Any], convert: Callable[[Sequence[Any]], list[Any]]) -> list[Any]:
    """Convert all items in one run of pandoc; if it fails, one by one, with None for a failure."""
    try:
        if len(found := convert(items) if items else []) == len(items):
            return found
    except (subprocess.SubprocessError, ValueError, RecursionError):
        pass
    return [None] if len(items) == 1 else [_each([item], convert)[0] for item in items]


def _read(texts: Sequence[str], folder: Path) -> list[list[Any]]:
    """Return pandoc's blocks of each text; each is a file, so none can swallow the next."""
    (folder / "border").write_text(f"{_BORDER}\n", encoding="utf-8")
    names = []
    for number, text in enumerate(texts):
        (folder / f"cell{number}").write_text(text, encoding="utf-8", newline="\n")
        names += [f"cell{number}", "border"]
    cells: list[list[Any]] = [[]]
    document = _pandoc(folder, "--from", _FORMAT, "--to", "json", "--file-scope", *names)
    for block in json.loads(document)["blocks"]:
        if block == _BORDER_BLOCK:
            cells.append([])
        else:
            cells[-1].append(block)
    return cells[:-1]


def _write(cells: Sequence[list[Any]], folder: Path) -> list[str]:
    """Return typst for the blocks of each cell."""
    blocks = [block for cell in cells for block in (*cell, _BORDER_BLOCK)]
    document = {"pandoc-api-version": [1, 23, 1], "meta": {}, "blocks": blocks}
    (folder / "blocks").write_text(json.dumps(document), encoding="utf-8")
    written = _pandoc(folder, "--from", "json", "--to", "typst", "--wrap", "none", "blocks")
    return written.split(_BORDER)[:-1]


def _pandoc(folder: Path, *words: str) -> str:
    """Run pandoc, which can read the files that are named and no others."""
    import pypandoc  # an extra that a student may lack

    command = [pypandoc.get_pandoc_path(), "--sandbox", *words]
    quiet = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "timeout": _SECONDS}
    text = subprocess.check_output(command, cwd=folder, **quiet)  # type: ignore[call-overload]
    return str(text.decode("utf-8")).replace("\r\n", "\n")


def _checked(typst: str) -> str | None:
    """Return pandoc's typst; None if it has code other than pandoc's own, or is nested too deep."""
    bare = _KNOWN_CODE.sub("", re.sub(_STRING, " ", typst, flags=re.S))
    depths = itertools.accumulate((c in "([{") - (c in ")]}") for c in bare)
    slashes = max((part.count("/") for part in bare.split("$")), default=0)
    if max(depths, default=0) > _DEEPEST or slashes > _MAX_SLASHES or _FOREIGN.search(bare):
        return None
    return _OLD_NAMES.sub(lambda found: _RENAMED.get(found[0], found[0]), typst)


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


def _block(block: dict[str, Any], cell: NotebookNode, folder: Path, depth: int = 0) -> Any:
    """Return one of pandoc's blocks with all text in literals; `_Refused` for an unknown kind."""
    if depth > _DEEPEST:
        raise _Refused

    def inlines(some: list[Any]) -> list[Any]:
        return [_inline(inline, cell, folder, depth) for inline in some]

    def blocks(some: list[Any]) -> list[Any]:
        return [_block(inner, cell, folder, depth + 1) for inner in some]

    content: Any = block.get("c")
    match kind := block["t"]:
        case "Para" | "Plain":
            return {"t": kind, "c": inlines(content)}
        case "Header":
            return {"t": kind, "c": [content[0], ["", [], []], inlines(content[2])]}
        case "CodeBlock":
            return _typst("RawBlock", _source(content[1]))
        case "RawBlock":
            return {"t": "Para", "c": [_html(content[1])]}
        case "BlockQuote":
            return {"t": kind, "c": blocks(content)}
        case "BulletList":
            return {"t": kind, "c": [blocks(item) for item in content]}
        case "OrderedList":
            return {"t": kind, "c": [content[0], [blocks(item) for item in content[1]]]}
        case "HorizontalRule":
            return block
        case "Table":
            _, _, columns, head, bodies, foot = content
            parts = [head[1], *(part for body in bodies for part in body[2:]), foot[1]]
            for field in (field for part in parts for row in part for field in row[1]):
                field[4] = blocks(field[4])
            return {"t": kind, "c": [["", [], []], [None, []], columns, head, bodies, foot]}
    raise _Refused


def _inline(inline: dict[str, Any], cell: NotebookNode, folder: Path, depth: int) -> Any:
    if depth > _DEEPEST:
        raise _Refused
    content: Any = inline.get("c")
    match kind := inline["t"]:
        case "Str":
            return _typst("RawInline", f"#({_literal(_broken(content))});")
        case "Code":
            return _typst("RawInline", f"#raw({_literal(_broken(content[1]))});")
        case "Space" | "SoftBreak" | "LineBreak" | "Math":
            return inline
        case "Emph" | "Strong" | "Strikeout":
            inner = [_inline(one, cell, folder, depth + 1) for one in content]
            return {"t": kind, "c": inner}
        case "Link":
            inner = [_inline(one, cell, folder, depth + 1) for one in content[1]]
            address = content[2][0]
            if re.match(r"(?:https?|mailto):", address):
                begin = _typst("RawInline", f"#link({_literal(address)})[")
                inner = [begin, *inner, _typst("RawInline", "];")]
            return {"t": "Span", "c": [["", [], []], inner]}
        case "Image":
            return _typst("RawInline", _image(content[2][0], cell, folder))
        case "RawInline":
            return _html(content[1])
    raise _Refused


def _typst(kind: str, code: str) -> dict[str, Any]:
    """Return what pandoc copies unchanged."""
    return {"t": kind, "c": ["typst", code]}


def _html(source: str) -> dict[str, Any]:
    """Return the text of HTML that only styles; other HTML as its source; `_Refused` for none."""
    if source.lower().startswith("<br"):
        return {"t": "LineBreak"}
    text = _STYLES.sub("", source).strip()
    return _typst(
        "RawInline", f"#raw({_literal(_broken(text))});" if "<" in text else f"#({_literal(text)});"
    )


def _image(address: str, cell: NotebookNode, folder: Path) -> str:
    """Return typst for a picture in a text, which has to be in the notebook itself."""
    from urllib.parse import unquote

    if found := re.match(r"data:image/[\w.+-]+;base64,", address):
        return _picture(address[found.end() :], folder)
    bundle = (cell.get("attachments") or {}).get(unquote(address.removeprefix("attachment:")), {})
    for content in bundle.values():
        return _picture(content, folder)
    return f"#note({_literal(f'[The picture {address[:200]} is not in the notebook.]')});"


def _picture(content: str, folder: Path) -> str:
    """Return typst for a PNG or JPEG in base64, or a note in its place."""
    from PIL import Image  # slow to import; it comes with matplotlib

    try:
        data = base64.b64decode("".join(content.split()), validate=True)
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data)) as image:
            across, down = image.size
            if image.format in ("PNG", "JPEG") and across * down <= _MAX_PIXELS:
                image.load()
                name = f"picture{len([*folder.glob('picture*')])}.{image.format.lower()}"
                (folder / name).write_bytes(data)
                return f"#picture({_literal(name)}, {across});"
    except Exception:  # each of Pillow's formats raises its own errors
        pass
    return f"#note({_literal('[A picture that is damaged, too large, or no PNG or JPEG.]')});"


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
                shown.append(_picture(picture, folder))
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
