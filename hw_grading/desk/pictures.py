"""The pictures in an answer's outputs, which students make, and thumbnails of them.

The size is read from the picture's header before anything decodes it. Thumbnails are made once and
cached in a folder of the user. The cache key is the digest of the answer, so a changed answer gets
a new thumbnail. If the folder is lost, the thumbnails are made again.
"""

import base64
import contextlib
import hashlib
import io
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from platformdirs import user_cache_path

from hw_grading.gradebook.graded_notebook import outputs_of
from hw_grading.gradebook.writing import write_whole
from hw_grading.rendering.aside import PICTURES, picture_uri
from hw_grading.rendering.rasters import (
    FORMATS,
    MAX_PIXELS,
    MOST_SCANS,
    TooLarge,
    has_many_scans,
    size_of,
)
from hw_support.submission.cells import text_of

MAX_BYTES = 10_000_000
MOST_PICTURES = 6  # of one answer
WIDTH, HEIGHT = 320, 320  # pixels, at most
MIME = "image/webp"
_MOST_BYTES = 200_000_000
_VERSION = "1"  # of the thumbnails' look, part of the cache key


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


class Thumbnails:
    """The thumbnails of all homeworks. Beyond `most_bytes`, the oldest are removed."""

    def __init__(self, folder: Path | None = None, most_bytes: int = _MOST_BYTES) -> None:
        self.folder = folder or user_cache_path("hw-grading") / "thumbnails"
        self._most = most_bytes
        self._one = threading.Semaphore(1)  # one at a time, because decoding takes memory
        self._since_pruned: int | None = None

    def kept(self, digest: str) -> bytes | None:
        """Return an answer's thumbnail: b"" if it can have none, None if it is not made yet."""
        try:
            return self._path(digest).read_bytes()
        except OSError:
            return None

    def is_kept(self, digest: str) -> bool:
        """Return whether the thumbnail was made already."""
        return self._path(digest).exists()

    def make(self, cell: Mapping[str, Any], digest: str) -> bytes:
        """Return an answer's thumbnail, made if it is missing; b"" if it has no valid picture."""
        with self._one:
            thumbnail = self.kept(digest)
            if thumbnail is None:
                thumbnail = _thumbnail(cell)
                self._keep(digest, thumbnail)
        return thumbnail

    def _path(self, digest: str) -> Path:
        name = hashlib.sha256(f"{_VERSION} {digest}".encode()).hexdigest()
        return self.folder / name[:2] / name[2:34]

    def _keep(self, digest: str, thumbnail: bytes) -> None:
        path = self._path(digest)
        with contextlib.suppress(OSError):  # the disk is full: it is made again next time
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.mkdir(exist_ok=True)
            write_whole(path, thumbnail)
        if self._since_pruned is None or self._since_pruned > self._most // 10:
            self._prune()
            self._since_pruned = 0
        self._since_pruned += len(thumbnail)

    def _prune(self) -> None:
        """Remove the oldest thumbnails until the cache is at nine tenths of its limit."""
        files = []
        for path in self.folder.glob("??/*"):
            with contextlib.suppress(OSError):
                about = path.stat()
                files.append((about.st_mtime, about.st_size, path))
        size = sum(file[1] for file in files)
        limit = size if size <= self._most else self._most * 9 // 10
        for _, bytes_of_it, path in sorted(files):
            if size <= limit:
                break
            with contextlib.suppress(OSError):
                path.unlink()
                size -= bytes_of_it


def _thumbnail(cell: Mapping[str, Any]) -> bytes:
    try:
        raw = pictures_of(cell)[0].content()
        with Image.open(io.BytesIO(raw), formats=["PNG", "JPEG", "GIF"]) as image:
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
