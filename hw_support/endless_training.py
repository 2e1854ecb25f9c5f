"""Stop a ``train`` with an endless loop before it has used up the time of its cell.

A training on the real images may take 600 s. If ``train`` still runs after 16 to 24 s, a child
process calls it with the small set of `small_training`. Its steps and images are less than a
hundredth. So a ``train`` that does not return there in 8 s would not return in 600 s on the real
images either. All seconds are CPU time.
"""

import os
import signal
import sys
import threading
from types import FrameType, SimpleNamespace
from typing import Any

from tqdm import tqdm

from hw_support.notebook_access import Notebook
from hw_support.small_training import IMAGES, SmallTraining
from hw_support.time_limit import TimeLimitReached

_SECONDS = 8.0  # between two looks at what runs, and for the child
_LOOKS = 3  # that find the same call of `train`, before the child starts
_SECONDS_ON_THE_CLOCK = 120.0  # for a child that waits


def watch_training() -> None:
    """Start to watch, in the main thread of a process on a system with such timers."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    if in_main_thread and hasattr(signal, "setitimer") and hasattr(os, "fork"):
        signal.signal(signal.SIGPROF, _Watch().look)
        signal.setitimer(signal.ITIMER_PROF, _SECONDS, _SECONDS)


class _Watch:
    """A handler of a timer's signal."""

    def __init__(self) -> None:
        self._call: FrameType | None = None  # of `train`
        self._looks = 0  # that have found this call
        self._child = 0
        self._is_endless = False

    def look(self, _: int, frame: FrameType | None) -> None:
        """Start the child, or look for its end; raise `TimeLimitReached` if it did not return."""
        running = []
        while frame is not None:
            running.append(frame)
            frame = frame.f_back
        if self._call not in running:
            self._call = next((f for f in running if f.f_code.co_name == "train"), None)
            self._looks = 0
        if self._call is None:
            return
        self._looks += 1
        if self._child:
            self._is_endless = self._is_endless or _used_up_its_time(self._child)
        elif self._looks == _LOOKS:
            self._child = _start_trial(self._call.f_globals)
        if self._is_endless and self._looks > _LOOKS:  # so not in a later call, which has its limit
            raise TimeLimitReached(
                f"train did not return within {_SECONDS:g} s on a small set of {IMAGES} images, so "
                "it was stopped. Does it have a loop that never ends?"
            )


def _start_trial(names: dict[str, Any]) -> int:
    """Fork a child that calls ``train`` with the small set; return its pid, 0 if there is none."""
    try:
        child = os.fork()
    except OSError:  # no more processes
        return 0
    if child:
        return child
    try:
        for number, timer, seconds in (
            (signal.SIGPROF, signal.ITIMER_PROF, _SECONDS),
            (signal.SIGALRM, signal.ITIMER_REAL, _SECONDS_ON_THE_CLOCK),
        ):
            signal.signal(number, signal.SIG_DFL)  # which ends the process
            signal.setitimer(timer, seconds)
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
        # Both processes share the lock of progress bars. The child may end while it has it.
        tqdm.set_lock(threading.RLock())
        notebook: Any = SimpleNamespace(names=names, notebook=Notebook(names), standing_in=False)
        SmallTraining(notebook).run()
    finally:
        os._exit(0)


def _used_up_its_time(child: int) -> bool:
    try:
        ended, status = os.waitpid(child, os.WNOHANG)
    except ChildProcessError:  # there is none, or student code has waited for it
        return False
    return bool(ended) and os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF
