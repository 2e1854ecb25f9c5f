"""A graded run notes the facts of what student code draws, however it draws; a forged fact is one
of a student's, and what is no fact is dropped."""

import json
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from toy_course import code

from hw_grading.homework.homework import Homework, Manifest
from hw_grading.notebooks import answer_digest
from hw_grading.rendering.answers import answer_html
from hw_grading.run.outputs import Outputs
from hw_grading.run.settings import RunSettings
from hw_grading.run.submission import SubmissionRun
from hw_support import figures
from hw_support.figures.facts import KEY

pytestmark = pytest.mark.slow

LOSS = "no title · no x label · no y label · 1 curve of 40 points: loss (1 to 0.2)"
# How a cell draws, and what is said of it.
WAYS = {
    "it shows the figure": ("draw()\nplt.show()", [LOSS]),
    "the cell ends": ("draw()", [LOSS]),
    "the figure is the cell's result": ("draw()\nplt.close(fig)\nfig", [LOSS]),
    "it is displayed and closed": ("draw()\ndisplay(fig)\nplt.close(fig)", [LOSS]),
    "a saved picture is displayed": (
        "draw()\nbuf = io.BytesIO()\nfig.savefig(buf)\nplt.close()\ndisplay(Image(buf.getvalue()))",
        [LOSS],
    ),
    "it is saved and shown": ("draw()\nfig.savefig('a.png')\nplt.show()", [LOSS]),
    "SVG": ("%config InlineBackend.figure_formats = ['svg']\ndraw()\nplt.show()", [LOSS]),
    "PNG for a fine screen": ("%config InlineBackend.figure_format = 'retina'\ndraw()", [LOSS]),
    "two figures": (
        "draw()\nplt.show()\ndraw()\nplt.title('again')\nplt.show()",
        [
            "no title · no x label · no y label · figure 1: 1 curve of 40 points: loss (1 to 0.2)",
            "figure 2: 1 curve of 40 points: loss (1 to 0.2) · title",
        ],
    ),
    "it is only saved": ("draw()\nfig.savefig('a.pdf')\nplt.close()", [f"not shown · {LOSS}"]),
    "it is only closed": ("draw()\nplt.close()", [f"not shown · {LOSS}"]),
    "nothing is drawn": ("1 + 1", []),
    "the cell fails after drawing": ("draw()\n1 / 0", [LOSS]),
    "a hostile title": (
        "draw()\nplt.title('<b>\\x1b[2J\\u202e' + 'x' * 9000)",
        [LOSS.replace("no title · ", "") + " · title"],
    ),
    "facts that are none": (f"display(HTML('a'), metadata={{'{KEY}': {{'axes': 'all'}}}})", []),
    "a forged fact": (
        f"display(HTML('a'), metadata={{'{KEY}': {{'axes': [{{'bars': 3, 'title': 'Forged'}}]}}}})",
        ["no x label · no y label · 3 bars · title"],
    ),
}
SETUP = """import io
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, Image, display
loss = list(np.geomspace(1, 0.2, 40))


def draw():
    global fig
    fig, ax = plt.subplots()
    ax.plot(loss)"""


def said_of(facts: Any) -> list[str]:
    """Return a line for each figure; what is wrong begins the first one."""
    first, *rest = [*figures.summaries(facts), ""]
    return [line for line in (" · ".join([*figures.wrong(facts), first]), *rest) if line]


def run(*sources: Any, **options: Any) -> list[Any]:
    """Return the cells after a graded run."""
    nb = new_notebook(cells=[new_code_cell(s) if isinstance(s, str) else s for s in sources])
    homework = Homework("", Manifest(arrays=("loss", "not_defined")))
    SubmissionRun(nb, 0, RunSettings(**options), homework).run()
    return [cell for cell in nb.cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def cells() -> dict[str, Any]:
    """All ways, in one run."""
    made = run(SETUP, *(source for source, _ in WAYS.values()))
    return dict(zip(WAYS, made[1:], strict=True))


@pytest.mark.parametrize("way", WAYS)
def test_the_facts_of_what_a_cell_draws_are_in_its_outputs(cells: Any, way: str) -> None:
    facts = figures.facts_in(cells[way].outputs)
    assert said_of(facts) == WAYS[way][1]
    assert "\x1b" not in repr(facts)


def test_a_figure_in_no_output_has_facts_and_no_picture(cells: Any) -> None:
    [output] = cells["it is only closed"].outputs
    assert (output.data, list(output.metadata)) == ({}, [KEY])
    assert answer_html(cells["it is only closed"]).count("<p ") == 1  # "no output", and no more


def test_a_figure_that_a_student_shows_as_svg_is_shown_as_png(cells: Any) -> None:
    [output] = cells["SVG"].outputs
    assert list(output.data) == ["text/plain", "image/png"]
    assert "<img" in answer_html(cells["SVG"])


def test_facts_change_no_digest_of_an_answer(cells: Any) -> None:
    cell = json.loads(json.dumps(cells["it shows the figure"]))
    before = answer_digest(cell)
    cell["outputs"][0]["metadata"] = {}
    assert answer_digest(cell) == before


@pytest.mark.smoke
def test_a_kernel_that_is_not_forked_notes_the_first_figure_too() -> None:
    """Here matplotlib is imported by the cell that saves the figure."""
    source = SETUP + "\ndraw()\nfig.savefig('a.png')\nplt.close()"
    [cell] = run(source, fork_kernels=False)
    assert said_of(figures.facts_in(cell.outputs)) == [f"not shown · {LOSS}"]


def test_a_hook_that_student_code_breaks_costs_nothing_but_facts() -> None:
    breaks = "import matplotlib.figure\nplt.Figure.get_axes = None\ndraw()\nplt.show()"
    _, cell = run(SETUP, breaks)
    assert [list(output.data) for output in cell.outputs] == [["text/plain", "image/png"]]
    assert figures.facts_in(cell.outputs) == ()


TEST = """from hw_support import Checks, expect_figure
checks = Checks("q")


@checks.part("one curve with a title", 1)
def _():
    expect_figure(checks.figure("fig", "loss"), "of=loss, title")


@checks.part("an Axes, too", 2)
def _():
    expect_figure(checks.figure("ax"), "curves=1")


@checks.part("anything else", 4)
def _():
    checks.figure("loss")


checks.score()"""


def test_a_part_may_expect_facts_of_the_notebooks_figure() -> None:
    test = code(TEST, "test_q", grade=True, locked=True, points=7)
    *_, cell = run(SETUP, "draw()\nax = fig.axes[0]\nplt.show()", test)
    printed = " ".join(cell.outputs[0].text.split())
    assert "the figure: expected of=loss, title, got: no title" in printed
    assert "passed an Axes, too" in printed
    assert "expected a Figure or an Axes of matplotlib, got an object of type list" in printed
    assert printed.endswith("q: 2 of 7 points")


def test_facts_beyond_their_size_are_dropped_from_the_output() -> None:
    outputs = Outputs(1_000_000)
    facts = {"axes": [{"bars": n} for n in range(1000)]}
    outputs.take("display_data", {"data": {"text/plain": "a"}, "metadata": {KEY: facts, "b": 1}})
    [output] = outputs.all()
    assert output.metadata == {"b": 1}
