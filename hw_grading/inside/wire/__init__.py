"""The protocol between the grader and the sandbox: the only code that parses the sandbox's data.

Received data may be forged, to make the grader crash, run out of memory, or run code. So:

- Messages contain only plain data: None, bool, numbers, text, bytes, lists, tuples, dicts, arrays
  of plain numbers, and references to objects that stay where they are. Nothing is unpickled, no
  name is looked up, no class is created.
- A frame is ``>II`` (lengths of head and body), a head in MessagePack, and a body with the bytes of
  arrays. The lengths are checked before anything is read. The contents of the head are limited
  before they are built: MessagePack's decoder gets caps for every kind of item, and no extension
  types. Arrays are built only after their bytes have arrived and been counted.
- The encoder refuses a value that is too large, too deep, endless or cyclic, with a sentence as the
  reason. The decoder refuses a forged value (`WireError`).

A value is written as itself (None, bool, float, str, bytes, an int from -2**63 to 2**64 - 1), or as
a list that begins with a `Tag`. Long lists of numbers are sent like arrays. Half-precision floats
arrive as doubles, since a product of large half-precision arrays takes minutes.
"""

from .changes import Remembered, mutable, overwrite
from .connection import Connection
from .decoding import unpack
from .encoding import pack
from .message import (
    FROM_GRADER,
    FROM_SANDBOX,
    Caps,
    Closed,
    Theirs,
    TooMuch,
    WireError,
    Yours,
    is_plain,
)

__all__ = [
    "FROM_GRADER",
    "FROM_SANDBOX",
    "Caps",
    "Closed",
    "Connection",
    "Remembered",
    "Theirs",
    "TooMuch",
    "WireError",
    "Yours",
    "is_plain",
    "mutable",
    "overwrite",
    "pack",
    "unpack",
]
