r"""Read the text cells of a notebook, and turn their TeX into typst's mathematics, by pandoc.

Formulas are taken out before the Markdown is read, by the rules that Jupyter uses for it, so what
was a formula on the student's screen is one on paper: ``$ x $`` with its spaces, and a bare
``\begin{align}``. Each cell is a file of its own to pandoc, so an unclosed fence or comment ends
with its cell.
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw_support.desk.pdf.macros import collected_macros, expanded
from hw_support.desk.pdf.text import BORDER, CLOSE, FORMULA, OPEN, clean

__all__ = ["Formula", "converted_formulas", "parsed_cells", "restored", "take_formulas"]

_FORMAT = "commonmark+pipe_tables+strikeout+task_lists+autolink_bare_uris"
_SECONDS = 30
_LONGEST_FORMULA = 10_000
_DEEPEST_FORMULA = 40
_MOST_FRACTIONS = 100  # which may stand in one another
_MOST_FAILURES = 50  # of dollar signs without a partner, in one cell; then all stay as they are
_ENVIRONMENTS = (
    "equation|align|alignat|aligned|gather|gathered|multline|eqnarray|flalign|split|array|cases"
    "|matrix|pmatrix|bmatrix|Bmatrix|vmatrix|Vmatrix"
)
_TOKEN = re.compile(
    r"(?P<fence>^(?:[ \t>]|[-*+][ \t]|\d{1,9}[.)][ \t])*(?P<mark>`{3,}|~{3,})[^\n]*$)"
    r"|(?P<ticks>`+)"
    r"|(?P<comment><!--)"
    rf"|(?P<begin>\\begin\{{(?P<environment>(?:{_ENVIRONMENTS})\*?)\}})"
    r"|(?P<slashes>\\\\[(\[])"
    r"|\\."
    r"|(?P<dollars>\$\$?)",
    re.MULTILINE | re.DOTALL,
)
# Spaces, large brackets, and boxes.
_KNOWN_CODE = re.compile(
    r"#h\(-?[\d.]+em\)|#scale\(x: \d+%, y: \d+%\)\[.?\]"
    r"|#box\(stroke: black, inset: 3pt, \[\$|\$\]\)"
)
# What pandoc 3.9 writes in typst's earlier language; strings and escapes stay as they are.
_NEW_NAMES = {"sect": "inter", ".circle": ".o", 'delim: "||"': 'delim: "|"'}
_OLD_NAMES = re.compile(r'\\.|delim: "\|\|"|"(?:\\.|[^"\\])*"|\bsect\b|\.circle\b', re.DOTALL)
_UNSEEN = re.compile(
    r"\\(?:label|tag\*?)\{[^{}]*\}|\\(?:nonumber|notag|displaystyle|limits)(?![A-Za-z])"
)
_IN_FORMULA = re.compile(r"\n[ \t]*\n|\\\\[)\]]|\\end\{\w+\*?\}|\\.|\$\$?|[{}]", re.DOTALL)


@dataclass(frozen=True)
class Formula:
    r"""One formula of a text cell.

    Attributes
    ----------
    source : str
        As it stands in the cell, with its delimiters.
    tex : str
        What stands between them; environments keep their ``\begin`` and ``\end``.
    display : bool
        Whether it stands on a line of its own.
    """

    source: str
    tex: str
    display: bool


def take_formulas(source: str) -> tuple[str, list[Formula]]:
    """Replace each formula outside of code by a sign with its number.

    Parameters
    ----------
    source : str
        A cell's text, as `clean` returns it.

    Returns
    -------
    text : str
        The text with ``OPEN number CLOSE`` in the place of formulas.
    formulas : list of Formula
        In their order.
    """
    kept: list[str] = []
    formulas: list[Formula] = []
    position = start = failures = 0
    last_comment = source.rfind("-->")
    while token := _TOKEN.search(source, position):
        position = token.end()
        if token["fence"] and not (token["mark"][0] == "`" and "`" in _after_mark(token)):
            position = _end_of_fence(source, token)
        elif token["ticks"] or token["fence"]:
            position = _end_of_span(source, token)
        elif token["comment"]:
            if position <= last_comment:
                position = source.find("-->", position)
        elif (token["dollars"] or token["begin"] or token["slashes"]) and failures < _MOST_FAILURES:
            found = _end_of_formula(source, token)
            if found is None:
                failures += 1
                continue
            kept += [source[start : token.start()], f"{OPEN}{len(formulas)}{CLOSE}"]
            inner = (token.start(), found[1]) if token["begin"] else (token.end(), found[0])
            whole = source[token.start() : found[1]]
            display = token[0] != "$" and not token[0].endswith("(")
            formulas.append(Formula(whole, source[slice(*inner)].strip(), display))
            position = start = found[1]
    return "".join([*kept, source[start:]]), formulas


def _after_mark(token: re.Match[str]) -> str:
    return token.string[token.end("mark") : token.end()]


def _end_of_fence(source: str, token: re.Match[str]) -> int:
    mark = token["mark"]
    end = re.compile(rf"^[ \t>]*{mark[0]}{{{len(mark)},}}[ \t]*$", re.MULTILINE)
    found = end.search(source, token.end())
    return found.end() if found else len(source)


def _end_of_span(source: str, token: re.Match[str]) -> int:
    """Return where a code span ends, or where its opening mark does if nothing closes it."""
    begin = token.start("mark") if token["fence"] else token.start()
    ticks = re.match("`+", source[begin : begin + 200])
    count = len(ticks[0]) if ticks else 1
    limit = min(len(source), begin + _LONGEST_FORMULA)
    blank = re.compile(r"\n[ \t]*\n").search(source, begin, limit)
    limit = blank.start() if blank else limit
    found = re.compile(rf"(?<!`)`{{{count}}}(?!`)").search(source, begin + count, limit)
    return found.end() if found else begin + count


def _end_of_formula(source: str, token: re.Match[str]) -> tuple[int, int] | None:
    """Return where the closing delimiter begins and ends; None if there is none."""
    closing = token[0]
    if token["slashes"]:
        closing = r"\\)" if closing.endswith("(") else r"\\]"
    elif token["begin"]:
        closing = f"\\end{{{token['environment']}}}"
    depth, limit = 0, token.end() + _LONGEST_FORMULA
    for found in _IN_FORMULA.finditer(source, token.end(), limit):
        if found[0] == closing and depth <= 0:
            return found.span()
        if found[0][0] == "\n":
            return None
        depth += {"{": 1, "}": -1}.get(found[0], 0)
    return None


def restored(text: str, formulas: list[Formula]) -> str:
    """Return the text with its formulas as they stood there."""
    return FORMULA.sub(lambda found: formulas[int(found[1])].source, text)


def parsed_cells(
    texts: list[str], folder: Path, seconds: float = _SECONDS
) -> list[list[Any] | None]:
    """Read Markdown texts, each by itself.

    Parameters
    ----------
    texts : list of str
        As `take_formulas` returns them.
    folder : Path
        For temporary files.
    seconds : float
        How long pandoc may take. After a failure both halves are tried, in less time.

    Returns
    -------
    list of (list of blocks, or None)
        Pandoc's blocks for each text; None for a text that pandoc cannot read.
    """
    if not texts:
        return []
    (folder / "border").write_text(f"{BORDER}\n", encoding="utf-8")
    names = []
    for number, text in enumerate(texts):
        (folder / f"cell{number}").write_text(text, encoding="utf-8", newline="\n")
        names += [f"cell{number}", "border"]
    options = {"from": _FORMAT, "to": "json", "input-files": names, "file-scope": True}
    try:
        blocks = json.loads(_pandoc(options, folder, seconds))["blocks"]
        cells: list[list[Any] | None] = [[]]
        for block in blocks:
            if block == {"t": "Para", "c": [{"t": "Str", "c": BORDER}]}:
                cells.append([])
            else:
                cells[-1].append(block)  # type: ignore[union-attr]
    except (subprocess.SubprocessError, ValueError, RecursionError):
        cells = []
    if len(cells) == len(texts) + 1:
        return cells[:-1]
    if len(texts) == 1:
        return [None]
    half = len(texts) // 2
    less = max(5.0, seconds / 2)
    return parsed_cells(texts[:half], folder, less) + parsed_cells(texts[half:], folder, less)


def converted_formulas(formulas: list[Formula], folder: Path) -> dict[Formula, str | None]:
    """Turn TeX into typst's mathematics.

    Parameters
    ----------
    formulas : list of Formula
        Repetitions are converted once.
    folder : Path
        For temporary files.

    Returns
    -------
    dict of Formula to (str or None)
        What stands between the dollar signs in typst, ``""`` for one that only defines macros; None
        where TeX cannot be converted.
    """
    unique = list(dict.fromkeys(formulas))
    macros = collected_macros(formula.tex for formula in unique)
    simple = {f: _UNSEEN.sub(" ", expanded(f.tex, macros)) for f in unique}
    found = _converted([(f, tex) for f, tex in simple.items() if tex], folder)
    # MathJax allows new lines outside of an environment, and pandoc does not.
    wrapped = [
        (f, rf"\begin{{aligned}}{simple[f]}\end{{aligned}}")
        for f, converted in found.items()
        if converted is None and (r"\\" in f.tex or "&" in f.tex)
    ]
    found |= dict.fromkeys((f for f, tex in simple.items() if not tex), "")
    return found | _converted(wrapped, folder)


def _converted(asked: list[tuple[Formula, str]], folder: Path) -> dict[Formula, str | None]:
    """Convert TeX in one run of pandoc; in two if that fails, and so on down to one formula."""
    if not asked:
        return {}
    blocks: list[dict[str, Any]] = []
    for formula, tex in asked:
        kind = {"t": "DisplayMath" if formula.display else "InlineMath"}
        blocks.append({"t": "Para", "c": [{"t": "Math", "c": [kind, tex]}]})
        blocks.append({"t": "Para", "c": [{"t": "Str", "c": BORDER}]})
    document = {"pandoc-api-version": [1, 23, 1], "meta": {}, "blocks": blocks}
    (folder / "formulas").write_text(json.dumps(document), encoding="utf-8")
    options = {"from": "json", "to": "typst", "input-files": ["formulas"], "wrap": "none"}
    try:
        results = _pandoc(options, folder).split(BORDER)
    except (subprocess.SubprocessError, ValueError):
        results = []
    if len(results) == len(asked) + 1:
        pairs = zip(asked, results[:-1], strict=True)
        return {formula: _checked(result.strip()) for (formula, _), result in pairs}
    if len(asked) == 1:
        return {asked[0][0]: None}
    half = len(asked) // 2
    return _converted(asked[:half], folder) | _converted(asked[half:], folder)


def _checked(result: str) -> str | None:
    """Return the mathematics in pandoc's result if it is that, and nothing but that.

    A formula that pandoc cannot convert comes back as text. ``#``, ``$`` and ``std`` are ways out
    of typst's mathematics, and two slashes begin a comment; of these pandoc writes those few in
    `_KNOWN_CODE`, and this makes sure.
    """
    if len(result) < 3 or result[0] != "$" or result[-1] != "$":
        return None
    mathematics = result[1:-1].strip()
    bare = re.sub(r'\\.|"(?:\\.|[^"\\])*"', " ", mathematics, flags=re.DOTALL)
    bare = _KNOWN_CODE.sub("", bare)
    depth = deepest = 0
    for character in bare:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(depth, deepest)
    if not mathematics or deepest > _DEEPEST_FORMULA or bare.count("/") > _MOST_FRACTIONS:
        return None
    if re.search(r"[#$]|\bstd\b|//|/\*", bare):
        return None
    return _OLD_NAMES.sub(lambda found: _NEW_NAMES.get(found[0], found[0]), mathematics)


def _pandoc(options: dict[str, Any], folder: Path, seconds: float = _SECONDS) -> str:
    """Run pandoc once, without access to files but those that it is given."""
    import pypandoc  # an extra, which a student may not have

    (folder / "defaults.json").write_text(json.dumps(options | {"sandbox": True}))
    command = [pypandoc.get_pandoc_path(), "--defaults", "defaults.json"]
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds,
        check=True,
    )  # fmt: skip
    return done.stdout.decode("utf-8").replace("\r\n", "\n")


def prepared(source: str) -> tuple[str, list[Formula]]:
    """Return a cell's source, cleaned, and with its formulas taken out."""
    return take_formulas(clean(source))
