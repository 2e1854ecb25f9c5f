"""Detects whether an answer has changed, by a digest of its text, code and outputs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from hw_grading.records.graded_notebook import outputs_of, text_of

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # an object's address, which differs in each run


def answer_digest(cell: Mapping[str, Any]) -> str:
    """Return a digest, 64 hexadecimal characters, of what a grader sees of an answer.

    The cell is of a notebook's JSON, with unchecked content. Texts on stderr do not count.
    """
    digest = hashlib.sha256()
    for piece in _pieces(cell):
        encoded = piece.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(encoded) + encoded)
    return digest.hexdigest()


def _pieces(cell: Mapping[str, Any]) -> Iterator[str]:
    yield str(cell.get("cell_type"))
    yield text_of(cell.get("source")).strip()
    attachments = cell.get("attachments")
    if isinstance(attachments, dict):
        for name in sorted(attachments, key=str):
            yield str(name)
            yield from _data(attachments[name])
    if cell.get("cell_type") != "code":
        return
    for output in outputs_of(cell):
        kind = output.get("output_type")
        if kind == "stream" and output.get("name") != "stderr":
            yield _ADDRESS.sub("", text_of(output.get("text")))
        elif kind == "error":
            yield text_of(output.get("ename"))
        elif kind in ("display_data", "execute_result"):
            yield from _data(output.get("data"))


def _data(bundle: Any) -> Iterator[str]:
    """Yield the data of a bundle by type. A picture's data has no line ends."""
    if not isinstance(bundle, dict):
        return
    for kind in sorted(bundle, key=str):
        text = text_of(bundle[kind])
        yield str(kind)
        yield "".join(text.split()) if str(kind).startswith("image/") else _ADDRESS.sub("", text)
