"""Finds the arrays and lists that a call may change, so that both ends can change theirs."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .message import is_plain


def mutable(value: Any, stays: Callable[[Any], bool] = lambda thing: False) -> Iterator[Any]:
    """Yield the arrays and lists in a value, in the same order at both ends.

    `stays` returns whether the other end has only a reference to an object.
    """
    kind = type(value)
    if stays(value):
        return
    if kind is np.ndarray and is_plain(value.dtype):
        yield value
    elif kind is list or kind is tuple:
        if kind is list:
            yield value
        for entry in value:
            yield from mutable(entry, stays)
    elif kind is dict:
        for entry in value.values():
            yield from mutable(entry, stays)


def overwrite(thing: Any, now: Any) -> None:
    """Overwrite the contents of an array or a list, and an array's shape, with those of another."""
    if type(thing) is list:
        thing[:] = now
        return
    if thing.shape != now.shape:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            thing.shape = now.shape
    thing[...] = now


class Remembered:
    """Arrays and lists that functions returned in one test: later calls may overwrite them.

    Both ends number them in the same way, in the order in which they were returned. Those that are
    kept take `most_bytes` together at most. One that does not fit gets a number, but is not kept.
    """

    def __init__(
        self, stays: Callable[[Any], bool] = lambda thing: False, most_bytes: int = 4_000_000
    ) -> None:
        self.things: list[Any] = []  # by number; None for one that did not fit
        self._stays = stays
        self._bytes_left = most_bytes

    def add(self, value: Any) -> list[Any]:
        """Keep the arrays and lists in a value, and return them."""
        before = len(self.things)
        for thing in mutable(value, self._stays):
            size = 64 + _bytes_here_or_there(thing)
            fits = size <= self._bytes_left
            self._bytes_left -= size if fits else 0
            self.things.append(thing if fits else None)
        return self.things[before:]


def _bytes_here_or_there(thing: Any) -> int:
    if isinstance(thing, np.ndarray):  # half-precision floats arrive as doubles of 8 bytes
        return int(thing.size) * max(thing.itemsize, 8)
    return 8 * len(thing)
