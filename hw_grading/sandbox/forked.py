"""Processes that are no children of this one: waited for, and signalled, without mistaking another.

The number of a process that has ended may be another's soon. So it is looked up once, while the
process is known to run, and a descriptor of the process stands for it from then on.
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
    """A process that gets signals: this one only, and none when it has ended.

    Parameters
    ----------
    pid
        Its number.
    """

    def __init__(self, pid: int) -> None:
        self._process: Forked | psutil.Process | None = None
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            # Without descriptors, on macOS, psutil compares when the process began.
            has_descriptors = hasattr(os, "pidfd_open")
            self._process = Forked(pid) if has_descriptors else psutil.Process(pid)

    def send(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self._process:
            with contextlib.suppress(OSError, psutil.Error):
                self._process.send_signal(number)


def cpu_clock(pid: int) -> Callable[[], float]:
    """Return a function that tells the seconds that a process has computed; 0 when it has ended."""
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
    """Whether a process has ended, or does within some seconds."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(within)
        return True
    return False


class Forked:
    """A process of this machine that need not be a child of this one.

    Parameters
    ----------
    pid
        Its number; it has to run still.
    """

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)

    def poll(self) -> int | None:
        """Return None while it runs."""
        return self._ended_within(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, this many seconds at most.

        Raises
        ------
        subprocess.TimeoutExpired
            It has not ended by then.
        """
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
        return 1 if ready else None  # who is not its parent does not learn with what status
