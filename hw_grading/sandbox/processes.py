"""Other processes: waits for them, sends them signals, and reads their clocks."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
from pathlib import Path

MAX_TIMES = 4  # on a busy machine, code may take up to this multiple of its wall-clock limit


class Forked:
    """A process on this machine that need not be a child of this one.

    After a process has ended, the system may give its pid to another one. So signals go to a pidfd,
    which is opened while the process is known to run. One that has ended already gets no signals.
    """

    _descriptor: int | None = None

    def __init__(self, pid: int, descriptor: int | None = None) -> None:
        self.pid = pid
        with contextlib.suppress(ProcessLookupError):
            self._descriptor = os.pidfd_open(pid) if descriptor is None else descriptor

    def poll(self) -> int | None:
        """Return None while the process runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
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
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def __del__(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)


def pid_of(descriptor: int) -> int:
    """Return the pid of a pidfd, as this process sees it; raise `OSError` if it has ended."""
    said = Path(f"/proc/self/fdinfo/{descriptor}").read_text(encoding="ascii")
    found = re.search(r"^Pid:\t(\d+)$", said, re.MULTILINE)
    if not found:
        raise ProcessLookupError("the process has ended")
    return int(found[1])


def has_ended(process: subprocess.Popen[bytes] | Forked, within: float = 0.0) -> bool:
    """Return whether a process has ended, or ends within some seconds."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(within)
        return True
    return False


def seconds_waited(pid: int) -> float:
    """Return the total seconds that a process's first thread has waited for the processor."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_bytes().split()[1]) / 1e9
    except (OSError, IndexError):  # it has ended, or this system has no such file
        return 0.0


def is_over(limit: float, passed: float, waited: float) -> bool:
    """Return whether a limit was reached.

    Seconds of waiting for the processor do not count, up to `MAX_TIMES` times the limit.
    """
    return passed - waited >= limit or passed >= MAX_TIMES * limit
