"""Starts a kernel in a sandbox, through the interfaces of jupyter_client.

A provisioner is jupyter_client's standard way to start a kernel elsewhere. A pair of connected
sockets, the link, connects the kernel with `hw_grading.examiner`.

The kernel creates its own sockets in a folder that both sides see. As soon as they exist, and
before any student code runs, `take_sockets` moves them out of the sandbox's reach, and removes the
folder. After that, student code cannot create anything in it: no link that the grader would follow,
and no file on the machine's disk.
"""

import asyncio
import contextlib
import json
import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from queue import Empty
from time import monotonic
from typing import Any

import psutil
import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_core.utils import ensure_async
from traitlets import Bool, Instance, Type

from hw_grading import inside
from hw_grading.sandbox import fork_server, policy
from hw_grading.sandbox.fork_server import SECONDS_TO_START, ForkServer, NoForkServer
from hw_grading.sandbox.forked import Target
from hw_grading.sandbox.policy import Limits, Shown
from hw_grading.sandbox.syscalls import filter_file
from hw_grading.sandbox.user import as_caller

PROVISIONER = "hw-grading-sandbox"  # the name that pyproject.toml registers
_MILLISECONDS_TO_SEND = 2000


class NoAnswer(RuntimeError):
    """A kernel does not answer in time."""


class Client(AsyncKernelClient):
    """A client that is ready when it gets an answer: it does not wait until messages stop."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel has answered, and outputs arrive; raise `NoAnswer` after a time.

        Earlier messages may still arrive later. They are ignored, because they have other parents.
        """
        until = monotonic() + (SECONDS_TO_START if timeout is None else timeout)
        request = self.kernel_info()
        try:
            while (left := until - monotonic()) > 0:
                reply = await ensure_async(self.shell_channel.get_msg(timeout=left))
                if reply["parent_header"].get("msg_id") != request:
                    continue
                with contextlib.suppress(Empty):  # outputs do not arrive yet
                    await ensure_async(self.iopub_channel.get_msg(timeout=0.2))
                    return
                request = self.kernel_info()
        except Empty:
            pass
        raise NoAnswer("the kernel does not answer")


class KernelInSandbox(AsyncKernelManager):
    """The manager of a kernel that runs under `hw_grading.sandbox.policy`.

    Its clients refuse large messages, because an endless loop of prints makes messages of hundreds
    of megabytes. If a message exceeds the cap, ZeroMQ closes the connection before it receives the
    message, and does not open it again. Then a new client is needed; `hw_grading.run.kernel` makes
    it. Sending over a closed connection fails instead of waiting forever.
    """

    client_factory = Type(Client)
    shown = Instance(Shown, allow_none=True, help="what the sandbox shows; None for no sandbox")
    limits = Instance(Limits, args=())
    forked = Bool(True, help="whether to fork the kernel where this is possible")
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

    async def shutdown_kernel(  # type: ignore[override]  # as in all asynchronous managers
        self, now: bool = False, restart: bool = False
    ) -> None:
        """End the kernel. With `now`, kill it first: the base class then need not wait."""
        if now and isinstance(self.provisioner, SandboxProvisioner):
            self.provisioner.end()
        await self._async_shutdown_kernel(now=now, restart=restart)

    async def take_sockets(self, seconds: float) -> None:
        """Wait for the kernel's sockets, move them away, and remove the shared folder."""
        until = monotonic() + seconds
        names = [f"socket-{port}" for port in self.ports]
        while not all(os.path.exists(f"{self.shared_folder}/{name}") for name in names):
            if monotonic() > until or not await ensure_async(self.is_alive()):
                raise RuntimeError("the kernel made no sockets")
            await asyncio.sleep(0.005)
        for name in names:
            os.rename(f"{self.shared_folder}/{name}", f"{self.run_folder}/{name}")
            if not stat.S_ISSOCK(os.lstat(f"{self.run_folder}/{name}").st_mode):
                raise RuntimeError("the kernel made other files instead of sockets")
        os.rmdir(self.shared_folder)
        self.ip = f"{self.run_folder}/socket"

    def remove_run_folder(self) -> None:
        """Remove the folders of the run."""
        for folder in (self.run_folder, self.shared_folder):
            shutil.rmtree(folder, ignore_errors=True)


class SandboxProvisioner(LocalProvisioner):
    """Starts the kernel's process in a sandbox, or without one if the manager's `shown` is None."""

    link: socket.socket | None = None  # the examiner's socket to the kernel
    fork_server: ForkServer | None = None  # the fork server that forked the kernel
    kernel_pid: int | None = None
    kernel: Target | None = None
    sandboxed = True
    root_pid: int | None = None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the process, and find out its pid."""
        manager: Any = self.parent
        self.sandboxed = manager.shown is not None
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                if not self._fork(manager, theirs):
                    await self._launch(manager, theirs, **kwargs)
            except BaseException:
                ours.close()
                raise
        self.link = ours
        return self.connection_info

    def _fork(self, manager: KernelInSandbox, link: socket.socket) -> bool:
        if manager.shown is None or not manager.forked:
            return False
        while True:
            place = fork_server.fork_server_for(manager.shown)
            if place is None:
                return False
            manager.shared_folder = place.new_folder()
            connection = _connection(manager)
            try:
                forked = place.fork(manager.shared_folder, link, manager.limits, connection)
                break
            except NoForkServer as error:
                if not place.has_ended(within=0.5):  # if it has ended, the loop starts another one
                    fork_server.refuse(str(error))
                    return False
        self.fork_server = place
        self.process: Any = forked
        self.pid = self.root_pid = forked.pid
        self.kernel_pid, self.kernel = forked.kernel_pid, forked.kernel
        return True

    async def _launch(self, manager: KernelInSandbox, link: socket.socket, **kwargs: Any) -> None:
        file = Path(manager.run_folder) / "connection.json"
        file.write_text(json.dumps(_connection(manager)), encoding="utf-8")
        file.chmod(0o644)
        kwargs["stdout"] = kwargs["stderr"] = subprocess.DEVNULL
        if manager.shown is None:
            kwargs |= {"pass_fds": [link.fileno()], "cwd": manager.run_folder}
            cmd = _without_sandbox(manager, link.fileno(), kwargs["env"])
            await super().launch_kernel(cmd, **kwargs)
            self.kernel_pid = self.root_pid = self.pid
        else:
            info, info_write = os.pipe()
            with open(info, "rb", buffering=0):
                ours = [info_write]
                try:
                    ours.append(filter_file())
                    kwargs |= {"pass_fds": [link.fileno(), *ours], "cwd": "/"}
                    cmd = _in_sandbox(manager, *kwargs["pass_fds"])
                    await super().launch_kernel(cmd, **kwargs)
                finally:
                    for fd in ours:
                        os.close(fd)  # otherwise reading from `info` would never end
                self.root_pid, self.kernel_pid = _processes(info)
        assert self.kernel_pid
        self.kernel = Target(self.kernel_pid)

    def end(self) -> None:
        """Kill the kernel, and wait until it is gone."""
        if self.process:
            self.process.kill()
            self.process.wait()

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel itself. Only SIGKILL and SIGTERM go to the whole sandbox."""
        if signum not in (signal.SIGKILL, signal.SIGTERM):
            if self.kernel:
                self.kernel.send(signum)
        # A sandbox ends with its first process. After that, its pid may belong to another group.
        elif await self.poll() is None or not self.sandboxed:
            await super().send_signal(signum)


def _in_sandbox(manager: KernelInSandbox, link: int, info_fd: int, filter_fd: int) -> list[str]:
    assert manager.shown is not None
    given = {policy.CONNECTION_FILE: f"{manager.run_folder}/connection.json"}
    shown = replace(manager.shown, folders={**manager.shown.folders, **given})
    limits, folder = manager.limits, manager.shared_folder
    program = policy.start_command(shown, limits, link)
    line = policy.command(shown, limits, folder, program, filter_fd=filter_fd, info_fd=info_fd)
    return as_caller(line, Path(folder))


def _without_sandbox(manager: KernelInSandbox, link: int, environment: dict[str, str]) -> list[str]:
    """Return the command for a class that is trusted, and add its variables to `environment`."""
    packages = Path(manager.run_folder) / "packages"
    packages.mkdir()
    (packages / "answering").symlink_to(Path(inside.__file__).parent)
    environment["PYTHONPATH"] = str(packages)
    environment["PYTHONSAFEPATH"] = "1"
    environment["IPYTHONDIR"] = f"{manager.run_folder}/ipython"
    connection = f"{manager.run_folder}/connection.json"
    return [sys.executable, "-m", "answering.start", connection, str(link), "{}"]


def _connection(manager: KernelInSandbox) -> dict[str, Any]:
    """Return the content of the kernel's connection file, with the path that the kernel sees."""
    text = Path(manager.connection_file).read_text(encoding="utf-8")
    connection: dict[str, Any] = json.loads(text)
    if manager.shown is not None:
        connection["ip"] = f"{policy.RUN}/socket"
    return connection


def _processes(info: int) -> tuple[int, int]:
    """Return the pids of the sandbox's first process, and of the kernel that it starts."""
    text = b""
    while b"}" not in text:  # bubblewrap writes it in pieces
        ready, _, _ = select.select([info], [], [], SECONDS_TO_START)
        piece = os.read(info, 1000) if ready else b""
        if not piece:
            raise RuntimeError("bubblewrap ended without making a sandbox")
        text += piece
    first = int(json.loads(text)["child-pid"])
    process = psutil.Process(first)
    until = monotonic() + SECONDS_TO_START
    while monotonic() < until:
        if process.name() not in ("bwrap", "setpriv"):
            return first, process.pid
        children = process.children()
        if children:
            process = children[0]
        else:
            select.select([], [], [], 0.005)
    raise RuntimeError("no kernel was started in the sandbox")
