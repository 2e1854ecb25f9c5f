"""The protocol between the grader and the sandbox: the only code that parses the sandbox's data.

A message is a list of plain data: None, bool, int, float, text, bytes, lists, tuples, dicts, NumPy
arrays of numbers, and references to whatever stays at one end. Nothing is unpickled, no name is
looked up in what arrives, no class is created.

A frame is ``>II`` (lengths of head and body), a head in MessagePack, and a body with the bytes of
the arrays. In the head a value stands for itself, or is a list that begins with a `Tag`.

What comes from the sandbox may be forged, to make the grader crash, run out of memory, or run code.
So it has one limit, which is checked before anything is built: a message has at most `MAX_BYTES`,
where an entry of an array counts as 8 bytes or more, and its head at most `MAX_HEAD`. The sandbox
refuses to send a larger value, with a sentence as the reason. The grader's messages have no limit.
"""

import math
import re
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import msgpack
import numpy as np

MAX_BYTES, MAX_HEAD = 48 << 20, 2 << 20
MAX_DEEP = 32  # lists within lists
MAX_KEYS = 2_000  # of all dicts: forged ones may all have the same hash
_FRAME = struct.Struct(">II")
_SMALL, _AT_ONCE = 1 << 16, 1 << 20  # bytes that are sent, and read, at once
# Kinds of number, and the bytes of the largest one. Long doubles differ between machines.
_LARGEST = {"b": 1, "i": 8, "u": 8, "f": 8, "c": 16}


class WireError(Exception):
    """The received data is not a valid message: the other end violates the protocol."""


class TooMuch(Exception):
    """A value cannot be sent: it is too large, too deep, cyclic, or not plain data."""


class Closed(Exception):
    """The other end is gone."""


class Tag(IntEnum):
    """The first entry of a list on the wire."""

    LIST = 0  # entries ...
    TUPLE = 1  # entries ...
    DICT = 2  # key, value, key, value ...
    ARRAY = 3  # dtype, shape: the next bytes of the body; without a shape it is one number
    THEIRS = 4  # number, whether it can be called, type's name, view: stays at the sender's end
    YOURS = 5  # number: stays at the receiver's end
    SHIPPED = 6  # module, name: a function that both ends have


@dataclass(frozen=True)
class Theirs:
    """A reference to an object that stays at the sender's end."""

    number: int  # the sender's
    is_function: bool
    type_name: str = ""  # for messages
    view: Any = None  # its entries (a list or a dict), numbers (an array) or text, to look at


@dataclass(frozen=True)
class Yours:
    """A reference to an object of the receiver, which the sender has received as `Theirs`."""

    number: int


@dataclass(frozen=True)
class Shipped:
    """A function of a module that both ends can import."""

    module: str
    name: str


Reference = Theirs | Yours | Shipped
Refer = Callable[[Any, int], "Reference | None"]
Resolve = Callable[[Reference], Any]
_Bytes = bytes | bytearray


def is_plain(dtype: np.dtype[Any]) -> bool:
    """Return whether entries of this type are plain numbers."""
    return dtype.names is None and 0 < dtype.itemsize <= _LARGEST.get(dtype.kind, 0)


# -- sending


class Encoder:
    """Encodes values as parts of one frame.

    `refer` is called with every value except None, bools, ints, floats, texts and bytes, and with
    its depth. It returns a reference, or None if the value itself is sent. The contents of arrays
    are copied at once, so code may change them before the frame is sent.
    """

    def __init__(self, refer: Refer, *, limited: bool) -> None:
        self._refer, self._limited = refer, limited
        self._head = self._size = self._keys = 0
        self._body: list[bytes] = []

    def encode(self, value: Any, depth: int = 0) -> Any:
        """Return a value in a form that MessagePack can pack; `TooMuch` if it cannot be sent."""
        kind = type(value)
        self._count_head(9 if kind in (int, float) else 2)
        if value is None or kind is bool or kind is float:
            return value
        if kind is int:
            if not -(2**63) <= value < 2**64:
                raise TooMuch(f"an integer of {value.bit_length():,} bits")
            return value
        if kind is str or kind is bytes:
            self._count_head(len(value) + 5)
            # Surrogates become "?".
            return value.encode("utf-8", "replace").decode("utf-8") if kind is str else value
        if depth >= MAX_DEEP:
            raise TooMuch(f"lists more than {MAX_DEEP} deep (does one of them contain itself?)")
        if (reference := self._refer(value, depth)) is not None:
            return self._reference(reference, depth)
        if isinstance(value, np.ndarray | np.generic) and is_plain(value.dtype):
            self._append(np.asarray(value))
            shape = [list(value.shape)] if isinstance(value, np.ndarray) else []
            return [Tag.ARRAY, value.dtype.str, *shape]
        if kind is dict:
            self._keys += len(value)
            if self._limited and self._keys > MAX_KEYS:
                raise TooMuch(f"dicts of more than {MAX_KEYS:,} entries")
            pairs = [self.encode(one, depth + 1) for pair in value.items() for one in pair]
            return [Tag.DICT, *pairs]
        if kind is list or kind is tuple:
            tag = Tag.LIST if kind is list else Tag.TUPLE
            return [tag, *[self.encode(entry, depth + 1) for entry in value]]
        raise TooMuch(f"a value of type {kind.__name__}, which is not plain data")

    def frame(self, item: Any) -> list[bytes]:
        """Return the frame of an encoded value, as pieces that have to be sent in order."""
        head = msgpack.packb(item)
        return [_FRAME.pack(len(head), sum(map(len, self._body))) + head, *self._body]

    def _reference(self, reference: Reference, depth: int) -> list[Any]:
        match reference:
            case Yours(number):
                return [Tag.YOURS, number]
            case Shipped(module, name):
                return [Tag.SHIPPED, module, name]
        name = reference.type_name.encode("utf-8", "replace").decode("utf-8")[:100]
        self._count_head(500)
        view = self.encode(reference.view, depth + MAX_DEEP // 4)  # so views are not deep
        return [Tag.THEIRS, reference.number, reference.is_function, name, view]

    def _append(self, array: Any) -> None:
        self._size += array.size * max(array.itemsize, 8)
        if self._limited and (self._size > MAX_BYTES or not _is_shape(array.shape)):
            raise TooMuch(f"arrays of more than {MAX_BYTES >> 20} MB")
        self._body.append(array.tobytes())

    def _count_head(self, size: int) -> None:
        self._head += size
        if self._limited and self._head > MAX_HEAD:
            raise TooMuch(f"more than {MAX_HEAD >> 20} MB of lists and texts")


def pack(value: Any, refer: Refer, *, limited: bool) -> list[bytes]:
    """Return a value's frame as pieces; raise `TooMuch` if it cannot be sent."""
    encoder = Encoder(refer, limited=limited)
    return encoder.frame(encoder.encode(value))


# -- receiving


class _Decoder:
    """Builds the value of one frame, and checks every item before it uses it."""

    def __init__(self, body: _Bytes, resolve: Resolve, limited: bool) -> None:
        self._body, self._resolve, self._limited = body, resolve, limited
        self._at = self._size = self._keys = 0  # of the body, the first byte that is not used yet

    def decode(self, item: Any, depth: int = 0) -> Any:
        if item is None or isinstance(item, bool | int | float | str | bytes):
            return item
        if depth > 2 * MAX_DEEP or type(item) is not list or not item:
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
            case Tag.ARRAY, [str(dtype)]:
                return self._array(dtype, [])[()]
            case Tag.THEIRS, [int(number), bool(is_function), str(name), view]:
                seen = self.decode(view, depth + 1)
                if not isinstance(seen, list | dict | str | bytes | np.ndarray | None):
                    raise WireError("a view of an unknown kind")
                return self._resolve(Theirs(number, is_function, name[:100], seen))
            case Tag.YOURS, [int(number)]:
                return self._resolve(Yours(number))
            case Tag.SHIPPED, [str(module), str(name)]:
                return self._resolve(Shipped(module, name))
        raise WireError("an item of an unknown kind")

    def _dict(self, entries: list[Any]) -> dict[Any, Any]:
        self._keys += len(entries) // 2
        if self._limited and self._keys > MAX_KEYS:
            raise WireError("too many keys")
        try:
            return dict(zip(entries[::2], entries[1::2], strict=True))
        except TypeError:
            raise WireError("an invalid key") from None

    def _array(self, name: str, shape: list[Any]) -> Any:
        # Accept only short names such as "<f8": NumPy would parse long ones as a structure.
        try:
            dtype = np.dtype(name if re.fullmatch(r"[<>|][biufc][0-9]{1,2}", name) else "V")
        except TypeError:
            raise WireError("an unknown type of numbers") from None
        if not is_plain(dtype):
            raise WireError("an unknown type of numbers")
        # The products below cannot overflow: the sides are Python's integers.
        if not all(type(d) is int and d >= 0 for d in shape) or not _is_shape(shape):
            raise WireError("an invalid shape")
        count = math.prod(shape)
        size = count * dtype.itemsize
        self._size += count * max(dtype.itemsize, 8)
        if self._limited and self._size > MAX_BYTES:
            raise WireError("arrays that are too large")
        if size > len(self._body) - self._at:
            raise WireError("an array of more bytes than there are")
        flat = np.frombuffer(self._body, dtype, count, self._at) if count else np.empty(0, dtype)
        self._at += size
        if dtype.str[1:] == "f2":  # processors compute with half-precision floats very slowly
            flat = flat.astype(np.float64)
        elif dtype.kind == "b":  # a byte other than 0 and 1 is not a valid bool in NumPy
            flat = flat.view(np.uint8) != 0
        else:
            flat = flat.copy()
        return flat.reshape(shape)

    def finish(self) -> None:
        if self._at != len(self._body):
            raise WireError("more bytes than the arrays have")


def _is_shape(shape: Any) -> bool:
    """Return whether an array can have this shape: if one side is 0, others may be too large."""
    return len(shape) <= 32 and math.prod(side or 1 for side in shape) <= 2**40


def unpack(head: _Bytes, body: _Bytes, resolve: Resolve, *, limited: bool) -> Any:
    """Return the value of a frame; raise `WireError` if `pack` could not have made it."""
    try:
        items = msgpack.unpackb(head, raw=False, use_list=True, max_map_len=0, max_ext_len=0)
    except Exception as error:  # several types: the decoder's own, and errors in text
        raise WireError(f"a head that cannot be read ({type(error).__name__})") from None
    decoder = _Decoder(body, resolve, limited)
    value = decoder.decode(items)
    decoder.finish()
    return value


class Connection:
    """One end of a connection that carries frames, over a stream socket.

    If a signal's handler raises an exception amid a frame, it cannot be used any more.
    """

    def __init__(self, stream: socket.socket) -> None:
        stream.setblocking(True)
        self._stream = stream

    def send(self, pieces: list[bytes]) -> None:
        """Send a frame, given as pieces by `pack`; raise `Closed` if the other end is gone."""
        # Join the pieces of a small frame: the other end wakes up once for each piece that is sent.
        for piece in [b"".join(pieces)] if sum(map(len, pieces)) <= _SMALL else pieces:
            try:
                self._stream.sendall(piece)
            except OSError as error:
                raise Closed(str(error)) from None

    def receive(self, *, limited: bool) -> tuple[bytearray, bytearray]:
        """Return head and body of the next frame; raise `WireError` if it is too large."""
        head, body = _FRAME.unpack(self._exactly(_FRAME.size))
        if limited and (head > MAX_HEAD or body > MAX_BYTES):
            raise WireError(f"a frame of {head + body:,} bytes")
        return self._exactly(head), self._exactly(body)

    def _exactly(self, size: int) -> bytearray:
        data = bytearray()  # it grows with what arrives: an announced length alone takes no memory
        while len(data) < size:
            try:
                piece = self._stream.recv(min(size - len(data), _AT_ONCE))
            except OSError as error:
                raise Closed(str(error)) from None
            if not piece:
                raise Closed("the other end was closed")
            data += piece
        return data
