"""What is put aside while a text is parsed and cleaned, and put back then: pictures, formulas.

Parsers are slow, and pictures long. Formulas become MathML, which the cleaning would take out.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable
from typing import Any

from hw_grading.pages.drawings import is_light
from hw_grading.pages.mathematics import Budget, Formula

_MOST_PICTURE_CHARACTERS = 30_000_000  # of one text, in base64
_CODE = frozenset(["code", "kbd", "pre", "samp"])
TAG = re.compile(r'<(?P<end>/?)(?P<tag>[a-z][a-z0-9]*)[^>"]*(?:"[^"]*"[^>"]*)*>')

# How files of each type begin. An SVG may hold scripts: in an <img> no browser runs them. It is
# looked at whether it is `is_light`.
PICTURES = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/svg+xml": (b"",),
}
_PICTURE_URI = re.compile(r"data:(image/(?:png|jpeg|gif|svg\+xml));base64,([A-Za-z0-9+/]+={0,2})")
PLACEHOLDER = re.compile(r"data:image/[a-z+]+;base64,([0-9a-f]{64})")


def picture_uri(mime: str, data: str) -> str | None:
    """Return a picture in base64 as a data URI, or None if it is none."""
    data = data.translate({ord(c): None for c in " \t\r\n"})
    try:
        raw = base64.b64decode(data, validate=True)
    except ValueError:
        return None
    is_picture = bool(raw) and raw.startswith(PICTURES.get(mime, ()))
    if is_picture and mime == "image/svg+xml":
        is_picture = is_light(raw)
    return f"data:{mime};base64,{data}" if is_picture else None


def text_of(value: Any) -> str:
    """Join a text that a notebook may hold in lines; of anything else, return nothing."""
    lines = value if isinstance(value, list) else [value]
    return "".join(lines) if all(isinstance(line, str) for line in lines) else ""


class Pictures:
    """The pictures of one text, put aside while it is parsed: parsers are slow, pictures long."""

    def __init__(self, uri: Callable[[str, str], str | None]) -> None:
        self._uri = uri
        self._by_digest: dict[str, str] = {}

    def placeholder(self, mime: str, data: str) -> str | None:
        """Put a picture aside, and return what stands for it; None if it is none."""
        uri = self._uri(mime, data)
        if uri is None:
            return None
        digest = hashlib.sha256(uri.encode()).hexdigest()
        self._by_digest[digest] = uri
        return f"data:{mime};base64,{digest}"

    def put_aside(self, text: str) -> str:
        """Put the pictures that a text contains aside."""
        return _PICTURE_URI.sub(lambda m: self.placeholder(m[1], m[2]) or m[0], text)

    def put_back(self, text: str) -> str:
        """Put the pictures back, over and over only until it becomes too much."""
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
        self._name = f"formula{secrets.token_hex(16)}n"  # which no text can hold
        self._placeholder = re.compile(rf"{self._name}([0-9]+)e")
        self._found: list[Formula] = []

    def put_aside(self, formula: Formula) -> str:
        """Put a formula aside, and return what stands for it."""
        self._found.append(formula)
        return f"{self._name}{len(self._found) - 1}e"

    def as_sources(self, text: str) -> str:
        """Put the TeX back, as plain text."""
        return self._placeholder.sub(lambda match: self._found[int(match[1])].source, text)

    def put_back(self, cleaned: str) -> str:
        """Put MathML into cleaned HTML: between its tags, and not in code."""
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
        """Put words of TeX into a tag: into a heading's id, for example.

        Between dashes: no address becomes one that would not have passed.
        """

        def put(match: re.Match[str]) -> str:
            words = re.findall(r"[0-9A-Za-z]+", self._found[int(match[1])].tex)
            return "-".join(["", *words, ""])

        return self._placeholder.sub(put, tag)
