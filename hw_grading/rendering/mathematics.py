"""Formulas as MathML, which every browser draws without a script.

latex2mathml reads the TeX; a formula that it cannot read stands in the page as its source. Students
may have written the TeX, so the result is cleaned like any other HTML (`cleaning`).
"""

import html
import re
import xml.etree.ElementTree as ET
from functools import lru_cache

from latex2mathml.converter import Converter

LONGEST_TEX = 2_000  # characters of one formula
_DEEPEST = 100  # browsers move deeper elements out of their parents
# latex2mathml numbers the lines of align, and does not know the others.
_ENVIRONMENTS = dict.fromkeys(("align", "aligned", "alignat", "eqnarray", "split"), "align*")
_ENVIRONMENTS |= dict.fromkeys(("gather", "gathered", "multline"), "matrix")
_ENVIRONMENT = re.compile(r"(\\(?:begin|end))\{([a-z]+)\*?\}")
_EQUATION = re.compile(r"\\(?:begin|end)\{(?:equation|displaymath|math)\*?\}|\\(?:nonumber|notag)")

_ROWS = ("math", "mrow", "mstyle", "mtd", "msqrt")
_SCRIPTS = ("msub", "msup", "msubsup", "munder", "mover", "munderover")  # begin with their base
_SIGNS = ("\N{MINUS SIGN}", "+", "\N{PLUS-MINUS SIGN}", "\N{MINUS-OR-PLUS SIGN}")
_BARS = ("|", "\N{DOUBLE VERTICAL LINE}", "\N{PARALLEL TO}")
_NAME = re.compile("[A-Za-z][A-Za-z\N{THIN SPACE}\N{SIX-PER-EM SPACE}]+")
_CLOSING = (")", "]", "}", "|", "!")


@lru_cache(maxsize=2_000)  # every student's page repeats the instructor's formulas
def formula(tex: str, source: str, *, display: bool) -> str:
    """Return a formula as MathML that is not cleaned yet, or its `source` as code."""
    try:
        if len(tex) > LONGEST_TEX:
            raise ValueError
        known = _ENVIRONMENT.sub(_known, _EQUATION.sub("", tex))
        root = Converter(display="block" if display else "inline").convert_to_element(known)
        _improve(root, 0)
    except Exception:  # RecursionError too
        return f"<code>{html.escape(source, quote=False)}</code>"
    root.set("alttext", tex)
    return ET.tostring(root, encoding="unicode", short_empty_elements=False)


def _known(found: re.Match[str]) -> str:
    return f"{found[1]}{{{_ENVIRONMENTS.get(found[2], found[2])}}}"


def _improve(element: ET.Element, depth: int) -> None:
    """Set what browsers leave to the author of MathML; `ValueError` for what was not read."""
    text = element.text or ""
    if depth > _DEEPEST or (text.startswith("\\") and len(text) > 1) or text == "&":
        raise ValueError("the formula cannot be read")
    element.text = text = html.unescape(text)  # latex2mathml writes operators as entities
    if element.tag == "mo" and _NAME.fullmatch(text):  # max, for example
        element.tag = "mi"
    if text in _BARS:
        element.attrib.setdefault("stretchy", "false")
    if text == "/":
        element.attrib.update(lspace="0em", rspace="0em")
    children = list(element)
    for child in children:
        _improve(child, depth + 1)
    if element.tag not in _ROWS:
        return
    element[:] = []
    befores, afters = [None, *children], [*children[1:], None]
    for before, child, after in zip(befores, children, afters, strict=False):
        opens = before is None or (before.tag == "mo" and before.text not in _CLOSING)
        if child.tag == "mo" and child.text in _SIGNS and opens:
            child.set("form", "prefix")  # the sign of a number has no space after it
        named = _is_name(child)
        if named and not opens:
            _space(element)
        element.append(child)
        if named and after is not None and after.tag != "mo" and not _is_name(after):
            _space(element)


def _is_name(element: ET.Element) -> bool:
    """Return whether an element is the name of a function, perhaps with a power or a limit."""
    if element.tag in _SCRIPTS and len(element):
        element = element[0]
    return element.tag == "mi" and bool(_NAME.fullmatch(element.text or ""))


def _space(row: ET.Element) -> None:
    ET.SubElement(row, "mspace", {"width": "0.167em"})
