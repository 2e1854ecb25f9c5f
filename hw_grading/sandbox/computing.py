"""Measures the CPU time of a submission's processes, including those that have ended."""

import contextlib
import os
import time
from collections.abc import Sequence

import psutil

from hw_grading.sandbox import memory


class Computing:
    """Adds up the CPU time at each look."""

    def __init__(self, between_looks: float) -> None:
        self._between_looks = between_looks  # seconds
        self._seconds_of: dict[psutil.Process, float] = {}  # of living processes
        self._seconds_of_the_gone = 0.0

    def seconds(self, processes: Sequence[psutil.Process]) -> float:
        """Return the CPU time so far, given the processes that live now.

        Two counts are made, and the larger one is returned. The first one adds what the system
        counted for the living processes and for children that they have waited for.
        """
        return max(memory.total(processes, _with_children), self._counted_one_by_one(processes))

    def _counted_one_by_one(self, processes: Sequence[psutil.Process]) -> float:
        """Return the CPU time of all processes that were seen, including ended ones.

        The system does not add an ended process's time to that of a parent which ignores SIGCHLD.
        Short processes may begin and end between two looks. To make up for them, a process that is
        new at this look counts as if it had run since the last look, at the rate that it has had.
        """
        now: dict[psutil.Process, float] = {}
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                times = process.cpu_times()
                seconds = float(times.user + times.system)
                if process not in self._seconds_of and (age := _age(process)):
                    seconds = max(seconds, min(seconds / age, 1.0) * self._between_looks)
                now[process] = max(seconds, self._seconds_of.get(process, 0.0))
        gone = self._seconds_of.keys() - now.keys()
        self._seconds_of_the_gone += sum(self._seconds_of[process] for process in gone)
        self._seconds_of = now
        return self._seconds_of_the_gone + sum(now.values())


def _with_children(process: psutil.Process) -> float:
    times = process.cpu_times()
    children = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return float(times.user + times.system + children)


def _age(process: psutil.Process) -> float | None:
    """Return the age of a process in seconds. psutil would give it only to a second."""
    stat = memory.file_of(f"/proc/{process.pid}/stat")
    if not stat:
        return None
    ticks = float(stat.rpartition(b")")[2].split()[19])
    since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
    return max(since_boot - ticks / os.sysconf("SC_CLK_TCK"), 0.01)
