"""Results are judged by value, and a mismatch says where it is: expected X, got Y."""

from fractions import Fraction

import numpy as np
import pytest

from hw_support import (
    Mismatch,
    as_numbers,
    assert_close,
    expect_kept,
    expect_unchanged,
    relative_error,
)
from hw_support.compare import shown


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
        (np.ones((3, 3)), np.ones((3, 1)), {"flat_ok": True}, "out: expected shape (3, 1) or (3,), "
         "got (3, 3). Did you combine arrays of shapes (3,) and (3, 1)? NumPy broadcasts them"),
        ([[1.0, 2.0], [3.0, 5.0]], [[1.0, 2.0], [3.0, 4.0]], {},
         "out[1, 1]: expected 4, got 5 (1 of 4 entries differ)"),
        (1e-11, 2e-11, {}, "out: expected 2e-11, got 1e-11"),
        ([1.0, np.nan], [1.0, 2.0], {}, "out[1]: expected 2, got nan"),
        ([1.0, np.inf], [1.0, 2.0], {}, "out[1]: expected 2, got inf"),
        ([1.0, np.nan], [1.0, np.nan], {}, "out[1]: expected nan, got nan"),
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
        ([[1.0], [1.0, 2.0]], "what is no array (ValueError)"),
        ((x for x in [1.0]), "a generator"),
        (abs, "a function. Did you forget to call it?"),
        (1 + 2j, "a complex"),
        ({"a": 1}, "a dict"),
        (np.broadcast_to(0.0, (10**9, 10)), "an array of shape (1000000000, 10), far too many"),
    ],
)
def test_results_without_numbers_are_named(value, got):
    with pytest.raises(Mismatch) as caught:
        as_numbers(value, what="out")
    assert str(caught.value) == f"out: expected numbers, got {got}"


@pytest.mark.parametrize("what", ["grad_Ws[0]", "a parameter after the call"])
def test_for_an_entry_that_is_none_no_return_is_missing(what):
    with pytest.raises(Mismatch, match=r"expected numbers, got None$"):
        as_numbers(None, what=what)


def test_relative_error_is_that_of_the_largest_entry():
    assert relative_error([1.0, 1e-8], [1.0, 2e-8]) == pytest.approx(1e-8)
    assert relative_error([0.0], [0.0]) == 0.0
    assert np.isnan(relative_error([np.nan], [1.0]))
    with pytest.raises(ValueError, match="the same shape"):
        relative_error([1.0], [1.0, 2.0])


# -- what a call leaves as it was


def changed(x, more):
    x[0] = 9


def appended(x, more):
    more.append(1)


def within(x, more):
    more[0] += 1


def restored(x, more):
    x += 0.1
    x -= 0.1


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x, more: 5, ""),
        (restored, ""),
        (changed, "x after the call: expected [1., 2.], as before, got [9., 2.]"),
        (appended, "more after the call: expected 2 entries, as before it, got 3"),
        (within, "more[0] after the call: expected [0.], as before, got [1.]"),
    ],
)
def test_arguments_are_left_as_they_were(function, message):
    def call():
        return expect_unchanged(function, np.array([1.0, 2.0]), [np.zeros(1), abs], names="x, more")

    if not message:
        assert call() == function(np.zeros(2), [])
        return
    with pytest.raises(Mismatch) as caught:
        call()
    assert str(caught.value) == message


def filling(shared):
    def fill(x):
        if isinstance(shared, dict):
            shared["x"] = x
        else:
            shared[:] = x
        return [shared]

    return fill


def taping(tape):
    return lambda x: tape.append(x) or tape


@pytest.mark.parametrize(
    ("function", "kept"),
    [
        (lambda x: (x + 1, {"x": [x], "more": (x, None)}), True),
        (lambda x: None, True),
        (lambda x: "text", True),
        (taping([]), True),  # what is on it stays
        (filling({}), False),
        (filling(np.empty(2)), False),
    ],
)
def test_earlier_results_are_left_as_they_were(function, kept):
    one, two = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    if kept:
        expect_kept(function, [one], [two])
    else:
        with pytest.raises(Mismatch, match=r"^an earlier result: expected no change by the next"):
            expect_kept(function, [one], [two])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.array([[1.5, -2.5]]), "[[1.5, -2.5]]"),
        (np.zeros((5, 5)), "an array of shape (5, 5)"),
        ([np.zeros(1), abs, 0.5, "a", 2], "[[0.], abs, 0.5, 'a', …]"),
        ((None, True), "(None, True)"),
        ({1: 2}, "an object of type dict"),
    ],
)
def test_values_are_shown_on_one_line(value, text):
    assert shown(value) == text
