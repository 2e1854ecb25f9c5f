"""What one cell becomes, while it is written: its expressions, pictures and warnings."""

from __future__ import annotations

import base64
import hashlib
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hw_support.desk.pdf.text import literal

__all__ = ["PictureError", "Pictures", "Sheet"]

PICTURE_WIDTH, PICTURE_HEIGHT = 470.0, 420.0  # in points
_POINTS_PER_PIXEL = 0.72  # matplotlib draws 100 pixels to the inch
_MOST_PIXELS = 100_000_000
_MANY_PIXELS = 6_000_000  # more than a printer shows on a page
_LONGEST_SIDE = 2400


class PictureError(ValueError):
    """A picture that cannot be shown; the message says why."""


@dataclass
class Pictures:
    """The pictures of a document, each a file in the folder that typst sees.

    Attributes
    ----------
    folder : Path
        Where they are written, each once.
    refused : set of str
        The names of files that typst does not take.
    """

    folder: Path
    refused: set[str] = field(default_factory=set)
    _known: dict[str, str] = field(default_factory=dict)

    def expression(self, content: str, kind: str, alt: str, width: float = 0) -> tuple[str, int]:
        """Store a picture, and return what shows it within a page.

        Parameters
        ----------
        content : str
            The file in base64; SVG also as it is.
        kind : str
            Its media type, such as ``image/png``.
        alt : str
            Words in its place for those who cannot see it.
        width : float
            Pixels that it is wide on a screen; 0 for as many as it has.

        Returns
        -------
        expression : str
            The typst expression; of a moving picture it shows the first frame.
        frames : int
            How many there are.

        Raises
        ------
        PictureError
            When it is no picture, or far too large.
        """
        described = f"alt: {literal(alt)}"
        if kind == "image/svg+xml":
            drawing = content.encode("utf-8", "replace")
            if not drawing.lstrip().startswith(b"<"):
                drawing = _decoded(content)
            return f"fitted(image({literal(self._named(drawing, 'svg'))}, {described}))", 1
        picture, suffix, pixels, frames = _usable(_decoded(content))
        across = (width or pixels[0]) * _POINTS_PER_PIXEL
        down = across * pixels[1] / pixels[0]
        scale = min(1.0, PICTURE_WIDTH / across, PICTURE_HEIGHT / down)
        name = self._named(picture, suffix)
        return f"image({literal(name)}, width: {across * scale:.1f}pt, {described})", frames

    def _named(self, content: bytes, suffix: str) -> str:
        digest = hashlib.sha256(content).hexdigest()
        if digest not in self._known:
            self._known[digest] = name = f"picture{len(self._known)}.{suffix}"
            (self.folder / name).write_bytes(content)
        if self._known[digest] in self.refused:
            raise PictureError("it is damaged, or needs another file")
        return self._known[digest]


def _decoded(content: str) -> bytes:
    try:
        return base64.b64decode("".join(content.split()), validate=True)
    except ValueError:
        raise PictureError("its data are damaged") from None


def _usable(content: bytes) -> tuple[bytes, str, tuple[int, int], int]:
    """Return a PNG or JPEG file of a sensible size, its suffix, pixels and frames."""
    from PIL import Image  # slow to import; it comes with matplotlib

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(content)) as image:
            pixels = image.size
            if pixels[0] * pixels[1] > _MOST_PIXELS:
                raise PictureError(f"it has {pixels[0]:,} × {pixels[1]:,} pixels, too many")
            frames = getattr(image, "n_frames", 1)
            few = pixels[0] * pixels[1] <= _MANY_PIXELS
            if image.format in ("PNG", "JPEG") and frames == 1 and few:
                return content, image.format.lower(), pixels, 1
            shown = image.convert("RGBA" if image.has_transparency_data else "RGB")
            shown.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
            stream = io.BytesIO()
            shown.save(stream, "PNG")
            return stream.getvalue(), "png", pixels, frames
    except PictureError:
        raise
    except Exception as error:  # each of Pillow's formats has errors of its own
        raise PictureError("it is no picture, or a damaged one") from error


@dataclass
class Sheet:
    """One cell on its way to paper.

    Attributes
    ----------
    label : str
        How warnings name the cell.
    pictures : Pictures
        Those of the whole document.
    failed : frozenset of int
        The numbers of the expressions that typst has rejected.
    warnings : list of str
        Sentences about what is shown as text.
    """

    label: str
    pictures: Pictures
    failed: frozenset[int] = frozenset()
    warnings: list[str] = field(default_factory=list)
    _count: int = 0

    def warn(self, sentence: str) -> None:
        """Add a sentence, which goes on after the name of the cell, unless it is there."""
        whole = f"{self.label}: {sentence}"
        if whole not in self.warnings:
            self.warnings.append(whole)

    def risky(self, expression: str, instead: Callable[[], str]) -> str:
        """Return an expression that typst may reject, or the one in its place once it has.

        The number stands on the expression's line, which is the line that typst's errors name.
        """
        self._count += 1
        if self._count in self.failed:
            return instead()
        return f"\n/*risk {self._count}*/ {expression}\n"

    def picture(self, content: str, kind: str, alt: str, width: float = 0) -> str:
        """Return the expression for a picture, or for a note in its place."""

        def instead(reason: str = "it is no picture, or a damaged one") -> str:
            self.warn(f"a picture ({alt}) cannot be shown: {reason}. A note stands in its place.")
            return f"note({literal(f'[Picture that cannot be shown: {alt}; {reason}.]')})"

        try:
            expression, frames = self.pictures.expression(content, kind, alt, width)
            if frames > 1:
                self.warn(f"of a moving picture ({alt}) the first of {frames} frames is shown.")
            return self.risky(expression, instead)
        except PictureError as error:
            return instead(str(error))
