"""Other processes on this machine: their numbers, and their clocks."""

import re
from pathlib import Path

MAX_TIMES = 4  # on a busy machine, code may take up to this multiple of its wall-clock limit


def pid_of(descriptor: int) -> int:
    """Return the pid of a pidfd, as this process sees it; raise `OSError` if it has ended."""
    said = Path(f"/proc/self/fdinfo/{descriptor}").read_text(encoding="ascii")
    found = re.search(r"^Pid:\t(\d+)$", said, re.MULTILINE)
    if not found:
        raise ProcessLookupError("the process has ended")
    return int(found[1])


def seconds_waited(pid: int) -> float:
    """Return the total seconds that a process's first thread has waited for the processor."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_bytes().split()[1]) / 1e9
    except (OSError, IndexError):  # it has ended, or this system has no such file
        return 0.0


def children_of(pid: int) -> list[int]:
    """Return the processes that a process's first thread has started, and that run."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(one) for one in found.split()]


def is_over(limit: float, passed: float, waited: float) -> bool:
    """Return whether a limit was reached.

    Seconds of waiting for the processor do not count, up to `MAX_TIMES` times the limit.
    """
    return passed - waited >= limit or passed >= MAX_TIMES * limit
