"""Limits each submission's share of the processor to that of a few busy processes.

The system divides the processor among processes, or among their sessions. So a submission with many
processes or sessions would leave little to others. The more busy threads a submission has beyond a
few, the lower is the priority that it gets. A new session has the usual priority again, so the
number of sessions is limited. Time spent waiting for the processor does not count against time
limits.
"""

import contextlib
import math
import os
from collections.abc import Sequence
from glob import glob
from pathlib import Path

import psutil

from hw_grading.sandbox.memory import file_of

MOST_BUSY = 8  # threads at the usual priority
MOST_SESSIONS = 500  # sessions of one submission with lowered priority; at most 64 exist at a time
MOST_TIMES = 4  # on a busy machine, code may take up to this multiple of its limit on the clock
SHARES = 4  # the shares, of one thread each, that a submission with more busy threads gets
_MOST_UNSEEN = 24  # up to this number of threads, none is examined: a kernel has about ten
_LOWEST = 19
_RATIO = 1.25  # the ratio of the shares of two successive priorities


def priority(busy: int) -> int:
    """Return the "nice" value at which `busy` threads together get the share of a few."""
    return 0 if busy <= MOST_BUSY else min(_LOWEST, math.ceil(math.log(busy / SHARES, _RATIO)))


class Share:
    """The share of one submission."""

    def __init__(self) -> None:
        self.nice = 0  # from 0 to 19; it is never lowered again: that needs privileges
        self.sessions: set[str] = set()  # whose priority was lowered

    def look(self, processes: Sequence[psutil.Process]) -> None:
        """Lower the priority of these processes if too many of their threads are busy."""
        folders = (f"/proc/{process.pid}/task" for process in processes)
        threads = [thread for folder in folders for thread in glob(f"{folder}/*")]
        if len(threads) > _MOST_UNSEEN:
            self.nice = max(self.nice, priority(sum(map(_is_busy, threads))))
        if self.nice:
            for thread in threads:
                _lower(thread, self.nice)
            lowered = (_lower_session(process.pid, self.nice) for process in processes)
            self.sessions.update(filter(None, lowered))


def is_over(limit: float, passed: float, waited: float) -> bool:
    """Return whether a limit was reached.

    Seconds of waiting for the processor do not count, up to `MOST_TIMES` times the limit.
    """
    return passed - waited >= limit or passed >= MOST_TIMES * limit


def seconds_waited(pid: int) -> float:
    """Return the total seconds that a process's first thread has waited for the processor."""
    fields = file_of(f"/proc/{pid}/schedstat").split()
    return int(fields[1]) / 1e9 if len(fields) > 1 else 0.0


def _is_busy(thread: str) -> bool:
    return file_of(f"{thread}/stat").rpartition(b") ")[2].startswith(b"R")


def _lower(thread: str, nice: int) -> None:
    number = int(os.path.basename(thread))
    with contextlib.suppress(OSError):  # it has ended
        if os.getpriority(os.PRIO_PROCESS, number) < nice:
            os.setpriority(os.PRIO_PROCESS, number, nice)


def _lower_session(pid: int, nice: int) -> str | None:
    """Lower the priority of a process's session; return its name if that changed something."""
    file, name = Path(f"/proc/{pid}/autogroup"), None
    with contextlib.suppress(OSError, ValueError):  # it has ended, or there is no such file
        session, _, now = file.read_text(encoding="ascii").split()
        if int(now) < nice:
            name = session
            file.write_text(str(nice), encoding="ascii")
    return name
