"""Starts a kernel in a sandbox, through the interfaces of jupyter_client.

A provisioner is jupyter_client's standard way to start a kernel elsewhere. A pair of connected
sockets, the link, connects the kernel with `hw_grading.examiner`.

The kernel creates its own sockets in a folder that both sides see. As soon as they exist, and
before any student code runs, `take_sockets` moves them out of the sandbox's reach, and removes the
folder. After that, student code cannot create anything in it: no link that the grader would follow,
and no file on the machine's disk.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import tempfile
from pathlib import Path
from queue import Empty
from time import monotonic, sleep
from typing import Any

import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Bool, Bytes, Instance, Type

from hw_grading import inside
from hw_grading.inside.isolation import RUN, Limits, Shown
from hw_grading.sandbox import fork_client
from hw_grading.sandbox.fork_client import ForkServer, Given, KernelProcess
from hw_grading.sandbox.processes import Forked

PROVISIONER = "hw-grading-sandbox"  # the name that pyproject.toml registers
_MILLISECONDS_TO_SEND = 2000


class NoAnswer(RuntimeError):
    """A kernel does not answer in time."""


class Client(BlockingKernelClient):
    """A client that is ready when it gets an answer: it does not wait until messages stop."""

    def start(self, seconds: float) -> dict[str, Any]:
        """Open its connections; return the kernel's answer, or raise `NoAnswer` after a time.

        Earlier messages may still arrive later. They are ignored, because they have other parents.
        """
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


class KernelInSandbox(KernelManager):
    """The manager of a kernel in a sandbox (`hw_grading.inside.isolation`).

    Its clients refuse large messages, because an endless loop of prints makes messages of hundreds
    of megabytes. If a message exceeds the cap, ZeroMQ closes the connection before it receives the
    message, and does not open it again. Then a new client is needed; `hw_grading.run.kernel` makes
    it. Sending over a closed connection fails instead of waiting forever.
    """

    client_factory = Type(Client)
    shown = Instance(Shown, allow_none=True, help="what the sandbox shows; None for no sandbox")
    limits = Instance(Limits, args=())
    forked = Bool(True, help="whether to fork the kernel where this is possible")
    files = Bytes(help="a zip of the files in the kernel's working folder")
    max_message_bytes = 8_000_000

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # The path is short: a socket's path has at most 107 bytes. No other user may enter it.
        self.run_folder = tempfile.mkdtemp(prefix="hw-kernel-")
        self.shared_folder = f"{self.run_folder}/shared"
        os.mkdir(self.shared_folder)
        self.transport = "ipc"
        self.ip = f"{self.shared_folder}/socket"
        self.connection_file = f"{self.run_folder}/grader.json"

    @property
    def kernel_spec(self) -> KernelSpec:
        """The kernel that is started; the notebook's own kernel name is ignored."""
        return KernelSpec(
            argv=["ipykernel"],
            display_name="Python 3",
            language="python",
            metadata={"kernel_provisioner": {"provisioner_name": PROVISIONER}},
        )

    def client(self, **kwargs: Any) -> Any:
        """Return a client with these limits on each of its channels."""
        client = super().client(**kwargs)
        client.context.setsockopt(zmq.MAXMSGSIZE, self.max_message_bytes)
        client.context.setsockopt(zmq.SNDTIMEO, _MILLISECONDS_TO_SEND)
        return client

    def take_sockets(self, seconds: float) -> None:
        """Wait for the kernel's sockets, move them away, and remove the shared folder."""
        until = monotonic() + seconds
        names = [f"socket-{port}" for port in self.ports]
        while not all(os.path.exists(f"{self.shared_folder}/{name}") for name in names):
            if monotonic() > until or not self.is_alive():
                raise RuntimeError("the kernel made no sockets")
            sleep(0.005)
        for name in names:
            os.rename(f"{self.shared_folder}/{name}", f"{self.run_folder}/{name}")
            if not stat.S_ISSOCK(os.lstat(f"{self.run_folder}/{name}").st_mode):
                raise RuntimeError("the kernel made other files instead of sockets")
        os.rmdir(self.shared_folder)
        self.ip = f"{self.run_folder}/socket"

    def end(self) -> None:
        """Kill the kernel, wait until it is gone, and remove the folders of the run."""
        if isinstance(self.provisioner, SandboxProvisioner) and self.has_kernel:
            self.provisioner.end()
            self.shutdown_kernel(now=True)
        for folder in (self.run_folder, self.shared_folder):
            shutil.rmtree(folder, ignore_errors=True)


class SandboxProvisioner(LocalProvisioner):
    """Starts the kernel's process in a sandbox, or without one if the manager's `shown` is None."""

    link: socket.socket | None = None  # the examiner's socket to the kernel
    fork_server: ForkServer | None = None  # the fork server that forked the kernel
    kernel: Forked | None = None  # the kernel's own process

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the process, and find out its pid."""
        manager: Any = self.parent
        self.link, theirs = socket.socketpair()
        with theirs:
            try:
                process = (
                    self._without_sandbox(manager, theirs, kwargs["env"])
                    if manager.shown is None
                    else self._in_sandbox(manager, theirs)
                )
            except BaseException:
                self.link.close()
                raise
        self.process: Any = process
        self.pid = process.pid  # of the sandbox's first process, with which all others end
        self.kernel = process.kernel
        return self.connection_info

    def _in_sandbox(self, manager: KernelInSandbox, link: socket.socket) -> KernelProcess:
        """Return a kernel that was forked, where this is possible, or else started from scratch."""
        assert manager.shown
        rest = link, manager.limits, _given(manager, RUN)
        while manager.forked and (server := fork_client.fork_server_for(manager.shown)):
            manager.shared_folder = server.new_folder()
            try:
                process = server.fork(manager.shared_folder, *rest)
                self.fork_server = server
                return process
            except OSError as error:
                if not server.has_ended(within=0.5):  # if it has ended, another one is started
                    fork_client.refuse(f"no kernel was forked ({error})")
        manager.shared_folder = f"{manager.run_folder}/shared"  # that of a fork server is gone
        return fork_client.start_from_scratch(manager.shown, manager.shared_folder, *rest)

    def _without_sandbox(
        self, manager: KernelInSandbox, link: socket.socket, variables: dict[str, str]
    ) -> KernelProcess:
        folder = manager.run_folder
        packages = Path(folder) / "packages"
        packages.mkdir()
        (packages / "answering").symlink_to(Path(inside.__file__).parent)
        paths = {"PYTHONPATH": str(packages), "IPYTHONDIR": f"{folder}/ipython"}
        variables = {**variables, **paths, "PYTHONSAFEPATH": "1"}
        given = _given(manager, manager.shared_folder)
        process = fork_client.start_without_sandbox(folder, link, variables, given)
        self.pgid = process.pid
        return process

    def end(self) -> None:
        """Kill the kernel, and wait until it is gone."""
        if self.process:
            self.process.kill()
            self.process.wait()

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel itself. Only SIGKILL and SIGTERM go to the whole sandbox."""
        if signum not in (signal.SIGKILL, signal.SIGTERM):
            if self.kernel:
                self.kernel.send_signal(signum)
        elif self.pgid is None:
            self.process.kill()
        else:
            await super().send_signal(signum)


def _given(manager: KernelInSandbox, folder: str) -> Given:
    """Return what a kernel gets that has its sockets in a folder."""
    text = Path(manager.connection_file).read_text(encoding="utf-8")
    connection = json.dumps({**json.loads(text), "ip": f"{folder}/socket"}).encode()
    return Given(connection, manager.files)
