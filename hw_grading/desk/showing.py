"""Shows one answer as clean HTML: the student's text or code, and the code's outputs."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from hw_grading.desk.pictures import MOST_PICTURES, NotShown, Picture, picture_in, uri_of
from hw_grading.desk.rendering import Part, Renderer, as_html, outputs_as_html
from hw_grading.gradebook.graded_notebook import error_of, outputs_of, plain
from hw_grading.gradebook.terminal import cut, without_codes
from hw_grading.rendering.allowance import Allowance
from hw_grading.rendering.aside import SVG, not_drawn
from hw_grading.rendering.cleaning import clean_html
from hw_support.failures import visible
from hw_support.submission.cells import text_of

MOST_CHARACTERS = 20_000  # in one printed text
LINES_OF_NUMBERS = 15
# A progress bar of tqdm. Each piece excludes the sign that ends it, so a search takes little time.
_PROGRESS = re.compile(r"\d%\|[^|]{0,200}\|[^[]{0,100}\[[^]]{0,100}\]")
_TEXT_ANSWER = 200_000  # characters sent to the renderer, which shows more than this as text anyway

Address = Callable[[int], str]  # returns a picture's address for its number


def answer_html(cell: Mapping[str, Any], renderer: Renderer, address: Address) -> str:
    """Return the HTML of an answer, a cell of a graded notebook with unchecked content.

    The numbers of pictures start from 0, in the order of `hw_grading.desk.pictures.pictures_of`.
    """
    source = text_of(cell.get("source"))
    if cell.get("cell_type") != "code":
        if not source.strip() and not cell.get("attachments"):
            return as_html([Part("note", "The answer is empty.")])
        attachments, notes = _attachments(cell)
        return renderer.markdown(source[:_TEXT_ANSWER], attachments) + as_html(notes)
    return outputs_as_html(_outputs(cell, address), renderer.code(source))


def printed_html(cell: Mapping[str, Any]) -> str:
    """Return the last printed lines of a cell, such as the numbers of a training; "" if none."""
    printed, results = "", []
    for output in outputs_of(cell):
        if output.get("output_type") == "stream" and output.get("name") != "stderr":
            printed += text_of(output.get("text"))
        elif output.get("output_type") == "execute_result":
            data = output.get("data")
            results.append(text_of(data.get("text/plain")) if isinstance(data, dict) else "")
    text = _cleaned("\n".join(filter(None, [printed.rstrip(), *results]))[-MOST_CHARACTERS:])
    lines = text.rstrip().split("\n")[-LINES_OF_NUMBERS:]
    shown = "\n".join(line[:500] for line in lines)
    return as_html([_printed(shown)]) if shown.strip() else ""


def beside_html(cell: Mapping[str, Any], renderer: Renderer, address: Address) -> str:
    """Return the pictures, code without docstrings, or text of a cell that an answer is about."""
    if cell.get("cell_type") != "code":
        return renderer.markdown(text_of(cell.get("source"))[:_TEXT_ANSWER])
    outputs = _outputs(cell, address)
    if any(output.has_picture for output in outputs):
        outputs.sort(key=lambda output: not output.has_picture)  # pictures first
        return outputs_as_html(outputs)
    source = text_of(cell.get("source"))
    return renderer.code(source, docstrings=False) if source.strip() else ""


def _attachments(cell: Mapping[str, Any]) -> tuple[dict[str, Any], list[Part]]:
    """Return the attached pictures of a text that can be shown, and notes on the others."""
    attached = cell.get("attachments")
    shown, notes = {}, []
    for name, bundle in attached.items() if isinstance(attached, dict) else ():
        try:
            if picture := picture_in(bundle):
                picture.content()
            shown[name] = bundle
        except NotShown as why:
            notes.append(Part("note", str(why)))
    return shown, notes


def _outputs(cell: Mapping[str, Any], address: Address) -> list[Part]:
    number = 0
    parts = []
    allowance = Allowance()
    for output in outputs_of(cell):
        kind, data = output.get("output_type"), output.get("data")
        if kind == "stream":
            shown = _cleaned(text_of(output.get("text")))
            if shown.strip():
                is_error = output.get("name") == "stderr"
                parts.append(_printed(shown, "stderr" if is_error else "text"))
        elif kind == "error":
            parts.append(Part("error", error_of(output)))
        elif kind in ("display_data", "execute_result"):
            if picture := picture_in(data):
                number += 1
                if number <= MOST_PICTURES:
                    parts.append(_picture(picture, address(number - 1), number))
                elif number == MOST_PICTURES + 1:
                    note = f"More pictures than {MOST_PICTURES} are not shown."
                    parts.append(Part("note", note))
            elif isinstance(data, dict):
                parts.append(_bundle(data, allowance))
    return parts or [Part("note", "The code has no output.")]


def _picture(picture: Picture, address: str, number: int) -> Part:
    try:
        picture.content()
        return Part("picture", address, number)
    except NotShown as why:
        return Part("note", str(why))


def _bundle(data: Mapping[str, Any], allowance: Allowance) -> Part:
    """Show an output without a picture that can be shown: as HTML, text or a note."""
    if markup := text_of(data.get("text/html")):
        return Part("html", clean_html(markup, uri_of, allowance))
    if svg := text_of(data.get(SVG)):
        return Part("note", not_drawn(len(svg.encode("utf-8", "replace"))))
    if text := text_of(data.get("text/plain")):
        return _printed(_cleaned(text))
    kinds = plain(", ".join(map(str, data)), 100)
    return Part("note", f"An output of type {kinds} is not shown.")


def _printed(text: str, kind: Literal["text", "stderr"] = "text") -> Part:
    return Part(kind, visible(cut(text, MOST_CHARACTERS)))


def _cleaned(text: str) -> str:
    """Drop terminal control codes, and lines with a progress bar."""
    lines = without_codes(text).split("\n")
    return "\n".join(line for line in lines if not _PROGRESS.search(line[:500]))
