"""Put each formula and picture, which typst may reject, on lines of its own."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hw_support.desk.pdf.markdown import Formula, plain_text
from hw_support.desk.pdf.text import broken, excerpt, first_line, literal
from hw_support.submission.cells import marks_of

_MOST_PIXELS = 100_000_000
_LONGEST_IN_FORMULA = 70  # characters of text in a formula, where text does not wrap
_PASSED_OVER = {
    r"\color": r"\\color\b",
    r"\hline": r"\\hline\b",
    "a line between columns": r"\\begin\{array\}\s*(?:\[\w\])?\s*\{[^}]*\|",
}


class _PictureError(ValueError):
    """A picture that cannot be shown; the message says why."""


@dataclass(eq=False)
class Line:
    """Lines of the typst file for a cell, and their replacement if typst rejects them."""

    typst: str
    sheet: Sheet | None = None
    instead: Callable[[], str] | None = None

    def simplify(self) -> None:
        """Replace the rejected typst by its safe replacement."""
        if self.instead:
            self.typst, self.instead = self.instead(), None


@dataclass(eq=False)
class Sheet:
    """One cell: its parsed content, and its formulas and pictures, each defined on a line.

    The cell's other lines refer to them by names such as ``#it3_1;``.
    """

    number: int  # its place in the notebook, from 1
    cell: Any
    folder: Path  # of the pictures; typst can read it
    formulas: list[Formula] = field(default_factory=list)  # those in its text
    blocks: list[Any] | None = None  # pandoc's; None if it cannot read the cell, or it is no text
    warnings: list[str] = field(default_factory=list)
    named: dict[str, Formula] = field(default_factory=dict)  # by their names in typst
    lines: list[Line] = field(default_factory=list)

    def __post_init__(self) -> None:
        marks = marks_of(self.cell)
        self.grade_id = str(marks.get("grade_id", ""))
        self.is_answer = bool(marks.get("solution"))
        self.is_test = self.grade_id.startswith("test_") and bool(marks.get("locked"))
        line = excerpt(first_line(self.cell.source), 50)
        self.label = f"Cell {self.number} ({line})" if line else f"Cell {self.number}"

    def warn(self, sentence: str) -> None:
        """Add a warning once, behind the cell's name."""
        if (warning := f"{self.label}: {sentence}") not in self.warnings:
            self.warnings.append(warning)

    def heading(self, place: int, *levels: int) -> str | None:
        """Return the text of a block if it is a heading of one of these levels."""
        block = self.blocks[place] if self.blocks else {"t": ""}
        if block["t"] != "Header" or block["c"][0] not in levels:
            return None
        return plain_text(block["c"][2], self.formulas)

    def _name(self) -> str:
        return f"it{self.number}_{len(self.named) + len(self.lines)}"

    def formula(self, formula: Formula) -> str:
        """Return the typst name of a formula; `define` later gets the converted formula."""
        name = self._name()
        self.named[name] = formula
        return f"#{name};"

    def define(self, name: str, converted: str | None) -> None:
        """Define a formula as mathematics; if it was not converted, as TeX with a warning."""
        formula = self.named[name]
        source, display = formula.source, formula.display

        def instead() -> str:
            self.warn(f"a formula cannot be converted and is shown as TeX: {excerpt(source)}")
            return f"#let {name} = {'source' if display else 'raw'}({literal(broken(source, 40))})"

        strings = re.findall(r'"(?:\\.|[^"\\])*"', converted or "")
        if converted is None or max(map(len, strings), default=0) > _LONGEST_IN_FORMULA:
            self.lines.append(Line(instead(), self))
            return
        tag = re.search(r"\\tag\*?\{([^{}]*)\}", source) if display else None
        lost = [what for what, sign in _PASSED_OVER.items() if re.search(sign, source)]
        if len(re.findall(r"\\tag\b", source)) > bool(tag):
            lost.append(r"\tag")
        if lost:
            self.warn(f"{', '.join(lost)} cannot be shown in a formula: {excerpt(source)}")
        number = f", number: {literal(f'({tag[1]})')}" if tag else ""
        more = f", tex: {literal(source)}{number}" if display else ""
        shown = f'formula(eval({literal(converted)}, mode: "math"){more})' if converted else "[]"
        self.lines.append(Line(f"#let {name} = {shown}", self, instead))

    def picture(self, content: str, kind: str, alt: str, width: float = 0) -> str:
        """Return the typst that shows a picture, or a note in its place.

        The content is in base64; SVG may be plain text. The kind is its media type, such as
        ``image/png``, and the width in pixels on a screen; 0 for the picture's own.
        """
        name = self._name()

        def instead(reason: str = "it is damaged, or it needs another file") -> str:
            self.warn(f"a picture ({alt}) cannot be shown: {reason}. A note stands in its place.")
            note = f"[Picture that cannot be shown: {alt}; {reason}.]"
            return f"#let {name} = note({literal(note)})"

        try:
            picture, suffix, pixels, frames = _usable(content, kind)
            if frames > 1:
                self.warn(f"a moving picture ({alt}) is shown as the first of its {frames} frames.")
            file = f"picture{hashlib.sha256(picture).hexdigest()}.{suffix}"
            (self.folder / file).write_bytes(picture)
            shown = f"image({literal(file)}, alt: {literal(alt)})"
            shown = f"#let {name} = fitted({shown}, pixels: {width or pixels:.0f})"
            self.lines.append(Line(shown, self, instead))
        except _PictureError as error:
            self.lines.append(Line(instead(str(error)), self))
        return f"#{name};"


def _usable(content: str, kind: str) -> tuple[bytes, str, int, int]:
    """Return an SVG, PNG or JPEG file, its suffix, width in pixels (0 for SVG) and frame count."""
    from PIL import Image  # slow to import; it comes with matplotlib

    if kind == "image/svg+xml" and content.lstrip().startswith("<"):
        return content.encode("utf-8", "replace"), "svg", 0, 1
    try:
        picture = base64.b64decode("".join(content.split()), validate=True)
    except ValueError:
        raise _PictureError("its data is damaged") from None
    if kind == "image/svg+xml":
        return picture, "svg", 0, 1
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(picture)) as image:
            frames, (across, down) = getattr(image, "n_frames", 1), image.size
            if across * down > _MOST_PIXELS:
                raise _PictureError(f"it has {across:,} × {down:,} pixels, too many")
            if image.format in ("PNG", "JPEG") and frames == 1:
                return picture, image.format.lower(), across, 1
            stream = io.BytesIO()
            image.convert("RGBA").save(stream, "PNG")
            return stream.getvalue(), "png", across, frames
    except _PictureError:
        raise
    except Exception as error:  # each of Pillow's formats raises its own errors
        raise _PictureError("it is not a picture, or it is damaged") from error
