"""Renders markdown with HTML and TeX in it, as Jupyter does, and cleans it.

A grader's comment is plain text: it is turned into markdown that shows it as it was typed.
"""

import html
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from hw_grading.rendering.cleaning import as_text, clean_html, without_pictures
from hw_grading.rendering.mathematics import formula
from hw_support.submission.problems import encodable

LONGEST_TEXT = 20_000  # characters of one text without the pictures in it
# mistune's time grows with the square of the number of these. Within the bounds, the worst text
# takes it a quarter of a second.
_MOST = {
    re.compile(r"^.*\|", re.MULTILINE): 200,  # lines that may belong to a table
    re.compile(r"\\\\[\[(]|\\begin\{"): 500,  # beginnings of formulas
}
_PYTHON = [[name] for name in ("python", "python3", "py", "py3", "ipython", "ipython3", "pycon")]
# A formula between dollars. The bounds keep the time of a search short.
IN_DOLLARS = r"\$\$[^$]{1,1000}\$\$|(?<![\\$])\$(?!\s)(?:\\.|[^$\\]){1,1000}?(?<!\s)\$(?!\d)"
_CODE_OR_FORMULA = re.compile(rf"`([^`\n]{{1,1000}})`|({IN_DOLLARS})")
_SPECIAL = re.compile(r"[!#$&*+.:<=>\[\\\]_`{|}~-]|(?<=\n)[ \t]+")


def render_markdown(source: str, attachments: Mapping[str, Any] | None = None) -> str:
    """Return markdown as clean HTML; a text beyond the bounds is shown as it was typed.

    `attachments` are pictures by name: data in base64 by type.
    """
    source = encodable(source)
    bare = without_pictures(source)
    counts = (len(pattern.findall(bare)) <= most for pattern, most in _MOST.items())
    if len(bare) > LONGEST_TEXT or not all(counts):
        return as_text(source)
    try:
        rendered = MarkdownWithMath(renderer=_Renderer()).render(source)
    except Exception:  # libraries may raise anything on hostile text
        return as_text(source)
    return clean_html(rendered, attachments)


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

    def __init__(self) -> None:
        super().__init__(escape=False, exclude_anchor_links=True)

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Leave the picture to `clean_html`. In the place of one that it drops, its text stands."""
        described = re.sub(r"<[^>]*>", "", text) or unquote(url.removeprefix("attachment:"))[:100]
        titled = f' title="{html.escape(title)}"' if title else ""
        return f'<img src="{html.escape(url)}" alt="{html.escape(described)}"{titled}>'

    def inline_math(self, body: str) -> str:
        """Set a formula within a line."""
        return formula(body, f"${body}$", display=False)

    def block_math(self, body: str) -> str:
        """Set a formula on its own line."""
        return formula(body, f"$${body}$$", display=True)

    def latex_environment(self, name: str, body: str) -> str:
        r"""Set a formula between ``\begin`` and ``\end``."""
        tex = f"\\begin{{{name}}}{body}\\end{{{name}}}"
        return formula(tex, tex, display=True)

    def block_code(self, code: str, info: str | None = None) -> str:
        """Colour Python only. Some of pygments' 500 other languages take very long."""
        is_python = (info or "").split(maxsplit=1)[:1] in _PYTHON
        return str(super().block_code(code, info if is_python else None))

    def task_list_item(self, text: str, checked: bool = False) -> str:
        """Draw the box of a task list as a character. mistune would use a form field."""
        box = "\N{BALLOT BOX WITH CHECK}" if checked else "\N{BALLOT BOX}"
        return f"<li>{box} {text}</li>\n"
