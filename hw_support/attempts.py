"""One part of a test cell while it is tried: its time limit, its output, and why it failed."""

from __future__ import annotations

import contextlib
import io
import sys
from typing import TYPE_CHECKING

from hw_support import failures, overwritten
from hw_support.compare import Mismatch
from hw_support.notebook_access import RandomState
from hw_support.time_limit import UNINTERRUPTED, TimeLimitReached

if TYPE_CHECKING:
    from hw_support.checks import Checks

# The limit for one part. Right answers take a few milliseconds.
CPU_SECONDS = 5.0
WALL_SECONDS = 25.0
# The shares of CPU seconds and wall seconds that a part gets after another one timed out.
_CPU_SHARE, _WALL_SHARE = 0.2, 0.4


class Attempt:
    """One try of a part, as a context manager; made by calling a `Checks`, or by `Checks.tries`."""

    def __init__(
        self, checks: Checks, what: str, points: float, hidden: bool, last: bool = True
    ) -> None:
        self.checks, self.what, self.points, self.hidden = checks, what, points, hidden
        self._last = last  # whether `__exit__` records the outcome; else `Checks.tries` does
        self.message = ""  # why the part failed
        self.timed_out = False
        self._streams = contextlib.ExitStack()

    def __enter__(self) -> None:
        checks = self.checks
        self._names = checks.names
        self._functions = checks.replacements.functions()
        self._before = dict(self._names) if self.hidden else {}
        checks._hidden += self.hidden
        self._random = RandomState(self._names) if self.hidden else None
        shown = _Discard() if self.hidden else sys.stdout
        self._streams.enter_context(contextlib.redirect_stdout(shown))
        self._streams.enter_context(contextlib.redirect_stderr(shown))
        # After a part that timed out, the rest of the cell must fit into the cell's own limit. A
        # try with stand-ins gets the full time: the function that hangs may be replaced.
        less = checks.timed_out and not checks.standing_in
        self._seconds = CPU_SECONDS * (_CPU_SHARE if less else 1.0)
        wall_seconds = WALL_SECONDS * (_WALL_SHARE if less else 1.0)
        limited = checks.notebook.limited(self._seconds, wall_seconds)
        self._streams.enter_context(limited)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: object
    ) -> bool:
        checks = self.checks
        # Use type(): an attribute of a student's exception may raise too, even `__class__`.
        interrupted = issubclass(type(error), KeyboardInterrupt)
        self._streams.close()
        checks.notebook.tried(self, error)
        checks._hidden -= self.hidden
        if self._random:
            for name in self._names.keys() - self._before.keys():
                del self._names[name]
            self._names.update(self._before)
            self._random.put_back()
        try:
            taken = overwritten.taken(checks.functions, self._names, error)
            checks.replacements.put_functions_back(self._functions)
            self.message = self._message(error, taken)
        except KeyboardInterrupt:
            raise
        except BaseException:  # an exception's text and attributes are student code too
            self.message = "an exception was raised"
        if self._last or interrupted:
            checks.record(self.what, self.points, self.message)
        if issubclass(type(error), Mismatch) and not self.hidden:
            checks.got = getattr(error, "got", None)
            checks.expected = getattr(error, "expected", None)
        if interrupted:
            checks.replacements.put_back()
        return not interrupted

    def _message(self, error: BaseException | None, taken: str) -> str:
        match error:
            case None:
                return ""
            case KeyboardInterrupt():
                return "interrupted before it returned (an endless loop?)"
            case TimeLimitReached():
                self.timed_out = True
                self.checks.note_time_out(error)
                return f"did not return within {self._seconds:g} s (an endless loop?)"
            case Mismatch():
                return error.discreet if self.hidden else str(error)
            case _:
                return self._raised(error, taken)

    def _raised(self, error: BaseException, taken: str) -> str:
        place = failures.place_of(error, self._names, but=self.checks.file)
        if isinstance(error, NotImplementedError):
            name = place.function if place else failures.raised_by(error)
            return f"{name or 'this'} is not answered yet (NotImplementedError)"
        if not place and (why := failures.not_taken_apart(error, self._names, hidden=self.hidden)):
            return why
        why = taken or self.checks.notebook.why(error)
        within = failures.in_a_stand_in(error, self._names, but=self.checks.file)
        return failures.described(error, place, hidden=self.hidden, in_a_stand_in=within, why=why)


UNINTERRUPTED.add(Attempt.__exit__.__code__)


class _Discard(io.TextIOBase):
    """A stream that keeps nothing: a function under test could print the hidden inputs."""

    def write(self, text: str) -> int:
        return len(text)
