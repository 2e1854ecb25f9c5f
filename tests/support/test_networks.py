"""What test cells expect of gradients, caches and random numbers."""

from itertools import pairwise

import numpy as np
import pytest

from hw_support import (
    Mismatch,
    bent,
    expect_caches,
    expect_different,
    expect_each,
    expect_largest_error,
    expect_layers,
    expect_means,
    expect_normal,
    expect_shapes,
    peaked,
    squashed,
    waved,
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
        (PAIRS, 1e-5, "the largest relative error: expected 1.0e-07 to 2.0e-06, got 1.0e-05"),
        (PAIRS, 0.0, "the largest relative error: expected 1.0e-07 to 2.0e-06, got 0.0e+00"),
        (PAIRS, np.nan, "the largest relative error: expected 1.0e-07 to 2.0e-06, got nan"),
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


SIZES = [200, 200, 100]


def layers(draw):
    """Return a function of sizes that draws a matrix for each layer."""
    return lambda dims: [draw((d, e)) for d, e in pairwise(dims)]


def normal(scale=0.01, mean=0.0):
    rng = np.random.default_rng(5)
    return layers(lambda shape: rng.normal(mean, scale, shape))


def scaled(shape):
    values = np.random.default_rng(1).normal(size=shape)
    return 0.01 * (values - values.mean()) / (values.std() or 1.0)


RNG = np.random.default_rng(7)


@pytest.mark.parametrize(
    ("initialise", "message"),
    [
        (normal(), ""),
        (normal(0.0001), "expected the standard deviation 0.01, got 0.0001"),
        (normal(mean=0.005), "expected the mean 0, got 0.005"),
        (layers(lambda shape: RNG.uniform(-0.0173205, 0.0173205, shape)),
         "expected 0.68 of the numbers within one standard deviation, got 0.58"),
        (layers(lambda shape: np.clip(RNG.normal(0, 0.0101, shape), -0.027, 0.027)),
         "expected some numbers beyond 0.03, got none"),
        (layers(scaled), "expected the standard deviation 0.01, got 0"),  # within each layer
        (layers(lambda shape: RNG.normal(0, 0.01, shape[0])), "expected a number for each unit"),
        (layers(lambda shape: np.full(shape, np.nan)), "expected finite numbers, got NaN"),
        (layers(lambda shape: None), "the result: expected numbers, got None"),
    ],
)  # fmt: skip
def test_a_normal_distribution(initialise, message):
    if not message:
        expect_normal(initialise, SIZES, std=0.01)
        return
    with pytest.raises(Mismatch) as caught:
        expect_normal(initialise, SIZES, std=0.01)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("initialise", "differ"),
    [
        (normal(), True),
        (layers(lambda shape: np.random.default_rng(1).normal(size=shape)), False),
        (layers(lambda shape: RNG.choice([-1.0, 1.0], shape)), False),
    ],
)
def test_two_calls_draw_different_numbers(initialise, differ):
    if differ:
        expect_different(initialise, [20, 20])
    else:
        with pytest.raises(Mismatch, match=r"^expected 800 different numbers in two calls, signs"):
            expect_different(initialise, [20, 20])


def emptied(dims):
    return [np.ones((2, dims.pop()))]


@pytest.mark.parametrize(
    ("initialise", "message"),
    [
        (layers(np.ones), ""),
        (lambda dims: None, "expected a list of arrays, got None. Is a `return` missing?"),
        (lambda dims: [np.ones((2, 3))] * 2, "expected 1 arrays, got 2"),
        (lambda dims: [np.ones((3, 2))], "entry 0: expected shape (2, 3), got (3, 2)"),
        (emptied, "layer_dims after the call: expected 2 entries, as before it, got 1"),
    ],
)
def test_shapes_of_layers(initialise, message):
    if not message:
        expect_layers(initialise, [2, 3], [(2, 3)])
        return
    with pytest.raises(Mismatch) as caught:
        expect_layers(initialise, [2, 3], [(2, 3)])
    assert str(caught.value).endswith(message)


@pytest.mark.parametrize("activation", [bent, waved, squashed, peaked])
def test_an_odd_activations_slope_is_not_that_of_its_values(activation):
    s = np.array([-0.7, 0.4, 1.3])
    measured = (activation(s + 1e-6)[0] - activation(s - 1e-6)[0]) / 2e-6
    assert np.all(np.abs(activation(s)[1] - measured) > 0.01)
