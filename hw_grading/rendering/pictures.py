"""Which pictures a page shows: PNG, JPEG and SVG that a browser can draw quickly.

A few kilobytes can decode to more than a browser's memory, so the size is read from the picture's
header before anything decodes it. `svg` checks SVG. Pictures of other kinds are named.
"""

import base64
import io
import math
from collections.abc import Mapping
from typing import Any

from PIL import Image

from hw_grading.notebooks import outputs_of
from hw_grading.rendering.limits import Limits, NotShown
from hw_grading.rendering.svg import Unsafe, checked_svg
from hw_support.submission.cells import text_of
from hw_support.submission.problems import plain

MAX_PIXELS = 16_000_000
MAX_BYTES = 10_000_000
_MAX_SCANS = 60  # in a JPEG: each scan covers the whole picture
_SCAN = b"\xff\xda"
_FORMATS = {  # the name of each kind, and how its files begin
    "image/png": ("PNG", b"\x89PNG\r\n\x1a\n"),
    "image/jpeg": ("JPEG", b"\xff\xd8\xff"),
}
SVG = "image/svg+xml"
_MAX_PROLOGUE = 2_000  # characters before the first element of an SVG
_BEGINNINGS = {"image/png": "iVBORw0KGg", "image/jpeg": "/9j/"}  # in base64


def content_of(mime: str, data: str, limits: Limits | None = None) -> bytes:
    """Return the bytes of a picture, if a page may show it; else raise `NotShown`.

    `data` is as in an output of a notebook: base64, or the text of an SVG, which is checked.
    """
    if mime == SVG:
        (limits or Limits()).take(data)
        try:
            return checked_svg(data, _is_raster).encode()
        except Unsafe as why:
            raise NotShown(f"An SVG is not shown: {why}. Open the notebook.") from None
    if len(data) * 3 // 4 > MAX_BYTES + 1_000_000:  # with line ends
        raise NotShown(f"A picture of more than {MAX_BYTES / 1e6:.0f} MB is not shown.")
    (limits or Limits()).take(data)
    name, beginning = _FORMATS[mime]
    try:
        raw = base64.b64decode("".join(data.split()), validate=True)
        if not raw.startswith(beginning):
            raise ValueError
        with Image.open(io.BytesIO(raw), formats=[name]) as image:
            pixels = math.prod(image.size)
    except Image.DecompressionBombError:
        pixels = MAX_PIXELS + 1
    except Exception:  # Pillow may raise any error on a hostile file
        raise NotShown(f"A picture is not shown: it is not a {name}.") from None
    if len(raw) > MAX_BYTES or pixels > MAX_PIXELS:
        most = f"{MAX_PIXELS / 1e6:.0f} million pixels or {MAX_BYTES / 1e6:.0f} MB"
        raise NotShown(f"A picture of more than {most} is not shown.")
    if name == "JPEG" and raw.count(_SCAN) > _MAX_SCANS:
        raise NotShown(f"A picture of more than {_MAX_SCANS} scans is not shown.")
    return raw


def uri_in(bundle: Any, limits: Limits | None = None) -> str | None:
    """Return the picture in a bundle of data by type as a data URI; None if it has no picture.

    `NotShown` if the bundle has a picture that may not be shown, or is too much for its page.
    """
    if not isinstance(bundle, Mapping):
        return None
    for mime in (*_FORMATS, SVG):
        if data := text_of(bundle.get(mime)):
            return _uri(mime, content_of(mime, data, limits))
    for mime in bundle:
        if str(mime).startswith("image/"):
            raise NotShown(
                f"A picture of the kind {plain(mime, 60)} is not shown: open the notebook."
            )
    return None


def bundle_of(address: str) -> dict[str, str]:
    """Return the data by type of an address that is a picture in itself."""
    kind, _, data = address.partition(";base64,")
    mime = kind.removeprefix("data:")
    if mime == SVG:
        try:
            data = base64.b64decode(data, validate=True).decode()
        except ValueError:
            data = ""
    return {mime: data}


def pictures_of(cell: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return type and data of what begins like a picture in each output of a code cell."""
    if cell.get("cell_type") != "code":
        return []
    bundles = [data for o in outputs_of(cell) if isinstance(data := o.get("data"), Mapping)]
    return [found for bundle in bundles if (found := _picture_in(bundle))]


def _picture_in(bundle: Mapping[str, Any]) -> tuple[str, str] | None:
    for mime, beginning in _BEGINNINGS.items():
        if (data := text_of(bundle.get(mime)).lstrip()).startswith(beginning):
            return mime, data
    return (SVG, svg) if "<svg" in (svg := text_of(bundle.get(SVG)))[:_MAX_PROLOGUE] else None


def _is_raster(address: str) -> bool:
    """Return whether an address is a PNG or JPEG in itself that may be shown."""
    if address.startswith(f"data:{SVG}"):
        return False
    try:
        return uri_in(bundle_of(address)) is not None
    except NotShown:
        return False


def _uri(mime: str, content: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"
