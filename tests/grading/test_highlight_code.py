"""Code cells are coloured as nbconvert colours them, but always as Python."""

import pytest
from html_pages import Page, assert_harmless, context, seconds
from nbconvert.filters.highlight import Highlight2HTML
from nbformat.v4 import new_code_cell

from hw_grading.rendering.colours import LONGEST_CODE
from hw_grading.rendering.safe_html import highlight_code


def test_honest_code_is_coloured_as_nbconvert_colours_it():
    code = "%matplotlib inline\n@wraps(f)\ndef f(x):\n\treturn f'{x}' < 1  # ≤\n\n!ls\n"
    for text in (code, ""):
        assert highlight_code(context(), text) == Highlight2HTML(pygments_lexer="ipython3")(text)


@pytest.mark.parametrize("source", [" \n" * 25_000, "match" + " " * 50_000], ids=["lines", "line"])
@pytest.mark.usefixtures("no_gc_callbacks")
def test_code_that_takes_long_to_colour_has_no_colours(source):
    taken, shown = seconds(highlight_code, context(), f"{source}the_end = '<b>'")
    assert taken < 20  # seconds of computing: one here; without a bound, minutes
    assert "the_end = &#39;&lt;b&gt;&#39;" in shown
    assert "span" not in shown
    assert assert_harmless(shown).tags["pre"] == 1


def test_code_has_the_language_of_the_course_whatever_its_metadata_say():
    cell = new_code_cell("%%html\n<b>x</b>")
    shown = highlight_code(context(), cell.source, metadata={"magics_language": "html"})
    assert shown == highlight_code(context(), cell.source)


def test_long_code_is_cut_and_control_characters_can_be_seen():
    shown = "".join(Page(highlight_code(context(), "x" * (LONGEST_CODE + 7))).text)
    assert "7 more characters" in shown
    assert len(shown) < LONGEST_CODE + 100
    shown = "".join(Page(highlight_code(context(), "a = 1\rb = 2\r\n\u202ec\x1b[2J")).text)
    assert shown.strip() == r"a = 1\rb = 2" + "\n" + r"\u202ec\x1b[2J"
