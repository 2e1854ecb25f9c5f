"""The size of a raster picture, read from its header before anything decodes it."""

import io
import math

from PIL import Image

FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF"}
MAX_PIXELS = 16_000_000  # a few kilobytes can decode to more than a browser's memory
MOST_SCANS = 60  # in a JPEG. Each scan covers the whole picture; a few megabytes can have 300,000
_USUAL_SCANS = 10
_SCAN = b"\xff\xda"  # begins a scan; it does not occur inside a scan's data


class TooLarge(ValueError):
    """The picture has so many pixels that its size is not read."""


def size_of(mime: str, raw: bytes) -> tuple[int, int]:
    """Return width and height; `ValueError` if the picture does not match its type."""
    try:
        with Image.open(io.BytesIO(raw), formats=[FORMATS[mime]]) as image:
            return image.size
    except Image.DecompressionBombError:
        raise TooLarge("the picture is too large") from None
    except Exception:  # Pillow may raise any error on a hostile file
        raise ValueError("the picture does not match its type") from None


def has_many_scans(mime: str, raw: bytes) -> bool:
    """Return whether a picture is a JPEG with so many scans that decoding takes long."""
    return mime == "image/jpeg" and raw.count(_SCAN) > MOST_SCANS


def pixels_of(mime: str, raw: bytes) -> float:
    """Return the pixels that a picture counts for: more if it is a JPEG with more scans than usual.

    `ValueError` if the picture does not match its type.
    """
    scans = raw.count(_SCAN) if mime == "image/jpeg" else 0
    return math.prod(size_of(mime, raw)) * max(1.0, scans / _USUAL_SCANS)


def is_light(mime: str, raw: bytes) -> bool:
    """Return whether a browser can decode a picture quickly, and has the memory for it."""
    try:
        return math.prod(size_of(mime, raw)) <= MAX_PIXELS and not has_many_scans(mime, raw)
    except ValueError:
        return False
