"""Known mistakes are recognised by the values that they return; other mistakes get no cause."""

import numpy as np
import pytest

from hw_support import Mismatch, assert_close
from hw_support.checks.causes import agrees, checksum_of, likely_cause, times

DRAW = np.random.default_rng(3)
RIGHT = DRAW.normal(size=(5, 4, 3))
MATRIX = DRAW.normal(size=(5, 7))
SIGMOID = np.array([[0.8807971], [0.0003354], [0.9933071]])
SIGMOID_3 = np.array([0.7310586, 0.5, 0.2689414])
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
        (RIGHT / np.log(2), RIGHT, "the logarithm has base 2, not e"),
        (RIGHT * 5, RIGHT, "every entry is multiplied by n"),
        (RIGHT[0], RIGHT, "this is the gradient of the first example"),
        (RIGHT[-1], RIGHT, "this is the gradient of the last example"),
        (RIGHT.ravel(), RIGHT, "the values are right; reshape them"),
        (MATRIX[:, 0], MATRIX[:, :1], "the values are right; reshape them"),
        (outer(DELTA, X), outer(X, DELTA), "rows and columns are swapped"),
        (outer(DELTA[:, :1], X), outer(X, DELTA[:, :1]), "rows and columns are swapped"),
        (np.array([[2.5], [-1.25], [2.0]]) / 3, np.array([[2.5], [-1.25], [2.0]]),
         "every entry is divided by n"),
        (ROWS[0], ROWS, "the function returned one array instead of two; this is its first"),
        ((S < 0) * 1.0, (S > 0) * 1.0, "every entry is 1 minus what it should be"),
        (np.rint(RIGHT * 40000) / 36028.797018963968, RIGHT, "the step h is so small that"),
        # cut to whole numbers
        (SIGMOID.astype(int), SIGMOID, "the values are cut to whole numbers"),
        (np.array([2, -1]), np.array([2.5, -1.75]), "the values are cut to whole numbers"),
        (np.array([2.0, -1.0]), np.array([2.5, -1.75]), None),  # they may come from anywhere
        (np.array([3, -2]), np.array([2.5, -1.75]), None),  # rounded
        (np.array([2, 0]), np.array([2.0, 1.0]), None),
        # several, or seen at sight
        (np.round(RIGHT, 4), RIGHT, "the values are rounded to 4 digits after the point"),
        (np.round(MATRIX, 1), MATRIX, "the values are rounded to 1 digits after the point"),
        (np.full_like(RIGHT, 0.3), RIGHT, "every entry is the same: does the result depend"),
        (MATRIX[[3, 1, 2, 0, 4]], MATRIX, "the values are right, in another order"),
        (np.array(MATRIX.mean()), MATRIX, "this is the mean of all entries"),
        (np.array([MATRIX.sum()]), MATRIX, "this is the sum of all entries"),
        (np.abs(MATRIX), MATRIX, "negative entries have lost their minus"),
        (1 - SIGMOID_3, SIGMOID_3, "the order along the first axis is reversed, or every entry is"),
        # none is known
        (RIGHT + 1, RIGHT, None),
        (np.full_like(RIGHT, np.nan), RIGHT, "NaN comes from inf / inf"),
        (np.copysign(np.inf, RIGHT), RIGHT, "infinity comes from"),
        (np.array(np.nan), np.array(0.5), "NaN comes from inf / inf"),
        (-RIGHT, np.full_like(RIGHT, np.nan), None),
        (np.empty((0, 4)), RIGHT, None),
        (np.where(RIGHT.max() > RIGHT, -RIGHT, RIGHT), RIGHT, None),  # all but one
        (MATRIX[0], MATRIX, None),  # of more than two
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
        (MATRIX[:2] / 2, MATRIX[:2], "every entry is half"),  # or divided by n
        (np.array([[3.0], [-1.25], [2.0]]) / 3, np.array([[3.0], [-1.25], [2.0]]), None),
        (ROWS[1], ROWS, None),
        (np.array([1.0, 2.0]), np.array([[1.0, 2.0], [1.0, 2.0]]), None),
        # nearly right
        (RIGHT * (1 + 1e-5), RIGHT, None),
        (RIGHT * 1.001, RIGHT, None),
        (SYMMETRIC.T, SYMMETRIC, None),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)  # fmt: skip
def test_a_cause_is_named_if_it_alone_explains_all_entries(got, right, cause):
    named = likely_cause(got, right)
    assert named == cause if cause is None else (named or "").startswith(cause)


SWAPPED, SIGN = "rows and columns are swapped", "the sign is wrong"


@pytest.mark.parametrize(
    ("cause", "got", "right", "can_be"),
    [
        (SIGN, -RIGHT, RIGHT, True),
        (SIGN, RIGHT, RIGHT, False),
        (SIGN, np.full_like(RIGHT, np.nan), RIGHT, False),
        (SIGN, np.empty(0), np.empty(0), False),
        (SIGN, np.array([1.0]), np.array([1.0]), True),  # no sign can be told from it
        (SWAPPED, MATRIX.T, MATRIX, True),
        (SWAPPED, MATRIX.T + 1e-6, MATRIX, True),
        (SWAPPED, 2 * MATRIX.T, MATRIX, False),
        (SWAPPED, SYMMETRIC, SYMMETRIC, True),  # it changes next to nothing
        (SWAPPED, np.zeros((7, 5)), np.zeros((5, 7)), True),
        (SWAPPED, np.zeros((7, 5)), MATRIX, False),
    ],
)
def test_a_cause_is_refuted_by_a_result_that_it_does_not_give(cause, got, right, can_be):
    assert agrees(cause, got, right) is can_be


@pytest.mark.parametrize(
    ("cause", "got", "right", "can_be"),
    [
        ("every entry is the same: does the result depend on the inputs?", [0.2], [0.3], True),
        ("every entry is the same: does the result depend on the inputs?", [1, 2], [2, 3], False),
        ("the values are right, in another order", [2.0, 1.0], [1.0, 2.0], True),
        ("the values are right, in another order", [2.0, 3.0], [1.0, 2.0], False),
    ],
)
def test_a_cause_that_is_seen_at_sight_is_refuted_too(cause, got, right, can_be):
    assert agrees(cause, np.array(got), np.array(right)) == can_be


def test_a_number_with_all_digits_is_recognised_as_a_multiple():
    right = 0.6985168039
    assert (
        times(2 * right, right) == "it is 2 times what it should be: is this the sum, and not "
        "the mean?"
    )
    assert times(right / 3, right) == "it is divided by 3 once too often"
    assert [times(*one) for one in ((2.0, 1.0), (0.0, right), (2.001 * right, right))] == [""] * 3
    assert times(np.nan, right) == times(right, np.inf) == ""


def test_a_mark_stands_for_three_numbers_or_more():
    assert checksum_of([[1.0, 2.0]]) == (0.0, 0.0)
    assert checksum_of([]) == (0.0, 0.0)
    marks = [
        checksum_of([values])[0] for values in ([1, 2, 3], [2, 1, 3], [1, 2, 4], [1, 2, np.nan])
    ]
    assert len({round(mark, 3) for mark in marks}) == 4
    assert checksum_of([[1.0], [2.0, 3.0]]) == checksum_of([[1.0, 2.0, 3.0]])
    assert checksum_of([[1.0, 2.0, -3.0]])[1] == pytest.approx(6e-5)


def test_the_cause_is_in_the_message():
    with pytest.raises(Mismatch, match=r"\. Likely cause: the values are cut to whole numbers"):
        assert_close(SIGMOID.astype(int), SIGMOID)
    with pytest.raises(Mismatch, match=r"shape .*\. Likely cause: this is the mean over the batch"):
        assert_close(RIGHT.mean(axis=0), RIGHT)
