"""Converts formulas to MathML before a page is opened, so no page needs a script or a network.

KaTeX sets the TeX, in a process of its own. Students may have written the TeX, so KaTeX's output is
parsed as XML and rebuilt by an allow-list of elements and attributes. Lengths are bounded and never
negative, so that a formula cannot cover its neighbours. Browsers no longer support attributes for
other alphabets and for the alignment of columns. So letters become the characters of such an
alphabet, and an alignment becomes a class of ``formulas.css``.

The TeX stays in the page as an annotation, for screen readers and for copying.
"""

import contextlib
import html
import re
import time
import unicodedata
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path

from hw_grading.rendering import words
from hw_grading.rendering.helper import Ended, Helper, NoAnswer

LONGEST_TEX = 2_000  # characters of one formula
_LONGEST_MATHML = 50_000
_DEEPEST = 100
_KEPT = 1_024  # cached results: every student's page repeats the instructor's formulas
_LONG = 80  # characters; a longer formula on its own line may have to be scrolled
_SECONDS = 2.0  # elapsed, for one formula; an ordinary one takes a few milliseconds
_PATIENCE = 5.0  # more seconds, before a process that exceeds its own limit is killed

_NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
_TOKENS = words("mi mn mo ms mtext annotation")
_ELEMENTS = _TOKENS | words(
    "math menclose mfrac mover mpadded mphantom mroot mrow mspace msqrt mstyle msub msubsup msup "
    "mtable mtd mtr munder munderover semantics"
)
_LENGTH = r"\+?[0-9]{0,2}(?:\.[0-9]{1,6})?(?:em|ex|pt|px|%)"
_COLOUR = r"#[0-9A-Fa-f]{3,6}|[A-Za-z]{1,20}"
_ATTRIBUTES = {
    "class": "left|right|close",
    "display": "block",
    "encoding": r"application/x-tex",
    "form": "prefix",
    "linebreak": "newline",
    "mathvariant": "normal",
    "notation": r"[a-z ]{1,60}",
    "scriptlevel": "[0-3]",
    **dict.fromkeys(words("mathbackground mathcolor"), _COLOUR),
    **dict.fromkeys(words("accent accentunder displaystyle fence"), "true|false"),
    **dict.fromkeys(words("largeop separator stretchy"), "true|false"),
    **dict.fromkeys(words("depth height linethickness lspace mathsize"), _LENGTH),
    **dict.fromkeys(words("maxsize minsize rspace width"), _LENGTH),
}
_PATTERNS = {name: re.compile(pattern) for name, pattern in _ATTRIBUTES.items()}
_SIGNS = ("\N{MINUS SIGN}", "+", "\N{PLUS-MINUS SIGN}", "\N{MINUS-OR-PLUS SIGN}")
_CLOSING = (")", "]", "}", "|", "!", "\N{RIGHT FLOOR}", "\N{RIGHT CEILING}", "\u27e9")
_APPLY = "\N{FUNCTION APPLICATION}"  # KaTeX writes it after the name of a function
_ROWS = words("math menclose mpadded mphantom mrow msqrt mstyle mtd")
_SCRIPTS = words("mover msub msubsup msup munder munderover")  # their first element is the base
_GLUE = ("mtr-glue", "mml-eqn-num")  # cells that KaTeX adds around equations
_VARIANTS = "bold italic bold-italic script bold-script fraktur bold-fraktur monospace"
_ALPHABETS = {
    **{name: f"MATHEMATICAL {name.replace('-', ' ').upper()}" for name in _VARIANTS.split()},
    "double-struck": "MATHEMATICAL DOUBLE-STRUCK",
    "sans-serif": "MATHEMATICAL SANS-SERIF",
    "bold-sans-serif": "MATHEMATICAL SANS-SERIF BOLD",
    "sans-serif-italic": "MATHEMATICAL SANS-SERIF ITALIC",
    "sans-serif-bold-italic": "MATHEMATICAL SANS-SERIF BOLD ITALIC",
}
_OLDER = {"script": "SCRIPT", "fraktur": "BLACK-LETTER", "double-struck": "DOUBLE-STRUCK"}


class Typesetter(Helper):
    """KaTeX in its own process: V8's threads would disturb servers, forks and Python's exit."""

    def __init__(self) -> None:
        program = Path(__file__).with_name("katex_process.py")
        super().__init__("-P", str(program), str(_SECONDS), once=True)

    def set(self, tex: str, *, display: bool) -> str:
        """Return KaTeX's output for a formula; `NoAnswer` if it gives none."""
        try:
            answer = self.ask([tex, display], _SECONDS + _PATIENCE)
        except Ended:  # it may have ended before the question
            answer = self.ask([tex, display], _SECONDS + _PATIENCE)
        if not isinstance(answer, str):
            raise NoAnswer("KaTeX took too long, or too much memory")
        return answer


_typesetter = Typesetter()


@dataclass
class Budget:
    """Limits for one student's formulas on one page; formulas beyond them are shown as TeX."""

    formulas: int = 2_000  # how many formulas are left
    seconds: float = 10.0  # elapsed seconds left for formulas that are not in the cache
    characters: int = 3_000_000  # characters of MathML left


@dataclass(frozen=True)
class Formula:
    """TeX as it stands in a text."""

    tex: str  # the TeX without delimiters
    source: str  # the TeX with delimiters
    display: bool  # whether it stands on a line of its own

    def as_text(self) -> str:
        """Return the TeX with its delimiters, as text in HTML."""
        return html.escape(self.source.replace("\0", "\N{REPLACEMENT CHARACTER}"), quote=False)

    def as_html(self, budget: Budget) -> str:
        """Return MathML, or the TeX as text."""
        tex, mathml = self.tex.strip(), None
        as_code = f"<code>{self.as_text()}</code>"
        if budget.formulas <= 0 or budget.seconds <= 0 or not tex or len(tex) > LONGEST_TEX:
            return as_code
        budget.formulas -= 1
        with contextlib.suppress(NoAnswer):
            _typesetter.start()  # the page's budget does not pay for the start
            start = time.monotonic()
            try:
                mathml = _mathml(tex, self.display, len(self.tex) > _LONG)
            finally:
                budget.seconds -= time.monotonic() - start
        if mathml is None or len(mathml) > budget.characters:
            return as_code
        budget.characters -= len(mathml)
        return mathml


@lru_cache(_KEPT)
def _mathml(tex: str, display: bool, long: bool) -> str | None:
    """Return a formula in MathML, None if KaTeX refuses it or it is too much for a page.

    A formula on its own line is put into a box. A `long` one can be scrolled there, also by
    keyboard. If KaTeX gives no answer, that is not cached: it may answer the next time.
    """
    answer = _typesetter.set(tex, display=display)
    if len(answer) > 2 * _LONGEST_MATHML:  # leaves room for attributes that are dropped
        return None
    try:
        root = ET.fromstring(answer)
        found = root.find(f"{_NAMESPACE}math")
        if root.attrib.get("class") != "katex" or found is None:
            return None  # KaTeX's error message
        formula = _passed(found, 0, sized=False)
    except (ET.ParseError, ValueError):
        return None
    if display:
        box = ET.Element("span", {"class": "formula"})
        if long:
            box.set("tabindex", "0")
        box.append(formula)
        formula = box
    mathml = ET.tostring(formula, encoding="unicode", short_empty_elements=False)
    return mathml if len(mathml) <= _LONGEST_MATHML else None


def _passed(element: ET.Element, depth: int, *, sized: bool) -> ET.Element:
    """Rebuild an element of KaTeX's output from what the allow-list lets pass.

    `sized` tells whether an enclosing element sets the size of letters: nested sizes multiply.
    """
    if depth > _DEEPEST:  # browsers move such elements out of their parents
        raise ValueError("the formula is nested too deeply")
    name = element.tag.removeprefix(_NAMESPACE)
    if name in _TOKENS and len(element):
        name = "mrow"  # a browser reads elements inside a token as HTML
    if name == "mtable":
        _align(element)
    if name == "mpadded" and any(child.tag != f"{_NAMESPACE}mphantom" for child in element):
        element.attrib.clear()  # only invisible content may have a size of its own
    passed = ET.Element(name)
    for key, value in element.attrib.items():
        pattern = _PATTERNS.get(key)
        if pattern and pattern.fullmatch(value) and (key != "mathsize" or not sized):
            passed.set(key, value)
    if name in _TOKENS:
        passed.text = _in_alphabet(element)
        return passed
    _mark_signs(element)
    if name in _ROWS:
        _space_names(element)
    sized = sized or "mathsize" in passed.attrib
    for child in element:
        if child.tag.removeprefix(_NAMESPACE) in _ELEMENTS:
            passed.append(_passed(child, depth + 1, sized=sized))
    return passed


def _align(table: ET.Element) -> None:
    """Set classes for the alignment of a table and its cells, and drop KaTeX's empty cells."""
    columns = table.get("columnalign", "").split()
    table.set("class", "close" if table.get("columnspacing") == "0em" else "")
    for row in table:
        row[:] = [
            cell
            for cell in row
            if len(cell) or (cell.get("class") not in _GLUE and cell.get("width") != "50%")
        ]
        for cell, column in zip(row, columns, strict=False):
            cell.set("class", column)


def _mark_signs(row: ET.Element) -> None:
    """Mark a sign before a number as a prefix, so that it has less space around it."""
    before = None
    for child in row:
        operator = child.tag == f"{_NAMESPACE}mo" and not len(child)
        if operator and child.text in _SIGNS and (before is None or before not in _CLOSING):
            child.set("form", "prefix")
        before = child.text or "" if operator else ")"


def _space_names(row: ET.Element) -> None:
    """Put thin spaces around the names of functions, as TeX does, but none before a bracket."""
    children = list(row)
    after_name = space_fits = False
    row[:] = []
    for child, following in zip_longest(children, children[1:]):
        scripts = child.tag.removeprefix(_NAMESPACE) in _SCRIPTS
        named = scripts and any(inner.text == _APPLY for base in child[:1] for inner in base[-1:])
        begins = named or (following is not None and following.text == _APPLY)
        operator = child.tag == f"{_NAMESPACE}mo"
        if (begins and space_fits) or (after_name and not operator):
            row.append(ET.Element(f"{_NAMESPACE}mspace", {"width": "0.1667em"}))
        row.append(child)
        after_name = named or child.text == _APPLY
        space_fits = not operator or after_name or child.text in _CLOSING


def _in_alphabet(token: ET.Element) -> str:
    """Return a token's text in the alphabet of its ``mathvariant``, where that has the letters."""
    variant = token.get("mathvariant", "")
    alphabets = [names[variant] for names in (_ALPHABETS, _OLDER) if variant in names]

    def letter(character: str) -> str:
        name = unicodedata.name(character, "").replace("LETTER ", "")
        name = name.removeprefix("LATIN ").removeprefix("GREEK ")
        for alphabet in alphabets:
            with contextlib.suppress(KeyError):
                return unicodedata.lookup(f"{alphabet} {name}")
        return character

    return "".join(map(letter, token.text or ""))
