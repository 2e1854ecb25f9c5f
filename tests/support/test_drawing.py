"""A stroke puts ink where it passes, and the canvas says what a network makes of it."""

import sys

import numpy as np
import pytest

from hw_support import draw_digit
from hw_support.homeworks.drawing import _add_stroke, _verdict


def test_a_stroke_puts_ink_along_its_way_and_nowhere_else():
    image = np.zeros((28, 28))
    changed = _add_stroke(image, (5.5, 10.5), (20.5, 10.5))  # x and y
    np.testing.assert_array_equal(changed, image > 0)
    assert np.all(image[10, 5:21] == 1)
    assert image.max() == 1
    assert not image[:8].any()
    assert not image[13:].any()
    assert not image[:, :3].any()
    assert np.any((image > 0) & (image < 1))  # soft edges, as in MNIST
    assert not _add_stroke(image, (8.0, 10.5), (8.0, 10.5)).any()
    _add_stroke(image, (-40.0, 5.5), (3.5, 5.5))  # from outside
    assert image[5, 0] == 1


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


def test_an_empty_canvas_asks_no_network():
    assert "Draw a three or a nine" in _verdict(lambda image: 1 / 0, np.zeros((28, 28)))


def test_without_the_package_it_says_what_to_type(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ipycanvas", None)
    assert not draw_digit(lambda image: 0.5).any()
    assert "pip install ipycanvas" in capsys.readouterr().out
