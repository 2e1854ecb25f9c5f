"""The protocol between the grader and the sandbox: the only code that parses the sandbox's data.

Assume that the received data is forged, to make the grader crash, run out of memory, or run code.
So:

- Messages contain only plain data: None, bool, numbers, text, bytes, lists, tuples, dicts, arrays
  of plain numbers, and references to objects that stay where they are. Nothing is unpickled, no
  name is looked up, no class is created.
- A frame is ``>II`` (lengths of head and body), a head in MessagePack, and a body with the bytes of
  arrays. The lengths are checked before anything is read. The contents of the head are limited
  before they are built: MessagePack's decoder gets caps for every kind of item, and no extension
  type. Arrays are built only after their bytes have arrived and been counted.
- The encoder refuses a value that is too large, too deep, endless or cyclic, with a sentence as the
  reason. The decoder refuses a forged value (`WireError`).

Half-precision floats arrive as doubles, since a product of large half-precision arrays takes
minutes.

A value is written as itself (None, bool, int below 2**64, float, str, bytes), or as a list. The
first entry of the list is a tag, which determines the meaning of the others: see `Tag`. Lists of
numbers are sent like arrays.
"""

from __future__ import annotations

import math
import re
import socket
import struct
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import msgpack
import numpy as np

_FRAME = struct.Struct(">II")
_MOST_BITS = 8192  # of an integer
_LARGE = 1 << 20  # bytes
_MOST_ALIKE = 100  # keys with one hash: a dict compares each of them with all the others
_PACKED_FROM = 16  # a list of at least so many numbers is sent as an array
# Kinds of number, and the bytes of the largest one. Long doubles are excluded: they differ between
# machines.
_LARGEST = {"b": 1, "i": 8, "u": 8, "f": 8, "c": 16}


class WireError(Exception):
    """The received data is no message: the other end violates the protocol."""


class TooMuch(Exception):
    """A value cannot be sent: it is too large, too deep, or cyclic."""


class Closed(Exception):
    """The other end is gone."""


@dataclass(frozen=True)
class Caps:
    """Limits for one message.

    Attributes
    ----------
    head_bytes, body_bytes
        Bytes of the structure, and bytes of arrays.
    array_entries
        Entries of all arrays together. A bool takes an eighth of a float's bytes, so `body_bytes`
        alone would allow too many of them.
    entries
        Entries of one list or dict, except for lists of numbers.
    values
        Values in the whole message.
    numbers
        Numbers in all lists of numbers together. A list takes more memory than its bytes on the
        wire.
    depth
        Depth of nested lists.
    """

    head_bytes: int = 1 << 20
    body_bytes: int = 48 << 20
    array_entries: int = 6 << 20
    entries: int = 10_000
    values: int = 100_000
    numbers: int = 1_000_000
    depth: int = 32


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
    """A reference to an object that stays at the sender's end.

    Attributes
    ----------
    number
        The sender's number for the object.
    kind
        "function" or "object".
    type_name
        The name of its type, for messages.
    """

    number: int
    kind: str
    type_name: str


@dataclass(frozen=True)
class Yours:
    """A reference to an object of the receiver, which the sender has received as `Theirs`."""

    number: int


# -- encoding


Refer = Callable[[Any], "Theirs | Yours | None"]


class Encoder:
    """Encodes one value as head and body.

    Parameters
    ----------
    refer
        Called with every value that is not a plain scalar. Returns a reference for a value that is
        not plain data or has to be sent as a reference; None for a value that is sent by value.
    caps
        The receiver's limits.
    """

    def __init__(self, refer: Refer, caps: Caps) -> None:
        self._refer = refer
        self._caps = caps
        self._values = self._numbers = self._size = self._array_entries = 0
        self.buffers: list[Any] = []

    def encode(self, value: Any, depth: int = 0) -> Any:
        """Return `value` in a form that MessagePack can pack; append arrays to `buffers`."""
        self._values += 1
        if self._values > self._caps.values:
            raise TooMuch(f"more than {self._caps.values:,} values")
        kind = type(value)
        if value is None or kind is bool or kind is float or kind is bytes:
            return value
        if kind is int:
            return _integer(value)
        if kind is str:
            return value.encode("utf-8", "replace").decode("utf-8")
        reference = self._refer(value)
        if reference is not None:
            return _reference(reference)
        if kind is np.ndarray and is_plain(value.dtype):
            if not is_shape(value.shape):
                raise TooMuch(f"an array of shape {value.shape}")
            self._put(value)
            return [Tag.ARRAY, value.dtype.str, list(value.shape)]
        if isinstance(value, np.generic) and is_plain(value.dtype):
            self._put(np.asarray(value))
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
                self._put(numbers)
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

    def _put(self, array: Any) -> None:
        self._size += array.nbytes
        if self._size > self._caps.body_bytes:
            raise TooMuch(f"arrays of more than {self._caps.body_bytes:,} bytes")
        self._array_entries += array.size
        if self._array_entries > self._caps.array_entries:
            raise TooMuch(f"arrays of more than {self._caps.array_entries:,} entries")
        if array.nbytes:
            self.buffers.append(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


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
    if value.bit_length() > _MOST_BITS:
        raise TooMuch(f"an integer of {value.bit_length():,} bits")
    return [Tag.INTEGER, hex(value)]


def _reference(reference: Theirs | Yours) -> list[Any]:
    if isinstance(reference, Yours):
        return [Tag.YOURS, reference.number]
    name = reference.type_name.encode("utf-8", "replace").decode("utf-8")[:100]
    return [Tag.THEIRS, reference.number, reference.kind, name]


def pack(value: Any, refer: Refer, caps: Caps) -> list[Any]:
    """Return a frame as pieces, which have to be sent in this order.

    Raises
    ------
    TooMuch
        The value exceeds `caps`, is cyclic, or is not plain data.
    """
    encoder = Encoder(refer, caps)
    head = msgpack.packb(encoder.encode(value))
    if len(head) > caps.head_bytes:
        raise TooMuch(f"a structure of {len(head):,} bytes")
    body = sum(buffer.nbytes for buffer in encoder.buffers)
    return [_FRAME.pack(len(head), body) + head, *encoder.buffers]


def mutable(value: Any, stays: Callable[[Any], bool] = lambda thing: False) -> Iterator[Any]:
    """Yield the arrays and lists in a value, in the same order at both ends.

    Parameters
    ----------
    value
        Arguments, or a returned value.
    stays
        Returns whether the other end has only a reference to an object.
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

    Both ends keep the same arrays and lists under the same numbers, in the order in which they were
    returned, until they take `most_bytes` together.
    """

    def __init__(
        self, stays: Callable[[Any], bool] = lambda thing: False, most_bytes: int = 4_000_000
    ) -> None:
        self.things: list[Any] = []  # None for an array or list that is too large
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
    """Return the bytes of an array or a list, with the same result at both ends.

    Half-precision floats arrive as doubles. So each entry counts as at least 8 bytes.
    """
    if isinstance(thing, np.ndarray):
        return int(thing.size) * max(thing.itemsize, 8)
    return 8 * len(thing)


# -- decoding


Resolve = Callable[["Theirs | Yours"], Any]


class Decoder:
    """Builds the value of one message, and checks every item before it uses it."""

    def __init__(self, body: bytearray, resolve: Resolve, caps: Caps) -> None:
        self._body = body
        self._at = 0
        self._resolve = resolve
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
            case Tag.INTEGER, [str(digits)] if len(digits) <= _MOST_BITS // 4 + 3:
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
        # Python's integers do not overflow.
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
    try:
        dtype = np.dtype(name)
    except TypeError:
        raise WireError("an unknown type of numbers") from None
    if not is_plain(dtype):
        raise WireError("an unknown type of numbers")
    return dtype


def _from_hex(digits: str) -> int:
    try:
        return int(digits, 16)
    except ValueError:
        raise WireError("an invalid integer") from None


def unpack(head: bytes | bytearray, body: bytearray, resolve: Resolve, caps: Caps) -> Any:
    """Return the value of a frame.

    Raises
    ------
    WireError
        `pack` could not have made this frame under these caps.
    """
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


# -- the connection


class Connection:
    """Frames over a socket.

    Parameters
    ----------
    stream
        A connected stream socket; it is made non-blocking.
    wait
        Called when the socket would block, with the socket and whether it waits for writing.
        Returns when the socket may be ready. If it raises, the connection cannot be used any more.
    """

    def __init__(self, stream: socket.socket, wait: Callable[[socket.socket, bool], None]) -> None:
        stream.setblocking(False)
        self._stream = stream
        self._wait = wait

    def send(self, pieces: list[Any]) -> None:
        """Send a frame; raise `Closed` if the other end is gone."""
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                try:
                    rest = rest[self._stream.send(rest) :]
                except BlockingIOError:
                    self._wait(self._stream, True)
                except OSError as error:
                    raise Closed(str(error)) from None

    def receive(self, caps: Caps) -> tuple[bytearray, bytearray]:
        """Return head and body of the next frame.

        Raises
        ------
        WireError
            The frame exceeds `caps`.
        Closed
            The other end is gone.
        """
        head, body = _FRAME.unpack(self._exactly(_FRAME.size))
        if head > caps.head_bytes or body > caps.body_bytes:
            raise WireError(f"a frame of {head + body:,} bytes")
        return self._exactly(head), self._exactly(body)

    def _exactly(self, size: int) -> bytearray:
        # The buffer grows with the received data: an announced length alone takes no memory.
        data, have = bytearray(min(size, 1 << 20)), 0
        while have < size:
            if have == len(data):
                data.extend(bytes(min(size - have, len(data))))
            try:
                got = self._stream.recv_into(memoryview(data)[have:])
            except BlockingIOError:
                self._wait(self._stream, False)
                continue
            except OSError as error:
                raise Closed(str(error)) from None
            if not got:
                raise Closed("the other end was closed")
            have += got
        return data

    def close(self) -> None:
        """Close this end."""
        self._stream.close()
