"""The watchdog of a running kernel and its processes: it stops a submission that uses too much.

It enforces limits that a process cannot set for itself, from outside. It looks twice a second: in
between, a submission can exceed a limit. It also limits the growth of the grader's own memory while
messages arrive, and the CPU time of the examiner.
"""

import contextlib
import os
import signal
import threading
from dataclasses import dataclass
from time import monotonic

import psutil

from hw_grading.answering.forking import Forked
from hw_grading.answering.isolation import OWN_FOLDERS
from hw_grading.sandbox.processes import Waiting, seconds_waited
from hw_support.submission.problems import Kind

SECONDS_BETWEEN_CHECKS = 0.5
_OF_THE_GRADER = 0.05  # as many seconds: the grader's memory grows fast while messages arrive
GROWTH_MB = 150  # of the grader's process during one submission; the kept outputs take less


@dataclass(frozen=True)
class Stop:
    """The reason why a submission was stopped."""

    kind: Kind
    reason: str  # what follows "because"


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
        self.used_seconds = 0.0  # of CPU time, by all processes
        self._waiting = Waiting()
        self._helper: tuple[Forked, psutil.Process, float] | None = None  # and its limit
        self._helper_was_ended = False
        self._me = psutil.Process()
        self._grown_from = self._me.memory_info().rss
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._check_until_the_end, daemon=True)
        self._thread.start()

    def times(self) -> tuple[float, float]:
        """Return the seconds that were computed, and waited for a processor that others used."""
        return self.used_seconds, self._waiting.seconds

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
        """End the kernel and its children at once; keep the first reason for it.

        Other processes of the sandbox, which wait for second tries, end the next time, or without
        a reason.
        """
        with self._lock:
            ends_all = bool(self.stop) or not kind
            self.stop = self.stop or (Stop(kind, reason) if kind else None)
        if ends_all:
            self._root.kill()
        else:
            with contextlib.suppress(psutil.NoSuchProcess):
                for process in psutil.Process(self.kernel_pid).children(recursive=True):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()
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
        computed = sum(map(_computed, processes))
        self.used_seconds = max(self.used_seconds, computed)
        waited = {process.pid: seconds_waited(process.pid) for process in processes}
        could_run = sum(map(_could_run, processes))
        self._waiting.look(self.used_seconds, waited, could_run)
        if self.used_seconds > self._cpu_seconds:
            limit = f"the {self._cpu_seconds:g} s of CPU time for the whole submission"
            self.kill(Kind.TIME_LIMIT, f"it used up {limit}")
        # The first measure is quick, but counts shared pages several times.
        measures = (
            sum(_held(process, exactly) for process in processes) for exactly in (False, True)
        )
        if all(held > self._memory_mb * 1e6 for held in measures):
            self.kill(Kind.MEMORY_LIMIT, f"it took more than {self._memory_mb:,g} MB of memory")
        most = self._most_files
        if most is not None and _has_more_files(most, self.kernel_pid):
            self.kill(Kind.DISK_LIMIT, f"it made more than {most:,} files")


def _computed(process: psutil.Process) -> float:
    """Return the seconds of CPU time of a process, and of the children that it has waited for."""
    with contextlib.suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


def _could_run(process: psutil.Process) -> bool:
    """Whether a process computes, or waits for a processor."""
    with contextlib.suppress(psutil.Error):
        return bool(process.status() == psutil.STATUS_RUNNING)
    return False


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
