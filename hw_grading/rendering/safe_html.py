"""Decides which parts of students' HTML, markdown and outputs may enter a page that people open.

nbconvert, which makes nbgrader's feedback and formgrader's pages, trusts notebooks. This module
trusts no cell, not even the instructor's. HTML passes by an allow-list (`clean_html`): nothing
runs, and nothing is loaded from elsewhere. Formulas become MathML; random placeholders replace them
while the markdown is rendered and cleaned. A text is shown without rendering if it takes too long,
or is much larger or nested much deeper than any answer: the time of parsers grows with the square
of some inputs, or faster. All texts of a page that nbconvert makes share an `Allowance` of time:
while formgrader's server makes a page, it answers nobody else.
"""

import html
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from hw_grading.gradebook.terminal import cut
from hw_grading.rendering.allowance import Allowance, allowance_of
from hw_grading.rendering.aside import PICTURES, SVG, Formulas, Pictures, not_drawn, picture_uri
from hw_grading.rendering.cleaning import as_text, clean_html, cleaned
from hw_grading.rendering.colours import LONGEST_CODE, in_time
from hw_grading.rendering.mathematics import Budget, Formula
from hw_grading.rendering.outputs import CleanOutputs as CleanOutputs  # for nbgrader_config.py
from hw_support.failures import visible
from hw_support.submission.cells import text_of
from hw_support.submission.problems import encodable, quoted
from hw_support.time_limit import TimeLimitReached, time_limit

_LONGEST_MARKDOWN = 20_000
_MARKDOWN_SECONDS = 2.0  # mistune's time for tables grows with the third power
_BUDGET = "hw_grading_formulas"  # in a page's resources
_FORMULA_IN_HTML = re.compile(r"(?<![\\$])(\${1,2})(?!\$)([^$]+)(?<!\\)\1")
_AS_IPYTHON = Highlight2HTML(pygments_lexer="ipython3")
_PYTHON = [[name] for name in ("python", "python3", "py", "py3", "ipython", "ipython3", "pycon")]


@pass_context
def markdown2html(context: Context, source: str) -> str:
    """Render markdown as nbconvert's `HTMLExporter.markdown2html` does, and clean it.

    Attachments are those of the `cell` in the template's context. The context's ``resources``
    record how much of the page's formulas and time is used.
    """
    allowance = allowance_of(context.get("resources"))
    if allowance.spent:
        return as_text(source)
    resources = context.get("resources")
    budget = Budget() if resources is None else resources.setdefault(_BUDGET, Budget())
    attachments = (context.get("cell") or {}).get("attachments") or {}
    with allowance.counting():
        return allowance.count_tags(
            render_markdown(source, attachments, budget, allowance=allowance)
        )


@pass_context
def highlight_code(context: Context, source: str, **_: Any) -> str:
    """Colour code as nbconvert's filter does, but always as Python, and in a limited time.

    The time is limited for the cell and for the page. Beyond it the code has no colours. nbconvert
    would colour a cell in any of pygments' 500 languages that its metadata or its magic name.
    """
    allowance = allowance_of(context.get("resources"))
    code = visible(cut(encodable(source.replace("\r\n", "\n")), LONGEST_CODE))
    if not allowance.spent:
        with allowance.counting():
            coloured = in_time(_AS_IPYTHON, code)
        if coloured is not None:
            return allowance.count_tags(coloured)
    return Markup('<div class="highlight"><pre>{}</pre></div>').format(code)


@pass_context
def clean_part(context: Context, text: str) -> str:
    """Clean HTML as `clean_html` does, within the page's time."""
    allowance = allowance_of(context.get("resources"))
    return allowance.count_tags(clean_html(text, allowance=allowance))


def render_markdown(
    source: str,
    attachments: Mapping[str, Any] | None = None,
    budget: Budget | None = None,
    picture: Callable[[str, str], str | None] | None = None,
    allowance: Allowance | None = None,
) -> str:
    """Render markdown with HTML and TeX in it, and clean it as `clean_html` does.

    `attachments` are pictures by name: data in base64 by type. `budget` limits the page's formulas,
    and `allowance` its pictures.
    `picture` returns the data URI of a picture, given its type and its base64 data, or None if it
    is not to be shown; by default all that `clean_html` accepts are. A note replaces an attachment
    that is missing or not shown. The source is shown as text if it is too large, or takes more than
    two seconds of CPU time.
    """
    pictures = Pictures(picture or picture_uri, allowance or Allowance())
    formulas = Formulas(budget or Budget())
    short = pictures.put_aside(encodable(source))
    if len(short) > _LONGEST_MARKDOWN:
        return as_text(source)
    renderer = _Renderer(attachments or {}, pictures, formulas)
    try:
        with time_limit(_MARKDOWN_SECONDS, 10 * _MARKDOWN_SECONDS):
            rendered = MarkdownWithMath(renderer=renderer).render(short)
        clean = cleaned(rendered)
    except (Exception, TimeLimitReached):  # four libraries may raise anything on hostile text
        return as_text(source)
    return pictures.put_back(formulas.put_back(clean))


def unchanged(text: str) -> str:
    """Return the text. nbconvert's filter ``strip_files_prefix`` would rewrite clean addresses."""
    return text


class _Renderer(IPythonRenderer):
    """nbconvert's renderer, which puts formulas aside, and copes with missing attachments."""

    def __init__(
        self, attachments: Mapping[str, Any], pictures: Pictures, formulas: Formulas
    ) -> None:
        super().__init__(escape=False)
        self._attached = attachments
        self._pictures = pictures
        self._formulas = formulas
        self._placeholders: dict[str, str | None] = {}  # each decoded once

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Show an attached picture, by its placeholder."""
        if url.startswith("attachment:"):
            name = unquote(url.removeprefix("attachment:"))
            if name not in self._placeholders:
                bundle = self._attached.get(name) or {}
                found = (self._pictures.placeholder(m, text_of(bundle.get(m))) for m in PICTURES)
                self._placeholders[name] = next(filter(None, found), None)
            placeholder = self._placeholders[name]
            if placeholder is None and (svg := text_of((self._attached.get(name) or {}).get(SVG))):
                return f"<em>({not_drawn(len(svg) * 3 // 4)})</em>"
            if placeholder is None:
                why = "is not shown" if name in self._attached else "is missing"
                return f"<em>(the picture {html.escape(quoted(name))} {why})</em>"
            url = placeholder
        if url.startswith(f"data:{SVG}"):
            return f"<em>({not_drawn(len(url) * 3 // 4)})</em>"
        return str(super().image(self._formulas.as_sources(text), url, title))

    def inline_math(self, body: str) -> str:
        """Put an inline formula aside."""
        return self._formulas.put_aside(Formula(body, f"${body}$", display=False))

    def block_math(self, body: str) -> str:
        """Put a formula on its own line aside."""
        return self._formulas.put_aside(Formula(body, f"$${body}$$", display=True))

    def latex_environment(self, name: str, body: str) -> str:
        r"""Put a formula between ``\begin`` and ``\end`` aside."""
        tex = f"\\begin{{{name}}}{body}\\end{{{name}}}"
        return self._formulas.put_aside(Formula(tex, tex, display=True))

    def block_html(self, text: str) -> str:
        """Put the formulas in HTML aside. Markdown does not look for formulas there."""

        def put(match: re.Match[str]) -> str:
            tex = html.unescape(match[2])
            source = f"{match[1]}{tex}{match[1]}"
            return self._formulas.put_aside(Formula(tex, source, display=len(match[1]) == 2))

        return str(super().block_html(_FORMULA_IN_HTML.sub(put, text)))

    def block_code(self, code: str, info: str | None = None) -> str:
        """Colour Python only. Some of pygments' 500 other languages take very long."""
        is_python = (info or "").split(maxsplit=1)[:1] in _PYTHON
        return str(super().block_code(code, info if is_python else None))

    def task_list_item(self, text: str, checked: bool = False) -> str:
        """Draw the box of a task list as a character. mistune would use a form field."""
        box = "\N{BALLOT BOX WITH CHECK}" if checked else "\N{BALLOT BOX}"
        return f"<li>{box} {text}</li>\n"
