"""HTML pages that are safe to open, and their style. May import `homework` and `outcome`."""

from pathlib import Path
from typing import Any

STYLE = Path(__file__).with_name("page.css")
FORMULAS = Path(__file__).with_name("formulas.css")
KATEX = Path(__file__).with_name("katex")  # a copy, made by tools/vendor_katex.py


def words(text: str) -> set[str]:
    """Return the words of a text, for lists of what is allowed."""
    return set(text.split())


def text_of(value: Any) -> str:
    """Return a notebook's text, which is a string or a list of lines; "" for any other type."""
    lines = value if isinstance(value, list) else [value]
    return "".join(line for line in lines if isinstance(line, str))
