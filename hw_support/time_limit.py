"""Stop a call that does not return, on systems with the needed timers (not on Windows)."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any, TypeVar


class TimeLimitReached(BaseException):
    """Raised inside a call that took too long.

    It is no `Exception`, so that ``except Exception`` in the tested code does not catch it.
    """


_Function = TypeVar("_Function", bound=Callable[..., Any])
_UNINTERRUPTED: set[CodeType] = set()


def uninterrupted(function: _Function) -> _Function:
    """Mark a clean-up function, so that no time limit is raised inside it."""
    _UNINTERRUPTED.add(function.__code__)
    return function


@contextlib.contextmanager
def time_limit(cpu_seconds: float, wall_seconds: float) -> Iterator[None]:
    """Raise `TimeLimitReached` in a block that reaches one of its limits.

    Parameters
    ----------
    cpu_seconds
        CPU time of the process. Other programs on a busy machine do not affect it.
    wall_seconds
        Wall-clock time, for code that only waits.

    Notes
    -----
    Limits work only in the main thread and on systems with such timers; otherwise nothing is
    limited. Code that catches the exception gets it again after a tenth of the limit. An inner
    limit does not lift an outer one.
    """
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return

    def end(_: int, frame: FrameType | None) -> None:
        while frame is not None:
            if frame.f_code in _UNINTERRUPTED:
                return
            frame = frame.f_back
        raise TimeLimitReached

    timers = (
        (signal.SIGVTALRM, signal.ITIMER_VIRTUAL, cpu_seconds),
        (signal.SIGALRM, signal.ITIMER_REAL, wall_seconds),
    )
    outer = [signal.getitimer(timer) for _, timer, _ in timers]
    began = _seconds()
    before = [signal.signal(number, end) for number, _, _ in timers]
    try:
        for _, timer, seconds in timers:
            signal.setitimer(timer, seconds, seconds / 10)
        yield
    finally:
        for _, timer, _ in timers:
            signal.setitimer(timer, 0)
        for (number, _, _), handler in zip(timers, before, strict=True):
            signal.signal(number, handler)
        for (_, timer, _), (left, interval), then, now in zip(
            timers, outer, began, _seconds(), strict=True
        ):
            if left:
                signal.setitimer(timer, max(0.001, left - (now - then)), interval)


def _seconds() -> tuple[float, float]:
    """Return this process's CPU seconds and the wall-clock seconds."""
    return os.times().user, time.monotonic()
