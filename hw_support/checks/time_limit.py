"""Stop a call that does not return, on systems with the needed timers (not on Windows)."""

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import CodeType, FrameType


class TimeLimitReached(BaseException):
    """Raised inside a call that took too long.

    It is no `Exception`, so that ``except Exception`` in the tested code does not catch it.
    """


class DidNotReturn(Exception):
    """A call of a function, with this name, that did not return within a limit before."""

    def __str__(self) -> str:
        return f"`{self.args[0]}` is not called again: it did not return within a time limit before"


def refusing(name: str) -> Callable[..., None]:
    """Return a function for the place of one that did not return: it raises `DidNotReturn`."""

    def refuse(*_: object, **__: object) -> None:
        raise DidNotReturn(name)

    return refuse


@contextlib.contextmanager
def time_limit(cpu_seconds: float, wall_seconds: float) -> Iterator[None]:
    """Raise `TimeLimitReached` in a block that reaches its limit of CPU time or wall-clock time.

    Limits work only in the main thread and on systems with such timers; otherwise nothing is
    limited. Code that catches the exception gets it again at its next line, and after each tenth
    of the limit. A limit within another one takes its place.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or not hasattr(signal, "setitimer"):
        yield
        return

    outside = set(_frames(sys._getframe()))
    tracer = sys.gettrace()

    def again(_frame: FrameType, event: str, _argument: object) -> object:
        if event == "line":
            raise TimeLimitReached
        return again

    def end(_: int, frame: FrameType | None) -> None:
        stack = list(_frames(frame))
        if any(running.f_code is _CLEAN_UP for running in stack):
            return  # no limit is raised inside it
        for running in stack:
            module = str(running.f_globals.get("__name__"))
            if running not in outside and not module.startswith("hw_"):  # ours have to clean up
                running.f_trace = again
        sys.settrace(lambda *_: None)  # without one, no `f_trace` is called
        raise TimeLimitReached

    numbers = signal.SIGVTALRM, signal.SIGALRM
    timers = signal.ITIMER_VIRTUAL, signal.ITIMER_REAL
    before = [signal.signal(number, end) for number in numbers]
    try:
        for timer, seconds in zip(timers, (cpu_seconds, wall_seconds), strict=True):
            signal.setitimer(timer, seconds, seconds / 10)
        yield
    finally:
        for timer in timers:
            signal.setitimer(timer, 0)
        sys.settrace(tracer)
        outside.clear()
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


_CLEAN_UP: CodeType = time_limit.__wrapped__.__code__  # type: ignore[attr-defined]


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    """Give the calls that are running, the innermost first."""
    while frame is not None:
        yield frame
        frame = frame.f_back
