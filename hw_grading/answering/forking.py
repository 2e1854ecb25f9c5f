"""Fork servers: a process that has done its imports forks a child for each request.

Three of them serve a grading, and all speak this protocol: the fork servers of kernels (`kernels`,
in the sandbox), of workers, and of examiners (both outside). Server and client hold the ends of a
pair of sockets.

    client to server    the set-up, as soon as the client knows it; meanwhile the server imports
                        what it needs for any
    server to client    why its imports failed, as JSON; "" if it accepts requests
    client to server    requests; the server forks a child for each, which does the rest

A message of the client is a file, so it may have any size. More file descriptors may follow it,
through which the child answers. When all copies of the client's end are closed, the server ends.
"""

import gc
import json
import os
import select
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Self

SECONDS_TO_START = 60.0
_SECONDS_TO_END = 1.0  # for a process that was killed
_MOST_DESCRIPTORS = 4
_MOST_CHARACTERS, _MOST_BYTES = 4000, 1 << 16  # of what the server says


def send(to: socket.socket, content: bytes, descriptors: Sequence[int] = ()) -> None:
    """Send a message and file descriptors; raise `OSError` if the other end is closed."""
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(content)
        socket.send_fds(to, [b"m"], [file.fileno(), *descriptors])


def receive(source: socket.socket) -> tuple[bytes, list[int]]:
    """Return a message and its file descriptors; raise `EOFError` if the other end is closed."""
    try:
        found, descriptors, _, _ = socket.recv_fds(source, 1, _MOST_DESCRIPTORS)
    except ConnectionResetError:  # it was closed before all was read
        found = b""
    if not found:
        raise EOFError
    with os.fdopen(descriptors[0], "rb") as file:
        file.seek(0)
        return file.read(), descriptors[1:]


class Forked:
    """A process on this machine that need not be a child of this one.

    After a process has ended, the system may give its pid to another one. So signals go to a pidfd,
    which is opened while the process is known to run. One that has ended already gets no signals.
    """

    _descriptor: int | None = None

    def __init__(self, pid: int, descriptor: int | None = None) -> None:
        self.pid = pid
        with suppress(ProcessLookupError):
            self._descriptor = os.pidfd_open(pid) if descriptor is None else descriptor

    def poll(self) -> int | None:
        """Return None while the process runs."""
        with suppress(subprocess.TimeoutExpired):
            return Forked.wait(self, 0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the process; raise `TimeoutExpired` if it takes more seconds."""
        if self._descriptor is not None:
            poll = select.poll()
            poll.register(self._descriptor, select.POLLIN)
            if not poll.poll(None if timeout is None else 1000 * timeout):
                raise subprocess.TimeoutExpired("a forked process", timeout or 0)
        return 1  # only its parent learns the exit status

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self._descriptor is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def __del__(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)


# -- the server's end


def control() -> socket.socket:
    """Return the socket that this process got as its standard input, which is empty from now on."""
    taken = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return taken


def begin_imports() -> None:
    """Look for no garbage until `serve` is called: imports make little, and looking takes time."""
    gc.disable()


def serve(
    requests: socket.socket, failed: str = "", before: Callable[[bytes], None] | None = None
) -> tuple[bytes, list[int]] | None:
    """Fork a child for each request; return the request and its descriptors in the child only.

    In the server, return None when the client is gone, and all children are killed: none of them
    may tell what it sees of the end of others. `failed` says why its imports failed. `before` is
    called in the server with each request.
    """
    children: list[Forked] = []
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system reaps those that have ended
    gc.enable()
    gc.collect()
    gc.freeze()  # otherwise each collection in a child would copy all shared pages
    with suppress(OSError):  # a client that is gone needs no answer
        requests.send(json.dumps(failed[:_MOST_CHARACTERS]).encode())
    while True:
        try:
            request, descriptors = receive(requests)
        except EOFError:
            break
        if before:
            before(request)
        children = [child for child in children if child.poll() is None]
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            requests.close()
            return request, descriptors
        with suppress(OSError):  # it has ended already
            children.append(Forked(pid))
        for descriptor in descriptors:
            os.close(descriptor)
    for child in children:
        child.kill()
        child.wait()
    return None


# -- the client's end


class ForkServer:
    """A fork server as its client sees it. Forks of the client's process may use it too."""

    def __init__(
        self, requests: socket.socket, pid: int, process: subprocess.Popen[bytes] | None = None
    ) -> None:
        self.pid = pid
        self._requests, self._process = requests, process
        self._seen = Forked(pid)
        self._lock = threading.Lock()
        self._failed: str | None = None  # what it said of its imports

    @classmethod
    def started(cls, line: Sequence[str], **options: Any) -> Self:
        """Start a program that calls `control`, and waits for its set-up; do not wait for it.

        `options` are those of `subprocess.Popen`.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            given: dict[str, Any] = {"stdin": theirs, **options}
            process = subprocess.Popen(line, **given)
        return cls(ours, process.pid, process)

    def set_up(self, setup: bytes) -> None:
        """Send it its set-up, or a part of it, before all requests."""
        with suppress(OSError):  # it has ended already, which the first request notices
            send(self._requests, setup)

    def wait_until_ready(self) -> str:
        """Wait for its imports; return why they failed, or "". `OSError` if it does not answer."""
        with self._lock:
            if self._failed is None:
                arrived, _, _ = select.select([self._requests], [], [], SECONDS_TO_START)
                said = self._requests.recv(_MOST_BYTES) if arrived else b""
                if not said:
                    raise OSError("the fork server did not start")
                self._failed = json.loads(said)
            return self._failed

    def fork(self, request: bytes, descriptors: Sequence[int]) -> None:
        """Have it fork a child, as soon as it is ready; raise `OSError` if it has ended."""
        with self._lock:
            send(self._requests, request, descriptors)

    def has_ended(self, within: float = 0.0) -> bool:
        """Return whether it has ended, or ends within some seconds."""
        with suppress(subprocess.TimeoutExpired):
            self._seen.wait(within)
            return True
        return False

    def is_ending(self) -> bool:
        """Return whether it has ended, asked when one of its sockets was closed.

        A process that was killed closes its sockets before it ends. Wait for that: otherwise the
        next request would go to it too.
        """
        return self.has_ended(_SECONDS_TO_END)

    def end(self, within: float = 0.0) -> None:
        """Close this process's end. If the server is a child, kill it after some seconds."""
        self._requests.close()
        if self._process:
            if not self.has_ended(within):
                self._process.kill()
            self._process.wait()
