"""Leaves no submission more of the processor than a few busy processes have.

The system divides the processor among processes, or among their sessions; who has many of either
would leave little to others. A submission of more than a few busy threads runs at a lower priority,
the lower the more there are. A new session has the usual priority again: so there may not be many.
What has waited for the processor is not held against it.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

MOST_BUSY = 8  # threads at the usual priority
MOST_SESSIONS = 500  # of a submission whose priority was lowered; at a time it has 64 at most
MOST_TIMES = 4  # its limit that something may take on a busy machine, on the clock
SHARES = 4  # of one thread each, for more of them
_MOST_UNSEEN = 24  # threads, busy or not, below which nobody looks closer: a kernel has about ten
_LOWEST = 19
_RATIO = 1.25  # of the shares of two priorities that follow each other


def priority(busy: int) -> int:
    """Return the "nice" value at which so many busy threads have the share of a few."""
    return 0 if busy <= MOST_BUSY else min(_LOWEST, math.ceil(math.log(busy / SHARES, _RATIO)))


class Share:
    """The share of one submission.

    Attributes
    ----------
    nice
        Its priority, from 0 to 19. It does not rise again: not everybody may raise one.
    sessions
        Those whose priority had to be lowered.
    """

    def __init__(self) -> None:
        self.nice = 0
        self.sessions: set[str] = set()

    def look(self, processes: Sequence[psutil.Process]) -> None:
        """Lower the priority of these processes if too many of their threads are busy."""
        threads = [thread for process in processes for thread in _threads(process.pid)]
        if len(threads) > _MOST_UNSEEN:
            self.nice = max(self.nice, priority(sum(map(_is_busy, threads))))
        if self.nice:
            for thread in threads:
                _lower(thread, self.nice)
            lowered = (_lower_session(process.pid, self.nice) for process in processes)
            self.sessions.update(filter(None, lowered))


def is_over(limit: float, passed: float, waited: float) -> bool:
    """Whether so many seconds are beyond a limit; those waited for the processor do not count."""
    return passed - waited >= limit or passed >= MOST_TIMES * limit


def seconds_waited(pid: int) -> float:
    """Return for how long a process's first thread has waited for the processor, all in all."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):  # it has ended, or this system does not tell
        return 0.0


def _threads(pid: int) -> Iterator[str]:
    with contextlib.suppress(OSError):
        folder = f"/proc/{pid}/task"
        for number in os.listdir(folder):
            yield f"{folder}/{number}"


def _is_busy(thread: str) -> bool:
    try:
        return Path(f"{thread}/stat").read_bytes().rpartition(b") ")[2].startswith(b"R")
    except OSError:
        return False


def _lower(thread: str, nice: int) -> None:
    number = int(os.path.basename(thread))
    with contextlib.suppress(OSError):  # it has ended
        if os.getpriority(os.PRIO_PROCESS, number) < nice:
            os.setpriority(os.PRIO_PROCESS, number, nice)


def _lower_session(pid: int, nice: int) -> str | None:
    """Lower the priority of a process's session, where the system divides by these.

    Returns the name of a session that had a higher one.
    """
    file, name = Path(f"/proc/{pid}/autogroup"), None
    with contextlib.suppress(OSError, ValueError):  # it has ended, or there is no such file
        session, _, now = file.read_text(encoding="ascii").split()
        if int(now) < nice:
            name = session
            file.write_text(str(nice), encoding="ascii")
    return name
