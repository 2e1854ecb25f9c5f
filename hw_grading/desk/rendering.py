"""Renders markdown and code as HTML, in a separate process, which runs this module.

A student's text can keep a parser busy for minutes. A parser can only be interrupted in the main
thread of a process, and the server's main thread serves everybody else.
"""

import ast
import contextlib
import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hw_grading.gradebook.terminal import cut, without_controls
from hw_grading.rendering.helper import Helper, NoAnswer, serve
from hw_grading.rendering.templates import templates_in
from hw_support.failures import visible

LONGEST_CODE = 50_000  # characters shown of one answer
_SECONDS = 2.0  # CPU time for code; markdown has its own limit
_HARD_SECONDS = 45.0  # elapsed time, after which the process is killed
_GONE = "\0"  # marks a line of a docstring
_MOST_KEPT = 4_000_000  # characters of cached HTML
_TEMPLATES = templates_in(Path(__file__).with_name("templates"))


@dataclass(frozen=True)
class Part:
    """A note, a text, an error, a picture, or HTML."""

    # "text" is printed output. A "picture" has an address on the desk.
    kind: Literal["note", "text", "stderr", "error", "picture", "html"]
    content: str  # a text, the address of a picture, or clean HTML
    number: int = 0  # the number of a picture, from 1

    @property
    def has_picture(self) -> bool:
        """Whether the part contains a picture."""
        if self.kind == "html":
            return "<img" in self.content
        return self.kind == "picture"


def as_html(parts: Iterable[Part]) -> str:
    """Return the HTML of some parts."""
    html = _TEMPLATES.get_template("parts.html").render(parts=parts)
    return without_controls(html.removesuffix("\n"))


def outputs_as_html(parts: Iterable[Part], code: str | None = None) -> str:
    """Return the HTML of a cell's outputs. `code`, which is clean HTML, is put below them."""
    html = _TEMPLATES.get_template("outputs.html").render(parts=parts, code=code)
    return without_controls(html)


class Renderer(Helper):
    """Renders texts. Several threads may use one object."""

    def __init__(self) -> None:
        super().__init__("-m", __name__)
        self._kept: OrderedDict[str, str] = OrderedDict()
        self._size = 0

    def markdown(self, text: str, attachments: Mapping[str, Any] | None = None) -> str:
        """Return markdown with TeX as clean HTML."""
        if not text and not attachments:
            return ""
        return self._rendered({"markdown": text, "attachments": attachments or {}}, text)

    def code(self, text: str, *, docstrings: bool = True) -> str:
        """Return Python code as HTML in pygments' classes. Long code is cut."""
        shown = {"code": text[: LONGEST_CODE + 1], "length": len(text), "docstrings": docstrings}
        return self._rendered(shown, text)

    def _rendered(self, request: Mapping[str, Any], text: str) -> str:
        key = hashlib.sha256(json.dumps(request).encode("ascii")).hexdigest()
        with contextlib.suppress(KeyError):  # without the lock, which may be held for long
            self._kept.move_to_end(key)
            return self._kept[key]
        with self._lock:
            if key in self._kept:
                return self._kept[key]
            try:
                answer: str = self.ask(request, _HARD_SECONDS)
            except (NoAnswer, ValueError):  # the process was killed or failed
                return as_text(text, "Shown as text, because it cannot be rendered.")
            self._kept[key] = answer
            self._size += len(answer)
            while self._size > _MOST_KEPT:
                self._size -= len(self._kept.popitem(last=False)[1])
            return answer


def as_text(text: str, note: str) -> str:
    """Return a text unrendered and escaped, under a note that says why."""
    return as_html([Part("note", note), Part("text", visible(cut(text, LONGEST_CODE)))])


def _made(request: Mapping[str, Any]) -> str:
    """Render a text in the process."""
    from hw_grading.desk.pictures import uri_of
    from hw_grading.rendering.safe_html import render_markdown

    if "markdown" in request:
        attached = request["attachments"].items()
        bundles = {name: bundle for name, bundle in attached if isinstance(bundle, dict)}
        return without_controls(render_markdown(request["markdown"], bundles, picture=uri_of))
    code = request["code"]
    code = code if request["docstrings"] else without_docstrings(code)
    return _code(code, request["length"])


def _code(text: str, length: int) -> str:
    from hw_grading.rendering.colours import colour_python
    from hw_support.submission.problems import encodable

    shown = visible(cut(encodable(text), LONGEST_CODE))
    if length > LONGEST_CODE:
        shown = f"{shown.rpartition(chr(10))[0]}\n# … and {length - LONGEST_CODE:,} more characters"
    if (coloured := colour_python(shown, _SECONDS)) is not None:
        return str(coloured)
    return as_text(shown, "Shown without colours, because the code is too complicated.")


def without_docstrings(source: str) -> str:
    """Return code without its functions' docstrings. Code that does not parse stays as it is."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")  # as Python counts them
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            text = node.body[0]
            first, last = text.lineno - 1, (text.end_lineno or text.lineno) - 1
            before = lines[first].encode()[: text.col_offset]
            after = lines[last].encode()[text.end_col_offset :]
            if len(node.body) > 1 and not before.strip() and not after.strip():
                lines[first : last + 1] = [_GONE] * (last + 1 - first)
    return "\n".join(line for line in lines if line is not _GONE)


if __name__ == "__main__":
    serve(_made)
