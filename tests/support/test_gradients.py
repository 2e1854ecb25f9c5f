"""Gradients are compared by shapes, values and means, each apart; caches are counted."""

import numpy as np
import pytest

from hw_support import (
    Mismatch,
    expect_caches,
    expect_each,
    expect_largest_error,
    expect_means,
    expect_shapes,
)

RIGHT = np.arange(1.0, 25.0).reshape(2, 3, 4) ** 2
BIAS = RIGHT[:, :1, :]
EACH, MEANS, SHAPES = expect_each, expect_means, expect_shapes


@pytest.mark.parametrize(
    ("came", "right", "wrong"),
    [
        ([RIGHT], RIGHT, {}),
        ((RIGHT.tolist(),), RIGHT, {}),
        ([RIGHT.mean(axis=0)], RIGHT, {EACH: "grad[0]: expected shape (2, 3, 4), got (3, 4)",
            SHAPES: "grad[0]: expected shape (2, 3, 4), got (3, 4). Is this one gradient"}),
        ([RIGHT.sum(axis=0)], RIGHT, {EACH: "grad[0]: expected shape", SHAPES: "grad[0]: expe"}),
        ([BIAS[:, 0]], BIAS, {SHAPES: "grad[0]: expected shape (2, 1, 4), got (2, 4)"}),
        ([RIGHT[::-1]], RIGHT, {EACH: "grad[0][0, 0, 0]: expected 1, got 169"}),
        ([RIGHT[::-1] * [[[1]], [[2]]]], RIGHT, {EACH: "grad[0][0", MEANS: "the mean of grad[0]"}),
        ([-RIGHT], RIGHT, {EACH: "grad[0][0, 0, 0]: expected 1, got -1",
            MEANS: "the mean of grad[0][0, 0]: expected 85, got -85"}),
        ([RIGHT.swapaxes(1, 2)], RIGHT, dict.fromkeys((EACH, MEANS, SHAPES), "grad[0]: expected")),
        ([RIGHT.ravel()], RIGHT, dict.fromkeys((EACH, MEANS, SHAPES), "grad[0]: expected shape")),
        ([np.ones((2, 5))], RIGHT, dict.fromkeys((EACH, MEANS, SHAPES), "grad[0]: expected shape")),
        (None, RIGHT, dict.fromkeys((EACH, MEANS, SHAPES), "grad: expected arrays, got None")),
        ([], RIGHT, dict.fromkeys((EACH, MEANS, SHAPES), "grad: expected 1 arrays, got 0")),
        ([RIGHT] * 9, RIGHT, dict.fromkeys((EACH, MEANS, SHAPES), "grad: expected 1 arrays, got at "
            "least 2")),
        ([None], RIGHT, dict.fromkeys((EACH, MEANS, SHAPES), "grad[0]: expected numbers, got N")),
    ],
    ids=range(15),
)  # fmt: skip
def test_shapes_values_and_means_are_compared_apart(came, right, wrong):
    for compare in (EACH, MEANS, SHAPES):
        if compare not in wrong:
            compare(came, [right], what="grad")
            continue
        with pytest.raises(Mismatch) as caught:
            compare(came, [right], what="grad")
        assert str(caught.value).startswith(wrong[compare])


@pytest.mark.parametrize("compare", [EACH, MEANS, SHAPES])
def test_one_array_in_the_place_of_a_list_has_no_likely_cause(compare):
    with pytest.raises(Mismatch, match=r"^grad: expected 2 arrays, got only the first$"):
        compare(RIGHT, [RIGHT, BIAS], what="grad")


def layer(number):
    return np.full(2, float(number)), number


def growing(tape):
    return lambda: tape.extend([layer(1), layer(2)]) or tape


SAME = np.array([1.0, 2.0])


@pytest.mark.parametrize(
    ("caches", "message"),
    [
        ([layer(1), layer(2)], ""),
        ((None, layer(1), layer(2)), ""),
        ([{"x": SAME}, {"x": 2 * SAME}], ""),
        (["all in one"], ""),
        ({"x": [1.0], "W": [2.0]}, ""),
        (7, ""),
        (None, "layer_caches: expected caches, got None"),
        ([None, None], "layer_caches: expected caches of 2 layers, got none"),
        ([layer(1)], "layer_caches: expected 2 caches, got 1"),
        ([None, layer(1)], "layer_caches: expected 2 caches, got 1"),
        ([(SAME,), (SAME,)], "layer_caches: expected a cache of its own for each layer, got one"),
    ],
    ids=str,
)
def test_caches_are_those_of_all_layers(caches, message):
    if not message:
        expect_caches(lambda: caches, 2)
        return
    with pytest.raises(Mismatch) as caught:
        expect_caches(lambda: caches, 2)
    assert str(caught.value).startswith(message)


def test_caches_are_those_of_one_call():
    with pytest.raises(Mismatch, match=r"^layer_caches: expected 2 in the next call too, got 4$"):
        expect_caches(growing([]), 2)


ONE = np.array([1.0, 2.0])
PAIRS = [(ONE, ONE * (1 + 1e-6)), (ONE, ONE)]


@pytest.mark.parametrize(
    ("pairs", "largest", "message"),
    [
        (PAIRS, 1e-6, ""),
        (PAIRS, 0.5e-6, ""),  # relative to the sum
        (PAIRS, np.array([[1e-6]]), ""),
        (PAIRS, 1e-5, "the largest relative error: expected 2.5e-07 to 2.0e-06, got 1.0e-05"),
        (PAIRS, 0.0, "the largest relative error: expected 2.5e-07 to 2.0e-06, got 0.0e+00"),
        (PAIRS, np.nan, "the largest relative error: expected 2.5e-07 to 2.0e-06, got nan"),
        (PAIRS, None, "the largest relative error: expected numbers, got None"),
        ([(ONE, ONE)], 0.0, ""),
        ([(ONE, ONE[:1])], 5.0, ""),  # the shape has cost points elsewhere
        ([], 5.0, ""),
    ],
)
def test_the_largest_error_by_any_usual_definition(pairs, largest, message):
    if not message:
        expect_largest_error(lambda: largest, pairs)
        return
    with pytest.raises(Mismatch) as caught:
        expect_largest_error(lambda: largest, pairs)
    assert str(caught.value).startswith(message)
