"""Renders markdown with HTML and TeX in it, as Jupyter does, and cleans it.

A grader's comment is plain text: it is turned into markdown that shows it as it was typed.
"""

import html
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from hw_grading.rendering.cleaning import as_text, clean_html
from hw_grading.rendering.mathematics import formula
from hw_grading.rendering.pictures import NotShown, uri_in
from hw_support.submission.problems import encodable, quoted
from hw_support.time_limit import TimeLimitReached, time_limit

_LONGEST = 20_000  # characters of one text without the pictures in it
_SECONDS = 2.0  # of CPU time; mistune's time for tables grows with the third power
_PICTURE = re.compile(r"data:image/[a-z+]{1,20};base64,[A-Za-z0-9+/=]*")
_FORMULA = re.compile(r"(?<![\\$])(\${1,2})(?!\$)([^$]+)(?<!\\)\1")
_IS_CODE = re.compile(r"<(?:pre|code|kbd|samp)\b", re.I)
_PYTHON = [[name] for name in ("python", "python3", "py", "py3", "ipython", "ipython3", "pycon")]
# A formula between dollars. The bounds keep the time of a search short.
IN_DOLLARS = r"\$\$[^$]{1,1000}\$\$|(?<![\\$])\$(?!\s)(?:\\.|[^$\\]){1,1000}?(?<!\s)\$(?!\d)"
_CODE_OR_FORMULA = re.compile(rf"`([^`\n]{{1,1000}})`|({IN_DOLLARS})")
_SPECIAL = re.compile(r"[!#$&*+.:<=>\[\\\]_`{|}~-]|(?<=\n)[ \t]+")


def render_markdown(source: str, attachments: Mapping[str, Any] | None = None) -> str:
    """Return markdown as clean HTML.

    `attachments` are pictures by name: data in base64 by type. A note replaces a picture that is
    missing or not shown. The source is shown as text if it is too large or takes too long; the time
    is limited in the main thread of a process only.
    """
    source = encodable(source)
    if len(_PICTURE.sub("", source)) > _LONGEST:
        return as_text(source)
    attachments = attachments or {}
    try:
        with time_limit(_SECONDS, 10 * _SECONDS):
            rendered = MarkdownWithMath(renderer=_Renderer(attachments)).render(source)
    except (Exception, TimeLimitReached):  # libraries may raise anything on hostile text
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
    """nbconvert's renderer without anchors and diagrams, with formulas and notes on pictures."""

    def __init__(self, attachments: Mapping[str, Any]) -> None:
        super().__init__(escape=False, exclude_anchor_links=True)
        self._bundles = attachments

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Leave an attachment to `clean_html`, or say why there is no picture."""
        kind, _, data = url.removeprefix("data:").partition(";base64,")
        bundle: Any = {kind: data}
        if url.startswith("attachment:"):
            name = unquote(url.removeprefix("attachment:"))
            if (bundle := self._bundles.get(name)) is None:
                return f"<em>(the picture {html.escape(quoted(name))} is missing)</em>"
        try:
            shown = uri_in(bundle)
        except NotShown as why:
            return f"<em>({html.escape(str(why))})</em>"
        if shown is None and url.startswith("attachment:"):
            return f"<em>(the picture {html.escape(quoted(name))} is not shown)</em>"
        described = html.escape(re.sub(r"<[^>]*>", "", text))
        titled = f' title="{html.escape(title)}"' if title else ""
        return f'<img src="{html.escape(url)}" alt="{described}"{titled}>'

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

    def block_html(self, text: str) -> str:
        """Set the formulas in HTML, where markdown does not look for them."""

        def put(found: re.Match[str]) -> str:
            tex, source = html.unescape(found[2]), html.unescape(found[0])
            return formula(tex, source, display=len(found[1]) == 2)

        return str(super().block_html(text if _IS_CODE.search(text) else _FORMULA.sub(put, text)))

    def block_code(self, code: str, info: str | None = None) -> str:
        """Colour Python only. Some of pygments' 500 other languages take very long."""
        is_python = (info or "").split(maxsplit=1)[:1] in _PYTHON
        return str(super().block_code(code, info if is_python else None))

    def task_list_item(self, text: str, checked: bool = False) -> str:
        """Draw the box of a task list as a character. mistune would use a form field."""
        box = "\N{BALLOT BOX WITH CHECK}" if checked else "\N{BALLOT BOX}"
        return f"<li>{box} {text}</li>\n"
