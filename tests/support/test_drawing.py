"""The canvas says what a network makes of a drawing; tests/browser/test_lab.py draws on it."""

import sys

import numpy as np
import pytest

from hw_support import draw_digit, get_mnist_threes_nines
from hw_support.homeworks.drawing import _verdict


@pytest.mark.parametrize(
    ("says", "said"),
    [
        (lambda image: np.array([[0.75]]), "a nine</b><br>with probability 0.7500"),
        (lambda image: 0.25, "a three</b><br>with probability 0.7500"),
        (lambda image: 1 / 0, "Your network raised ZeroDivisionError."),
        (lambda image: [0.1, 0.2], "Your network raised TypeError."),
        (lambda image: image.fill(0) or 0.75, "a nine"),
    ],
)
def test_the_verdict_is_what_the_network_says(says, said):
    drawing = np.ones((28, 28))
    assert said in _verdict(says, drawing)
    assert drawing.all()


@pytest.mark.parametrize(("module", "value"), [("ipycanvas", None), ("google.colab", sys)])
def test_without_a_canvas_there_is_a_picture_of_a_nine(module, value, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, module, value)
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    drawing = draw_digit(lambda image: 0.75)
    assert "`pip install ipycanvas`" in capsys.readouterr().out
    picture, said = shown
    np.testing.assert_array_equal(np.asarray(picture)[::10, ::10], np.rint(255 * drawing))
    assert "a nine" in said.data
    (images, labels), _ = get_mnist_threes_nines()
    away = np.linalg.norm((images - drawing).reshape(len(images), -1), axis=1)
    assert set(labels[np.argsort(away)[:9]]) == {1}, "it looks like a nine"
