"""Known mistakes are recognised by the values that they return; other mistakes get no cause."""

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
        (RIGHT / 5, "divided by the batch size"),
        (-RIGHT, "sign"),
        (np.swapaxes(RIGHT, 1, 2), "rows and columns"),
        (RIGHT[::-1], "reversed"),
        (RIGHT * 1e-5**2, r"/ 2 \* h"),
        (RIGHT * 2e-5, "divided by 2 h"),
        (RIGHT * 2, "2 times"),
        (RIGHT / 2, "half"),
        (RIGHT * 100, "percent"),
        (RIGHT / np.log(10), "base 10"),
        (RIGHT[-1], "the last example"),
        (RIGHT.ravel(), "reshape"),
        (RIGHT[:, None], "reshape"),
        (np.swapaxes(RIGHT, 0, 1), "axes 0 and 1 are swapped"),
    ],
)
def test_a_known_mistake_is_named(wrong, word):
    with pytest.raises(Mismatch, match=f"Likely cause: .*{word}"):
        assert_close(wrong, RIGHT)


@pytest.mark.parametrize(
    "wrong", [np.zeros_like(RIGHT), RIGHT + 1, np.full_like(RIGHT, np.nan), np.ones(7)]
)
def test_an_unknown_mistake_has_no_cause(wrong):
    assert likely_cause(wrong, RIGHT) is None


def test_a_single_number_has_no_cause():
    assert likely_cause(np.array(2.0), np.array(1.0)) is None


def test_a_hidden_part_shows_the_cause_and_no_values():
    with pytest.raises(Mismatch) as caught:
        assert_close(RIGHT.mean(axis=0), RIGHT, what="grad_Ws[0]")
    assert "mean over the batch" in caught.value.discreet


def outer(a, b):
    return a[:, :, None] * b[:, None, :]


@pytest.mark.parametrize(("inputs", "outputs"), [(4, 3), (4, 1), (3, 3)])
def test_a_transposed_outer_product_is_called_swapped_and_not_reshaped(inputs, outputs):
    draw = np.random.default_rng(5)
    x, delta = draw.normal(size=(6, inputs)), draw.normal(size=(6, outputs))
    cause = likely_cause(outer(delta, x), outer(x, delta))
    assert "swapped" in cause
    assert "reshape" not in cause


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (np.array([[1.0], [-1.0]]), np.array([[-1.0], [1.0]])),  # negated, or reversed
        (np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])),  # 1 - x, reversed
        (np.array([[0.0, 2.0], [-2.0, 0.0]]), np.array([[0.0, -2.0], [2.0, 0.0]])),  # -x, x.T
        (np.full((2, 3, 4), 0.5), np.full((2, 4, 3), 0.5)),  # swapped, or reshaped
        (np.full(6, 0.5), np.full((2, 3), 0.5)),  # by rows, or by columns
        (RIGHT[:1], np.repeat(RIGHT[:1], 5, axis=0)),  # the mean, the first, the last
        (np.array([1.0, 1.0]), np.array([0.5, 0.5])),  # a factor, or a summand
        (np.array([2.0, 3.0, 1.0]), np.array([1.0, 1.5, 0.5])),  # invented
    ],
)
def test_with_two_possible_causes_none_is_shown(wrong, right):
    assert likely_cause(wrong, right) is None


@pytest.mark.parametrize(
    "wrong",
    [
        RIGHT * (1 + 1e-5),
        RIGHT * 1.001,
        RIGHT + 1e-5,
        np.round(RIGHT, 4),
        RIGHT.astype(np.float32).astype(float),
    ],
)
def test_values_that_nearly_agree_have_no_cause(wrong):
    assert likely_cause(wrong, RIGHT) is None


def test_a_matrix_that_is_nearly_symmetric_has_no_rows_and_columns_swapped():
    half = np.random.default_rng(1).normal(size=(4, 4))
    right = half + half.T + 1e-5 * half
    assert likely_cause(right.T, right) is None


@pytest.mark.parametrize("factor", [2.011, 1.5, 0.7, 3.0, -2.0])
def test_a_factor_that_no_student_makes_is_no_cause(factor):
    assert likely_cause(factor * RIGHT, RIGHT) is None


def test_half_is_no_cause_if_it_can_be_one_over_a_length_or_its_root():
    for n in (2, 4):
        right = np.random.default_rng(n).normal(size=(n, 7))
        assert likely_cause(right / 2, right) is None
    right = np.random.default_rng(5).normal(size=(5, 7))
    assert "half" in likely_cause(right / 2, right)


def test_division_by_the_largest_entry_is_not_called_division_by_n():
    right = np.array([[3.0], [-1.25], [2.0]])
    assert likely_cause(right / 3, right) is None
    right = np.array([[2.5], [-1.25], [2.0]])
    assert "divided by n" in likely_cause(right / 3, right)


def test_the_first_of_two_rows_means_one_array_instead_of_two():
    right = np.array([[0.0, 0.5], [3.0, 0.0]])
    assert "instead of two" in likely_cause(right[0], right)
    assert likely_cause(right[1], right) is None
    assert likely_cause(right.max(axis=1), right) is None
    assert likely_cause(np.array([1.0, 2.0]), np.array([[1.0, 2.0], [1.0, 2.0]])) is None


def test_a_reversed_comparison_is_not_called_a_reversed_order():
    s = np.random.default_rng(7).normal(size=(4, 5))
    assert likely_cause((s < 0) * 1.0, (s > 0) * 1.0) == "every entry is 1 minus what it should be"


def test_a_changed_argument_has_no_cause():
    with pytest.raises(Mismatch) as caught:
        assert_close(RIGHT[0].ravel(), RIGHT[0], what="x after the call")
    assert "Likely cause" not in str(caught.value)


def test_the_number_of_agreeing_digits_is_shown():
    with pytest.raises(Mismatch, match="The values agree to 4 digits; 7 were expected") as caught:
        assert_close(RIGHT * (1 + 5e-5), RIGHT)
    assert "4 digits" in caught.value.discreet


@pytest.mark.parametrize("wrong", [RIGHT * 1.01, np.where(RIGHT[0, 0, 0] == RIGHT, 0, RIGHT)])
def test_values_with_one_far_off_are_not_said_to_agree(wrong):
    with pytest.raises(Mismatch) as caught:
        assert_close(wrong, RIGHT)
    assert "digits" not in str(caught.value)
