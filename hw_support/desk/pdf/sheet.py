"""The formulas and pictures of a notebook: what typst may reject stands in lines of its own."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hw_support.desk.pdf.markdown import Formula
from hw_support.desk.pdf.pages import Entry
from hw_support.desk.pdf.text import broken, excerpt, literal

__all__ = ["Line", "Sheet"]

_WIDTH, _HEIGHT = 470.0, 420.0  # of pictures at most, in points
_POINTS_PER_PIXEL = 0.72  # matplotlib draws 100 pixels to the inch
_MOST_PIXELS = 100_000_000
_MANY_PIXELS = 6_000_000  # more than a printer shows on a page
_LONGEST_SIDE = 2400
_LONGEST_IN_FORMULA = 70  # characters of text, which do not wrap
_PASSED_OVER = re.compile(r"\\(?:color|hline)\b")
_RULED_ARRAY = re.compile(r"\\begin\{array\}\s*(?:\[\w\])?\s*\{[^}]*\|")


class _PictureError(ValueError):
    """A picture that cannot be shown; the message says why."""


@dataclass(eq=False)
class Line:
    """Lines of the typst file that belong to a cell, and what replaces them if typst fails."""

    typst: str
    entry: Entry | None = None
    instead: Callable[[], str] | None = None

    def simplify(self) -> None:
        """Write what is certain in the place of what typst rejects."""
        if self.instead:
            self.typst, self.instead = self.instead(), None


@dataclass
class Sheet:
    """One cell on its way to paper: its formulas and pictures, each defined on a line.

    Its other lines name them, as ``#it3_1;``. Pictures are written into the folder that typst sees.
    """

    entry: Entry
    folder: Path
    formulas: dict[str, Formula] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    reason: str = ""  # why the cell is shown as its source

    def formula(self, formula: Formula) -> str:
        """Return the typst that shows a formula, which `define` gets when it is converted."""
        name = self._name()
        self.formulas[name] = formula
        return f"#{name};"

    def _name(self) -> str:
        return f"it{self.entry.number}_{len(self.formulas) + len(self.lines)}"

    def define(self, name: str, converted: str | None) -> None:
        """Define a formula as mathematics, or as TeX, with a warning, if it was not converted."""
        formula = self.formulas[name]
        source, tex = formula.source, formula.tex

        def instead() -> str:
            self.entry.warn(
                f"a formula that cannot be converted is shown as TeX: {excerpt(source)}"
            )
            call = "texblock" if formula.display else "raw"
            return f"#let {name} = {call}({literal(broken(source, 40))})"

        strings = re.findall(r'"(?:\\.|[^"\\])*"', converted or "")
        if converted is None or max(map(len, strings), default=0) > _LONGEST_IN_FORMULA:
            self.lines.append(Line(instead(), self.entry))
            return
        shown = f'eval({literal(converted)}, mode: "math")' if converted else "[]"
        tag = re.search(r"\\tag\*?\{([^{}]*)\}", tex) if formula.display else None
        lost = dict.fromkeys(_PASSED_OVER.findall(tex))
        if len(re.findall(r"\\tag\b", tex)) > bool(tag):
            lost[r"\tag"] = None
        if _RULED_ARRAY.search(tex):
            lost["a line between columns"] = None
        if lost:
            self.entry.warn(f"{', '.join(lost)} cannot be shown in a formula: {excerpt(source)}")
        if formula.display and converted:
            label = f", number: {literal(f'({tag[1]})')}" if tag else ""
            shown = f"display({shown}, {literal(source)}{label})"
        elif converted:
            shown = f"math.equation({shown})"
        self.lines.append(Line(f"#let {name} = {shown}", self.entry, instead))

    def picture(self, content: str, kind: str, alt: str, width: float = 0) -> str:
        """Return the typst that shows a picture, or a note in its place.

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
        """
        name = self._name()

        def instead(reason: str = "it is damaged, or needs another file") -> str:
            self.entry.warn(
                f"a picture ({alt}) cannot be shown: {reason}. A note stands in its place."
            )
            note = literal(f"[Picture that cannot be shown: {alt}; {reason}.]")
            return f"#let {name} = note({note})"

        try:
            if kind == "image/svg+xml":
                drawing = content.encode("utf-8", "replace")
                svg = drawing.lstrip().startswith(b"<")
                file, across = self._file(drawing if svg else _decoded(content), "svg"), 0.0
            else:
                picture, suffix, pixels, frames = _usable(_decoded(content))
                if frames > 1:
                    self.entry.warn(
                        f"of a moving picture ({alt}) the first of {frames} frames is shown."
                    )
                across = (width or pixels[0]) * _POINTS_PER_PIXEL
                down = across * pixels[1] / pixels[0]
                across *= min(1.0, _WIDTH / across, _HEIGHT / down)
                file = self._file(picture, suffix)
            size = f"width: {across:.1f}pt, " if across else ""
            shown = f"image({literal(file)}, {size}alt: {literal(alt)})"
            shown = shown if across else f"fitted({shown})"
            self.lines.append(Line(f"#let {name} = {shown}", self.entry, instead))
        except _PictureError as error:
            self.lines.append(Line(instead(str(error)), self.entry))
        return f"#{name};"

    def _file(self, content: bytes, suffix: str) -> str:
        name = f"picture{hashlib.sha256(content).hexdigest()}.{suffix}"
        (self.folder / name).write_bytes(content)
        return name


def _decoded(content: str) -> bytes:
    try:
        return base64.b64decode("".join(content.split()), validate=True)
    except ValueError:
        raise _PictureError("its data are damaged") from None


def _usable(content: bytes) -> tuple[bytes, str, tuple[int, int], int]:
    """Return a PNG or JPEG file of a sensible size, its suffix, pixels and frames."""
    from PIL import Image  # slow to import; it comes with matplotlib

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(content)) as image:
            pixels = image.size
            if pixels[0] * pixels[1] > _MOST_PIXELS:
                raise _PictureError(f"it has {pixels[0]:,} × {pixels[1]:,} pixels, too many")
            frames = getattr(image, "n_frames", 1)
            few = pixels[0] * pixels[1] <= _MANY_PIXELS
            if image.format in ("PNG", "JPEG") and frames == 1 and few:
                return content, image.format.lower(), pixels, 1
            shown = image.convert("RGBA" if image.has_transparency_data else "RGB")
            shown.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
            stream = io.BytesIO()
            shown.save(stream, "PNG")
            return stream.getvalue(), "png", pixels, frames
    except _PictureError:
        raise
    except Exception as error:  # each of Pillow's formats has errors of its own
        raise _PictureError("it is no picture, or a damaged one") from error
