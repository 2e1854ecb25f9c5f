"""The canvas says what a network makes of a drawing; tests/browser/test_lab.py draws on it."""

import sys

import numpy as np
import pytest

from hw_support import draw_digit
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


def test_without_the_package_it_says_what_to_type(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ipycanvas", None)
    assert not draw_digit(lambda image: 0.5).any()
    assert "pip install ipycanvas" in capsys.readouterr().out
