"""A session of the examiner, with the real server or with a simulated kernel."""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from typing import Any

from hw_grading.examiner.session import Session
from hw_grading.inside.serve import Server


def wait(stream: socket.socket, writing: bool) -> None:
    """Wait until a socket is ready, as a `Connection` asks for it."""
    select.select([] if writing else [stream], [stream] if writing else [], [], 10)


class Pair:
    """A session, with counts of what it does to the far end."""

    def __init__(self) -> None:
        ours, self.far = socket.socketpair()
        self.kills = self.interrupts = 0
        self.computed = 0.0
        self.session = Session(ours, self.interrupt, self.kill, lambda: self.computed)

    def interrupt(self) -> None:
        self.interrupts += 1

    def kill(self) -> None:
        self.kills += 1


class Kernel(Pair):
    """The real server in a thread, for a notebook with these names."""

    def __init__(self, names: dict[str, Any]) -> None:
        super().__init__()
        self.names = names
        self.server = Server(self.far, names)

    @contextlib.contextmanager
    def test_cell(self) -> Iterator[Session]:
        self.thread = threading.Thread(target=self.server.serve, daemon=True)
        self.thread.start()
        try:
            yield self.session
        finally:
            self.session.end_test()
            self.thread.join(5)
        assert not self.thread.is_alive()

    def kill(self) -> None:
        super().kill()
        with contextlib.suppress(OSError):
            self.far.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def asking(**names: Any) -> Iterator[Session]:
    """A test cell, and behind it a notebook with these names; nothing goes wrong."""
    kernel = Kernel(names)
    with kernel.test_cell() as session:
        yield session
    assert kernel.session.gone is None
    assert kernel.kills == 0
