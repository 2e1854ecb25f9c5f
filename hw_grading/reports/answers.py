"""One cell's answer, which a student wrote, as HTML that is safe to open.

- A written answer passes through `hw_grading.pages.safe_html`; its headings are not the page's.
- Printed output is shown as text, cut at some length (`escaped`).
- A picture is shown only if it is a PNG (`png_uri`). Other outputs are not shown.
"""

import base64
import contextlib
import html
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from hw_grading.pages.mathematics import Budget
from hw_grading.pages.rasters import MAX_PIXELS
from hw_grading.pages.safe_html import render_markdown
from hw_grading.pages.templates import templates_in
from hw_grading.pages.terminal import shown, without_controls
from hw_grading.records.graded_notebook import error_of, errors_in, outputs_of, plain, text_of

MAX_PICTURE_BYTES = 2_000_000
MAX_PICTURES = 6  # of one cell
MAX_CHARACTERS = 20_000  # of one answer or output

_PNG = b"\x89PNG\r\n\x1a\n"
_IHDR = struct.Struct(">8sI4sII")
_TAG = r"""[^>"]*(?:"[^"]*"[^>"]*)*>"""
_ANCHOR = re.compile(rf"<a {_TAG}¶</a>")
_AS_TEXT = templates_in(Path(__file__).parent).get_template("plots_text.html.j2")
_BEGIN, _END = (re.compile(rf"<{slash}h[1-6](?:>|\s{_TAG})") for slash in ("", "/"))


@dataclass(frozen=True)
class Answer:
    """The parts of a cell that are shown."""

    text: str = ""  # the written answer as HTML
    pictures: tuple[str, ...] = ()  # Data URIs
    # the errors, and notes on what is not shown; a line each
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    printed: str = ""  # the printed output, unchanged

    @property
    def long(self) -> bool:
        """Whether a text may be too long for its card; then the card scrolls, also by keyboard."""
        return any(len(x) > 400 or x.count("\n") > 10 for x in (self.text, self.printed))


def answer_in(cell: Mapping[str, Any], budget: Budget) -> Answer:
    """Return the outputs of a code cell, or the text of any other cell, with unchecked content."""
    if cell.get("cell_type") != "code":
        attached = cell.get("attachments")
        attached = attached if isinstance(attached, dict) else {}
        _, notes = _pictures(attached.values())
        text = text_of(cell.get("source"))
        return Answer(text=prose(text, budget, attached), notes=notes)
    outputs = outputs_of(cell)
    bundles = [o["data"] for o in outputs if isinstance(o.get("data"), dict)]
    pictures, notes = _pictures(bundles)
    if not pictures:
        notes = ("There is no plot.", *notes)
    printed = "".join(text_of(o.get("text")) for o in outputs if o.get("output_type") == "stream")
    results = [text_of(b.get("text/plain")) for b in bundles if "image/png" not in b]
    return Answer(
        pictures=pictures,
        errors=tuple(map(error_of, errors_in(cell))),
        notes=notes,
        printed="\n".join(filter(None, [printed.rstrip(), *results])),
    )


def prose(text: str, budget: Budget, attachments: Mapping[str, Any] | None = None) -> Markup:
    """Render markdown for a page that has its own headings."""
    text = text.strip()
    if not text or len(text) > MAX_CHARACTERS:
        return Markup(_AS_TEXT.render(text=escaped(text)))
    pictures: set[str] = set()

    def picture(mime: str, data: str) -> str | None:
        with contextlib.suppress(ValueError):
            uri = png_uri(data) if mime == "image/png" else None
            if uri and (uri in pictures or len(pictures) < MAX_PICTURES):
                pictures.add(uri)
                return uri
        return None

    attachments = {k: v for k, v in (attachments or {}).items() if isinstance(v, dict)}
    rendered = render_markdown(text.replace("\r", "\n"), attachments, budget, picture)
    rendered = _ANCHOR.sub("", rendered)
    rendered = _BEGIN.sub('<div class="heading">', _END.sub("</div>", rendered))
    return Markup(without_controls(rendered))


def escaped(text: str, limit: int = MAX_CHARACTERS) -> Markup:
    """Return a text as HTML, cut after `limit` characters."""
    return Markup(html.escape(without_controls(shown(text, limit))))


def png_uri(data: Any) -> str:
    """Return a notebook's PNG as a data URI; `ValueError` if it is not a PNG, or too large."""
    text = "".join(text_of(data).split())
    if len(text) > MAX_PICTURE_BYTES * 4 / 3 + 4:
        raise ValueError(f"it is larger than {MAX_PICTURE_BYTES:,} bytes")
    try:
        raw = base64.b64decode(text, validate=True)
        signature, _, chunk, width, height = _IHDR.unpack_from(raw)
    except (ValueError, struct.error):
        raise ValueError("it is not a PNG") from None
    if signature != _PNG or chunk != b"IHDR":
        raise ValueError("it is not a PNG")
    if not 0 < width * height <= MAX_PIXELS:
        raise ValueError(f"it has {width} × {height} pixels")
    return "data:image/png;base64," + base64.b64encode(raw).decode("ascii")


def _pictures(bundles: Iterable[Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the PNGs in bundles of data by type, and notes on what is not shown."""
    pictures: list[str] = []
    notes = []
    for bundle in bundles:
        if not isinstance(bundle, dict):
            continue
        if "image/png" in bundle and len(pictures) < MAX_PICTURES:
            try:
                pictures.append(png_uri(bundle["image/png"]))
            except ValueError as why:
                notes.append(f"A picture is not shown: {why}.")
        elif "image/png" in bundle:
            notes.append(f"More pictures than {MAX_PICTURES} are not shown.")
        elif kinds := [kind for kind in bundle if kind != "text/plain"]:
            kind = plain(str(kinds[0]), 40)
            notes.append(f"An output of type {kind} is not shown here; formgrader may show it.")
    return tuple(pictures), tuple(dict.fromkeys(notes))
