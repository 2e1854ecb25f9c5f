"""Pages of HTML that are safe to open, and how they look. May import `homework` and `outcome`."""

from pathlib import Path

STYLE = Path(__file__).with_name("page.css")
FORMULAS = Path(__file__).with_name("formulas.css")
KATEX = Path(__file__).with_name("katex")  # a copy, by tools/vendor_katex.py
