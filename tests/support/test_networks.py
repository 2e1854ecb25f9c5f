"""What test cells expect of gradients, caches and random numbers."""

from itertools import pairwise

import numpy as np
import pytest
from told import told

from hw_support import (
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
        ([RIGHT.mean(axis=0)], RIGHT, {EACH: "grad[0]: expected shape (2, 3, 4), got (3, 4)",
            SHAPES: "grad[0]: expected shape (2, 3, 4), got (3, 4). Is this one gradient"}),
        ([RIGHT.sum(axis=0)], RIGHT, {EACH: "grad[0]: expected shape", SHAPES: "grad[0]: expe"}),
        ([BIAS[:, 0]], BIAS, {SHAPES: "grad[0]: expected shape (2, 1, 4), got (2, 4)"}),
        ([RIGHT[::-1]], RIGHT, {EACH: "grad[0][0, 0, 0]: expected 1, got 169"}),
        ([-RIGHT], RIGHT, {EACH: "grad[0][0, 0, 0]: expected 1, got -1",
            MEANS: "the mean of grad[0][0, 0]: expected 85, got -85"}),
        ([RIGHT.ravel()], RIGHT, dict.fromkeys((EACH, MEANS, SHAPES), "grad[0]: expected shape")),
        (None, RIGHT, dict.fromkeys((EACH, MEANS, SHAPES), "grad: expected arrays, got None")),
        ([RIGHT] * 9, RIGHT, dict.fromkeys((EACH, MEANS, SHAPES), "grad: expected 1 arrays, one fo"
            "r each layer, got at least 2")),
        ([None], RIGHT, dict.fromkeys((EACH, MEANS, SHAPES), "grad[0]: expected numbers, got N")),
    ],
    ids=range(10),
)  # fmt: skip
def test_shapes_values_and_means_are_compared_apart(came, right, wrong):
    for compare in (EACH, MEANS, SHAPES):
        message = wrong.get(compare, "")
        assert told(compare, came, [right], what="grad")[: len(message) or None] == message


@pytest.mark.parametrize("compare", [EACH, MEANS, SHAPES])
def test_one_array_in_the_place_of_a_list_has_no_likely_cause(compare):
    said = told(compare, RIGHT, [RIGHT, BIAS], what="grad")
    assert said == "grad: expected 2 arrays, got only the first"


def layer(number):
    return np.full(2, float(number)), number


def each(count):
    return [layer(number) for number in range(count)]


def linked(count):
    return (layer(count), linked(count - 1)) if count else None


def in_columns(count):
    """Return all inputs, with the output behind them, and all slopes."""
    return [layer(number)[0] for number in range(count + 1)], each(count)


def growing(tape):
    return lambda count: tape.extend(each(count)) or tape


SAME = np.array([1.0, 2.0])


@pytest.mark.parametrize(
    ("caches", "message"),
    [
        (each, ""),
        (linked, ""),
        (in_columns, ""),
        (lambda count: (None, *each(count)), ""),
        (lambda count: [{"x": SAME * number} for number in range(count)], ""),
        (lambda count: ["all in one"], ""),
        (lambda count: 7, ""),
        (lambda count: None, "layer_caches: expected caches, got None"),
        (lambda count: [None] * count, "layer_caches: expected caches of 3 layers, got none"),
        (lambda count: each(count)[1:], "layer_caches: expected 3 caches, got 2"),
        (lambda count: [(SAME, 2 * SAME)], "layer_caches: expected 3 caches, got 1"),
        (lambda count: [(SAME,)] * count, "layer_caches: expected a cache of its own for each la"),
    ],
)
def test_caches_are_those_of_all_layers(caches, message):
    assert told(expect_caches, caches, 3)[: len(message) or None] == message


def test_caches_are_those_of_one_call():
    said = "layer_caches: expected 1 entries in the next call too, got 2. The list still has"
    assert told(expect_caches, growing([]), 1).startswith(said)


GRADIENTS = [np.arange(6.0).reshape(3, 2, 1), np.arange(3.0).reshape(3, 1, 1) + 1]


def test_layers_that_are_right_are_named():
    one, two = GRADIENTS
    said = told(expect_means, [2.5 * one + 1, two], GRADIENTS, what="g")
    assert said.endswith("g[1] is right: look first at what you hand back from layer to layer")
    for got in ([one, two + 1], [one + 1, two + 1]):
        said = told(expect_means, got, GRADIENTS, what="g")
        assert "the mean of g[1]" in said
        assert "is right" not in said


ONE = np.array([1.0, 2.0])
PAIRS = [(ONE, ONE * (1 + 1e-6)), (ONE, ONE)]


@pytest.mark.parametrize(
    ("pairs", "largest", "message"),
    [
        (PAIRS, 1e-6, ""),
        (PAIRS, 0.5e-6, ""),  # relative to the sum
        (PAIRS, 1e-5, "the largest relative error: expected 1.0e-07 to 2.0e-06, got 1.0e-05"),
        (PAIRS, 0.0, "the largest relative error: expected 1.0e-07 to 2.0e-06, got 0.0e+00"),
        (PAIRS, np.nan, "the largest relative error: expected 1.0e-07 to 2.0e-06, got nan"),
        ([(ONE, ONE)], 0.0, ""),
        ([(ONE, ONE[:1])], 5.0, ""),  # the shape has cost points elsewhere
        ([(ONE, ONE[:1])], None, "the largest relative error: expected numbers, got None"),
        (PAIRS, [1e-6, 1e-6], "the largest relative error: expected one number, got 2. Take the"),
        ([], 5.0, "expected gradients of both kinds to compare, got none"),
    ],
)
def test_the_largest_error_by_any_usual_definition(pairs, largest, message):
    one, other = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    said = told(expect_largest_error, lambda: largest, one, other, lambda: ((one, []), (other, [])))
    assert said[: len(message) or None] == message


@pytest.mark.parametrize("other", [[ONE[:1]], [ONE, ONE]])
def test_a_missing_largest_error_is_excused_if_none_can_be_had(other):
    def missing():
        raise NameError("largest_relative_error")

    def both():
        return ([ONE], []), (other, [])

    assert expect_largest_error(missing, [ONE], other, both) == 0
    assert expect_largest_error(lambda: 5.0, [ONE], other, both) == 5.0  # and any number counts
    with pytest.raises(NameError):
        expect_largest_error(missing, [ONE], [ONE], both)


def test_gradients_that_no_function_returns_excuse_no_error():
    one_zero, right = [np.zeros(1)] * 2, [ONE, ONE]
    both = ([ONE], [ONE]), ([ONE], [ONE])
    said = told(expect_largest_error, lambda: 0.0, one_zero, right, lambda: both)
    assert said.endswith("have other shapes than those that your functions return")


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
        (layers(lambda shape: None), "the result: expected numbers, got None"),
    ],
)  # fmt: skip
def test_a_normal_distribution(initialise, message):
    said = told(expect_normal, initialise, SIZES, std=0.01)
    assert said[: len(message) or None] == message


@pytest.mark.parametrize(
    ("initialise", "differ"),
    [
        (normal(), True),
        (layers(lambda shape: np.random.default_rng(1).normal(size=shape)), False),
        (layers(lambda shape: RNG.choice([-1.0, 1.0], shape)), False),
    ],
)
def test_two_calls_draw_different_numbers(initialise, differ):
    said = "" if differ else "expected 800 different numbers in two calls, signs ignored, got "
    message, _, cause = told(expect_different, initialise, [20, 20]).partition(". Likely cause: ")
    assert message.rstrip("0123456789") == said
    assert cause.startswith("both calls give the same") == message.endswith("got 400")


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
    assert told(expect_layers, initialise, [2, 3], [(2, 3)]) == message


@pytest.mark.parametrize("activation", [bent, waved, squashed, peaked])
def test_an_odd_activations_slope_is_not_that_of_its_values(activation):
    s = np.array([-0.7, 0.4, 1.3])
    measured = (activation(s + 1e-6)[0] - activation(s - 1e-6)[0]) / 2e-6
    assert np.all(np.abs(activation(s)[1] - measured) > 0.01)
