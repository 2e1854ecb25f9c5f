"""Results are judged by value, and a mismatch says where it is: expected X, got Y."""

from fractions import Fraction

import numpy as np
import pytest
from told import told

from hw_support import (
    Mismatch,
    as_numbers,
    assert_close,
    expect_kept,
    expect_unchanged,
    relative_error,
)
from hw_support.checks.compare import expect_spread, expect_value, shown


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


@pytest.mark.parametrize(
    ("got", "right", "how", "message"),
    [
        ([1.0, 2.0], [[1.0], [2.0]], {"flat_ok": True}, ""),
        ([1.0, 2.0], [[1.0], [2.0]], {}, "out: expected shape (2, 1), got (2,)"),
        (np.ones((2, 3)), np.ones(3), {"flat_ok": True}, "out: expected shape (3,) or (3, 1), got "
         "(2, 3)"),
        (np.ones((2, 2)), np.ones((2, 1)), {}, "out: expected shape (2, 1), got (2, 2). Did you"),
        (np.ones((3, 3)), np.ones((3, 1)), {"flat_ok": True}, "out: expected shape (3, 1) or (3,), "
         "got (3, 3). Did you combine arrays of shapes (3,) and (3, 1)? NumPy broadcasts them"),
        ([[1.0, 2.0], [3.0, 5.0]], [[1.0, 2.0], [3.0, 4.0]], {},
         "out[1, 1]: expected 4, got 5 (1 of 4 entries differ)"),
        (1e-11, 2e-11, {}, "out: expected 2e-11, got 1e-11"),
        ([1.0, np.nan], [1.0, 2.0], {}, "out[1]: expected 2, got nan"),
        ([1.0, np.inf], [1.0, 2.0], {}, "out[1]: expected 2, got inf"),
        ([1.0, np.nan], [1.0, np.nan], {}, "out: expected NaN, got NaN, which equals nothing. The "
         "test that compares them needs equal_nan=True"),
        ([np.nan, 1.0], [np.nan, 2.0], {}, "out[1]: expected 2, got 1"),
        ([1.0, np.nan], [1.0, np.nan], {"equal_nan": True}, ""),
        ([1.00005, 2.0001], [1.0, 2.0], {}, "out[0]: expected 1, got 1.00005, relative error "
         "5.0e-05 (2 of 2 entries differ)"),
        (np.zeros(3).view(EqualToEverything), [0.0, 2.0, 3.0], {}, "out[1]: expected 2, got 0"),
    ],
)  # fmt: skip
def test_values_and_shapes(got, right, how, message):
    if not message:
        assert_close(got, right, what="out", **how)
        return
    with pytest.raises(Mismatch) as caught:
        assert_close(got, right, what="out", **how)
    assert str(caught.value).startswith(message)
    np.testing.assert_array_equal(caught.value.got, np.asarray(got))
    np.testing.assert_array_equal(caught.value.expected, right)


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (None, "None. Is a `return` missing?"),
        ("0.5", "a str"),
        ([1.0, None], "object values"),
        ([Fraction(1, 2)], "object values"),
        ([[1.0], [1.0, 2.0]], "a list of 2 entries (shape (1,), shape (2,)), which is no array"),
        (abs, "a function. Did you forget to call it?"),
        ({"a": 1}, "a dict"),
        (np.broadcast_to(0.0, (10**9, 10)), "an array of shape (1000000000, 10), far too many"),
    ],
)
def test_results_without_numbers_are_named(value, got):
    assert told(as_numbers, value, what="out") == f"out: expected numbers, got {got}"


def test_for_an_entry_that_is_none_no_return_is_missing():
    assert told(as_numbers, None, what="grad_Ws[0]").endswith("expected numbers, got None")
    assert told(as_numbers, None, what="x after the call").endswith("expected numbers, got None")


COLUMN = [np.ones((3, 1)), np.ones((2, 1))]


@pytest.mark.parametrize("came", [COLUMN, [one.ravel() for one in COLUMN], (np.ones(3), [1, 1])])
def test_columns_in_lists_may_be_flat(came):
    expect_value(came, COLUMN, flat_ok=True)
    expect_value({"x": came}, {"x": COLUMN}, flat_ok=True)
    if np.ndim(came[0]) == 1:
        with pytest.raises(Mismatch, match=r"^out\[0\]: expected shape \(3, 1\), got \(3,\)"):
            expect_value(came, COLUMN, what="out")


@pytest.mark.parametrize(
    ("came", "due", "message"),
    [
        (1, True, ""),
        ([2.0, 4.0000001], np.array([2, 4]), ""),
        ("b", np.str_("b"), ""),
        (np.array(["a", "b"]), ("a", "b"), ""),
        (b"a", b"a", ""),
        (None, None, ""),
        (10**30, 10**30, ""),
        ((), [], ""),
        (np.empty((0, 2)), np.empty((0, 2)), ""),
        ({2: [1.0], "a": None}, {"a": None, 2: np.ones(1)}, ""),
        ({"b", "a"}, {"a", "b"}, ""),
        (frozenset([1]), {1.0}, ""),
        (["b", "a"], {"a", "b"}, ""),  # as it comes from the notebook
        ([np.ones(2), [1, 1, 1]], ([1.0, 1.0], [1.0, 1.0, 1.0]), ""),
        (["a", [1, (2.5, None)], {"x": {3}}], ("a", (1, [2.5, None]), {"x": {3}}), ""),
        (2, 1, "out: expected 1, got 2"),
        (None, "a", "out: expected 'a', got None. Is a `return` missing?"),
        (0, None, "out: expected None, got 0"),
        ("b", "a", "out: expected 'a', got 'b'"),
        (["a"], "a", "out: expected 'a', got ['a']"),
        ("a", b"a", "out: expected b'a', got 'a'"),
        (10**30, 10**30 + 1, "out: expected 1000000000000000000000000000001, got 1"),
        ("1", 10**30, "out: expected 1000000000000000000000000000000, got '1'"),
        ({"b": 1}, {"a": 1}, "out: expected the key 'a', got {'b': 1}"),
        ({"a": 1, 2: 3}, {"a": 1}, "out: expected no key 2"),
        ({"a": [1, 3]}, {"a": [1, 2]}, "out['a'][1]: expected 2, got 3 (1 of 2 entries differ)"),
        ([("a", 1)], {"a": 1}, "out: expected {'a': 1}, got [('a', 1)]"),
        (["a", "a", "b"], {"a", "b"}, "out: expected {'a', 'b'}, got ['a', 'a', 'b']"),
        ([["a"]], {"a"}, "out: expected {'a'}, got [['a']]"),
        ("a", {"a"}, "out: expected {'a'}, got 'a'"),
        (["a"], ["a", "b"], "out: expected 2 entries, got 1"),
        ("ab", ["a", "b"], "out: expected ['a', 'b'], got 'ab'"),
        (["a", [1, "x"]], ["a", [1, "y"]], "out[1][1]: expected 'y', got 'x'"),
        ([1], [], "out: expected 0 entries, got 1"),
        ([np.ones(2), np.ones(2)], [np.ones(2), np.ones(3)], "out[1]: expected shape (3,), got"),
    ],
)
def test_a_value_of_any_plain_kind_is_right_or_told(came, due, message):
    said = told(expect_value, came, due, what="out")
    assert said[: len(message) or None] == message


def test_tolerances_hold_within_lists_too():
    expect_value({"x": ["a", 1.1]}, {"x": ["a", 1.0]}, rtol=0.2)
    expect_value(["a", np.nan], ["a", np.nan], equal_nan=True)
    with pytest.raises(Mismatch):
        expect_value({"x": ["a", 1.1]}, {"x": ["a", 1.0]})


@pytest.mark.parametrize("due", [object(), 1j, zip([1], [2], strict=True), Fraction(1, 2), abs])
def test_what_cannot_be_compared_is_an_error_of_the_test(due):
    with pytest.raises(TypeError, match=r"^out: no comparison for an expected \w"):
        expect_value(due, due, what="out")


DRAW, ANY = np.random.default_rng(1), (-np.inf, np.inf)


@pytest.mark.parametrize(
    ("draws", "given", "message"),
    [
        (DRAW.normal(2, 3, 5000), (2, 3, *ANY), ""),
        (DRAW.normal(2, 3, 5000), (None, None, *ANY), ""),
        (DRAW.exponential(2, 1000), (2, 2, 0, np.inf), ""),
        (DRAW.integers(1, 7, 1000), (3.5, 1.708, 1, 6), ""),
        (DRAW.normal(2, 3, 5000), (2.5, 3, *ANY), "expected the mean 2.5, got"),
        (DRAW.normal(2, 3, 5000), (2, 2.7, *ANY), "expected the standard deviation 2.7, got"),
        (DRAW.integers(1, 8, 1000), (None, None, 1, 6), "expected numbers from 1 to 6, got 1 to 7"),
        (np.array([1.0, np.nan]), (None, None, *ANY), "expected finite numbers, got NaN or inf"),
        (np.array([1.0]), (None, None, *ANY), "expected random numbers, got 1"),
    ],
)
def test_random_numbers_have_a_mean_a_spread_and_bounds(draws, given, message):
    assert told(expect_spread, draws.astype(float), *given)[: len(message) or None] == message


def test_right_draws_pass_with_every_seed():
    for seed in range(2000):
        draw = np.random.default_rng(seed)
        expect_spread(draw.normal(0, 1, 1000), 0, 1, *ANY)
        expect_spread(draw.uniform(0, 1, 1000), 0.5, 12**-0.5, *ANY)
        expect_spread(draw.exponential(1, 1000), 1, 1, *ANY)
        expect_spread((draw.random(1000) < 0.1) * 1.0, 0.1, 0.3, *ANY)


def test_relative_error_is_that_of_the_largest_entry():
    assert relative_error([1.0, 1e-8], [1.0, 2e-8]) == pytest.approx(1e-8)
    assert relative_error([0.0], [0.0]) == 0.0
    assert relative_error([0.001], [0.002]) == 0.5
    assert np.isnan(relative_error([np.nan], [1.0]))
    with pytest.raises(ValueError, match="the same shape"):
        relative_error([1.0], [1.0, 2.0])


# -- what a call leaves as it was


def restored(x, more):
    x += 0.1
    x -= 0.1


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x, more: 5, ""),
        (restored, ""),
        (lambda x, more: x.fill(9), "x after the call: expected [1., 2.], as before, got [9., 9.]"),
        (
            lambda x, more: more.append(1),
            "more after the call: expected 2 entries, as before it, g",
        ),
        (
            lambda x, more: more[0].fill(1),
            "more[0] after the call: expected [0.], as before, got [",
        ),
    ],
)
def test_arguments_are_left_as_they_were(function, message):
    def call():
        return expect_unchanged(function, np.array([1.0, 2.0]), [np.zeros(1), abs], names="x, more")

    assert told(call)[: len(message) or None] == message
    if not message:
        assert call() == function(np.zeros(2), [])


TAPE, TABLE, ARRAY = [], {}, np.empty(2)


@pytest.mark.parametrize(
    ("function", "kept"),
    [
        (lambda x: (x + 1, {"x": [x], "more": (x, None)}), True),
        (lambda x: None, True),
        (lambda x: TAPE.append(x) or TAPE, True),  # what is on it stays
        (lambda x: TABLE.update(x=x) or [TABLE], False),
        (lambda x: np.copyto(ARRAY, x) or [ARRAY], False),
    ],
)
def test_earlier_results_are_left_as_they_were(function, kept):
    one, two = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    said = "" if kept else "an earlier result: expected no change by the next"
    assert told(expect_kept, function, [one], [two])[: len(said) or None] == said


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.array([[1.5, -2.5]]), "[[1.5, -2.5]]"),
        (np.zeros((5, 5)), "an array of shape (5, 5)"),
        ([np.zeros(1), abs, 0.5, "a", 2], "[[0.], abs, 0.5, 'a', …]"),
        ((None, True), "(None, True)"),
        ({1: [2.5], "a": None}, "{1: [2.5], 'a': None}"),
        (dict.fromkeys("abcde", 1), "{'a': 1, 'b': 1, 'c': 1, 'd': 1, …}"),
        ({5, 4, 3, 2, 1}, "{1, 2, 3, 4, …}"),
        ((np.int64(3), np.float32(0.5), np.bool_(True), b"a"), "(3, 0.5, True, b'a')"),
        (1j, "an object of type complex"),
    ],
)
def test_values_are_shown_on_one_line(value, text):
    assert shown(value) == text


def test_an_input_with_nan_that_is_left_alone_is_unchanged():
    assert np.isnan(expect_unchanged(np.sum, np.array([1.0, np.nan]), names="x"))
