"""A page is made in a limited time, whatever a student writes."""

import pytest
from html_pages import Page, assert_harmless, code_cell, context, display, seconds
from nbformat.v4 import new_output

from hw_grading.rendering import safe_html
from hw_grading.rendering.allowance import Allowance
from hw_grading.rendering.cleaning import clean_html
from hw_grading.rendering.outputs import clean_outputs
from hw_grading.rendering.safe_html import highlight_code, markdown2html


@pytest.mark.parametrize(
    "html",
    [
        "<a" * 10_000,
        ("<a" + "b" * 22) * 20_000,
        ('<a x="' + "y" * 40) * 10_000,
        "<p x='" * 20_000,
        "<p " + " " * 480_000,
        "<p" + "/" * 480_000,
        "<p " + "=" * 480_000,
        "<p x" + " =" * 200_000,
    ],
    ids=lambda html: f"{html[:12]!a}-{len(html)}",
)
def test_counting_attributes_takes_a_bounded_time(html):
    taken, cleaned = seconds(clean_html, html)
    assert taken < 5  # seconds of computing: a tenth here; if tags were read again, 12 for some
    assert_harmless(cleaned)


@pytest.mark.slow
@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 20_000,
        "<div>" * 1_000_000,
        "<b><i>" * 10_000,
        "".join(f"<b a={n}><p>" for n in range(5_000)),
        "<table><tr><td>" * 6_000,
        "<a><div>" * 9_000,
        "<a " + " ".join(f"a{n}" for n in range(60_000)) + ">",
        "word " * 1_000_000,
        "<" * 5_000_000,
        "<!-- " * 1_000_000,
        '<img src="data:image/png;base64,' + "A" * 5_000_000,
    ],
    ids=lambda html: f"{html[:15]}-{len(html)}",
)
def test_html_of_any_size_and_depth_takes_a_bounded_time(html):
    taken, cleaned = seconds(clean_html, html)
    assert taken < 60  # seconds of computing: a few here; without a bound, hours
    assert len(cleaned) < 2_000_000
    assert_harmless(cleaned)


@pytest.mark.parametrize(
    "source",
    [
        "|-\n|" * 5_000,
        "\\\\[" * 6_600,
        "![" * 10_000,
        "[a](" * 1_250_000,
        "> " * 10_000,
        "- " * 10_000,
        "# x\n" * 5_000,
        "**a" * 6_600,
        "<div>\n\n" * 2_800,
        "[a]: x" + "y" * 9_000 + "\n\n" + "[a]" * 3_000,
        "```" + "`" * 19_000,
    ],
    ids=lambda source: f"{source[:6]!a}-{len(source)}",
)
@pytest.mark.usefixtures("no_gc_callbacks")
def test_markdown_of_any_kind_takes_a_bounded_time(source, monkeypatch):
    monkeypatch.setattr(safe_html, "_MARKDOWN_SECONDS", 0.3)
    taken, cleaned = seconds(markdown2html, context(), source)
    assert taken < 20
    assert_harmless(cleaned)


def test_too_large_content_is_shown_as_text():
    answer = "The cache holds $x$, <b>W</b> and the derivative. " * 600
    text = "".join(Page(markdown2html(context(), answer)).text)
    assert answer in text


@pytest.mark.parametrize("codes", ["\x1b[1ma" * 500_000, "\x1b[" + "0;" * 1_000_000 + "0m"])
def test_too_many_colours_are_removed(codes):
    stream = new_output("stream", text=codes)
    error = new_output("error", ename="x", evalue="x", traceback=[codes])
    cell = code_cell(stream, error, display({"text/plain": codes}))
    taken, changed = seconds(clean_outputs, cell)
    assert taken < 60  # seconds of computing: a few here; without a bound, hours
    assert changed == 3
    assert "\x1b" not in stream.text + error.traceback[0] + cell.outputs[2].data["text/plain"]


def test_the_texts_of_a_page_share_their_time():
    page = {"resources": {}, "cell": {}}
    highlight_code(page, "x = 1")
    (allowance,) = page["resources"].values()
    assert isinstance(allowance, Allowance)
    for show in (lambda: highlight_code(page, "x + x"), lambda: markdown2html(page, "*x*")):
        before = allowance.seconds
        show()
        assert allowance.seconds < before
    allowance.seconds = 0
    assert "span" not in highlight_code(page, "x = 1")
    assert "Shown as text" in markdown2html(page, "*x*")
