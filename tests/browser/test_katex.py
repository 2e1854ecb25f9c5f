"""The copy of KaTeX is that of its package."""

import pytest
from audit import installed

from hw_grading.rendering import KATEX
from tools.vendor_katex import files

pytestmark = pytest.mark.slow


def test_the_copy_is_current() -> None:
    """If not: python -m tools.vendor_katex."""
    copied = {
        path.relative_to(KATEX).as_posix(): path.read_bytes()
        for path in KATEX.rglob("*")
        if path.is_file()
    }
    assert copied == files(installed("katex"))
