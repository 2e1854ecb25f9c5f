"""Which pictures a page shows: PNG and JPEG that a browser can decode quickly.

A few kilobytes can decode to more than a browser's memory, so the size is read from the picture's
header before anything decodes it. Pictures of other kinds are named: a few lines of SVG can keep a
browser busy for hours.
"""

import base64
import io
import math
from collections.abc import Mapping
from typing import Any

from PIL import Image

from hw_grading.gradebook.graded_notebook import outputs_of
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


class NotShown(ValueError):
    """The picture is not shown. The text, a sentence, says why."""


def content_of(mime: str, data: str) -> bytes:
    """Return the bytes of a picture in base64, if a page may show it; else raise `NotShown`."""
    if len(data) * 3 // 4 > MAX_BYTES + 1_000_000:  # with line ends
        raise NotShown(f"A picture of more than {MAX_BYTES / 1e6:.0f} MB is not shown.")
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


def uri_in(bundle: Any) -> str | None:
    """Return the picture in a bundle of data by type as a data URI; None if it has no picture.

    `NotShown` if the bundle has a picture that may not be shown.
    """
    if not isinstance(bundle, Mapping):
        return None
    for mime in _FORMATS:
        if data := text_of(bundle.get(mime)):
            return f"data:{mime};base64,{base64.b64encode(content_of(mime, data)).decode()}"
    for mime in bundle:
        if str(mime).startswith("image/") and mime not in _FORMATS:
            raise NotShown(
                f"A picture of the kind {plain(mime, 60)} is not shown: open the notebook."
            )
    return None


def is_shown(uri: str) -> bool:
    """Return whether an address is a picture in itself, and may be shown."""
    kind, _, data = uri.partition(";base64,")
    try:
        return bool(content_of(kind.removeprefix("data:"), data))
    except (KeyError, NotShown):
        return False


def pictures_of(cell: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return type and base64 data of what begins like a PNG or JPEG in a code cell's outputs."""
    if cell.get("cell_type") != "code":
        return []
    bundles = [data for o in outputs_of(cell) if isinstance(data := o.get("data"), Mapping)]
    return [
        (mime, data)
        for bundle in bundles
        for mime in _FORMATS
        if (data := text_of(bundle.get(mime))).lstrip().startswith(_BEGINNINGS[mime])
    ]
