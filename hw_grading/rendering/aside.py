"""Replaces pictures and formulas by placeholders while a text is parsed and cleaned.

Parsers are slow, and pictures are long. Formulas become MathML, which the cleaner would remove.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable

from hw_grading.rendering import rasters
from hw_grading.rendering.allowance import Allowance
from hw_grading.rendering.mathematics import Budget, Formula

_MOST_PICTURE_CHARACTERS = 30_000_000  # base64 characters in one text
_CODE = frozenset(["code", "kbd", "pre", "samp"])
TAG = re.compile(r'<(?P<end>/?)(?P<tag>[a-z][a-z0-9]*)[^>"]*(?:"[^"]*"[^>"]*)*>')

SVG = "image/svg+xml"  # not shown: a browser can take hours to draw a few lines of it
PICTURES = {  # how files of each type begin
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}
_PICTURE_URI = re.compile(r"data:(image/(?:png|jpeg|gif));base64,([A-Za-z0-9+/]+={0,2})")
PLACEHOLDER = re.compile(r"data:image/[a-z+]+;base64,([0-9a-f]{64})")


def picture_uri(mime: str, data: str) -> str | None:
    """Return a base64 picture as a data URI; None if it is none, or takes a browser too long."""
    data = data.translate({ord(c): None for c in " \t\r\n"})
    try:
        raw = base64.b64decode(data, validate=True)
    except ValueError:
        return None
    is_picture = raw.startswith(PICTURES.get(mime, ())) and rasters.is_light(mime, raw)
    return f"data:{mime};base64,{data}" if is_picture else None


def not_drawn(size: int) -> str:
    """Return what a page says in the place of an SVG of this many bytes."""
    kilobytes = f"{max(1, round(size / 1000)):,} kB"
    return f"A picture of the kind {SVG}, {kilobytes}, is not shown: open the notebook."


def pixels_of(mime: str, data: str) -> float:
    """Return the pixels that a picture counts for, if it may be shown; see `Allowance`."""
    try:
        return rasters.pixels_of(mime, base64.b64decode(data))
    except ValueError:
        return rasters.MAX_PIXELS


class Pictures:
    """The pictures of one text, put aside while the text is parsed."""

    def __init__(self, uri: Callable[[str, str], str | None], allowance: Allowance) -> None:
        self._uri = uri
        self._allowance = allowance
        self._by_digest: dict[str, str] = {}

    def placeholder(self, mime: str, data: str) -> str | None:
        """Put a picture aside and return its placeholder; None if it is not to be shown."""
        uri = self._uri(mime, data)
        if uri is None:
            return None
        digest = hashlib.sha256(uri.encode()).hexdigest()
        if digest not in self._by_digest:
            if not self._allowance.takes(pixels_of(mime, data)):
                return None
            self._by_digest[digest] = uri
        return f"data:{mime};base64,{digest}"

    def put_aside(self, text: str) -> str:
        """Replace each picture in a text by its placeholder."""
        return _PICTURE_URI.sub(lambda m: self.placeholder(m[1], m[2]) or m[0], text)

    def put_back(self, text: str) -> str:
        """Put the pictures back. A picture may repeat, until the text reaches its size limit."""
        left = _MOST_PICTURE_CHARACTERS

        def put(match: re.Match[str]) -> str:
            nonlocal left
            uri = self._by_digest.get(match[1], "data:,")
            left -= len(uri)
            return uri if left >= 0 else "data:,"

        return PLACEHOLDER.sub(put, text)


class Formulas:
    """The formulas of one text, put aside while it is parsed and cleaned."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._name = f"formula{secrets.token_hex(16)}n"  # random, so no text can contain it
        self._placeholder = re.compile(rf"{self._name}([0-9]+)e")
        self._found: list[Formula] = []

    def put_aside(self, formula: Formula) -> str:
        """Put a formula aside and return its placeholder."""
        self._found.append(formula)
        return f"{self._name}{len(self._found) - 1}e"

    def as_sources(self, text: str) -> str:
        """Put the formulas back as TeX, as plain text."""
        return self._placeholder.sub(lambda match: self._found[int(match[1])].source, text)

    def put_back(self, cleaned: str) -> str:
        """Put MathML into cleaned HTML, but only between tags and not inside code."""
        parts = []
        end = 0
        in_code = 0
        for tag in TAG.finditer(cleaned):
            parts += [self._between_tags(cleaned[end : tag.start()], in_code), self._in_tag(tag[0])]
            if tag["tag"] in _CODE:
                in_code += -1 if tag["end"] else 1
            end = tag.end()
        return "".join([*parts, self._between_tags(cleaned[end:], in_code)])

    def _between_tags(self, text: str, in_code: int) -> str:
        def put(match: re.Match[str]) -> str:
            formula = self._found[int(match[1])]
            return formula.as_text() if in_code else formula.as_html(self._budget)

        return self._placeholder.sub(put, text)

    def _in_tag(self, tag: str) -> str:
        """Put words of TeX into a tag, between dashes so that no address becomes a refused one."""

        def put(match: re.Match[str]) -> str:
            words = re.findall(r"[0-9A-Za-z]+", self._found[int(match[1])].tex)
            return "-".join(["", *words, ""])

        return self._placeholder.sub(put, tag)
