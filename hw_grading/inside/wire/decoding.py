"""Builds the value of a received frame, which may be forged."""

import contextlib
import math
import re
from collections.abc import Callable
from typing import Any

import msgpack
import numpy as np

from .message import MOST_BITS, Caps, Tag, Theirs, WireError, Yours, collide, is_plain, is_shape

_LARGE = 1 << 20  # bytes
Resolve = Callable[["Theirs | Yours"], Any]


class Decoder:
    """Builds the value of one message, and checks every item before it uses it."""

    def __init__(self, body: bytearray, resolve: Resolve, caps: Caps) -> None:
        self._body = body
        self._at = 0  # the first byte of the body that is not used yet
        self._resolve = resolve  # returns the object that a reference stands for
        self._caps = caps
        self._values = self._numbers = self._array_entries = 0

    def decode(self, item: Any, depth: int = 0) -> Any:
        """Return the value of an item of the head."""
        self._values += 1
        if self._values > self._caps.values:
            raise WireError("too many values")
        if item is None or isinstance(item, bool | int | float | str | bytes):
            return item
        if depth > self._caps.depth + 1 or type(item) is not list or not item:
            raise WireError("an item of an unknown kind")
        tag, *entries = item
        match tag, entries:
            case Tag.LIST, _:
                return [self.decode(entry, depth + 1) for entry in entries]
            case Tag.TUPLE, _:
                return tuple(self.decode(entry, depth + 1) for entry in entries)
            case Tag.DICT, _ if len(entries) % 2 == 0:
                return self._dict([self.decode(entry, depth + 1) for entry in entries])
            case Tag.ARRAY, [str(dtype), list(shape)]:
                return self._array(dtype, shape)
            case Tag.NUMBERS, ["list" | "tuple" as kind, str(dtype), int(length)]:
                self._numbers += length
                if not 0 <= self._numbers <= self._caps.numbers:
                    raise WireError("too many numbers")
                numbers = self._array(dtype, [length]).tolist()
                return numbers if kind == "list" else tuple(numbers)
            case Tag.SCALAR, [str(dtype)]:
                return self._array(dtype, [])[()]
            case Tag.INTEGER, [str(digits)] if len(digits) <= MOST_BITS // 4 + 3:
                return _from_hex(digits)
            case Tag.COMPLEX, [float(real), float(imaginary)]:
                return complex(real, imaginary)
            case Tag.THEIRS, [int(number), "function" | "object" as kind, str(name)]:
                return self._resolve(Theirs(number, kind, name[:100]))
            case Tag.YOURS, [int(number)]:
                return self._resolve(Yours(number))
        raise WireError("an item of an unknown kind")

    def _dict(self, entries: list[Any]) -> dict[Any, Any]:
        try:
            if collide(entries[::2]):
                raise WireError("too many keys with the same hash")
        except TypeError:
            raise WireError("an invalid key") from None
        return dict(zip(entries[::2], entries[1::2], strict=True))

    def _array(self, dtype: str, shape: list[Any]) -> Any:
        kind = _dtype(dtype)
        # The products below cannot overflow: the sides are Python's integers.
        if not all(type(d) is int and d >= 0 for d in shape) or not is_shape(shape):
            raise WireError("an invalid shape")
        count = math.prod(shape)
        size = count * kind.itemsize
        self._array_entries += count
        if self._array_entries > self._caps.array_entries:
            raise WireError("arrays of too many entries")
        if size > len(self._body) - self._at:
            raise WireError("an array of more bytes than there are")
        flat = np.frombuffer(self._body, kind, count, self._at) if count else np.empty(0, kind)
        aligned = self._at % 16 == 0
        self._at += size
        if kind.str[1:] == "f2":  # processors compute with half-precision floats very slowly
            flat = flat.astype(np.float64)
        elif kind.kind == "b":  # a byte other than 0 and 1 is not a valid bool in NumPy
            flat = flat.view(np.uint8) != 0
        elif size < _LARGE or not aligned:  # only a large array may keep the whole body alive
            flat = flat.copy()
        return flat.reshape(shape)

    def finish(self) -> None:
        """Check that all bytes of the body were used."""
        if self._at != len(self._body):
            raise WireError("more bytes than the arrays have")


def _dtype(name: str) -> np.dtype[Any]:
    # Accept only short names such as "<f8": NumPy would parse long ones as a structure.
    if not re.fullmatch(r"[<>|][biufc][0-9]{1,2}", name):
        raise WireError("an unknown type of numbers")
    with contextlib.suppress(TypeError):
        if is_plain(dtype := np.dtype(name)):
            return dtype
    raise WireError("an unknown type of numbers")


def _from_hex(digits: str) -> int:
    try:
        return int(digits, 16)
    except ValueError:
        raise WireError("an invalid integer") from None


def unpack(head: bytes | bytearray, body: bytearray, resolve: Resolve, caps: Caps) -> Any:
    """Return the value of a frame; raise `WireError` if `pack` could not have made it."""
    try:
        items = msgpack.unpackb(
            head,
            raw=False,
            use_list=True,
            max_str_len=caps.head_bytes,
            max_bin_len=caps.head_bytes,
            max_array_len=min(2 * caps.entries + 1, len(head)),  # an entry takes at least one byte
            max_map_len=0,
            max_ext_len=0,
        )
    except Exception as error:  # several types: the decoder's own, and errors in text
        raise WireError(f"a head that cannot be read ({type(error).__name__})") from None
    decoder = Decoder(body, resolve, caps)
    value = decoder.decode(items)
    decoder.finish()
    return value
