"""The released notebook in JupyterLab, used as by a student."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect
from server import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

RELEASED = ROOT / "release" / "hw2" / "hw2.ipynb"


def headings(notebook):
    texts = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    prose = re.sub(r"```.*?```", "", "\n".join(texts), flags=re.S)
    return [f"{heading}¶" for heading in re.findall(r"^#+ (.*)$", prose, re.M)]


def test_run_all_of_the_release_stops_at_the_first_stub(opened):
    released = nbformat.read(RELEASED, as_version=4)
    lab = opened(RELEASED)
    lab.choose("Run", "Run All Cells")
    stopped = lab.outputs("ladder-first-loss")
    expect(stopped).to_contain_text("NotImplementedError")
    lab.wait_until_idle()
    cells = [cell for cell in released.cells if cell.cell_type == "code"]
    first = [cell.id for cell in cells].index("ladder-first-loss")
    for cell in cells[first + 1 :]:
        folded = "jupyter" in cell.metadata  # JupyterLab shows no number of these
        expect(lab.prompt(cell.id)).to_have_text("" if folded else "[ ]:")
        expect(lab.outputs(cell.id)).to_have_count(0)
    # The test cells above it say what is missing, in words.
    message = "relu_activation is not answered yet (NotImplementedError)"
    expect(lab.outputs("test-relu-activation").first).to_contain_text(message)
    red = lab.stderr()
    expect(red).to_have_count(1)
    expect(red).to_contain_text("NotImplementedError")
    shown = lab.page.locator(".jp-Notebook :is(h1, h2, h3, h4)")
    expect(shown).to_have_text(headings(released))
    last = shown.last
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport()


@pytest.mark.smoke
def test_typed_answers_fail_and_pass_with_a_line_for_each_part(opened):
    lab = opened(RELEASED)
    lab.run("setup")
    lab.answer("relu-activation", "return np.abs(s), s > 0")
    lab.run("relu-activation", "test-relu-activation")
    found = lab.outputs("test-relu-activation").first
    expect(found).to_contain_text("FAILED  values [1 pt]")
    expect(found).to_contain_text("out[0, 0]: expected 0, got 2")
    expect(found).to_contain_text("relu_activation: 2 of 3 points")
    lab.answer("relu-activation", "return np.maximum(s, 0), s > 0")
    lab.run("relu-activation", "test-relu-activation")
    expect(lab.outputs("test-relu-activation").first).to_have_text(
        "passed  values [1 pt], derivatives [1 pt], s is left as it was; at 0 the slope is 0 to 1\n"
        "        [1 pt]\n"
        "relu_activation: 3 of 3 points\n"
    )
    expect(lab.stderr()).to_have_count(0)
    expect(lab.outputs("test-relu-activation")).to_have_count(1)  # and no number below


# Says "nine" of ink on the left.
DRAW = """import hw_support
drawing = hw_support.draw_digit(lambda image: image[:, :14].sum() > image[:, 14:].sum())"""
LOOK = "print(drawing.shape, drawing[14, 7], drawing[14, 21])"
WATCH = """import numpy as np
weights = [np.zeros((784, 8)), np.ones((8, 1))]
for epoch in range(2):
    for step in hw_support.progress(range(3), f"epoch {epoch}", lambda: ([0.5], weights)):
        pass
print("done")"""


def test_a_drawn_digit_is_read_and_a_training_is_watched(opened, tmp_path):
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}
    cells = {"canvas": DRAW, "look": LOOK, "watch": WATCH}
    cells = [new_code_cell(source, id=name) for name, source in cells.items()]
    nbformat.write(new_notebook(cells=cells, metadata=metadata), tmp_path / "drawing.ipynb")
    lab = opened(tmp_path / "drawing.ipynb")
    lab.run("canvas")
    beside = lab.outputs("canvas").first
    expect(beside).to_contain_text("Draw a three or a nine")
    canvas = beside.locator("canvas").first
    for x, said in [(210, "a three"), (70, "a three"), (80, "a nine")]:
        canvas.hover(position={"x": x, "y": 60})
        lab.page.mouse.down()
        canvas.hover(position={"x": x, "y": 200})
        lab.page.mouse.up()
        expect(beside).to_contain_text(said)
    lab.run("look")
    expect(lab.outputs("look").first).to_have_text("(28, 28) 1.0 1.0\n")
    beside.get_by_role("button", name="Clear").click()
    expect(beside).to_contain_text("Draw a three or a nine")
    lab.run("look")
    expect(lab.outputs("look").first).to_have_text("(28, 28) 0.0 0.0\n")
    lab.run("watch")
    expect(lab.outputs("watch").locator("img")).to_have_count(1)
    expect(lab.outputs("watch").last).to_have_text("done\n")
    expect(lab.stderr()).to_have_count(0)
