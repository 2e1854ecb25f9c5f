"""The caches of all layers are returned, in any layout, and none from an earlier call."""

from collections import deque

import numpy as np
import pytest

from hw_support import expect_different_caches, expect_own_caches
from hw_support.compare import Mismatch


@pytest.mark.parametrize(
    "caches",
    [
        ["first", "second"],
        (None, "first", "second"),
        [None, None],
        ["all in one"],
        [{1: "first", 2: "second"}],
        {"x": [1.0], "W": [2.0]},
        deque(["first", None]),
        7,
    ],
    ids=str,
)
def test_any_layout_is_right(caches):
    expect_own_caches(lambda: (0.5, caches), layers=2)


@pytest.mark.parametrize("caches", [[None, "first"], ("first", None), [None, "first", None]])
def test_none_in_place_of_a_cache_is_wrong(caches):
    with pytest.raises(Mismatch, match=r"caches were returned for . layers, and None for others"):
        expect_own_caches(lambda: (0.5, caches), layers=2)


def test_caches_of_an_earlier_call_are_wrong():
    tape = []

    def forward_pass():
        tape.extend(["first", "second"])
        return 0.5, tape

    with pytest.raises(Mismatch, match="returned 2 caches and the next one 4"):
        expect_own_caches(forward_pass, layers=2)


def test_a_generator_is_not_used_up():
    caches = iter(["first", "second"])
    expect_own_caches(lambda: (0.5, caches), layers=2)
    assert list(caches) == ["first", "second"]


def network():
    Ws, bs = [np.array([[1.0, 2.0], [3.0, -1.0]])] * 2, [np.array([[0.5, -0.5]])] * 2
    return np.array([[1.0, -2.0]]), Ws, bs, [lambda s: (s**2, 2 * s)] * 2


def run_layers(X, Ws, bs, activations, keep):
    for W, b, activation in zip(Ws, bs, activations, strict=True):
        before = X
        X, slope = activation(X @ W + b)
        keep(before, W, slope)
    return X


def test_one_object_filled_by_all_layers_is_wrong():
    def forward_pass(*arguments):
        shared, caches = {}, []

        def keep(x, W, slope):
            shared.update(x=x, W=W, slope=slope)
            caches.append(shared)

        return run_layers(*arguments, keep), caches

    with pytest.raises(Mismatch, match="all caches are the cache of the last layer"):
        expect_different_caches(forward_pass, network)


@pytest.mark.parametrize("sign", [1, -1], ids=["right sums", "the bias is subtracted"])
def test_the_last_cache_in_all_places_is_wrong(sign):
    def forward_pass(X, Ws, bs, activations):
        caches = []
        bs = [sign * b for b in bs]
        out = run_layers(X, Ws, bs, activations, lambda *pieces: caches.append(pieces))
        return out, caches[-1:] * len(caches)

    with pytest.raises(Mismatch, match="all caches are the cache of the last layer"):
        expect_different_caches(forward_pass, network)


@pytest.mark.parametrize("what", ["a cache each", "one list each", "nothing", "an object", "the X"])
def test_caches_that_tell_of_all_layers_are_right(what):
    def forward_pass(*arguments):
        tape = []
        out = run_layers(*arguments, lambda *pieces: tape.append(pieces))
        layers = len(tape)
        return out, {
            "a cache each": tape,
            "one list each": [tape] * layers,
            "nothing": [()] * layers,
            "an object": [object()] * layers,
            "the X": [(arguments[0], *arguments[1])] * layers,
        }[what]

    expect_different_caches(forward_pass, network)


def test_a_function_that_fails_for_one_layer_is_not_judged():
    def forward_pass(*arguments):
        if len(arguments[1]) == 1:
            raise IndexError
        return 0.5, [[np.ones(3)]] * 2

    expect_different_caches(forward_pass, network)
