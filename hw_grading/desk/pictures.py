"""Thumbnails of the pictures that students' code drew."""

import io
import threading
from collections.abc import Mapping
from typing import Any

from PIL import Image

from hw_grading.rendering.pictures import content_of, pictures_of

MIME = "image/webp"
WIDTH, HEIGHT = 320, 320  # pixels, at most


class Thumbnails:
    """The thumbnails of all homeworks, by the digest of the answer: a changed one gets a new one.

    They are kept in memory; beyond `most`, the oldest are dropped.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._kept: dict[str, bytes] = {}
        self._one = threading.Lock()  # one at a time, because decoding takes memory

    def kept(self, digest: str) -> bytes | None:
        """Return an answer's thumbnail: b"" if it can have none, None if it is not made yet."""
        return self._kept.get(digest)

    def make(self, cell: Mapping[str, Any], digest: str) -> bytes:
        """Return an answer's thumbnail, made if it is missing; b"" if it has no valid picture."""
        with self._one:
            if digest not in self._kept:
                self._kept[digest] = _thumbnail(cell)
            made = self._kept[digest]
            while len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]
        return made


def _thumbnail(cell: Mapping[str, Any]) -> bytes:
    try:
        raw = content_of(*pictures_of(cell)[0])
        with Image.open(io.BytesIO(raw), formats=["PNG", "JPEG"]) as image:
            image.draft("RGB", (2 * WIDTH, 2 * HEIGHT))  # a JPEG is decoded at reduced size
            image.thumbnail((WIDTH, HEIGHT), Image.Resampling.BILINEAR, reducing_gap=2.0)
            with_alpha = image.convert("RGBA")
        on_white = Image.new("RGB", with_alpha.size, "white")
        on_white.paste(with_alpha, mask=with_alpha.getchannel("A"))
        stream = io.BytesIO()
        on_white.save(stream, "WEBP", quality=80, method=2)
        return stream.getvalue()
    except Exception:  # no picture, or any error of Pillow on a hostile file
        return b""
