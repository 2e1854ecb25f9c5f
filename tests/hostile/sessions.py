"""A session of the examiner, with the real server or with a simulated kernel."""

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from hw_grading.answering import wire
from hw_grading.answering.serve import Server
from hw_grading.examiner.notebook import StudentNames
from hw_grading.examiner.session import Session


class Pair:
    """A session, and the far end of its stream."""

    def __init__(self) -> None:
        ours, self.far = socket.socketpair()
        self.session = Session()
        self.session.begin(ours)

    def send(self, *messages: Any) -> None:
        """Send messages from the far end; `wire.Theirs` and so on stand for themselves."""
        for message in messages:
            self.far.sendall(b"".join(wire.pack(message, refer, limited=True)))


def refer(value: Any, _: int = 0) -> Any:
    """Send references as they are."""
    return value if isinstance(value, wire.Theirs | wire.Yours | wire.Shipped) else None


class Children:
    """Servers in threads, for a notebook with these names, in the place of a kernel's children."""

    link_error, kernel_ended = None, False

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names
        self.threads: list[threading.Thread] = []

    def begin(self) -> socket.socket:
        """Start a server; return the socket to it."""
        ours, theirs = socket.socketpair()
        self.threads.append(threading.Thread(target=Server(theirs, self.names).serve, daemon=True))
        self.threads[-1].start()
        return ours

    def end(self, unreturned: Sequence[str], *, again: bool) -> socket.socket | None:
        """End a try; start a server for another one if it is wanted."""
        return self.begin() if again else None


@contextlib.contextmanager
def asking(students: dict[str, Any], **own: Any) -> Iterator[StudentNames]:
    """A test cell, and behind it a notebook with these names; nothing goes wrong."""
    children, session = Children(students), Session()
    session.begin(children.begin())
    yield StudentNames(own, session)
    assert session.gone is None
    session.end()
    [thread] = children.threads
    thread.join(5)
    assert not thread.is_alive()
