"""Makes the HTML of an answer: its text or code, and what the code printed and drew.

The cell is one of a graded notebook, with unchecked content. Texts are cut with a line that says
so; beyond the limits of the page they are plain text, and pictures are named.
"""

import contextlib
import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

from hw_grading.notebooks import error_of, outputs_of
from hw_grading.rendering.cleaning import (
    LONGEST_TYPED,
    MAX_PICTURES,
    as_text,
    clean_html,
    without_pictures,
)
from hw_grading.rendering.limits import NotShown, PageLimits
from hw_grading.rendering.markdown import render_markdown
from hw_grading.rendering.pictures import uri_in
from hw_grading.texts import without_codes, without_controls
from hw_support.checks.failures import visible
from hw_support.submission.cells import text_of
from hw_support.submission.problems import encodable, plain

LONGEST_CODE = 60_000  # characters
LONGEST_COLOURED = 20_000  # characters of code
LONGEST_LINE = 1_000  # characters of a line of code that is coloured
LONGEST_PRINTED = 30_000  # characters of one printed text
_FOLDED = 20  # lines; a longer text is folded for graders
_MAX_OUTPUTS = 200  # of one cell


def text_html(source: str, attachments: Any = None, limits: PageLimits | None = None) -> Markup:
    """Return markdown as HTML. `attachments` are those of its cell."""
    limits = limits or PageLimits()
    bundles = attachments if isinstance(attachments, Mapping) else {}
    return Markup(without_controls(render_markdown(source, bundles, limits)))


def code_html(source: str, limits: PageLimits | None = None, *, nowrap: bool = False) -> Markup:
    """Return Python code as HTML in pygments' classes, in a block of its own unless `nowrap`.

    For long lines pygments takes quadratic time, and for lines of blanks: these lines lose them.
    """
    limits = limits or PageLimits()
    code = visible(limits.cut(encodable(source.replace("\r\n", "\n")), LONGEST_CODE))
    lines = [line.rstrip(" \t") for line in code.split("\n")]
    code = "\n".join(lines)
    is_short = len(code) <= LONGEST_COLOURED and max(map(len, lines)) <= LONGEST_LINE
    if is_short and limits.parses(code):
        with contextlib.suppress(Exception):  # libraries may raise anything on hostile text
            lexer = PythonLexer(stripnl=False, ensurenl=False)
            return Markup(highlight(code, lexer, HtmlFormatter(nowrap=nowrap)))
    block = "{}" if nowrap else '<div class="highlight"><pre>{}</pre></div>'
    return Markup(block).format(code)


def answer_html(cell: Mapping[str, Any], limits: PageLimits | None = None) -> Markup:
    """Return the HTML of an answer for graders: plots, then what was printed, then the code."""
    limits = limits or PageLimits()
    source = text_of(cell.get("source"))
    if cell.get("cell_type") != "code":
        if not source.strip() and not cell.get("attachments"):
            return note_html("The answer is empty.")
        return text_html(source, cell.get("attachments"), limits)
    shown = outputs_html(cell, limits) or note_html("The code has no output.")
    return Markup('<div class="outputs">{}</div>\n<div class="code">{}</div>').format(
        shown, code_html(source, limits)
    )


def outputs_html(
    cell: Mapping[str, Any], limits: PageLimits | None = None, *, for_graders: bool = True
) -> Markup:
    """Return the HTML of a code cell's outputs; "" if there are none.

    Graders see pictures first, and long texts folded. Students see the notebook's order.
    """
    limits = limits or PageLimits()
    shown: list[tuple[bool, Markup]] = []  # whether it is a picture, and its HTML
    pictures = 0
    outputs = outputs_of(cell)
    for output in outputs[:_MAX_OUTPUTS]:
        try:
            one = _shown(output, limits, pictures, for_graders)
        except NotShown as why:
            one = False, note_html(str(why))
        pictures += one[0]
        shown.append(one)
    if (more := len(outputs) - _MAX_OUTPUTS) > 0:
        shown.append((False, note_html(f"{more:,} more outputs are not shown.")))
    if for_graders:
        shown.sort(key=lambda one: not one[0])
    return Markup("\n").join(html for _, html in shown if html)


def printed_html(
    text: str, kind: str = "text", limits: PageLimits | None = None, *, folded: bool = True
) -> Markup:
    """Return printed text as HTML: without colours and control characters."""
    limits = limits or PageLimits()
    shown = visible(without_codes(limits.cut(text, LONGEST_PRINTED)).rstrip("\n"))
    if not shown.strip():
        return Markup()
    long = len(shown) > 1_500 and not folded
    scrolled = Markup(' class="{} long" tabindex="0"' if long else ' class="{}"').format(kind)
    block = Markup("<pre{}>\n{}</pre>").format(scrolled, shown)
    number = shown.count("\n") + 1
    if not folded or number <= _FOLDED:
        return block
    return Markup('<details class="{}"><summary>{} printed lines</summary>{}</details>').format(
        kind, f"{number:,}", block
    )


def _shown(
    output: Mapping[str, Any], limits: PageLimits, pictures: int, for_graders: bool
) -> tuple[bool, Markup]:
    """Return whether an output is a picture, and its HTML; `NotShown` with the reason."""
    kind, data = output.get("output_type"), output.get("data")
    if kind == "stream":
        stream = "text stderr" if output.get("name") == "stderr" else "text"
        return False, printed_html(text_of(output.get("text")), stream, limits, folded=for_graders)
    if kind == "error":
        return False, _error(output, limits, for_graders)
    if not isinstance(data, Mapping) or not data:  # one of facts alone has no data
        return False, Markup()
    markup, uri = text_of(data.get("text/html")), None
    try:
        uri = uri_in(data, limits)
    except NotShown:
        if not markup:
            raise
    if uri:
        if pictures >= MAX_PICTURES:
            raise NotShown(f"More pictures than {MAX_PICTURES} are not shown.")
        picture = Markup('<img class="picture" alt="Plot {}" src="{}">')
        return True, picture.format(pictures + 1, uri)
    if markup:
        cleaned = without_controls(html_of(markup, limits))
        if "<img" in cleaned or re.sub(r"<[^>]*>", "", cleaned).strip():
            return "<img" in cleaned, Markup(f'<div class="html" tabindex="0">{cleaned}</div>')
    if text := text_of(data.get("text/plain")):
        return False, printed_html(text, "text", limits, folded=for_graders)
    kinds = plain(", ".join(map(str, data)), 200)
    raise NotShown(f"An output of type '{kinds}' is not shown.")


def html_of(markup: str, limits: PageLimits) -> str:
    """Return HTML that a student's code made, cleaned; beyond the page's limits, as text."""
    if limits.parses(without_pictures(markup)):
        return clean_html(markup, None, limits)
    return as_text(limits.cut(markup, LONGEST_TYPED))


def _error(output: Mapping[str, Any], limits: PageLimits, for_graders: bool) -> Markup:
    lines = output.get("traceback")
    said = error_of(output)
    traceback = "\n".join(map(text_of, lines)) if isinstance(lines, list) else ""
    block = printed_html(traceback or said, "error", limits, folded=False)
    if not for_graders:
        return block
    return Markup('<details class="error"><summary>{}</summary>{}</details>').format(said, block)


def note_html(text: str) -> Markup:
    """Return a sentence of the grader's own as HTML."""
    return Markup('<p class="note">{}</p>').format(text)
