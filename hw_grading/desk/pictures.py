"""The pictures that an answer's code left in its outputs.

A picture is a student's: its size is read from its head before anything decodes it, and what is too
large is not sent.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from hw_grading.pages.aside import picture_uri
from hw_grading.records.graded_notebook import outputs_of, text_of

MAX_BYTES = 10_000_000
MAX_PIXELS = 16_000_000  # one of a few kilobytes can have more than a browser's memory holds
MOST_SCANS = 60  # of a JPEG, each over the whole picture; there may be 300,000 in a few megabytes
MOST_PICTURES = 6  # of one answer

_FORMATS = {
    "image/png": ("PNG", (b"\x89PNG\r\n\x1a\n",)),
    "image/jpeg": ("JPEG", (b"\xff\xd8\xff",)),
    "image/gif": ("GIF", (b"GIF87a", b"GIF89a")),
}

_SCAN = b"\xff\xda"  # begins one; within its data no such bytes are


class NotShown(Exception):
    """A picture that is not shown; the text says why."""


@dataclass(frozen=True)
class Picture:
    """A picture as a notebook has it: its type, and its bytes in base64."""

    mime: str
    data: str

    def content(self) -> bytes:
        """Return its bytes.

        Raises
        ------
        NotShown
            It is too large, or is not what its type says.
        """
        text = "".join(self.data.split())
        if len(text) * 3 // 4 > MAX_BYTES:
            raise NotShown(f"A picture of more than {MAX_BYTES:,} bytes is not shown.")
        name, beginnings = _FORMATS[self.mime]
        try:
            raw = base64.b64decode(text, validate=True)
            if not raw.startswith(beginnings):
                raise ValueError
            with Image.open(io.BytesIO(raw), formats=[name]) as image:
                width, height = image.size
        except Image.DecompressionBombError:
            raise NotShown(f"A picture of more than {MAX_PIXELS:,} pixels is not shown.") from None
        except Exception:  # of a library, on a hostile file
            raise NotShown(f"A picture is not shown: it is no {name}.") from None
        if width * height > MAX_PIXELS:
            raise NotShown(f"A picture of {width:,} × {height:,} pixels is not shown.")
        if name == "JPEG" and raw.count(_SCAN) > MOST_SCANS:
            raise NotShown(f"A picture that is drawn more than {MOST_SCANS} times is not shown.")
        return raw


def uri_of(mime: str, data: str) -> str | None:
    """Return a picture within a text as a data URI; None if it is not shown."""
    if mime in _FORMATS:
        try:
            Picture(mime, data).content()
        except NotShown:
            return None
    return picture_uri(mime, data)


def pictures_of(cell: Mapping[str, Any]) -> list[Picture]:
    """Return the pictures among a code cell's outputs, in order; of a text cell none."""
    if cell.get("cell_type") != "code":
        return []
    found = (picture_in(output.get("data")) for output in outputs_of(cell))
    return [picture for picture in found if picture]


def picture_in(bundle: Any) -> Picture | None:
    """Return the picture in a bundle of data by type, if its data begin as a picture does."""
    if isinstance(bundle, dict):
        for mime, (_, beginnings) in _FORMATS.items():
            data = text_of(bundle.get(mime))
            try:
                head = base64.b64decode(data.lstrip()[:16], validate=True)
            except ValueError:
                continue
            if head.startswith(beginnings):
                return Picture(mime, data)
    return None
