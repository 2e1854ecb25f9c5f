"""Known mistakes are recognized by what they return, and nothing else is."""

import numpy as np
import pytest

from hw_support import Mismatch, assert_close
from hw_support.causes import likely_cause

RIGHT = np.random.default_rng(3).normal(size=(5, 4, 3))


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (RIGHT.mean(axis=0), "mean over the batch"),
        (RIGHT.mean(axis=0, keepdims=True), "mean over the batch"),
        (RIGHT.sum(axis=0), "sum over the batch"),
        (RIGHT / 5, "1/n"),
        (-RIGHT, "sign"),
        (np.swapaxes(RIGHT, 1, 2), "rows and columns"),
        (RIGHT[::-1], "reversed"),
        (RIGHT * 1e-5**2, r"/ 2 \* h"),
        (RIGHT * 2e-5, "divided by 2 h"),
        (RIGHT * 2, "2 times"),
    ],
)
def test_a_known_mistake_is_named(wrong, word):
    with pytest.raises(Mismatch, match=f"Likely cause: .*{word}"):
        assert_close(wrong, RIGHT)


@pytest.mark.parametrize(
    "wrong", [np.zeros_like(RIGHT), RIGHT + 1, np.full_like(RIGHT, np.nan), np.ones(7)]
)
def test_what_is_not_known_has_no_cause(wrong):
    assert likely_cause(wrong, RIGHT) is None


def test_a_single_number_has_no_cause():
    assert likely_cause(np.array(2.0), np.array(1.0)) is None


def test_a_cause_is_told_where_values_are_not():
    with pytest.raises(Mismatch) as caught:
        assert_close(RIGHT.mean(axis=0), RIGHT, what="grad_Ws[0]")
    assert "mean over the batch" in caught.value.discreet
