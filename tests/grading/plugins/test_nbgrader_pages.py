"""The pages of nbgrader and formgrader show hostile notebooks without running anything."""

import functools
import re

import pytest
from html_pages import (
    HOSTILE_HTML,
    HOSTILE_MARKDOWN,
    JPEG,
    ODD_ATTACHMENTS,
    PNG,
    RUNS,
    Page,
    code_cell,
    display,
)
from nbformat.v4 import new_markdown_cell, new_notebook, new_output, new_raw_cell
from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension
from traitlets.config import Config

from hw_grading import configure
from hw_grading.plugins.formgrader import EscapingExporter
from hw_grading.rendering.feedback.exporter import page_of
from hw_grading.rendering.feedback.summary import PageFacts


@pytest.fixture(scope="module")
def pages():
    """What makes the pages of `nbgrader generate_feedback` and of formgrader."""
    config = Config()
    configure(config)
    formgrader = FormgradeExtension(config=config)
    formgrader.update_config(formgrader.build_extra_config())
    exporter = EscapingExporter(config=formgrader.config)
    return {"feedback": feedback, "formgrade": functools.partial(formgrade, exporter)}


def feedback(cells):
    marks = [cell.metadata.get("nbgrader", {}) for cell in cells]
    comments = {mark["grade_id"]: mark["comment"] for mark in marks if "comment" in mark}
    return Page(page_of(PageFacts("x", "hw2", comments=comments), cells, ()))


def formgrade(exporter, cells):
    resources = {
        "nbgrader": {"notebook": "hw2", "score": 1, "max_score": 2, "late_penalty": 0},
        "metadata": {"name": "hw2", "path": "."},
        "base_url": "",
        "notebook_id": "hw2",
        "index": 0,
        "total": 1,
    }
    html, _ = exporter.from_notebook_node(new_notebook(cells=cells), resources)
    return Page(html)


def answer(source, number, **kept):
    marks = {"grade": True, "solution": True, "points": 2, "score": 1, "grade_id": f"q{number}"}
    cell = new_markdown_cell(source, **kept)
    cell.metadata["nbgrader"] = {**marks, "locked": False, "task": False, "comment": source}
    return cell


def streams(text):
    return [
        new_output("stream", text=text),
        new_output("stream", name="stderr", text=text),
        new_output("error", ename=text, evalue=text, traceback=[text, f"\x1b[31m{text}\x1b[0m"]),
        display({"text/plain": text}),
    ]


def cells_of(texts):
    """Each text in every place where a student can put one."""
    cells = []
    for number, text in enumerate(texts):
        cell = code_cell(
            display({"text/html": text, "text/plain": "x"}, {"text/html": {"isolated": True}}),
            display({"text/markdown": text, "application/javascript": text}),
            display({"text/latex": text, "image/svg+xml": text}),
            display({"image/png": PNG}, {"image/png": {"width": f"1 {text}", "alt": text}}),
            *streams(f"\x1b[1;31m{text}\x1b[0m \x1b[38;5;9m</script>{text}\x1b[{text}m"),
        )
        cell.source = text
        cells += [answer(text, number, attachments=ODD_ATTACHMENTS), new_raw_cell(text), cell]
    return cells


@pytest.mark.parametrize("page", ["feedback", "formgrade"])
def test_nothing_of_a_hostile_notebook_runs_or_loads_in(pages, page):
    hostile = [*HOSTILE_HTML.values(), *HOSTILE_MARKDOWN.values()]
    harmless = pages[page](cells_of("xx"))
    found = pages[page](cells_of(hostile))
    assert comparable(found.active) == comparable(harmless.active)
    assert found.tags["script"] == harmless.tags["script"]
    assert (found.tags["script"] > 0) == (page == "formgrade")
    assert all(source.startswith("data:") for source in found.sources)
    assert not [link for link in found.links if RUNS.match(link)]
    fields = [i for i in found.ids if i.startswith("q")]
    assert len(fields) == len(set(fields))


@pytest.mark.parametrize("page", ["feedback", "formgrade"])
@pytest.mark.parametrize(
    ("part", "rendered"),
    [
        ("*_", 0),  # more signs of emphasis than one text may have
        ("[](", 60_000 // (20 + 20_000)),  # each character is a sign
        ("word ", 60_000 // (20 + 4_000)),  # a single blank counts for nothing
    ],
)
def test_a_page_renders_so_many_words_and_signs(pages, page, part, rendered):
    """Of 60,000, with 20 more for each text. What is beyond them is plain text, and whole."""
    text = (part * 20_000)[:20_000]
    found = pages[page]([new_markdown_cell(text) for _ in range(20)])
    shown = "".join(found.text)
    assert 20 - shown.count("Shown as text") == rendered
    assert shown.count(part.strip()) == 20 * text.count(part.strip())


@pytest.mark.parametrize("page", ["feedback", "formgrade"])
def test_a_page_shows_a_million_characters_of_printed_text(pages, page):
    """And of the others, their number."""
    printed = [new_output("stream", text="x" * 30_000) for _ in range(100)]
    cell = code_cell(*printed)
    cell.source = ""  # it would count too
    shown = "".join(pages[page]([cell]).text)
    left_out = re.findall(r"… and ([\d,]+) more characters", shown)
    assert sum(map(len, re.findall("x{2,}", shown))) == 1_000_000
    assert sum(int(number.replace(",", "")) for number in left_out) == 2_000_000


def comparable(active):
    """Without the colours of a terminal, the numbers of cells, and digests."""
    colour = re.compile(r"color: rgb\([\d,]+\)")
    others = (a for a in active if not (a[:2] == ("span", "style") and colour.fullmatch(a[2])))
    return {re.sub(r"[0-9a-f]{64}|\d+", "0", repr(what)) for what in others}


@pytest.mark.parametrize("page", ["feedback", "formgrade"])
def test_an_honest_notebook_is_shown_whole_in(pages, page):
    written = "# My answer\n\n$a < b$ and $x_1$, `c<d`\n\n|a|b|\n|-|-|\n|1|2|\n\n![x](attachment:p)"
    plot = display({"image/png": PNG, "text/plain": "<Figure>"})
    table = display({"text/html": '<table class="dataframe"><tr><td>7</td></tr></table>'})
    cell = code_cell(plot, table, new_output("stream", text="loss < 0.1"))
    cells = [answer(written, 1, attachments={"p": {"image/jpeg": JPEG}}), cell]
    found = pages[page](cells)
    text = "".join(found.text)
    assert found.tags["math"] >= 2  # in the comment too
    for part in ("My answer", "a<b", "x1", "c<d", "7", "loss < 0.1"):
        assert part in text
    assert f"data:image/jpeg;base64,{JPEG}" in found.sources
    assert f"data:image/png;base64,{PNG}" in found.sources
    assert found.tags["table"] >= 2
    assert "dataframe" in found.classes
