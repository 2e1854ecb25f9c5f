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

_BARS = ("|", "\N{DOUBLE VERTICAL LINE}", "\N{PARALLEL TO}")
_NAME = re.compile("[A-Za-z][A-Za-z\N{THIN SPACE}\N{SIX-PER-EM SPACE}]+")


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
    if _NAME.fullmatch(text) and element.tag in ("mi", "mo"):  # the name of a function
        element.tag = "mo"
        element.attrib.update(form="prefix", lspace="0.167em", rspace="0.167em")
    if text in _BARS:
        element.attrib.setdefault("stretchy", "false")
    if text == "/":
        element.attrib.update(lspace="0em", rspace="0em")
    for child in element:
        _improve(child, depth + 1)
