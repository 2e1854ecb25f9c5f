"""Starts a kernel in a sandbox, and connects to it.

The kernel creates its own sockets in a folder that both sides see. As soon as they exist, and
before any student code runs, they are moved out of the sandbox's reach, and the folder is removed.
After that, student code cannot create anything in it: no link that the grader would follow, and no
file on the machine's disk. A pair of connected sockets, the link, connects the kernel with
`hw_grading.examiner`.
"""

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import stat
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from queue import Empty
from time import monotonic, sleep
from typing import Any

import zmq
from jupyter_client.blocking.client import BlockingKernelClient

from hw_grading import answering
from hw_grading.answering.isolation import CONNECTION_FILE, RUN, Limits, Shown, bubblewrap
from hw_grading.sandbox import kernel_process, syscalls
from hw_grading.sandbox.kernel_process import KernelProcess, KernelServer

MAX_MESSAGE_BYTES = 8_000_000
_MILLISECONDS_TO_SEND = 2000
_PORTS = {"shell_port": 1, "iopub_port": 2, "stdin_port": 3, "control_port": 4, "hb_port": 5}


class NoAnswer(RuntimeError):
    """A kernel does not answer in time."""


class Client(BlockingKernelClient):
    """A client that is ready when it gets an answer: it does not wait until messages stop.

    It refuses large messages, because an endless loop of prints makes messages of hundreds of
    megabytes. If a message exceeds the cap, ZeroMQ closes the connection before it receives the
    message, and does not open it again. Then a new client is needed. Sending over a closed
    connection fails instead of waiting forever.
    """

    def start(self, connection: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Connect; return the kernel's answer, or raise `NoAnswer` after a time.

        Earlier messages may still arrive later. They are ignored, because they have other parents.
        """
        self.load_connection_info(connection)  # type: ignore[arg-type]
        self.context.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        self.context.setsockopt(zmq.SNDTIMEO, _MILLISECONDS_TO_SEND)
        self.start_channels(stdin=False, hb=False, control=False)
        until = monotonic() + seconds
        with contextlib.suppress(Empty):
            while True:
                request = self.kernel_info()
                reply: dict[str, Any] = {"parent_header": {}}
                while reply["parent_header"].get("msg_id") != request:
                    reply = self.shell_channel.get_msg(timeout=max(until - monotonic(), 0))
                with contextlib.suppress(Empty):  # outputs do not arrive yet
                    self.iopub_channel.get_msg(timeout=0.2)
                    return reply
        raise NoAnswer("the kernel does not answer")

    def stop(self) -> None:
        """Close its connections."""
        self.context.destroy(linger=0)


class KernelInSandbox:
    """A kernel in a sandbox (`hw_grading.answering.isolation`), from its start to its end.

    `shown` is what the sandbox shows; None for no sandbox. `forked` tells whether to fork the
    kernel where this is possible. `files` is a zip of the files in its working folder.
    """

    process: KernelProcess | None = None  # of the sandbox, with which all others end
    fork_server: KernelServer | None = None  # that forked the kernel

    def __init__(self, shown: Shown | None, limits: Limits, forked: bool, files: bytes) -> None:
        self._shown, self._limits, self._forked, self._files = shown, limits, forked, files
        self._key = secrets.token_hex(32)
        # The path is short: a socket's path has at most 107 bytes. No other user may enter it.
        self.folder = tempfile.mkdtemp(prefix="hw-kernel-")
        self._shared = f"{self.folder}/shared"
        os.mkdir(self._shared)

    def start(self, seconds: float, variables: dict[str, str]) -> socket.socket:
        """Start the kernel and take its sockets; return the examiner's link, to be closed.

        `variables` are those of a kernel without a sandbox.
        """
        link, theirs = socket.socketpair()
        try:
            with theirs:
                if self._shown is None:
                    self.process = self._without_sandbox(theirs, variables)
                else:
                    self.process = self._in_sandbox(self._shown, theirs)
            self._take_sockets(seconds)
        except BaseException:
            link.close()
            raise
        return link

    def client(self, seconds: float) -> tuple[Client, dict[str, Any]]:
        """Return a client, and what the kernel says of itself; `NoAnswer` if it says nothing."""
        client = Client()
        try:
            reply = client.start(self._connection(self.folder), seconds)
        except BaseException:
            client.stop()
            raise
        return client, reply["content"]

    def is_alive(self) -> bool:
        """Return whether the kernel's process still runs."""
        return self.process is not None and self.process.kernel.poll() is None

    def end(self) -> None:
        """Kill the kernel, wait until it is gone, and remove the folders of the run."""
        if self.process:
            if self._shown is None:  # processes that it has started end with it in a sandbox only
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.process.pid, signal.SIGKILL)
            self.process.kill()
            self.process.wait()
        for folder in (self.folder, self._shared):
            shutil.rmtree(folder, ignore_errors=True)

    def _connection(self, folder: str) -> dict[str, Any]:
        """Return the content of a connection file, for sockets in a folder."""
        about = {"key": self._key, "signature_scheme": "hmac-sha256", "kernel_name": ""}
        return {**_PORTS, **about, "transport": "ipc", "ip": f"{folder}/socket"}

    def _about(self, folder: str, file: str) -> dict[str, Any]:
        """Return what a process gets to become a kernel, with its sockets in a folder."""
        return {
            "connection": json.dumps(self._connection(folder)).encode(),
            "connection_file": file,
            "files": self._files,
            "limits": asdict(self._limits) if self._shown else {},
            "filter_of_tests": syscalls.filter_of_tests() if self._shown else b"",
        }

    def _in_sandbox(self, shown: Shown, link: socket.socket) -> KernelProcess:
        """Return a kernel that was forked, where this is possible, or else started from scratch."""
        about = self._about(RUN, CONNECTION_FILE)
        while self._forked and (server := kernel_process.fork_server_for(shown)):
            self._shared = server.new_folder()
            try:
                process = server.kernel(self._shared, about, link)
                self.fork_server = server
                return process
            except OSError as error:
                if not server.is_ending():  # if it has ended, another one is started
                    kernel_process.refuse(f"no kernel was forked ({error})")
        self._shared = f"{self.folder}/shared"  # that of a fork server is gone
        with syscalls.filter_file() as file:
            program = [shown.python, *kernel_process.PROGRAM]
            line = bubblewrap(shown, self._limits, self._shared, program, file.fileno())
            return kernel_process.start_alone(line, about, link, pass_fds=[file.fileno()])

    def _without_sandbox(self, link: socket.socket, variables: dict[str, str]) -> KernelProcess:
        """Return a kernel of a class that is trusted: in its own process group, without limits."""
        packages, work = Path(self.folder, "packages"), Path(self.folder, "work")
        packages.mkdir()
        work.mkdir()
        (packages / "answering").symlink_to(Path(answering.__file__).parent)
        paths = {"PYTHONPATH": str(packages), "IPYTHONDIR": f"{self.folder}/ipython"}
        more = {"PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"}  # as in a sandbox
        options: Any = {"env": {**variables, **paths, **more}, "cwd": work}
        about = self._about(self._shared, f"{self.folder}/kernel.json")
        line = [sys.executable, *kernel_process.PROGRAM]
        return kernel_process.start_alone(line, about, link, start_new_session=True, **options)

    def _take_sockets(self, seconds: float) -> None:
        """Wait for the kernel's sockets, move them away, and remove the shared folder."""
        until = monotonic() + seconds
        names = [f"socket-{port}" for port in _PORTS.values()]
        while not all(os.path.exists(f"{self._shared}/{name}") for name in names):
            if monotonic() > until or not self.is_alive():
                raise RuntimeError("the kernel made no sockets")
            sleep(0.005)
        for name in names:
            os.rename(f"{self._shared}/{name}", f"{self.folder}/{name}")
            if not stat.S_ISSOCK(os.lstat(f"{self.folder}/{name}").st_mode):
                raise RuntimeError("the kernel made other files instead of sockets")
        os.rmdir(self._shared)
