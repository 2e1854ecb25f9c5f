"""Earlier results of a function are checked again after another call."""

from types import SimpleNamespace

import numpy as np
import pytest

from hw_support import Checks, expect_earlier_result
from hw_support.compare import Mismatch

ONE, TWO = np.array([1.0, 2.0]), np.array([3.0, 4.0])


def expect_kept(function):
    expect_earlier_result(Checks("it", points=1), function, [ONE], [TWO], of="it")


def test_new_results_are_kept():
    expect_kept(lambda x: (x + 1, {"x": [x], "more": (x, None)}))
    expect_kept(lambda x: SimpleNamespace(x=x, twice=2 * x))
    expect_kept(lambda x: None)


def test_a_tape_that_grows_keeps_what_is_on_it():
    tape = []

    def push(x):
        tape.append(x)
        return tape

    expect_kept(push)


def test_a_counter_is_no_array():
    shared = {"calls": 0}

    def count(x):
        shared["calls"] += 1
        return shared, x

    expect_kept(count)


@pytest.mark.parametrize("shared", [{}, SimpleNamespace()], ids=["dictionary", "object"])
def test_an_object_that_each_call_fills_is_noticed(shared):
    def fill(x):
        if isinstance(shared, dict):
            shared["x"] = x
        else:
            shared.x = x
        return x, shared

    with pytest.raises(Mismatch, match="the next call of it changes the result of an earlier call"):
        expect_kept(fill)


def test_an_array_that_each_call_fills_is_noticed():
    buffer = np.empty(2)

    def fill(x):
        buffer[:] = x
        return [buffer]

    with pytest.raises(Mismatch):
        expect_kept(fill)


def test_an_object_within_itself_ends():
    def knot(x):
        cache = {"x": x}
        cache["self"] = cache
        return cache

    expect_kept(knot)
