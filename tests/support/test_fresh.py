"""Fresh inputs are like those of visible cases, so what is right for these is right for them."""

import numpy as np
import pytest

from hw_support.checks.fresh import (
    SEED_VARIABLE,
    apart_from_zero,
    drawn_like,
    generator,
    is_finite,
)

SEEDS = range(20)


def drawn(*cases, **ranges):
    """Fresh inputs of functions of `a, b, ...`, with several seeds; each case is a tuple."""
    names = "abcd"[: max(map(len, cases))]
    draws = [np.random.default_rng(seed) for seed in SEEDS]
    return [one for draw in draws for one in drawn_like(cases, names, draw, ranges)]


def first(*values, **ranges):
    """Fresh inputs of a function of one argument."""
    return [one for (one,) in drawn(*((value,) for value in values), **ranges)]


def test_one_seed_gives_the_same_five_fresh_cases_for_each(monkeypatch):
    def cases(seed):
        monkeypatch.setenv(SEED_VARIABLE, seed)
        return [x.tolist() for [x] in drawn_like([[np.ones(2) * 3]], "a", generator("f"), {})]

    assert len(cases("1")) == 5
    assert cases("1") == cases("1")
    assert len({*map(str, cases("1") + cases("2"))}) == 10


@pytest.mark.parametrize(
    "array",
    [
        np.array([[1.5, -2.0], [0.0, 0.25]]),
        np.array([1e-4, -5e-5, 2e-4], dtype=np.float32),
        np.array([2.0, np.nan, -np.inf]),
        np.array([0.1]),
    ],
)
def test_numbers_keep_shape_type_signs_and_size(array):
    numbers = np.abs(array[np.isfinite(array) & (array != 0)])
    least, most = numbers.min(), numbers.max()
    made = first(array)
    assert not any(np.array_equal(one, array) for one in made)
    for one in made:
        assert (one.shape, one.dtype) == (array.shape, array.dtype)
        np.testing.assert_array_equal(np.sign(one), np.sign(array))
        sizes = np.abs(one[np.isfinite(one) & (one != 0)])
        assert least / 2.01 <= sizes.min() <= sizes.max() <= max(1.51 * most, 3.0)


def test_numbers_are_of_sizes_that_any_visible_case_has():
    assert all(1e-4 <= abs(x) <= 100 for x in first(1e-4, 100.0))
    assert all(0 < x <= 0.9 for x in first(0.1, 0.9))  # it may be a share
    small = first(np.array([1.0, 4.0]), np.array([1.0, 4.0]) / 64)
    assert min(x.max() for x in small) >= 0.99 * 4 / 64


def test_whole_numbers_lie_in_the_visible_range():
    made = first(2, 7, np.int64(4))
    assert {*made} == {2, 3, 4, 5, 6, 7}
    assert {type(one) for one in made} == {int, np.int64}
    assert {*first([1, 3], [2, 2])[0]} <= {1, 2, 3}


@pytest.mark.parametrize(
    "array",
    [
        np.array([0, 2, 5, 5]),
        np.array([1.0, -1.0, -1.0]),
        np.array([True, False, False]),
        np.array([[3, 4], [5, 6], [7, 8]], dtype=np.uint8),
        np.eye(4)[:, :3],
    ],
)
def test_rows_of_labels_change_places(array):
    made = first(array)
    rows = lambda a: sorted(map(str, a.tolist()))  # noqa: E731
    assert {(rows(one) == rows(array), one.dtype == array.dtype) for one in made} == {(True, True)}
    rises = array.dtype.kind in "iu" and array.ndim == 1
    assert (len({str(one.tolist()) for one in made}) > 1) != rises


def test_what_is_no_number_stays():
    values = "text", None, True, abs, {1, 2}, np.array(["a", "b"]), b"bytes"
    assert all(one is value for value in values for one in first(value))
    made = first({"text": "a", "x": [np.array([3.0]), (2.5, "b", None)]})[0]
    (array, (number, *others)) = made["x"]
    assert (made["text"], others, array.shape, type(number)) == ("a", ["b", None], (1,), float)
    assert array[0] != 3.0 != number


def test_a_text_of_several_words_gets_others_of_the_same_form():
    made = first("the cat sat, at 10:30.", "one dog ran at 9:15 or 11:45!")
    assert len({*made}) > 30
    for one in made:
        words = one.rstrip(".!").replace(",", "").split(" ")
        small, times = words[:4], [word for word in words if ":" in word]
        assert {*small} <= {"the", "cat", "sat", "at", "one", "dog", "ran", "or"}
        assert {*times} <= {"10:30", "9:15", "11:45"}
        assert (one.count(","), one[-1]) in [(1, "."), (0, "!")]
    assert all(one.startswith(("Once", "One")) for one in first("Once there was One"))
    assert {*first("one-word"), *first("A")} == {"one-word", "A"}


def test_words_that_another_input_has_stay():
    made = drawn(("a cat and a dog", "cat"), ("the end of it", {"end": 1}))
    assert all("cat" in text for text, word in made if word == "cat")
    assert all("end" in text for text, known in made if known == {"end": 1})
    assert len({text for text, _ in made}) > 20


def test_numbers_apart_from_zero_have_both_signs_and_a_size():
    made = apart_from_zero(np.random.default_rng(0), (50, 4), scale=3.0)
    assert made.shape == (50, 4)
    assert (made.min(), made.max()) == (pytest.approx(-6, abs=0.3), pytest.approx(6, abs=0.3))
    assert 0.3 <= np.abs(made).min() < 0.6


def test_cases_of_different_lengths_keep_their_lengths():
    made = drawn((3.0, 2), (3.0,))
    assert [len(one) for one in made] == ([2] * 5 + [1] * 5) * len(SEEDS)


def test_ranges_take_the_place_of_sizes_and_signs():
    made = drawn((np.array([1.0, 2.5]), 3, 1.0), a=(-1, 0), b=(0, 2), c=(5, 6))
    assert all(-1 <= array.min() <= array.max() <= 0 for array, _, _ in made)
    assert {whole for _, whole, _ in made} == {0, 1, 2}
    assert all(5 <= number <= 6 for _, _, number in made)
    assert {*np.ravel(first(np.array([7, 9]), a=(0, 1)))} == {0, 1}


# -- what all visible arrays of an input have in common


def test_arrays_rise_if_all_visible_ones_do():
    assert all((np.diff(one) >= 0).all() for one in first(np.array([1.0, 2.0, 4.0]), np.ones(2)))
    others = first(np.array([1.0, 2.0, 4.0]), np.array([2.0, 1.0]))
    assert any((np.diff(one) < 0).any() for one in others)


@pytest.mark.parametrize(
    "matrix",
    [np.array([[2.0, -0.5], [-0.5, 3.0]]), np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0]]),
     np.eye(3, dtype=bool)],
)  # fmt: skip
def test_matrices_are_symmetric_if_all_visible_ones_are(matrix):
    made = first(matrix)
    assert len(made) == 5 * len(SEEDS)
    for one in made:
        np.testing.assert_array_equal(one, one.T)
        assert one.dtype == matrix.dtype
        assert np.sum(one > 0) == np.sum(matrix > 0)


def test_rows_sum_to_1_if_all_visible_ones_do():
    made = first(np.array([0.2, 0.5, 0.3]), np.array([[0.5, 0.5], [0.0, 1.0]]))
    for one in made:
        np.testing.assert_allclose(one.sum(axis=-1), 1.0)
    assert made[0].tolist() != [0.2, 0.5, 0.3]


@pytest.mark.parametrize(
    ("value", "finite"),
    [
        ([1, "nan", None, np.array([2.0]), {"x": (3.0,)}], True),
        (10**400, True),
        (np.array(["a"]), True),
        (np.float32("inf"), False),
        ({"x": [np.array([1.0, np.nan])]}, False),
        ({np.nan}, False),
    ],
)
def test_what_is_finite(value, finite):
    assert is_finite(value) == finite
