"""A session of the examiner, with the real server or with a simulated kernel."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

from hw_grading.answering import wire
from hw_grading.answering.serve import Server
from hw_grading.examiner.notebook import StudentNames
from hw_grading.examiner.session import Session


class Pair:
    """A session, with counts of what it does to the far end."""

    def __init__(self) -> None:
        ours, self.far = socket.socketpair()
        self.kills = 0
        self.session = Session(ours, self.kill)

    def kill(self) -> None:
        self.kills += 1
        with contextlib.suppress(OSError):
            self.far.shutdown(socket.SHUT_RDWR)

    def send(self, *messages: Any) -> None:
        """Send messages from the far end; `wire.Theirs` and so on stand for themselves."""
        for message in messages:
            self.far.sendall(b"".join(wire.pack(message, refer, limited=True)))


def refer(value: Any, _: int = 0) -> Any:
    """Send references as they are."""
    return value if isinstance(value, wire.Theirs | wire.Yours | wire.Shipped) else None


class Kernel(Pair):
    """The real server in a thread, for a notebook with these names."""

    def __init__(self, names: dict[str, Any]) -> None:
        super().__init__()
        self.names = names
        self.server = Server(self.far, names)

    @contextlib.contextmanager
    def test_cell(self, **own: Any) -> Iterator[StudentNames]:
        """The names of a test cell, in which `own` are the instructor's."""
        thread = threading.Thread(target=self.server.serve, daemon=True)
        thread.start()
        try:
            yield StudentNames(own, self.session)
        finally:
            self.session.end_test()
            thread.join(5)
        assert not thread.is_alive()


@contextlib.contextmanager
def asking(students: dict[str, Any], **own: Any) -> Iterator[StudentNames]:
    """A test cell, and behind it a notebook with these names; nothing goes wrong."""
    kernel = Kernel(students)
    with kernel.test_cell(**own) as names:
        yield names
    assert kernel.session.gone is None
    assert kernel.kills == 0
