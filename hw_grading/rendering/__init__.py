"""HTML pages that are safe to open, and their style.

May import `gradebook`, `homework` and `outcome`.
"""

from pathlib import Path

STYLE = Path(__file__).with_name("page.css")
FORMULAS = Path(__file__).with_name("formulas.css")
KATEX = Path(__file__).with_name("katex")  # a copy, made by tools/vendor_katex.py


def words(text: str) -> set[str]:
    """Return the words of a text, for lists of what is allowed."""
    return set(text.split())
