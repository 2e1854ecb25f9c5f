"""Whether a forward pass returns a cache for each layer, whatever the caches are."""

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from hw_support.compare import expect

_PLAIN = (np.ndarray, list, tuple, dict)  # what a test can look into


def expect_own_caches(forward: Callable[[], Iterable[object]], *, layers: int) -> None:
    """Expect a cache for each of the layers in each call, and none of an earlier call.

    `forward` makes a call and returns the output and the caches. Only lists and tuples are checked.
    Entries that are None may stand before the caches, or in place of all of them. `Mismatch` if the
    second list is longer than the first, or if some entries are None in place of a cache.
    """
    counts = []
    for _ in range(2):
        _, came = forward()
        if not isinstance(came, list | tuple):
            return
        there = sum(cache is not None for cache in came)
        lacking = 0 < there < layers <= len(came)
        expect(
            not lacking, f"{there} caches were returned for {layers} layers, and None for others"
        )
        counts.append(len(came))
    expect(
        counts[1] <= counts[0],
        f"the first call returned {counts[0]} caches and the next one {counts[1]}: it returns "
        "those of earlier calls too",
    )


def expect_different_caches(
    forward_pass: Callable[..., Iterable[Any]], network: Callable[[], tuple[Any, Any, Any, Any]]
) -> None:
    """Expect that the caches of two layers are not both the cache of the last layer.

    `network` returns new arguments of `forward_pass`, with two layers. Only a list or tuple of
    arrays, lists, tuples or dictionaries is checked. They are compared with the caches that each
    layer gets alone. So a cache that is the same for all layers is right, if it is meant to be. A
    function that fails for a network of one layer passes.
    """
    _, came = forward_pass(*network())
    if not (
        isinstance(came, list | tuple)
        and len(came) >= 2
        and all(isinstance(cache, _PLAIN) for cache in came)
    ):
        return
    texts = {str(cache) for cache in came}
    if len(texts) > 1:
        return

    def alone(x: Any, layer: int) -> tuple[Any, str]:
        one = [each[layer : layer + 1] for each in network()[1:]]
        with contextlib.suppress(Exception):
            out, caches = forward_pass(x, *one)
            return out, str(caches[0])
        return x, ""

    middle, first = alone(network()[0], 0)
    lost = first not in texts and alone(middle, 1)[1] in texts
    expect(
        not lost,
        "all caches are the cache of the last layer. Do all layers fill the same object? Make a "
        "new one for each layer",
    )
