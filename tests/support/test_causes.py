"""Known mistakes are recognised by the values that they return; other mistakes get no cause."""

import numpy as np
import pytest

from hw_support import Mismatch, assert_close
from hw_support.causes import likely_cause

DRAW = np.random.default_rng(3)
RIGHT = DRAW.normal(size=(5, 4, 3))
MATRIX = DRAW.normal(size=(5, 7))
SIGMOID = np.array([[0.8807971], [0.0003354], [0.9933071]])
ROWS = np.array([[0.0, 0.5], [3.0, 0.0]])
HALF = DRAW.normal(size=(4, 4))
SYMMETRIC = HALF + HALF.T + 1e-5 * HALF
S = DRAW.normal(size=(4, 5))


def outer(a, b):
    return a[:, :, None] * b[:, None, :]


X, DELTA = DRAW.normal(size=(6, 4)), DRAW.normal(size=(6, 3))


@pytest.mark.parametrize(
    ("got", "right", "cause"),
    [
        (RIGHT.mean(axis=0), RIGHT, "this is the mean over the batch, not one"),
        (RIGHT.mean(axis=0, keepdims=True), RIGHT, "this is the mean over the batch"),
        (RIGHT.sum(axis=0), RIGHT, "this is the sum over the batch"),
        (RIGHT / 5, RIGHT, "every entry is divided by the batch size"),
        (-RIGHT, RIGHT, "the sign is wrong"),
        (np.swapaxes(RIGHT, 1, 2), RIGHT, "rows and columns are swapped"),
        (RIGHT[::-1], RIGHT, "the order along the first axis is reversed"),
        (RIGHT * 1e-5**2, RIGHT, "`/ 2 * h` divides by 2 and multiplies by h"),
        (RIGHT * 2e-5, RIGHT, "the difference is not divided by 2 h"),
        (RIGHT * 2, RIGHT, "every entry is 2 times"),
        (RIGHT / 2, RIGHT, "every entry is half"),
        (RIGHT / np.log(10), RIGHT, "the logarithm has base 10, not e"),
        (RIGHT[-1], RIGHT, "this is the gradient of the last example"),
        (RIGHT.ravel(), RIGHT, "the values are right; reshape them"),
        (RIGHT[:, None], RIGHT, "the values are right; reshape them"),
        (MATRIX[:, 0], MATRIX[:, :1], "the values are right; reshape them"),
        (outer(DELTA, X), outer(X, DELTA), "rows and columns are swapped"),
        (outer(DELTA[:, :1], X), outer(X, DELTA[:, :1]), "rows and columns are swapped"),
        (MATRIX / 2, MATRIX, "every entry is half"),
        (np.array([[2.5], [-1.25], [2.0]]) / 3, np.array([[2.5], [-1.25], [2.0]]),
         "every entry is divided by n"),
        (ROWS[0], ROWS, "the function returned one array instead of two; this is its first"),
        ((S < 0) * 1.0, (S > 0) * 1.0, "every entry is 1 minus what it should be"),
        # cut to whole numbers
        (SIGMOID.astype(int), SIGMOID, "the values are cut to whole numbers"),
        (np.array([2, -1]), np.array([2.5, -1.75]), "the values are cut to whole numbers"),
        (np.array([2.0, -1.0]), np.array([2.5, -1.75]), None),  # they may come from anywhere
        (np.array([3, -2]), np.array([2.5, -1.75]), None),  # rounded
        (np.array([2, 0]), np.array([2.0, 1.0]), None),
        # none is known
        (np.zeros_like(RIGHT), RIGHT, None),
        (RIGHT + 1, RIGHT, None),
        (np.full_like(RIGHT, np.nan), RIGHT, None),
        (np.ones(7), RIGHT, None),
        (np.array(2.0), np.array(1.0), None),
        *((factor * RIGHT, RIGHT, None) for factor in (2.011, 1.5, 0.7, 3.0, -2.0)),
        # two explain it
        (np.array([[1.0], [-1.0]]), np.array([[-1.0], [1.0]]), None),  # negated, or reversed
        (np.eye(2), 1 - np.eye(2), None),  # 1 - x, or reversed
        (np.array([[0.0, 2.0], [-2.0, 0.0]]), np.array([[0.0, -2.0], [2.0, 0.0]]), None),  # -x, x.T
        (np.full((2, 3, 4), 0.5), np.full((2, 4, 3), 0.5), None),  # swapped, or reshaped
        (np.full(6, 0.5), np.full((2, 3), 0.5), None),  # by rows, or by columns
        (RIGHT[:1], np.repeat(RIGHT[:1], 5, axis=0), None),  # the mean, the first, the last
        (np.ones(2), np.full(2, 0.5), None),  # a factor, or a summand
        (np.array([2.0, 3.0, 1.0]), np.array([1.0, 1.5, 0.5]), None),  # made up by hand
        (MATRIX[:2] / 2, MATRIX[:2], None),  # half, or divided by n
        (MATRIX[:4] / 2, MATRIX[:4], None),  # half, or divided by the root of n
        (np.array([[3.0], [-1.25], [2.0]]) / 3, np.array([[3.0], [-1.25], [2.0]]), None),
        (ROWS[1], ROWS, None),
        (ROWS.max(axis=1), ROWS, None),
        (np.array([1.0, 2.0]), np.array([[1.0, 2.0], [1.0, 2.0]]), None),
        # nearly right
        (RIGHT * (1 + 1e-5), RIGHT, None),
        (RIGHT * 1.001, RIGHT, None),
        (RIGHT + 1e-5, RIGHT, None),
        (np.round(RIGHT, 4), RIGHT, None),
        (SYMMETRIC.T, SYMMETRIC, None),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)  # fmt: skip
def test_a_cause_is_named_if_it_alone_explains_all_entries(got, right, cause):
    named = likely_cause(got, right)
    assert named == cause if cause is None else (named or "").startswith(cause)


def test_the_cause_is_in_the_message():
    with pytest.raises(Mismatch, match=r"\. Likely cause: the values are cut to whole numbers"):
        assert_close(SIGMOID.astype(int), SIGMOID)
    with pytest.raises(Mismatch, match=r"shape .*\. Likely cause: this is the mean over the batch"):
        assert_close(RIGHT.mean(axis=0), RIGHT)


def test_a_changed_argument_has_no_cause():
    with pytest.raises(Mismatch) as caught:
        assert_close(RIGHT[0].ravel(), RIGHT[0], what="x after the call")
    assert "Likely cause" not in str(caught.value)
