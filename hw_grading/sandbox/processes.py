"""Other processes on this machine: their numbers, and their clocks."""

import re
from collections.abc import Mapping
from pathlib import Path
from time import monotonic

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


class Waiting:
    """Counts the seconds in which some processes waited for a processor that others used.

    They compete among themselves too. So a time does not count in which one of them computed, and
    none since the last look if two of them could run.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._looked, self._computed = monotonic(), 0.0
        self._waited: Mapping[int, float] = {}

    def look(self, computed: float, waited: Mapping[int, float], could_run: int) -> None:
        """Count the time since the last look.

        `computed` are the seconds of all processes since their start, `waited` those of each that
        is there, by pid. `could_run` is the number of those that compute or wait for a processor.
        """
        now = monotonic()
        unused = now - self._looked - (computed - self._computed)
        longest = max((s - self._waited.get(pid, 0.0) for pid, s in waited.items()), default=0.0)
        if could_run < 2:
            self.seconds += max(0.0, min(longest, unused))
        self._looked, self._computed, self._waited = now, computed, waited


def is_over(limit: float, passed: float, waited: float) -> bool:
    """Return whether a limit was reached.

    Seconds of waiting for the processor do not count, up to `MAX_TIMES` times the limit.
    """
    return passed - waited >= limit or passed >= MAX_TIMES * limit
