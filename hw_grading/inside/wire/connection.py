"""Sends and receives frames over a socket, without trust in the lengths that they announce."""

import socket
from collections.abc import Callable
from typing import Any

from .encoding import FRAME
from .message import Caps, Closed, WireError

_SMALL = 1 << 16  # bytes that are sent and received at once


class Connection:
    """One end of a connection that carries frames, over a stream socket that is made non-blocking.

    `wait` is called when the socket would block. Its second argument is True to wait until the
    socket can be written to, False until it can be read from. It may return too early. If it raises
    an exception, the connection cannot be used any more.
    """

    def __init__(self, stream: socket.socket, wait: Callable[[socket.socket, bool], None]) -> None:
        stream.setblocking(False)
        self._stream = stream
        self._wait = wait
        self._ahead = bytearray()  # received, and not yet part of a frame

    def send(self, pieces: list[Any]) -> None:
        """Send a frame, given as pieces by `pack`; raise `Closed` if the other end is gone."""
        size = sum(memoryview(piece).nbytes for piece in pieces)
        # Join the pieces of a small frame: the other end wakes up once for each piece that is sent.
        for piece in [b"".join(pieces)] if size <= _SMALL else pieces:
            rest = memoryview(piece)
            while rest:
                try:
                    rest = rest[self._stream.send(rest) :]
                except BlockingIOError:
                    self._wait(self._stream, True)
                except OSError as error:
                    raise Closed(str(error)) from None

    def receive(self, caps: Caps) -> tuple[bytearray, bytearray]:
        """Return head and body of the next frame; raise `WireError` if they exceed `caps`."""
        head, body = FRAME.unpack(self._exactly(FRAME.size))
        if head > caps.head_bytes or body > caps.body_bytes:
            raise WireError(f"a frame of {head + body:,} bytes")
        return self._exactly(head), self._exactly(body)

    def _exactly(self, size: int) -> bytearray:
        while len(self._ahead) < min(size, _SMALL):
            self._ahead += self._received(self._stream.recv, _SMALL)
        data = self._ahead[:size]
        del self._ahead[:size]
        have = len(data)
        # The buffer grows with the received data: an announced length alone takes no memory.
        while have < size:
            if have == len(data):
                data.extend(bytes(min(size - have, max(have, 1 << 20))))
            have += self._received(self._stream.recv_into, memoryview(data)[have:])
        return data

    def _received(self, receive: Callable[[Any], Any], into: Any) -> Any:
        while True:
            try:
                got = receive(into)
            except BlockingIOError:
                self._wait(self._stream, False)
                continue
            except OSError as error:
                raise Closed(str(error)) from None
            if not got:
                raise Closed("the other end was closed")
            return got
