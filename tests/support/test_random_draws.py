"""Whether random numbers are as asked for is seen from a few calls, and said in one format."""

from itertools import pairwise

import numpy as np
import pytest

from hw_support import Mismatch, expect_different, expect_layers, expect_normal

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
        (emptied, "expected the sizes as they were, [2, 3], got [2]"),
    ],
)
def test_shapes_of_layers(initialise, message):
    if not message:
        expect_layers(initialise, [2, 3], [(2, 3)])
        return
    with pytest.raises(Mismatch) as caught:
        expect_layers(initialise, [2, 3], [(2, 3)])
    assert str(caught.value).endswith(message)
