"""Renders markdown with HTML and TeX in it, as Jupyter does, and cleans it.

Formulas become MathML, which every browser draws without a script. latex2mathml reads the TeX; a
formula that it cannot read stands in the page as its source.

A grader's comment is plain text: it is turned into markdown that shows it as it was typed.
"""

import contextlib
import html
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from latex2mathml.converter import Converter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from hw_grading.rendering.cleaning import LONGEST_TYPED, PICTURE_URI, as_text, clean_html
from hw_grading.rendering.limits import PageLimits
from hw_grading.rendering.pictures import bundle_of
from hw_support.submission.problems import encodable

LONGEST_TEXT = 20_000  # characters of one text without the pictures in it
# mistune's time grows with the square of the number of these.
_MOST = {
    re.compile(r"[*_]"): 1_000,  # beginnings and ends of emphasis
    re.compile(r"^.*\|", re.MULTILINE): 200,  # lines that may belong to a table
    re.compile(r"\\\\[\[(]|\\begin\{"): 300,  # beginnings of formulas
}
_PYTHON = [[name] for name in ("python", "python3", "py", "py3", "ipython", "ipython3", "pycon")]
# A formula between dollars. The bounds keep the time of a search short.
IN_DOLLARS = r"\$\$[^$]{1,1000}\$\$|(?<![\\$])\$(?!\s)(?:\\.|[^$\\]){1,1000}?(?<!\s)\$(?!\d)"
_CODE_OR_FORMULA = re.compile(rf"`([^`\n]{{1,1000}})`|({IN_DOLLARS})")
_SPECIAL = re.compile(r"[!#$&*+.:<=>\[\\\]_`{|}~-]|(?<=\n)[ \t]+")
LONGEST_TEX = 2_000  # characters of one formula
_DEEPEST = 100  # browsers move deeper elements out of their parents
# latex2mathml numbers the lines of align, and does not know the others.
_ENVIRONMENTS = dict.fromkeys(("align", "aligned", "alignat", "eqnarray", "split"), "align*")
_ENVIRONMENTS |= dict.fromkeys(("gather", "gathered", "multline"), "matrix")
_ENVIRONMENT = re.compile(r"(\\(?:begin|end))\{([a-z]+)\*?\}")
_EQUATION = re.compile(r"\\(?:begin|end)\{(?:equation|displaymath|math)\*?\}|\\(?:nonumber|notag)")

_BARS = ("|", "\N{DOUBLE VERTICAL LINE}", "\N{PARALLEL TO}")
# A full stop may not begin the next line.
_WITH_ITS_STOP = re.compile(
    r'<math\b[^>]*display="inline"(?:(?!<math\b).){1,20000}?</math>[.,;:!?)]+', re.DOTALL
)
_NAME = re.compile("[A-Za-z][A-Za-z\N{THIN SPACE}\N{SIX-PER-EM SPACE}]+")


def render_markdown(source: str, attachments: Mapping[str, Any], limits: PageLimits) -> str:
    """Return markdown as clean HTML.

    A text beyond the bounds, or beyond what is left of its page, is shown as it was typed.
    `attachments` are pictures by name: data in base64 by type.
    """
    source, bundles = encodable(source), dict(attachments)

    def put_aside(picture: re.Match[str]) -> str:
        name = f"picture-{len(bundles)}-of-the-text"
        bundles[name] = bundle_of(picture[0])
        return f"attachment:{name}"

    bare = PICTURE_URI.sub(put_aside, source)  # mistune would read a picture letter by letter
    counts = (len(pattern.findall(bare)) <= most for pattern, most in _MOST.items())
    if len(bare) <= LONGEST_TEXT and all(counts) and limits.parses(bare):
        with contextlib.suppress(Exception):  # libraries may raise anything on hostile text
            rendered = MarkdownWithMath(renderer=_Renderer(limits)).render(bare)
            kept = _WITH_ITS_STOP.sub(r'<span class="formula">\g<0></span>', rendered)
            return clean_html(kept, bundles, limits)
    return as_text(limits.cut(source, LONGEST_TYPED))


def comment_markdown(text: str) -> str:
    """Return markdown for a comment: `code` and $formulas$ work, all else is text.

    Line breaks stay. A sign that means something in markdown becomes a character reference, which
    markdown leaves alone.
    """
    pieces, end = [], 0
    for found in _CODE_OR_FORMULA.finditer(text):
        code, formula = found.groups()
        made = f"<code>{_plain(code)}</code>" if code else " ".join(formula.split("\n"))
        pieces += [_plain(text[end : found.start()]), made]
        end = found.end()
    # Markdown would join lines, but graders mean their line breaks.
    return "  \n".join("".join([*pieces, _plain(text[end:])]).splitlines())


def _plain(text: str) -> str:
    return _SPECIAL.sub(_reference, text)


def _reference(found: re.Match[str]) -> str:
    return "".join(f"&#{ord(sign)};" for sign in found[0].expandtabs(4).replace(" ", "\xa0"))


class _Renderer(IPythonRenderer):
    """nbconvert's renderer without anchors and diagrams, with formulas as MathML."""

    def __init__(self, limits: PageLimits) -> None:
        super().__init__(escape=False, exclude_anchor_links=True)
        self._limits = limits

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Leave the picture to `clean_html`. In the place of one that it drops, its text stands."""
        described = re.sub(r"<[^>]*>", "", text) or unquote(url.removeprefix("attachment:"))[:100]
        titled = f' title="{html.escape(title)}"' if title else ""
        return f'<img src="{html.escape(url)}" alt="{html.escape(described)}"{titled}>'

    def inline_math(self, body: str) -> str:
        """Set a formula within a line."""
        return self._formula(body, f"${body}$", display=False)

    def block_math(self, body: str) -> str:
        """Set a formula on its own line."""
        return self._formula(body, f"$${body}$$", display=True)

    def latex_environment(self, name: str, body: str) -> str:
        r"""Set a formula between ``\begin`` and ``\end``."""
        tex = f"\\begin{{{name}}}{body}\\end{{{name}}}"
        return self._formula(tex, tex, display=True)

    def _formula(self, tex: str, source: str, *, display: bool) -> str:
        """Return a formula as MathML, or as its source if it cannot be read or is too much."""
        if len(tex) <= LONGEST_TEX and self._limits.has(len(tex)):
            with contextlib.suppress(Exception):  # RecursionError too
                return _mathml(tex, display=display)
        return f"<code>{html.escape(source, quote=False)}</code>"

    def block_code(self, code: str, info: str | None = None) -> str:
        """Colour Python only. Some of pygments' 500 other languages take very long."""
        is_python = (info or "").split(maxsplit=1)[:1] in _PYTHON
        return str(super().block_code(code, info if is_python else None))

    def task_list_item(self, text: str, checked: bool = False) -> str:
        """Draw the box of a task list as a character. mistune would use a form field."""
        box = "\N{BALLOT BOX WITH CHECK}" if checked else "\N{BALLOT BOX}"
        return f"<li>{box} {text}</li>\n"


@lru_cache(maxsize=2_000)  # every student's page repeats the instructor's formulas
def _mathml(tex: str, *, display: bool) -> str:
    """Return a formula as MathML that is not cleaned yet; any exception if it cannot be read."""
    known = _ENVIRONMENT.sub(_known, _EQUATION.sub("", tex))
    root = Converter(display="block" if display else "inline").convert_to_element(known)
    _improve(root, 0)
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
