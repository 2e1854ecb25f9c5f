"""A loop shows how far it is, and a training its loss and hidden units, only to who looks."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from IPython.core.events import EventManager, available_events
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from hw_support.homeworks import watching
from hw_support.homeworks.watching import progress


class Shown:
    """What one output showed, the newest last."""

    def __init__(self):
        self.bundles = []

    def update(self, bundle, raw):
        assert raw
        self.bundles.append(bundle)

    def lines(self):
        return [bundle["text/plain"] for bundle in self.bundles]

    def pictures(self):
        files = [io.BytesIO(bundle["image/png"]) for bundle in self.bundles]
        return [np.asarray(Image.open(file)) for file in files]


@pytest.fixture
def notebook(monkeypatch):
    """A notebook in which one cell after another runs; `clock` moves only by the test."""
    clock, outputs = [100.0], []
    shell = SimpleNamespace(execution_count=1)
    shell.events = EventManager(shell, available_events)

    def display(bundle, raw, display_id):
        outputs.append(Shown())
        outputs[-1].update(bundle, raw)
        return outputs[-1]

    def here():
        if watching._current is None or watching._current.cell != shell.execution_count:
            monkeypatch.setattr(watching, "_current", watching._Output(shell))
        return watching._current

    def end_cell():
        shell.events.trigger("post_run_cell", None)
        shell.execution_count += 1

    monkeypatch.setattr("IPython.display.display", display)
    monkeypatch.setattr(watching.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(watching, "_current", None)
    monkeypatch.setattr(watching, "_output_of_this_cell", here)
    return SimpleNamespace(clock=clock, outputs=outputs, end_cell=end_cell)


def take(notebook, count, seconds, label="epoch 1", show=None):
    for _ in progress(range(count), label, show):
        notebook.clock[0] += seconds


def test_a_line_is_redrawn_each_second_and_when_the_cell_ends(notebook):
    take(notebook, 12, 0.125)
    take(notebook, 6, 0.125, "epoch 2")
    (output,) = notebook.outputs
    steps = ["epoch 1: step 0 of 12", "epoch 1: step 8 of 12", "epoch 2: step 4 of 6"]
    assert output.lines() == steps
    notebook.end_cell()
    steps.append("epoch 2: step 6 of 6")
    take(notebook, 4, 0.125)
    notebook.end_cell()
    assert output.lines() == steps
    assert len(notebook.outputs) == 2


def test_the_picture_shows_new_losses_and_the_six_strongest_units(notebook):
    losses, weights = [], [np.zeros((784, 8)), np.arange(8.0)[:, None]]

    def picture():
        take(notebook, 1, 2.0, show=lambda: (losses, weights))
        return notebook.outputs[0].pictures()[-1].astype(int)

    before = picture()
    losses += [np.nan, 0.0, 0.3]
    weights[0][400, [0, 7]] = 1.0  # 0 is not among the six
    after = picture()
    half = before.shape[1] * 58 // 100
    assert np.any(after[:, :half] != before[:, :half])
    assert np.any(after[:, half:] != before[:, half:])
    weights[0][400, 0] = 2.0
    np.testing.assert_array_equal(picture()[:, half:], after[:, half:])
    weights[0][300, 6] = 4.0  # one scale: the image of unit 7 beside it changes too
    changed = np.argwhere(np.any(picture()[:, half:] != after[:, half:], axis=2))
    assert np.ptp(changed[:, 1]) > 100  # in pixels; an image is about 110 wide
    weights[:] = [np.ones((4, 1))]  # no weights of images
    assert picture().shape == after.shape


def test_a_picture_that_fails_ends_no_training(notebook):
    take(notebook, 3, 2.0, show=lambda: losses)  # noqa: F821
    said = "epoch 1: step 1 of 3 (no picture: NameError: name 'losses' is not defined)"
    assert notebook.outputs[0].lines()[1] == said


def test_nothing_is_shown_outside_jupyter(capsys):
    assert list(progress(iter("ab"), "letters")) == ["a", "b"]
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_a_kernel_shows_one_output_and_none_where_nobody_looks(monkeypatch):
    loop = "for _ in hw_support.progress(range(3), 'epoch 1', lambda: ([0.5], weights)):\n    pass"
    quiet = f"import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()):\n    {loop}"
    begin = "import hw_support, numpy as np\nweights = [np.zeros((784, 8)), np.ones((8, 1))]\n"
    sources = [begin + loop, quiet.replace("\n    pass", "\n        pass")]

    def outputs():
        notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
        NotebookClient(notebook, kernel_name="python3").execute()
        return [cell.outputs for cell in notebook.cells]

    [[shown], redirected] = outputs()
    assert redirected == []
    assert set(shown.data) == {"text/plain", "image/png"}
    assert shown.data["text/plain"] == "epoch 1: step 3 of 3"
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert outputs() == [[], []]
