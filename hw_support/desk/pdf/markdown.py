r"""Take the formulas out of text cells, and let pandoc turn the cells into typst.

Formulas are taken out before the Markdown is read, by Jupyter's own rules: also ``$ x $`` with its
spaces, and a bare ``\begin{align}``. Pandoc reads each cell as a separate file, so an unclosed
fence or comment ends with its cell.
"""

import itertools
import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw_support.desk.pdf.text import BORDER, CLOSE, FORMULA, OPEN

_FORMAT = "commonmark+pipe_tables+strikeout+task_lists+autolink_bare_uris"
_SECONDS = 30
_DEEPEST_FORMULA = 40
_MOST_FRACTIONS = 100  # nested in one another
_BORDER = {"t": "Para", "c": [{"t": "Str", "c": BORDER}]}
_GROUP = r"\{(?:[^{}\\]|\\.)*+\}"  # a group in braces, with nested braces
for _ in range(5):
    _GROUP = rf"\{{(?:[^{{}}\\]|\\.|{_GROUP})*+\}}"
_ENVIRONMENTS = (
    r"\\begin\{(?P<name>(?:equation|align|alignat|aligned|gather|gathered|multline|eqnarray|flalign"
    r"|split|array|cases|[pbBvV]?matrix)\*?)\}"
)


def _formula(begin: str, end: str, more: str = "") -> str:
    words = r"\\(?:text\w*|[mh]box)\s*\{[^{}]*+\}"  # may contain formulas
    inner = rf"(?:(?!{end}|\n[ \t]*\n)(?:{words}|{more}\\.|[^\\])){{1,10000}}+"
    return rf"{begin}{inner}{end}"


_TOKEN = re.compile(
    # Code, comments and escapes contain no formulas.
    r"^(?:[ \t>]|[-*+][ \t]|\d{1,9}[.)][ \t])*(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})[^\n]*"
    r"(?:\n(?![ \t>]*(?P=fence)[`~]*[ \t]*$)[^\n]*)*+(?:\n[^\n]*)?"
    r"|(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n).){1,10000}?(?<!`)(?P=ticks)(?!`)|`+"
    r"|<!--.*?(?:-->|\Z)"
    r"|(?P<display>" + _formula(r"\$\$", r"\$\$") + "|" + _formula(r"\\\\\[", r"\\\\\]")
    + "|" + _formula(_ENVIRONMENTS, r"\\end\{(?P=name)\}") + ")"
    r"|(?P<inline>" + _formula(r"(?<!\$)\$(?!\$)", r"\$(?!\$)", r"\$\$|")
    + "|" + _formula(r"\\\\\(", r"\\\\\)") + ")"
    r"|\\.",
    re.MULTILINE | re.DOTALL,
)  # fmt: skip
_DEFINITION = re.compile(
    r"\\(?:(?P<kind>(?:re|provide)?newcommand|providecommand|DeclareMathOperator)\*?\s*"
    rf"(?:\{{\s*(?P<name>\\[A-Za-z]+)\s*\}}|(?P<bare>\\[A-Za-z]+))\s*(?P<count>\[\d\])?"
    rf"|def\s*(?P<def>\\[A-Za-z]+)(?P<signs>(?:\s*#\d)*))\s*(?P<body>{_GROUP})"
)
_WHOLE = re.compile(rf"\\begin\{{(.*?)\}}.*?\\end\{{\1\}}|{_GROUP}", re.DOTALL)
# Spaces, large brackets, and boxes.
_KNOWN_CODE = re.compile(
    r"#h\(-?[\d.]+em\)|#scale\(x: \d+%, y: \d+%\)\[.?\]"
    r"|#box\(stroke: black, inset: 3pt, \[\$|\$\]\)"
)
# Names from an earlier version of typst that pandoc 3.9 writes. Strings and escapes stay.
_NEW_NAMES = {"sect": "inter", ".circle": ".o", 'delim: "||"': 'delim: "|"'}
_OLD_NAMES = re.compile(r'\\.|delim: "\|\|"|"(?:\\.|[^"\\])*"|\bsect\b|\.circle\b', re.DOTALL)
_UNSEEN = re.compile(
    r"\\(?:label|tag\*?)\{[^{}]*\}|\\(?:nonumber|notag|displaystyle|limits)(?![A-Za-z])"
)


@dataclass(frozen=True)
class Formula:
    r"""One formula: its source with delimiters, and whether it stands on a line of its own."""

    source: str
    display: bool

    @property
    def tex(self) -> str:
        r"""The source without the delimiters; environments keep ``\begin`` and ``\end``."""
        bare = self.source.lstrip("$")
        mark = 3 if bare[:3] in (r"\\(", r"\\[") else len(self.source) - len(bare)
        return self.source[mark : len(self.source) - mark].strip()


def take_formulas(source: str) -> tuple[str, list[Formula]]:
    """Replace each formula outside code by ``OPEN number CLOSE``, in a cell's text from `clean`."""
    formulas: list[Formula] = []

    def taken(found: re.Match[str]) -> str:
        if not (found["display"] or found["inline"]):
            return found[0]
        formulas.append(Formula(found[0], display=bool(found["display"])))
        return f"{OPEN}{len(formulas) - 1}{CLOSE}"

    return _TOKEN.sub(taken, source), formulas


def restored(text: str, formulas: list[Formula]) -> str:
    """Return the text with its formulas put back."""
    return FORMULA.sub(lambda found: formulas[int(found[1])].source, text)


def plain_text(inlines: Any, formulas: list[Formula]) -> str:
    """Return the text of pandoc's inlines, with formulas as TeX."""
    match inlines:
        case list():
            return "".join(plain_text(inline, formulas) for inline in inlines)
        case {"t": "Str", "c": text} | {"t": "Code", "c": [_, text]}:
            return restored(text, formulas)
        case {"t": "Link" | "Image", "c": [_, content, _]} | {"c": list(content)}:
            return plain_text(content, formulas)
        case {"t": "Space" | "SoftBreak" | "LineBreak"}:
            return " "
    return ""


def parsed(texts: list[str], folder: Path) -> list[list[Any] | None]:
    """Return pandoc's blocks for each Markdown text; None if pandoc cannot read it."""
    (folder / "border").write_text(f"{BORDER}\n", encoding="utf-8")

    def read(some: list[str], seconds: float) -> list[list[Any]]:
        names = []
        for number, text in enumerate(some):
            (folder / f"cell{number}").write_text(text, encoding="utf-8", newline="\n")
            names += [f"cell{number}", "border"]
        options = {"from": _FORMAT, "to": "json", "input-files": names, "file-scope": True}
        cells: list[list[Any]] = [[]]
        for block in json.loads(_pandoc(options, folder, seconds))["blocks"]:
            if block == _BORDER:
                cells.append([])
            else:
                cells[-1].append(block)
        return cells[:-1]

    return _by_halves(texts, read)


def written(
    cells: list[list[Any]], formulas: list[Formula], folder: Path
) -> tuple[list[str | None], list[str | None]]:
    """Turn each cell's blocks by pandoc, and each formula's TeX, into typst; None if that fails.

    Of a formula, it is the text between typst's dollar signs; ``""`` if it only defines macros. A
    macro applies to all formulas, wherever it is defined, as in Jupyter.
    """

    def write(some: list[list[Any]], seconds: float) -> list[str]:
        blocks = [block for cell in some for block in (*cell, _BORDER)]
        document = {"pandoc-api-version": [1, 23, 1], "meta": {}, "blocks": blocks}
        (folder / "blocks").write_text(json.dumps(document), encoding="utf-8")
        options = {"from": "json", "to": "typst", "input-files": ["blocks"], "wrap": "none"}
        return _pandoc(options, folder, seconds).split(BORDER)[:-1]

    macros = {}
    for found in _DEFINITION.finditer("\n".join(formula.tex for formula in formulas)):
        name, count = found["name"] or found["bare"] or found["def"], found["count"] or ""
        if found["signs"]:
            count = f"[{found['signs'].count('#')}]"
        kind = "DeclareMathOperator" if found["kind"] == "DeclareMathOperator" else "newcommand"
        macros[name] = f"\\{kind}{{{name}}}{count}{found['body']}"
    everything = list(cells)
    for formula in formulas:
        tex = _UNSEEN.sub(" ", _DEFINITION.sub(" ", formula.tex)).strip()
        if re.search(r"\\\\|(?<!\\)&", _WHOLE.sub("", tex)):
            # MathJax allows new lines outside an environment; pandoc does not.
            tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
        if any(name in tex for name in macros):
            tex = "".join(macros.values()) + tex
        math = {"t": "Math", "c": [{"t": "DisplayMath" if formula.display else "InlineMath"}, tex]}
        everything.append([{"t": "Para", "c": [math]}])
    results = _by_halves(everything, write)
    mathematics = [result and _checked(result.strip()) for result in results[len(cells) :]]
    return results[: len(cells)], mathematics


def _checked(result: str) -> str | None:
    """Return the mathematics in pandoc's result; None if there is anything else.

    ``#``, ``$`` and ``std`` can leave typst's mathematics, and two slashes begin a comment. Only
    the uses in `_KNOWN_CODE`, which pandoc writes, are accepted.
    """
    if len(result) < 2 or result[0] != "$" or result[-1] != "$":
        return None
    mathematics = result[1:-1].strip()
    bare = re.sub(r'\\.|"(?:\\.|[^"\\])*"', " ", mathematics, flags=re.DOTALL)
    bare = _KNOWN_CODE.sub("", bare)
    depths = itertools.accumulate((c in "([{") - (c in ")]}") for c in bare)
    if max(depths, default=0) > _DEEPEST_FORMULA or bare.count("/") > _MOST_FRACTIONS:
        return None
    if re.search(r"[#$]|\bstd\b|//|/\*", bare):
        return None
    return _OLD_NAMES.sub(lambda found: _NEW_NAMES.get(found[0], found[0]), mathematics)


def _by_halves(
    items: list[Any], convert: Callable[[list[Any], float], list[Any]], seconds: float = _SECONDS
) -> list[Any]:
    """Convert the items in one run of pandoc; if it fails, halve them, down to one item."""
    try:
        results = convert(items, seconds) if items else []
    except (subprocess.SubprocessError, ValueError, RecursionError):
        results = []
    if len(results) == len(items):
        return results
    if len(items) == 1:
        return [None]
    half, less = len(items) // 2, max(5.0, seconds / 2)
    return _by_halves(items[:half], convert, less) + _by_halves(items[half:], convert, less)


def _pandoc(options: dict[str, Any], folder: Path, seconds: float) -> str:
    """Run pandoc once, with access only to the given files."""
    import pypandoc  # an extra that a student may lack

    (folder / "defaults.json").write_text(json.dumps(options | {"sandbox": True}))
    command = [pypandoc.get_pandoc_path(), "--defaults", "defaults.json"]
    text = subprocess.check_output(
        command, cwd=folder, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=seconds
    )
    return text.decode("utf-8").replace("\r\n", "\n")
