"""The parts of a cell as the desk shows them, and their HTML from the template ``parts.html``."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hw_grading.pages.templates import templates_in

_TEMPLATES = templates_in(Path(__file__).with_name("templates"))


@dataclass(frozen=True)
class Part:
    """A note, a text, an error, a picture, or HTML."""

    # "text" is printed output. A "picture" has an address on the desk. A "drawing" has its whole
    # data inside.
    kind: Literal["note", "text", "stderr", "error", "picture", "drawing", "html"]
    content: str  # a text, the address of a picture, or clean HTML
    number: int = 0  # the number of a picture, from 1

    @property
    def has_picture(self) -> bool:
        """Whether the part contains a picture."""
        if self.kind == "html":
            return "<img" in self.content
        return self.kind in ("picture", "drawing")


def as_html(parts: Iterable[Part]) -> str:
    """Return the HTML of some parts."""
    return _TEMPLATES.get_template("parts.html").render(parts=parts).removesuffix("\n")


def outputs_as_html(parts: Iterable[Part], code: str | None = None) -> str:
    """Return the HTML of a cell's outputs. `code`, which is clean HTML, is put below them."""
    return _TEMPLATES.get_template("outputs.html").render(parts=parts, code=code)
