"""Makes the HTML of an answer: its text or code, and what the code printed and drew.

The cell is one of a graded notebook, with unchecked content. Texts are cut with a line that says
so; beyond the limits of the page they are plain text, and pictures are named.
"""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

from hw_grading.gradebook.graded_notebook import (
    cut,
    error_of,
    outputs_of,
    without_codes,
    without_controls,
)
from hw_grading.rendering.cleaning import MAX_PICTURES, as_text, clean_html, without_pictures
from hw_grading.rendering.markdown import render_markdown
from hw_grading.rendering.pictures import NotShown, uri_in
from hw_support.failures import visible
from hw_support.submission.cells import text_of
from hw_support.submission.problems import encodable, plain

LONGEST_CODE = 60_000  # characters
LONGEST_COLOURED = 20_000  # characters of code
LONGEST_PRINTED = 30_000  # characters of one printed text
_FOLDED = 20  # lines; a longer text is folded for graders
_MAX_OUTPUTS = 200  # of one cell


@dataclass
class Limits:
    """What is left for the texts and pictures on one page: many small ones add up."""

    parsed: int = 800_000  # characters of texts, code and HTML that a parser reads
    characters: int = 15_000_000  # of pictures and HTML

    def allow(self, text: str) -> bool:
        """Count a text for a parser, and return whether the parser may still read it."""
        self.parsed -= len(without_pictures(text))
        return self.parsed >= 0

    def take(self, html: str) -> str:
        """Count a picture or HTML; `NotShown` if it is too much for the page."""
        if len(html) > self.characters:
            raise NotShown(f"An output of {len(html) / 1e6:.1f} MB is not shown: it is too large.")
        self.characters -= len(html)
        return html


def text_html(source: str, attachments: Any = None, limits: Limits | None = None) -> Markup:
    """Return markdown as HTML. `attachments` are those of its cell."""
    limits = limits or Limits()
    bundles = attachments if isinstance(attachments, Mapping) else {}
    with contextlib.suppress(NotShown):
        if limits.allow(source):
            return Markup(limits.take(without_controls(render_markdown(source, bundles))))
    return Markup(without_controls(as_text(source)))


def code_html(source: str, limits: Limits | None = None, *, nowrap: bool = False) -> Markup:
    """Return Python code as HTML in pygments' classes, in a block of its own unless `nowrap`.

    Lines lose their blanks at the end: for lines of blanks, pygments takes quadratic time.
    """
    limits = limits or Limits()
    code = visible(cut(encodable(source.replace("\r\n", "\n")), LONGEST_CODE))
    code = "\n".join(line.rstrip(" \t") for line in code.split("\n"))
    if len(code) <= LONGEST_COLOURED and limits.allow(code):
        with contextlib.suppress(Exception):  # libraries may raise anything on hostile text
            lexer = PythonLexer(stripnl=False, ensurenl=False)
            return Markup(highlight(code, lexer, HtmlFormatter(nowrap=nowrap)))
    block = "{}" if nowrap else '<div class="highlight"><pre>{}</pre></div>'
    return Markup(block).format(code)


def answer_html(cell: Mapping[str, Any]) -> Markup:
    """Return the HTML of an answer for graders: plots, then what was printed, then the code."""
    source = text_of(cell.get("source"))
    if cell.get("cell_type") != "code":
        if not source.strip() and not cell.get("attachments"):
            return note_html("The answer is empty.")
        return text_html(source, cell.get("attachments"))
    limits = Limits()
    shown = outputs_html(cell, limits) or note_html("The code has no output.")
    return Markup('<div class="outputs">{}</div>\n<div class="code">{}</div>').format(
        shown, code_html(source, limits)
    )


def outputs_html(
    cell: Mapping[str, Any], limits: Limits | None = None, *, for_graders: bool = True
) -> Markup:
    """Return the HTML of a code cell's outputs; "" if there are none.

    Graders see pictures first, and long texts folded. Students see the notebook's order.
    """
    limits = limits or Limits()
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


def printed_html(text: str, kind: str = "text", *, folded: bool = True) -> Markup:
    """Return printed text as HTML: without colours and control characters."""
    shown = visible(without_codes(cut(text, LONGEST_PRINTED)).rstrip("\n"))
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
    output: Mapping[str, Any], limits: Limits, pictures: int, for_graders: bool
) -> tuple[bool, Markup]:
    """Return whether an output is a picture, and its HTML; `NotShown` with the reason."""
    kind, data = output.get("output_type"), output.get("data")
    if kind == "stream":
        stream = "text stderr" if output.get("name") == "stderr" else "text"
        return False, printed_html(text_of(output.get("text")), stream, folded=for_graders)
    if kind == "error":
        return False, _error(output, for_graders)
    if not isinstance(data, Mapping):
        return False, Markup()
    markup, uri = text_of(data.get("text/html")), None
    try:
        uri = uri_in(data)
    except NotShown:
        if not markup:
            raise
    if uri:
        if pictures >= MAX_PICTURES:
            raise NotShown(f"More pictures than {MAX_PICTURES} are not shown.")
        picture = Markup('<img class="picture" alt="Plot {}" src="{}">')
        return True, picture.format(pictures + 1, limits.take(uri))
    if markup:
        cleaned = clean_html(markup) if limits.allow(markup) else as_text(markup)
        cleaned = limits.take(without_controls(cleaned))
        if "<img" in cleaned or re.sub(r"<[^>]*>", "", cleaned).strip():
            return "<img" in cleaned, Markup(f'<div class="html" tabindex="0">{cleaned}</div>')
    if text := text_of(data.get("text/plain")):
        return False, printed_html(text, folded=for_graders)
    kinds = plain(", ".join(map(str, data)), 200)
    raise NotShown(f"An output of type '{kinds}' is not shown.")


def _error(output: Mapping[str, Any], for_graders: bool) -> Markup:
    lines = output.get("traceback")
    said = error_of(output)
    traceback = "\n".join(map(text_of, lines)) if isinstance(lines, list) else ""
    block = printed_html(traceback or said, "error", folded=False)
    if not for_graders:
        return block
    return Markup('<details class="error"><summary>{}</summary>{}</details>').format(said, block)


def note_html(text: str) -> Markup:
    """Return a sentence of the grader's own as HTML."""
    return Markup('<p class="note">{}</p>').format(text)
