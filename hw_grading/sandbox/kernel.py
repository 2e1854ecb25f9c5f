"""Starts a kernel in a sandbox, by jupyter_client's own means.

`KernelInSandbox` is a kernel manager whose kernel is started by `SandboxProvisioner`, the standard
way of jupyter_client to start a kernel elsewhere. Its sockets lie in a folder of the run's own, and
a second pair of connected sockets, the link, goes to `hw_grading.examiner`.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic
from typing import Any

import psutil
import zmq
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Instance

from hw_grading import inside
from hw_grading.sandbox import policy
from hw_grading.sandbox.policy import Limits, Shown
from hw_grading.sandbox.syscalls import filter_file

PROVISIONER = "hw-grading-sandbox"  # as pyproject.toml registers it
_SECONDS_TO_START = 30.0


class KernelInSandbox(AsyncKernelManager):
    """A kernel that runs as `hw_grading.sandbox.policy` says.

    Its clients refuse large messages: an endless loop of prints makes messages of hundreds of
    megabytes. Beyond the cap, ZeroMQ closes the connection before it takes in the message, and
    opens it again.
    """

    shown = Instance(Shown, allow_none=True, help="what the sandbox shows; None for no sandbox")
    limits = Instance(Limits, args=())
    max_message_bytes = 20_000_000

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Short: the path of a socket has 107 bytes at most.
        self.run_folder = tempfile.mkdtemp(prefix="hw-kernel-")
        self.transport = "ipc"
        self.ip = f"{self.run_folder}/socket"
        self.connection_file = f"{self.run_folder}/grader.json"

    @property
    def kernel_spec(self) -> KernelSpec:
        """The kernel that is started, whatever the notebook asks for."""
        return KernelSpec(
            argv=["ipykernel"],
            display_name="Python 3",
            language="python",
            metadata={"kernel_provisioner": {"provisioner_name": PROVISIONER}},
        )

    def client(self, **kwargs: Any) -> Any:
        """Return a client with the cap on each of its channels."""
        client = super().client(**kwargs)
        client.context.setsockopt(zmq.MAXMSGSIZE, self.max_message_bytes)
        return client

    def remove_run_folder(self) -> None:
        """Remove what is left of the run."""
        shutil.rmtree(self.run_folder, ignore_errors=True)


class SandboxProvisioner(LocalProvisioner):
    """Starts the kernel's process in a sandbox, or without one where the manager shows nothing."""

    link: socket.socket | None = None  # to the kernel, for the examiner
    kernel_pid: int | None = None
    root_pid: int | None = None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the process, and find out its number."""
        manager: Any = self.parent
        run = manager.run_folder
        ours, theirs = socket.socketpair()
        info_read, info_write = os.pipe()
        handed_on = [theirs.fileno(), info_write]
        try:
            if manager.shown is None:
                cmd = _without_sandbox(run, theirs.fileno(), kwargs["env"])
            else:
                handed_on.append(filter_file())
                cmd = _in_sandbox(manager, *handed_on)
            _write_connection_file(manager.connection_file, run, manager.shown is not None)
            kwargs |= {
                "pass_fds": handed_on if manager.shown else handed_on[:1],
                "cwd": run if manager.shown is None else "/",
                "stdout": subprocess.DEVNULL,
                "stderr": subprocess.DEVNULL,
            }
            connection = await super().launch_kernel(cmd, **kwargs)
            for fd in handed_on[1:]:
                os.close(fd)  # or reading from the other end would never come to an end
            del handed_on[1:]
            self.link = ours
            self.kernel_pid = self.root_pid = self.pid
            if manager.shown is not None:
                self.root_pid, self.kernel_pid = _processes(info_read)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
            os.close(info_read)
            for fd in handed_on[1:]:
                os.close(fd)
        return connection

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel itself; the processes around it are not meant."""
        if signum in (signal.SIGKILL, signal.SIGTERM):
            await super().send_signal(signum)
        elif self.kernel_pid:
            with contextlib.suppress(OSError):
                os.kill(self.kernel_pid, signum)


def _in_sandbox(manager: KernelInSandbox, link: int, info_fd: int, filter_fd: int) -> list[str]:
    shown, limits = manager.shown, manager.limits
    assert shown is not None
    program = policy.start_command(shown, limits, link)
    line = policy.command(
        shown, limits, manager.run_folder, program, filter_fd=filter_fd, info_fd=info_fd
    )
    return as_caller(line, Path(manager.run_folder))


def as_caller(line: list[str], run_folder: Path) -> list[str]:
    """Return the command for who is asking: root hands on to a user who owns nothing else."""
    if os.getuid() != 0:
        return line
    user = 1_000_000_000 + secrets.randbelow(1_000_000_000)
    os.chown(run_folder, user, user)
    return policy.as_nobody(line, user)


def _without_sandbox(run_folder: str, link: int, environment: dict[str, str]) -> list[str]:
    """Return the command for a class that is trusted, and complete its environment."""
    packages = Path(run_folder) / "packages"
    packages.mkdir()
    (packages / "answering").symlink_to(Path(inside.__file__).parent)
    environment["PYTHONPATH"] = str(packages)
    environment["PYTHONSAFEPATH"] = "1"
    environment["IPYTHONDIR"] = f"{run_folder}/ipython"
    connection = f"{run_folder}/connection.json"
    return [sys.executable, "-m", "answering.start", connection, str(link), "{}"]


def _write_connection_file(path: str, run_folder: str, in_sandbox: bool) -> None:
    """Write the connection file for the kernel, with the path that the folder has for it."""
    connection = json.loads(Path(path).read_text(encoding="utf-8"))
    if in_sandbox:
        connection["ip"] = f"{policy.RUN}/socket"
    file = Path(run_folder) / "connection.json"
    file.write_text(json.dumps(connection), encoding="utf-8")
    file.chmod(0o644)


def _processes(info: int) -> tuple[int, int]:
    """Return the sandbox's first process, and the kernel's, which it starts."""
    text = b""
    while b"}" not in text:  # bubblewrap writes it in pieces
        ready, _, _ = select.select([info], [], [], _SECONDS_TO_START)
        piece = os.read(info, 1000) if ready else b""
        if not piece:
            raise RuntimeError("bubblewrap ended without making a sandbox")
        text += piece
    first = int(json.loads(text)["child-pid"])
    process = psutil.Process(first)
    until = monotonic() + _SECONDS_TO_START
    while monotonic() < until:
        if process.name() not in ("bwrap", "setpriv"):
            return first, process.pid
        children = process.children()
        if children:
            process = children[0]
        else:
            select.select([], [], [], 0.005)
    raise RuntimeError("no kernel was started in the sandbox")
