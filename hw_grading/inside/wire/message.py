"""The parts of a message: limits, tags and references, and which values are plain."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

MOST_BITS = 8192  # of an integer
_MOST_ALIKE = 100  # keys with one hash: a dict compares each of them with all the others
# Kinds of number, and the bytes of the largest one. Long doubles are excluded: they differ between
# machines.
_LARGEST = {"b": 1, "i": 8, "u": 8, "f": 8, "c": 16}


class WireError(Exception):
    """The received data is not a valid message: the other end violates the protocol."""


class TooMuch(Exception):
    """A value cannot be sent: it is too large, too deep, cyclic, or not plain data."""


class Closed(Exception):
    """The other end is gone."""


@dataclass(frozen=True)
class Caps:
    """Limits for one message.

    Entries of arrays are limited too, because a bool takes an eighth of a float's bytes; and
    numbers in lists, because a list takes more memory than its bytes on the wire.
    """

    head_bytes: int = 1 << 20  # of the structure
    body_bytes: int = 48 << 20  # of arrays
    array_entries: int = 6 << 20  # of all arrays together
    entries: int = 10_000  # of one list or dict, except for lists of numbers
    values: int = 100_000
    numbers: int = 1_000_000  # in all lists of numbers together
    depth: int = 32  # of nested lists


# Student code may have forged what comes from the sandbox, so its limits are strict.
FROM_SANDBOX = Caps()
FROM_GRADER = Caps(
    head_bytes=16 << 20,
    body_bytes=512 << 20,
    array_entries=512 << 20,
    entries=100_000,
    values=2_000_000,
)


class Tag(IntEnum):
    """The first entry of a list on the wire."""

    LIST = 0  # entries ...
    TUPLE = 1  # entries ...
    DICT = 2  # key, value, key, value ...
    ARRAY = 3  # dtype, shape: the next bytes of the body
    NUMBERS = 4  # "list" or "tuple", dtype, length: the next bytes of the body
    SCALAR = 5  # dtype: one entry from the next bytes of the body
    INTEGER = 6  # a large one, in hexadecimal
    COMPLEX = 7  # real, imaginary
    THEIRS = 8  # number, kind, type's name: stays at the sender's end
    YOURS = 9  # number: stays at the receiver's end


@dataclass(frozen=True)
class Theirs:
    """A reference to an object that stays at the sender's end."""

    number: int  # the sender's
    kind: str  # "function" or "object"
    type_name: str  # for messages


@dataclass(frozen=True)
class Yours:
    """A reference to an object of the receiver, which the sender has received as `Theirs`."""

    number: int


def is_plain(dtype: np.dtype[Any]) -> bool:
    """Return whether entries of this type are plain numbers."""
    return dtype.names is None and 0 < dtype.itemsize <= _LARGEST.get(dtype.kind, 0)


def is_shape(shape: Sequence[int]) -> bool:
    """Return whether both ends can make an array of this shape.

    An array with a side of 0 is empty, but its other sides may be too large.
    """
    return len(shape) <= 32 and math.prod(side or 1 for side in shape) <= 2**40


def collide(keys: Iterable[Any]) -> bool:
    """Return whether so many keys have the same hash that a dict of them is very slow to build."""
    return max(Counter(map(hash, keys)).values(), default=0) > _MOST_ALIKE
