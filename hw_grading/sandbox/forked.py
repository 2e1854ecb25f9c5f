"""Waits for processes that are not children of this one, and sends them signals, without a race.

After a process has ended, the system may give its pid to another process. So a pid is used only
once, while the process is known to run, to open a pidfd. From then on the pidfd is used.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
from collections.abc import Callable

import psutil


class Target:
    """Sends signals to one process, and never to another process with the same pid."""

    def __init__(self, pid: int) -> None:
        self._process: Forked | psutil.Process | None = None
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            # macOS has no pidfds: there psutil compares the time when the process began.
            has_descriptors = hasattr(os, "pidfd_open")
            self._process = Forked(pid) if has_descriptors else psutil.Process(pid)

    def send(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self._process:
            with contextlib.suppress(OSError, psutil.Error):
                self._process.send_signal(number)


def cpu_clock(pid: int) -> Callable[[], float]:
    """Return a function that returns a process's CPU seconds, or 0 if the process has ended."""
    try:
        process = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return lambda: 0.0

    def seconds() -> float:
        try:
            times = process.cpu_times()
        except psutil.Error:
            return 0.0
        return float(times.user + times.system)

    return seconds


def has_ended(process: subprocess.Popen[bytes] | Forked, within: float = 0.0) -> bool:
    """Return whether a process has ended, or ends within some seconds."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(within)
        return True
    return False


class Forked:
    """A process on this machine, which still runs now, and need not be a child of this one."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)

    def poll(self) -> int | None:
        """Return None while the process runs."""
        return self._ended_within(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the process; raise `TimeoutExpired` if it takes more seconds."""
        status = self._ended_within(timeout)
        if status is None:
            raise subprocess.TimeoutExpired("a forked process", timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    terminate = kill

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)

    def _ended_within(self, seconds: float | None) -> int | None:
        ready = self._poll.poll(None if seconds is None else 1000 * seconds)
        return 1 if ready else None  # only its parent can learn the real exit status
