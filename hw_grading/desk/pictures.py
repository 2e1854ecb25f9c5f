"""Thumbnails of the pictures that students' code drew."""

import io
import threading
from collections.abc import Mapping
from typing import Any

from PIL import Image

from hw_grading.rendering.pictures import content_of, pictures_of

WIDTH, HEIGHT = 320, 320  # pixels, at most
LARGER = 3  # how many times as large a picture is that a grader points at
_WEBP = "image/webp"

Thumbnail = tuple[str, bytes]  # type and content; ("", b"") if there is no picture


class Thumbnails:
    """The thumbnails of all homeworks, by the digest of the answer: a changed one gets a new one.

    They are kept in memory; beyond `most`, the oldest are dropped.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._kept: dict[str, Thumbnail] = {}
        self._one = threading.Lock()  # one at a time, because decoding takes memory

    def kept(self, digest: str) -> Thumbnail | None:
        """Return an answer's thumbnail; None if it is not kept."""
        return self._kept.get(digest)

    def make(self, cell: Mapping[str, Any], digest: str) -> Thumbnail:
        """Return an answer's thumbnail, made if it is missing."""
        with self._one:
            if digest in self._kept:
                return self._kept[digest]
            made = self._kept[digest] = _thumbnail(cell)
            while len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]
        return made

    def larger(self, cell: Mapping[str, Any]) -> Thumbnail:
        """Return an answer's first picture, so large that the lines of any figure are seen."""
        with self._one:
            return _thumbnail(cell, LARGER)


def _thumbnail(cell: Mapping[str, Any], times: int = 1) -> Thumbnail:
    width, height = times * WIDTH, times * HEIGHT
    try:
        mime, data = pictures_of(cell)[0]
        with Image.open(io.BytesIO(content_of(mime, data)), formats=["PNG", "JPEG"]) as image:
            image.draft("RGB", (2 * width, 2 * height))  # a JPEG is decoded at reduced size
            image.thumbnail((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
            with_alpha = image.convert("RGBA")
        on_white = Image.new("RGB", with_alpha.size, "white")
        on_white.paste(with_alpha, mask=with_alpha.getchannel("A"))
        stream = io.BytesIO()
        on_white.save(stream, "WEBP", quality=80, method=2)
        return _WEBP, stream.getvalue()
    except Exception:  # no picture, or any error of Pillow on a hostile file
        return "", b""
