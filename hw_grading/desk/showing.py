"""Shows one answer: what a student wrote, and what the code printed and drew, as clean HTML."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hw_grading.desk.pictures import MOST_PICTURES, NotShown, picture_in, uri_of
from hw_grading.desk.rendering import Renderer, cut
from hw_grading.pages.drawings import is_light
from hw_grading.pages.safe_html import clean_html
from hw_grading.records.graded_notebook import error_of, outputs_of, plain, text_of

MOST_CHARACTERS = 20_000  # of one printed text
LINES_OF_NUMBERS = 15
_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;]{0,40}[A-Za-z]")
# A bar of tqdm. What stands between two signs has none of them: the time is not to grow fast.
_PROGRESS = re.compile(r"\d%\|[^|]{0,200}\|[^[]{0,100}\[[^]]{0,100}\]")
_TEXT_ANSWER = 200_000  # characters that are sent to be rendered; more is shown as text anyway

Address = Callable[[int], str]  # of an answer's picture, by its number


def answer_html(cell: Mapping[str, Any], renderer: Renderer, address: Address) -> str:
    """Return an answer.

    Parameters
    ----------
    cell
        A cell of a graded notebook, of any content.
    renderer
        What makes HTML of markdown and code.
    address
        Gives the address of the picture with a number, as `pictures_of` numbers them from 0.
    """
    source = text_of(cell.get("source"))
    if cell.get("cell_type") != "code":
        if not source.strip() and not cell.get("attachments"):
            return '<p class="note">Nothing is written here.</p>'
        attachments, notes = _attachments(cell)
        return renderer.markdown(source[:_TEXT_ANSWER], attachments) + notes
    outputs = "".join(_outputs(cell, address))
    code = renderer.code(source)
    return f'<div class="outputs">{outputs}</div>\n<div class="code">{code}</div>'


def printed_html(cell: Mapping[str, Any]) -> str:
    """Return the last lines that a cell printed, such as the numbers of a training; "" if none."""
    outputs = outputs_of(cell)
    printed = "".join(
        text_of(o.get("text"))
        for o in outputs
        if o.get("output_type") == "stream" and o.get("name") != "stderr"
    )
    results = [_plain_of(o) for o in outputs if o.get("output_type") == "execute_result"]
    text = _calm("\n".join(filter(None, [printed.rstrip(), *results]))[-MOST_CHARACTERS:])
    lines = [line[:500] for line in text.rstrip().split("\n") if not _PROGRESS.search(line)]
    lines = lines[-LINES_OF_NUMBERS:]
    shown = "\n".join(lines)
    return f"<pre>{html.escape(cut(shown, MOST_CHARACTERS))}</pre>" if shown.strip() else ""


def beside_html(cell: Mapping[str, Any], renderer: Renderer, address: Address) -> str:
    """Return what an answer is about: the pictures of another cell, or else its code or text.

    Functions are shown without their docstrings, which are the instructor's.
    """
    if cell.get("cell_type") != "code":
        return renderer.markdown(text_of(cell.get("source"))[:_TEXT_ANSWER])
    outputs = "".join(_outputs(cell, address))
    if "<img" in outputs:
        return f'<div class="outputs">{outputs}</div>'
    source = text_of(cell.get("source"))
    return renderer.code(source, docstrings=False) if source.strip() else ""


def _attachments(cell: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the pictures attached to a text that can be shown, and notes on the others."""
    attached = cell.get("attachments")
    shown, notes = {}, ""
    for name, bundle in attached.items() if isinstance(attached, dict) else ():
        try:
            if picture := picture_in(bundle):
                picture.content()
            shown[name] = bundle
        except NotShown as why:
            notes += _note(str(why))
    return shown, notes


def _outputs(cell: Mapping[str, Any], address: Address) -> Iterator[str]:
    number = 0
    anything = False
    for output in outputs_of(cell):
        kind = output.get("output_type")
        if kind == "stream":
            shown = _calm(text_of(output.get("text")))
            where = ' class="stderr"' if output.get("name") == "stderr" else ""
            if shown.strip():
                anything = True
                yield f"<pre{where}>{html.escape(cut(shown, MOST_CHARACTERS))}</pre>\n"
        elif kind == "error":
            anything = True
            yield f'<p class="error">{html.escape(error_of(output))}</p>\n'
        elif kind in ("display_data", "execute_result"):
            anything = True
            if picture := picture_in(output.get("data")):
                number += 1
                if number <= MOST_PICTURES:
                    try:
                        picture.content()
                        yield _img(address(number - 1), number)
                    except NotShown as why:
                        yield _note(str(why))
                elif number == MOST_PICTURES + 1:
                    yield _note(f"More pictures than {MOST_PICTURES} are not shown.")
            else:
                yield _bundle(output)
    if not anything:
        yield _note("The code showed nothing.")


def _bundle(output: Mapping[str, Any]) -> str:
    """Show what is no picture in points: SVG, HTML, text."""
    data = output.get("data")
    if not isinstance(data, dict):
        return ""
    if svg := text_of(data.get("image/svg+xml")):
        drawing = svg.encode("utf-8", "replace")
        if not is_light(drawing):
            return _note(
                f"A drawing of {len(svg):,} characters is not shown: it is too complicated."
            )
        encoded = base64.b64encode(drawing).decode("ascii")
        return f'<img alt="drawing" src="data:image/svg+xml;base64,{encoded}">\n'
    if markup := text_of(data.get("text/html")):
        return f'<div class="html">{clean_html(markup, uri_of)}</div>\n'
    if text := _plain_of(output):
        return f"<pre>{html.escape(cut(_calm(text), MOST_CHARACTERS))}</pre>\n"
    kinds = plain(", ".join(map(str, data)), 100)
    return _note(f"An output of type {kinds} is not shown.")


def _plain_of(output: Mapping[str, Any]) -> str:
    data = output.get("data")
    return text_of(data.get("text/plain")) if isinstance(data, dict) else ""


def _img(address: str, number: int) -> str:
    return f'<img class="picture" alt="Plot {number}" src="{html.escape(address)}">\n'


def _note(text: str) -> str:
    return f'<p class="note">{html.escape(text)}</p>\n'


def _calm(text: str) -> str:
    """Drop what a terminal obeys; of a line that was written over, keep the last writing."""
    lines = _TERMINAL_CODES.sub("", text).split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
