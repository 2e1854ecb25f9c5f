"""The released notebook in JupyterLab, used as by a student."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


def headings(notebook):
    texts = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    prose = re.sub(r"```.*?```", "", "\n".join(texts), flags=re.S)
    return [f"{heading}¶" for heading in re.findall(r"^#+ (.*)$", prose, re.M)]


def test_run_all_of_the_release_stops_at_the_first_stub(opened, released, released_file):
    lab = opened(released_file)
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
def test_typed_answers_fail_and_pass_with_a_line_for_each_part(opened, released_file):
    lab = opened(released_file)
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
        "passed  values [1 pt]\npassed  derivatives [1 pt]\n"
        "passed  s is left as it was; at 0 the slope is 0 to 1 [1 pt]\n"
        "relu_activation: 3 of 3 points\n"
    )
    expect(lab.stderr()).to_have_count(0)
