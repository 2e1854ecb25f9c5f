"""The watchdog of a running kernel and its processes: it stops a submission that uses too much.

It enforces limits that a process cannot set for itself, from outside. It looks twice a second: in
between, a submission can exceed a limit. It also limits the growth of the grader's own memory while
messages arrive, and the CPU time of the examiner.
"""

import contextlib
import os
import signal
import threading
from dataclasses import dataclass, replace
from time import monotonic

import psutil

from hw_grading.inside.isolation import OWN_FOLDERS
from hw_grading.sandbox.processes import Forked, is_over, seconds_waited
from hw_support.submission.problems import Kind

SECONDS_BETWEEN_CHECKS = 0.5
_OF_THE_GRADER = 0.05  # as many seconds: the grader's memory grows fast while messages arrive
GROWTH_MB = 150  # of the grader's process during one submission; the kept outputs take less
SECONDS_TO_REACT = 5.0  # to an interrupt; then everything is killed


@dataclass(frozen=True)
class Stop:
    """The reason why a submission was stopped."""

    kind: Kind
    reason: str  # what follows "because"


@dataclass(frozen=True)
class _Cell:
    used_before: float  # seconds of CPU time
    cpu_seconds: float  # its limit
    name: str
    until: float  # wall-clock; then everything is killed
    waited_before: float  # seconds that the kernel had waited for a processor


class Watch:
    """Watches one kernel until `end` is called.

    The process `kernel` gets the interrupts. The process `root` is watched together with all its
    descendants: the limits hold for all of them, and killing it kills them all.
    `most_files` limits the number of files and folders in each of the sandbox's own folders: each
    takes memory besides its size. It is None without a sandbox.
    """

    def __init__(
        self,
        kernel: Forked,
        root: Forked,
        *,
        memory_mb: float,
        cpu_seconds: float,
        most_files: int | None = None,
    ) -> None:
        self.kernel_pid, self.root_pid = kernel.pid, root.pid
        self._kernel, self._root = kernel, root
        self._first = psutil.Process(root.pid)
        self._memory_mb, self._cpu_seconds = memory_mb, cpu_seconds
        self._most_files = most_files
        self.stop: Stop | None = None  # set when everything was killed
        self._interrupted: str | None = None  # set when a cell was interrupted
        self.used_seconds = 0.0  # of CPU time, by all processes
        self._cell: _Cell | None = None
        self._first_interrupt = self._last_interrupt = self._waited_at_first = 0.0
        self._helper: tuple[Forked, psutil.Process, float] | None = None  # and its limit
        self._helper_was_ended = False
        self._me = psutil.Process()
        self._grown_from = self._me.memory_info().rss
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._check_until_the_end, daemon=True)
        self._thread.start()

    def begin_cell(self, cpu_seconds: float, name: str, wall_seconds: float) -> None:
        """Give a cell its CPU time, and a time after which everything is killed."""
        with self._lock:
            self._interrupted = None
            self._first_interrupt = 0.0
            until = monotonic() + wall_seconds
            waited = seconds_waited(self.kernel_pid)
            self._cell = _Cell(self.used_seconds, cpu_seconds, name, until, waited)

    def waited_in_cell(self) -> float:
        """Return the seconds that the cell has waited for a processor that others used."""
        cell = self._cell
        return seconds_waited(self.kernel_pid) - cell.waited_before if cell else 0.0

    def computed_in_cell(self) -> float:
        """Return the seconds of CPU time that the cell has used."""
        cell = self._cell
        return self.used_seconds - cell.used_before if cell else 0.0

    def extend_cell(self, seconds: float) -> None:
        """Give the cell at least these seconds from now on."""
        with self._lock:
            if self._cell:
                until = max(self._cell.until, monotonic() + seconds)
                self._cell = replace(self._cell, until=until)

    def end_cell(self) -> str | None:
        """Stop the clock; return what follows "did not end" if the cell was interrupted."""
        with self._lock:
            self._cell = None
            return self._interrupted

    def begin_helper(self, helper: Forked, cpu_seconds: float) -> None:
        """Limit the CPU time of the examiner: its own timers cannot stop all code."""
        with self._lock, contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(helper.pid)
            self._helper = helper, process, _computed(process) + cpu_seconds

    def end_helper(self) -> bool:
        """Stop watching the examiner; return whether it was killed."""
        with self._lock:
            was_ended = self._helper_was_ended
            self._helper, self._helper_was_ended = None, False
            return was_ended

    def end(self) -> None:
        """Stop watching."""
        self._over.set()
        self._thread.join()

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in the kernel."""
        self._kernel.send_signal(signal.SIGINT)

    def kill(self, kind: Kind | None = None, reason: str = "") -> None:
        """End the kernel and everything that it started, at once; keep the first reason for it."""
        with self._lock:
            self.stop = self.stop or (Stop(kind, reason) if kind else None)
        self._root.kill()
        self._kernel.kill()

    # -- the checks

    def _check_until_the_end(self) -> None:
        due = monotonic() + SECONDS_BETWEEN_CHECKS
        while not self._over.wait(_OF_THE_GRADER):
            try:
                self._check_the_grader()
                if monotonic() >= due:
                    self._check()
                    due = monotonic() + SECONDS_BETWEEN_CHECKS
            except psutil.NoSuchProcess:  # all processes have ended
                return
            except Exception as error:  # without a watchdog, the submission must not go on
                what = f"the grader could not watch it ({type(error).__name__}: {error})"
                self.kill(Kind.GRADER, what)
                return

    def _check_the_grader(self) -> None:
        if self._me.memory_info().rss - self._grown_from > GROWTH_MB * 1e6:
            self.kill(Kind.OUTPUT_LIMIT, "it sent more data than the grader can read")
        with self._lock:
            if self._helper:
                helper, process, most = self._helper
                if _computed(process) > most:
                    helper.kill()
                    self._helper, self._helper_was_ended = None, True

    def _check(self) -> None:
        processes = [self._first, *self._first.children(recursive=True)]
        self.used_seconds = max(self.used_seconds, sum(map(_computed, processes)))
        cell = self._cell
        if self.used_seconds > self._cpu_seconds:
            limit = f"the {self._cpu_seconds:g} s of CPU time for the whole submission"
            self.kill(Kind.TIME_LIMIT, f"it used up {limit}")
        elif cell and self.used_seconds - cell.used_before > cell.cpu_seconds:
            self._interrupt_cell(cell)
        elif cell and monotonic() > cell.until:
            self.kill(Kind.TIME_LIMIT, f"{cell.name} did not end after its limit")
        # The first measure is quick, but counts shared pages several times.
        measures = (
            sum(_held(process, exactly) for process in processes) for exactly in (False, True)
        )
        if all(held > self._memory_mb * 1e6 for held in measures):
            self.kill(Kind.MEMORY_LIMIT, f"it took more than {self._memory_mb:,g} MB of memory")
        most = self._most_files
        if most is not None and _has_more_files(most, self.kernel_pid):
            self.kill(Kind.DISK_LIMIT, f"it made more than {most:,} files")

    def _interrupt_cell(self, cell: _Cell) -> None:
        """Interrupt a cell once a second; if it does not react, kill everything."""
        now = monotonic()
        limit = f"{cell.cpu_seconds:g} s of CPU time"
        waited = self.waited_in_cell()
        if self._first_interrupt and is_over(
            SECONDS_TO_REACT, now - self._first_interrupt, waited - self._waited_at_first
        ):
            self.kill(Kind.TIME_LIMIT, f"{cell.name} could not be interrupted after its {limit}")
        elif now - self._last_interrupt > 1.0:
            if not self._first_interrupt:
                self._first_interrupt, self._waited_at_first = now, waited
            self._last_interrupt = now
            with self._lock:
                self._interrupted = f"within {limit}"
            self.interrupt()


def _computed(process: psutil.Process) -> float:
    """Return the seconds of CPU time of a process, and of the children that it has waited for."""
    with contextlib.suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


def _held(process: psutil.Process, exactly: bool) -> float:
    """Return the bytes of a process; exactly: with swap, and its share of shared pages."""
    with contextlib.suppress(psutil.NoSuchProcess):
        if exactly:
            with contextlib.suppress(psutil.AccessDenied):
                found = process.memory_full_info()
                return float(getattr(found, "pss", found.rss) + getattr(found, "swap", 0))
        return float(process.memory_info().rss)
    return 0.0


def _has_more_files(most: int, kernel_pid: int) -> bool:
    # Student code cannot change the folder in which these are mounted, so it cannot replace them
    # by links.
    for folder in OWN_FOLDERS:
        with contextlib.suppress(OSError):
            found = os.statvfs(f"/proc/{kernel_pid}/root{folder}")
            if found.f_files - found.f_ffree > most:
                return True
    return False
