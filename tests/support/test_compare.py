"""Results are judged by value, and a mismatch says where it is."""

import re
from collections import namedtuple
from fractions import Fraction

import numpy as np
import pytest

from hw_support import (
    Mismatch,
    as_numbers,
    assert_close,
    expect,
    expect_answer,
    expect_fractions,
    relative_error,
    results_of,
)


class EqualToEverything(np.ndarray):
    def __eq__(self, other):
        return np.ones(self.shape, dtype=bool)


@pytest.mark.parametrize(
    "right",
    [
        [[1.0], [0.0]],
        ((1,), (0,)),
        np.array([[True], [False]]),
        np.array([[1], [0]], dtype=np.float32),
        [[np.float64(1)], [0]],
    ],
)
def test_the_same_values_in_another_type_are_right(right):
    assert_close(right, [[1.0], [0.0]])


def test_shape_n_counts_as_n_by_1_where_allowed():
    assert_close([1.0, 2.0], [[1.0], [2.0]], flat_ok=True)
    with pytest.raises(Mismatch, match=r"\(2,\)"):
        assert_close([1.0, 2.0], [[1.0], [2.0]])


def test_n_by_n_for_n_by_1_is_named_as_broadcasting():
    with pytest.raises(Mismatch, match="broadcast"):
        assert_close(np.ones((3, 3)), np.ones((3, 1)), what="loss", flat_ok=True)


def test_the_first_bad_index_both_values_and_the_relative_error_are_named():
    with pytest.raises(Mismatch) as caught:
        assert_close([[1.0, 2.0], [3.0, 5.0]], [[1.0, 2.0], [3.0, 4.0]], what="W")
    assert "1 of 4 entries" in str(caught.value)
    assert "W[1, 1] is 5, expected 4" in str(caught.value)
    assert "relative error 2.0e-01" in str(caught.value)


def test_the_discreet_message_holds_no_value():
    with pytest.raises(Mismatch) as caught:
        assert_close([1.0, 2.125], [1.0, 3.875], what="out")
    assert not re.search(r"2\.125|3\.875", caught.value.discreet)
    assert "out" in caught.value.discreet


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_wrong(bad):
    with pytest.raises(Mismatch) as caught:
        assert_close([1.0, bad], [1.0, 2.0])
    assert "NaN or infinity" in caught.value.discreet


def test_tiny_numbers_are_compared_relatively():
    with pytest.raises(Mismatch):
        assert_close(1e-11, 2e-11)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (None, "return"),
        ("0.5", "str"),
        ([1.0, None], "object"),
        ([Fraction(1, 2)], "object"),
        ([[1.0], [1.0, 2.0]], "cannot be converted to an array of numbers"),
        ((x for x in [1.0]), "a generator"),
        (abs, "a function"),
        (1 + 2j, "complex"),
        ({"a": 1}, "a dict"),
    ],
)
def test_results_without_numbers_are_named(value, word):
    with pytest.raises(Mismatch, match=word):
        as_numbers(value, what="out")


def test_a_subclass_that_equals_everything_is_compared_by_its_values():
    with pytest.raises(Mismatch):
        assert_close(np.zeros(3).view(EqualToEverything), [1.0, 2.0, 3.0])


def test_relative_error_is_that_of_the_largest_entry():
    assert relative_error([1.0, 1e-8], [1.0, 2e-8]) == pytest.approx(1e-8)
    assert relative_error([0.0], [0.0]) == 0.0
    assert np.isnan(relative_error([np.nan], [1.0]))
    with pytest.raises(ValueError, match="the same shape"):
        relative_error([1.0], [1.0, 2.0])


def test_expect_raises_its_message():
    expect(True, "not shown")
    with pytest.raises(Mismatch, match="too few"):
        expect(False, "too few")


@pytest.mark.parametrize("right", [0.5, [0.0, 1.0], np.array([[0.25]]), [True, False]])
def test_fractions_come_back_as_an_array(right):
    assert expect_fractions(right, what="test_acc").tolist() == np.array(right, float).tolist()


def test_percent_is_called_percent():
    with pytest.raises(Mismatch, match="Are they in percent\\? Fractions between 0 and 1"):
        expect_fractions([0.9, 51.2, 97.0], what="test_acc")


@pytest.mark.parametrize("wrong", [[-0.1, 0.5], [0.5, np.nan], [0.5, 101.0]])
def test_values_that_are_neither_fractions_nor_percent_are_not_called_percent(wrong):
    with pytest.raises(Mismatch, match="not between 0 and 1") as caught:
        expect_fractions(wrong, what="test_acc")
    assert "percent" not in str(caught.value)


@pytest.mark.parametrize(
    "result",
    [
        *(None, 0, (0, 0), [], ([0.0], [np.zeros((3, 1))]), np.full(4, 2.0), "text", [None, "0"]),
        *(abs, [np.nan, np.inf, 1.0], np.full((2, 2), np.nan)),
    ],
)
def test_nothing_or_one_number_everywhere_is_not_an_answer(result):
    with pytest.raises(Mismatch, match=r"^f gives"):
        expect_answer(result, of="f")


@pytest.mark.parametrize(
    "result",
    [
        *([0, 1], (np.zeros(2), np.ones(2)), [[[0.0]], 1], (0.0, "a cache", 1.0)),
        *({1.0: "a", 2.0: "b"}.keys(), map(float, "12"), [np.nan, 1.0, 2.0]),
        namedtuple("Pair", "first second")([np.zeros(2)], np.ones(2)),
    ],
)
def test_different_numbers_are_an_answer_right_or_wrong(result):
    expect_answer(result, of="f")


def test_a_single_number_is_not_called_the_same_everywhere():
    with pytest.raises(Mismatch, match=r"^f gives a single number, 0\.5$"):
        expect_answer(np.array([0.5]), of="f")


@pytest.mark.parametrize("what", ["grad_Ws[0]", "a parameter after the call"])
def test_for_an_entry_that_is_none_no_return_is_missing(what):
    with pytest.raises(Mismatch, match=r"is None; numbers were expected$"):
        as_numbers(None, what=what)
    with pytest.raises(Mismatch, match="Is a `return` missing"):
        as_numbers(None, what="loss")


@pytest.mark.parametrize("one", [None, 0.5, np.float64(0.5), np.ones(2), np.ones((2, 3))])
def test_one_array_or_number_is_one_result_and_not_a_pair_of_rows(one):
    assert [id(result) for result in results_of(one)] == [id(one)]
    assert results_of((one, 2)) == results_of(iter([one, 2])) == [one, 2]
