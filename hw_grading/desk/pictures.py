"""The pictures in an answer's outputs, which students make.

The size is read from the picture's header before anything decodes it.
"""

import base64
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hw_grading.pages.aside import PICTURES, picture_uri
from hw_grading.pages.rasters import (
    FORMATS,
    MAX_PIXELS,
    MOST_SCANS,
    TooLarge,
    has_many_scans,
    size_of,
)
from hw_grading.records.graded_notebook import outputs_of, text_of

MAX_BYTES = 10_000_000
MOST_PICTURES = 6  # of one answer


class NotShown(Exception):
    """The picture is not shown. The text says why."""


@dataclass(frozen=True)
class Picture:
    """A picture as a notebook has it: its type, and its bytes in base64."""

    mime: str
    data: str

    def content(self) -> bytes:
        """Return the picture's bytes; `NotShown` if it is too large, or does not match its type."""
        text = "".join(self.data.split())
        if len(text) * 3 // 4 > MAX_BYTES:
            raise NotShown(f"A picture of more than {MAX_BYTES:,} bytes is not shown.")
        name = FORMATS[self.mime]
        try:
            raw = base64.b64decode(text, validate=True)
            if not raw.startswith(PICTURES[self.mime]):
                raise ValueError
            width, height = size_of(self.mime, raw)
        except TooLarge:
            raise NotShown(f"A picture of more than {MAX_PIXELS:,} pixels is not shown.") from None
        except ValueError:
            raise NotShown(f"A picture is not shown: it is not a {name}.") from None
        if width * height > MAX_PIXELS:
            raise NotShown(f"A picture of {width:,} × {height:,} pixels is not shown.")
        if has_many_scans(self.mime, raw):
            raise NotShown(f"A picture with more than {MOST_SCANS} scans is not shown.")
        return raw


def uri_of(mime: str, data: str) -> str | None:
    """Return a picture in a text as a data URI; None if it is not shown."""
    if mime in FORMATS:
        try:
            Picture(mime, data).content()
        except NotShown:
            return None
    return picture_uri(mime, data)


def pictures_of(cell: Mapping[str, Any]) -> list[Picture]:
    """Return the pictures in a code cell's outputs, in order; an empty list for a text cell."""
    if cell.get("cell_type") != "code":
        return []
    found = (picture_in(output.get("data")) for output in outputs_of(cell))
    return [picture for picture in found if picture]


def picture_in(bundle: Any) -> Picture | None:
    """Return the picture in a bundle of data by type, if the data begin like that type."""
    if isinstance(bundle, dict):
        for mime in FORMATS:
            data = text_of(bundle.get(mime))
            with contextlib.suppress(ValueError):
                if base64.b64decode(data.lstrip()[:16], validate=True).startswith(PICTURES[mime]):
                    return Picture(mime, data)
    return None
