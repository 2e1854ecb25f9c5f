"""Encodes a value as a frame, in pieces that have to be sent in order."""

import struct
from collections.abc import Callable
from typing import Any

import msgpack
import numpy as np

from .message import MOST_BITS, Caps, Tag, Theirs, TooMuch, Yours, collide, is_plain, is_shape

FRAME = struct.Struct(">II")  # the lengths of head and body
_PACKED_FROM = 16  # numbers: a list of this length or longer is sent as an array
Refer = Callable[[Any], "Theirs | Yours | None"]


class Encoder:
    """Encodes one value: returns the head's content, and collects the body in `buffers`.

    `refer` is called with every value except None, bools, ints, floats, texts and bytes. It returns
    a reference if the value stays at this end or belongs to the other end, and None if the value
    itself is sent. `caps` are the receiver's limits.
    """

    def __init__(self, refer: Refer, caps: Caps) -> None:
        self._refer = refer
        self._caps = caps
        self._values = self._numbers = self._size = self._array_entries = 0
        self.buffers: list[Any] = []

    def encode(self, value: Any, depth: int = 0) -> Any:
        """Return a value in a form that MessagePack can pack; append arrays to `buffers`."""
        self._values += 1
        if self._values > self._caps.values:
            raise TooMuch(f"more than {self._caps.values:,} values")
        kind = type(value)
        if value is None or kind is bool or kind is float or kind is bytes:
            return value
        if kind is int:
            return _integer(value)
        if kind is str:
            return value.encode("utf-8", "replace").decode("utf-8")  # surrogates become "?"
        reference = self._refer(value)
        if reference is not None:
            return _reference(reference)
        if kind is np.ndarray and is_plain(value.dtype):
            if not is_shape(value.shape):
                raise TooMuch(f"an array of shape {value.shape}")
            self._append(value)
            return [Tag.ARRAY, value.dtype.str, list(value.shape)]
        if isinstance(value, np.generic) and is_plain(value.dtype):
            self._append(np.asarray(value))
            return [Tag.SCALAR, value.dtype.str]
        if kind is complex:
            return [Tag.COMPLEX, value.real, value.imag]
        if depth >= self._caps.depth:
            raise TooMuch(
                f"lists more than {self._caps.depth} deep (does one of them contain itself?)"
            )
        if kind in (list, tuple, dict):
            return self._container(value, depth)
        raise TooMuch(f"a value of type {kind.__name__}, which is not plain data")

    def _container(self, value: Any, depth: int) -> Any:
        if len(value) >= _PACKED_FROM and type(value) is not dict:
            numbers = as_numbers(value)
            if numbers is not None:
                self._numbers += len(numbers)
                if self._numbers > self._caps.numbers:
                    raise TooMuch(f"lists of more than {self._caps.numbers:,} numbers")
                self._append(numbers)
                name = type(value).__name__
                return [Tag.NUMBERS, name, numbers.dtype.str, len(numbers)]
        if len(value) > self._caps.entries:
            raise TooMuch(f"{len(value):,} entries in one {type(value).__name__}")
        if type(value) is dict:
            if collide(value):
                raise TooMuch("too many keys with the same hash")
            pairs: list[Any] = [Tag.DICT]
            for key, entry in value.items():
                pairs += [self.encode(key, depth + 1), self.encode(entry, depth + 1)]
            return pairs
        tag = Tag.LIST if type(value) is list else Tag.TUPLE
        return [tag, *[self.encode(entry, depth + 1) for entry in value]]

    def _append(self, array: Any) -> None:
        self._size += array.nbytes
        if self._size > self._caps.body_bytes:
            raise TooMuch(f"arrays of more than {self._caps.body_bytes:,} bytes")
        self._array_entries += array.size
        if self._array_entries > self._caps.array_entries:
            raise TooMuch(f"arrays of more than {self._caps.array_entries:,} entries")
        if array.nbytes:
            self.buffers.append(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


def as_numbers(values: Any) -> Any:
    """Return a list of only floats, only ints or only bools as an array; None for other lists."""
    kinds = {type(value) for value in values}
    if kinds == {float}:
        return np.array(values, dtype="<f8")
    if kinds == {bool}:
        return np.array(values, dtype="|b1")
    if kinds == {int} and all(-(2**63) <= value < 2**63 for value in values):
        return np.array(values, dtype="<i8")
    return None


def _integer(value: int) -> Any:
    if -(2**63) <= value < 2**64:
        return value
    if value.bit_length() > MOST_BITS:
        raise TooMuch(f"an integer of {value.bit_length():,} bits")
    return [Tag.INTEGER, hex(value)]


def _reference(reference: Theirs | Yours) -> list[Any]:
    if isinstance(reference, Yours):
        return [Tag.YOURS, reference.number]
    name = reference.type_name.encode("utf-8", "replace").decode("utf-8")[:100]
    return [Tag.THEIRS, reference.number, reference.kind, name]


def pack(value: Any, refer: Refer, caps: Caps) -> list[Any]:
    """Return a frame as pieces, to be sent in this order; raise `TooMuch` if it exceeds `caps`."""
    encoder = Encoder(refer, caps)
    head = msgpack.packb(encoder.encode(value))
    if len(head) > caps.head_bytes:
        raise TooMuch(f"a structure of {len(head):,} bytes")
    body = sum(buffer.nbytes for buffer in encoder.buffers)
    return [FRAME.pack(len(head), body) + head, *encoder.buffers]
