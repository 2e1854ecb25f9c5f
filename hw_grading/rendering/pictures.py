"""Which pictures a page shows: PNG and JPEG that a browser can draw quickly.

A few kilobytes can decode to more than a browser's memory, so the size is read from the picture's
header before anything decodes it. Pictures of other kinds are named. SVG is one of these: its
elements may use others that use others, for hours. (A graded run shows figures as PNG.)
"""

import base64
import io
import math
from collections.abc import Mapping
from typing import Any

from PIL import Image

from hw_grading.notebooks import outputs_of
from hw_grading.rendering.limits import NotShown, PageLimits
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
_BEGINNINGS = {"image/png": "iVBORw0KGg", "image/jpeg": "/9j/"}  # in base64


def content_of(mime: str, data: str, limits: PageLimits | None = None) -> bytes:
    """Return the bytes of a picture, if a page may show it; else raise `NotShown`.

    `data` is in base64, as in an output of a notebook.
    """
    if len(data) * 3 // 4 > MAX_BYTES + 1_000_000:  # with line ends
        raise NotShown(f"A picture of more than {MAX_BYTES / 1e6:.0f} MB is not shown.")
    (limits or PageLimits()).take(data)
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


def uri_in(bundle: Any, limits: PageLimits | None = None) -> str | None:
    """Return the picture in a bundle of data by type as a data URI; None if it has no picture.

    `NotShown` if the bundle has a picture that may not be shown, or is too much for its page.
    """
    if not isinstance(bundle, Mapping):
        return None
    for mime in _FORMATS:
        if data := text_of(bundle.get(mime)):
            content = base64.b64encode(content_of(mime, data, limits)).decode()
            return f"data:{mime};base64,{content}"
    for mime in bundle:
        if str(mime).startswith("image/"):
            raise NotShown(
                f"A picture of the kind {plain(mime, 60)} is not shown: open the notebook."
            )
    return None


def bundle_of(address: str) -> dict[str, str]:
    """Return the data by type of an address that is a picture in itself."""
    kind, _, data = address.partition(";base64,")
    return {kind.removeprefix("data:"): data}


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
    return None
