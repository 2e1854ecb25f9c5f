"""The grader's end of the process that forks kernels (`hw_grading.inside.nursery`).

Most of a small submission's time goes into imports that are the same for everybody. A nursery does
them once, and each kernel begins as a copy of it. Where namespaces within namespaces are not
allowed there is none, and every kernel is started from nothing.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hw_grading.forked import Forked
from hw_grading.sandbox import policy
from hw_grading.sandbox.policy import Limits, Shown
from hw_grading.sandbox.syscalls import filter_file
from hw_grading.sandbox.user import as_caller

SECONDS_TO_START = 30.0
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid
_log = logging.getLogger(__name__)


class NoNursery(RuntimeError):
    """No kernel can be forked here, or this one could not be."""


class ForkedKernel(Forked):
    """A kernel as jupyter_client sees it.

    Attributes
    ----------
    pid
        The first process of the sandbox, with which all others end.
    kernel_pid
        The kernel's own.
    """

    def __init__(self, pid: int, kernel_pid: int) -> None:
        super().__init__(pid)
        self.kernel_pid = kernel_pid


class Nursery:
    """A process that forks kernels, for sandboxes which show the same.

    Attributes
    ----------
    pid
        Of the process that it descends from.

    Raises
    ------
    NoNursery
        It did not start.
    """

    def __init__(self, shown: Shown) -> None:
        self.shown = shown
        self._folder = tempfile.mkdtemp(prefix="hw-kernels-")
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        handed_on = [theirs.fileno(), filter_file()]
        program = policy.start_nursery(shown, *handed_on)
        line = policy.nursery_command(shown, Limits(), self._folder, program)
        try:
            self._process = subprocess.Popen(
                as_caller(line, Path(self._folder)),
                pass_fds=handed_on,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
            )
        finally:
            theirs.close()
            os.close(handed_on[1])
        self.pid = self._process.pid
        self._control.settimeout(SECONDS_TO_START)
        try:
            ready = self._control.recv(100)
        except OSError as error:
            ready = str(error).encode()
        if ready != b"ready":
            self.end()
            raise NoNursery(f"the process that forks kernels did not start ({ready.decode()!r})")

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked for a kernel."""
        return self._process.poll() is None

    def new_folder(self) -> str:
        """Make a folder in which a kernel makes its sockets."""
        folder = tempfile.mkdtemp(dir=self._folder, prefix="")
        owner = os.stat(self._folder)
        os.chown(folder, owner.st_uid, owner.st_gid)
        return folder

    def fork(
        self, folder: str, link: socket.socket, limits: Limits, connection: Mapping[str, Any]
    ) -> ForkedKernel:
        """Return a kernel that has moved into rooms of its own, and begins to start.

        Raises
        ------
        NoNursery
            It could not move in, or the process that forks kernels has ended.
        """
        rooms = policy.own_rooms(limits, os.path.basename(folder))
        message = json.dumps({"rooms": rooms, "connection": connection}).encode()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours:
            # The numbers that its processes have out here come with what they say.
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            ours.settimeout(SECONDS_TO_START)
            try:
                with theirs, self._lock:
                    socket.send_fds(self._control, [message], [link.fileno(), theirs.fileno()])
                first, kernel = _who_says(ours, b"first"), _who_says(ours, b"kernel")
                forked = ForkedKernel(first, kernel)
                ours.send(b"g")
            except OSError as error:
                raise NoNursery(f"no kernel was forked ({error})") from None
        return forked

    def end(self) -> None:
        """End it, and the kernels that it forked."""
        self._control.close()
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _who_says(report: socket.socket, expected: bytes) -> int:
    """Receive a word, and return the number of the process that sent it."""
    said, ancillary, _, _ = report.recvmsg(1000, socket.CMSG_SPACE(_CREDENTIALS.size))
    if said != expected:
        raise OSError(said.decode(errors="replace") or "it ended")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
            return int(_CREDENTIALS.unpack(data)[0])
    raise OSError("it did not say who it is")


# -- the one of this process

_current: tuple[int, Nursery] | None = None
_refused: set[int] = set()  # processes in which none could be started
_starting = threading.Lock()


@atexit.register
def _end() -> None:
    if _current and _current[0] == os.getpid():
        _current[1].end()


def nursery_for(shown: Shown) -> Nursery | None:
    """Return this process's nursery, started if need be; None where none can be."""
    global _current
    with _starting:
        if os.getpid() in _refused:
            return None
        if _current and _current[0] == os.getpid():
            if _current[1].shown == shown and _current[1].is_alive:
                return _current[1]
            _current[1].end()
        _current = None
        try:
            _current = os.getpid(), Nursery(shown)
        except (OSError, NoNursery) as error:
            refuse(str(error))
            return None
        return _current[1]


def refuse(why: str) -> None:
    """Let every kernel be started from nothing from now on."""
    _log.warning("Kernels are started one by one, which takes longer: %s", why)
    _refused.add(os.getpid())
