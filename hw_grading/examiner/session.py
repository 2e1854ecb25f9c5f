"""Asks the student's kernel questions, one at a time, and believes nothing but plain data.

A question goes out, and its answer comes back; in between the
other end may call functions that the test handed over, and those may ask questions in turn. An
answer that does not fit ends the session: `Gone`, which fails what asked, and everything after it.
"""

from __future__ import annotations

import contextlib
import select
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import Any

import numpy as np

from hw_grading.inside import wire
from hw_grading.inside.wire import FROM_GRADER, FROM_SANDBOX, Theirs, WireError, Yours
from hw_grading.sandbox.forked import Target
from hw_support.checks import Attempt
from hw_support.compare import Mismatch
from hw_support.failures import in_a_stand_in, one_line, plain_name
from hw_support.time_limit import TimeLimitReached

_TIMERS = {signal.SIGALRM, signal.SIGVTALRM}
_NO_LIMITS = float("inf"), float("inf")
_SECONDS_TO_REACT = 3.0
_SECONDS_BETWEEN_INTERRUPTS = 0.5
_SECONDS_BETWEEN_LOOKS = 0.1  # at the kernel's clock
_MOST_RAISED = 5  # errors of callbacks that are kept
_MOST_DEEP = 100  # questions within questions
_LONGEST_NAME, _LONGEST_TEXT = 100, 2000  # characters, of what an exception says


_ALSO: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (
        *(ArithmeticError, AssertionError, AttributeError, FloatingPointError, IndexError),
        *(NotImplementedError, OverflowError, RuntimeError, TypeError, ValueError),
        ZeroDivisionError,
    )
}


class Gone(Mismatch):
    """There is nobody to ask any more."""

    def __init__(self, why: str) -> None:
        message = f"the notebook cannot be asked any more: {one_line(why)}"
        super().__init__(message, message)


class RemoteError(Exception):
    """A student's function raised an exception; `named` gives it the name of that exception."""

    raised_by, raised_in_line, why = "", 0, ""  # for messages; see hw_support.failures

    @classmethod
    def named(cls, name: str, text: str, where: str, line: int = 0, why: str = "") -> RemoteError:
        """Return an error whose class has the name that the student's exception has."""
        # Those that Python itself asks for, and tests: what raises TypeError has no length, say.
        bases = (cls, _ALSO[name]) if name in _ALSO else (cls,)
        short = name[:_LONGEST_NAME]
        made: Any = type(short if short.isidentifier() else "Exception", bases, {})
        error: RemoteError = made(one_line(text, _LONGEST_TEXT))
        error.raised_by, error.raised_in_line = where[:_LONGEST_NAME], line
        error.why = one_line(why, _LONGEST_TEXT)
        return error


class Remote:
    """Something that stays in the notebook: it can be passed back, asked for its entries, ..."""

    def __init__(self, session: Session, reference: Theirs) -> None:
        self._session, self._number = session, reference.number
        self._type_name = plain_name(reference.type_name, "something")

    def __repr__(self) -> str:
        return f"<{self._type_name} in the notebook>"

    def __copy__(self) -> Remote:
        return self

    def __deepcopy__(self, memo: Any) -> Remote:
        return self

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        array = self._session.ask("array", self)
        if not isinstance(array, np.ndarray):
            raise TypeError("no array came back")
        return array if dtype is None else array.astype(dtype)

    def __len__(self) -> int:
        length = self._session.ask("length", self)
        if type(length) is not int or not 0 <= length < 2**62:
            raise TypeError("no length came back")
        return length

    def __bool__(self) -> bool:
        return self._session.ask("bool", self) is True

    def __getitem__(self, key: Any) -> Any:
        return self._session.ask("entry", self, key)

    def __iter__(self) -> Iterator[Any]:
        iterator = self._session.ask("iterator", self)
        at_once = 1
        while True:
            entries = self._session.ask("next", iterator, at_once)
            if type(entries) is not list or len(entries) > at_once:
                raise TypeError("no entries came back")
            yield from entries
            if len(entries) < at_once:
                return

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(
                f"{self._type_name!r} stays in the notebook: {name!r} is not asked"
            )
        return self._session.ask("attribute", self, name)


class RemoteFunction(Remote):
    """A function of the notebook: a call of it is a question."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Return what the function returns; what it did to its arguments is done here too."""
        return self._session.call(self, arguments, named)

    def undoing(self, *arguments: Any) -> Any:
        """Call it, and undo at the other end what it did to the arrays that it was given."""
        return self._session.call(self, arguments, {}, undo=True)


class Session:
    """The questions about one submission.

    Parameters
    ----------
    stream
        The link to the kernel.
    interrupt
        Raises KeyboardInterrupt in the kernel.
    kill
        Ends the kernel.
    cpu_seconds
        Returns the seconds that the kernel has computed.
    seconds_waited
        Returns the seconds that it has waited for a processor that others used.
    """

    def __init__(
        self,
        stream: socket.socket,
        interrupt: Callable[[], None],
        kill: Callable[[], None],
        cpu_seconds: Callable[[], float],
        seconds_waited: Callable[[], float] = float,  # none
    ) -> None:
        self._connection = wire.Connection(stream, self._wait)
        self._interrupt, self._kill = interrupt, kill
        self._cpu_now, self._waited_now = cpu_seconds, seconds_waited
        self._handed: dict[int, Callable[..., Any] | None] = {}
        self._number_of: dict[int, int] = {}
        self._raised: dict[int, BaseException] = {}
        self._count_raised = 0
        self._put: dict[str, Any] = {}
        self._protected: dict[int, Any] = {}
        self._returned = wire.Remembered()
        self._name_of: dict[int, str] = {}  # functions that a name was asked for, by number
        self.hung: dict[str, None] = {}  # functions that did not return in this test, in order
        self.returned: set[str] = set()  # and those that did, with nothing standing in for others
        self._depth = 0
        self._limits = _NO_LIMITS
        self._beyond = False  # whether one of them was reached, when they were last looked at
        self._next_look = self._late_since = self._interrupted_at = 0.0
        self.why_missing: dict[str, str] = {}  # the name that was missing last
        self.gone: str | None = None  # why nothing can be asked any more
        self.ended = False  # whether that is because the kernel's process has ended

    # -- questions

    def get(self, name: str) -> Any:
        """Return what a name of the notebook means; KeyError if it means nothing."""
        kind, *rest = self._question(["get", name], ("value", "missing"))
        if kind == "missing":
            self.why_missing = {name: rest[0] if rest else ""}
            raise KeyError(name)
        if isinstance(rest[0], RemoteFunction):
            self._name_of[rest[0]._number] = name
        return rest[0]

    def put(self, name: str, value: Any) -> None:
        """Let a name of the notebook mean something else until `put_back`, or the session's end."""
        self._put[name] = value
        self._question(["put", name, value], ("value",))

    def put_back(self, name: str) -> None:
        """Let a name mean again what it meant when the session began."""
        self._put.pop(name, None)
        self._question(["put back", name], ("value",))

    def rerun(self, names: Sequence[str], given: Sequence[str]) -> list[Any]:
        """Let the notebook run cells again; see `hw_support.rerun`."""
        values = self._question(["rerun", list(names), list(given)], ("value",))[1]
        if type(values) is not list or len(values) != len(names):
            raise TypeError("not the values that were asked for")
        return values

    def ask(self, what: str, thing: Remote, *details: Any) -> Any:
        """Ask something of what stays in the notebook; see `hw_grading.inside.serve`."""
        return self._question(["ask", what, thing, list(details)], ("value",))[1]

    def call(
        self,
        function: RemoteFunction,
        arguments: Sequence[Any],
        named: dict[str, Any],
        undo: bool = False,
    ) -> Any:
        """Call a function of the notebook.

        What it did to arrays and lists among its arguments is done here too, and what it did to
        those that earlier calls in this test returned.
        """
        message = ["call", function, list(arguments), named, undo]
        name = self._name_of.get(function._number)
        try:
            _, value, changes, overwritten = self._question(message, ("value",))
        except TimeLimitReached:
            if name:
                self.hung[name] = None
            raise
        if name and not self._put:
            self.returned.add(name)
        given = list(wire.mutable([list(arguments), named]))
        with self._keeping_to_the_protocol():
            changed = [(given[place], now) for place, now in changes]
            changed += [(self._returned.things[place], now) for place, now in overwritten]
            for thing, now in changed:
                _expect_change(thing, now)
        self._returned.add(value)
        for thing, now in changed:
            if id(_owner(thing)) not in self._protected:
                _change(thing, now)
        return value

    def protect(self, names: dict[str, Any]) -> None:
        """Let nothing that a function does to these arrays and lists be done here.

        They are the instructor's, and later tests take from them what is right.
        """
        for value in names.values():
            self._protected |= {id(_owner(thing)): thing for thing in wire.mutable(value)}

    def tried(self, attempt: Attempt, error: BaseException | None, names: dict[str, Any]) -> None:
        """Be told how one try of a part ended, with what names; a witness keeps it."""

    def end_part(self) -> None:
        """End a part of a test cell: what was handed over gives nothing any more.

        Functions that stand in the place of the notebook's go on.
        """
        staying = {id(function) for function in _functions_in(list(self._put.values()))}
        for number, function in self._handed.items():
            if function is not None and id(function) not in staying:
                self._handed[number] = None
                self._number_of.pop(id(function), None)

    def end_test(self) -> None:
        """End a test cell: the notebook's names and random generators are put back."""
        self.limits = _NO_LIMITS
        if not self.gone:
            try:
                self._question(["end"], ("ended",))
            except BaseException:  # whatever came, it was not that
                if not self.gone:
                    self._end_of_it("it did not end when the test had ended")
        self._put.clear()
        self._handed = dict.fromkeys(self._handed)
        self._number_of.clear()
        self._raised.clear()
        self._returned = wire.Remembered()

    def limit(self, cpu_seconds: float, wall_seconds: float) -> None:
        """Give the kernel this much time from now on, or less if it has less already.

        What it waits for a processor that others use does not count.
        """
        computed, passed = self._limits
        until = self._cpu_now() + cpu_seconds, self._passed() + wall_seconds
        self.limits = min(computed, until[0]), min(passed, until[1])

    @property
    def limits(self) -> tuple[float, float]:
        """When the kernel has to stop: seconds computed, and seconds on a clock of its own."""
        return self._limits

    @limits.setter
    def limits(self, limits: tuple[float, float]) -> None:
        self._limits, self._beyond = limits, False

    def _passed(self) -> float:
        return monotonic() - self._waited_now()

    # -- messages

    def _question(self, message: list[Any], answers: Sequence[str]) -> list[Any]:
        if self.gone:
            raise Gone(self.gone)
        if self._depth >= _MOST_DEEP:
            why = f"more than {_MOST_DEEP} calls within calls"
            raise Mismatch(why, why)
        pieces = wire.pack(message, self._refer, FROM_GRADER)
        # A timer must not go off in the middle of a message: it is looked at while waiting.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _TIMERS)
        self._depth += 1
        try:
            with self._keeping_to_the_protocol():
                self._connection.send(pieces)
                answer = self._answer(answers)
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._late_since = 0.0
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    @contextlib.contextmanager
    def _keeping_to_the_protocol(self) -> Iterator[None]:
        try:
            yield
        except wire.Closed:
            self.ended = self.gone is None
            raise self._end_of_it("its process has ended") from None
        except Gone:
            raise
        except BaseException as error:  # whatever it was, question and answer are out of step
            raise self._end_of_it(f"it did not keep to the protocol ({error})") from None

    def _end_of_it(self, why: str) -> Gone:
        self.gone = self.gone or why
        self._kill()
        return Gone(self.gone)

    def _answer(self, answers: Sequence[str]) -> list[Any] | BaseException:
        """Return the answer, after all callbacks that come before it, or what is to be raised."""
        while True:
            self._keep_time()  # also while messages come without a pause
            head, body = self._connection.receive(FROM_SANDBOX)
            message = wire.unpack(head, body, self._resolve, FROM_SANDBOX)
            if type(message) is not list or not message or type(message[0]) is not str:
                raise WireError("an answer that is none")
            kind, *rest = message
            match kind, rest:
                case "callback", [int(number), list(arguments), dict(named)]:
                    self._call_back(number, arguments, named)
                    continue
                case "value", [_, list(), list()] if kind in answers:
                    return message
                case "missing", [] | [str()] if kind in answers:
                    return message
                case "ended", [] if kind in answers:
                    return message
                case "error", [str(name), str(text), str(where)]:
                    return RemoteError.named(name, text, where)
                case "error", [str(name), str(text), str(where), int(line), str(why)]:
                    return RemoteError.named(name, text, where, line, why)
                case "refused", [str(why)]:
                    why = f"what came back cannot be graded: {one_line(why, 200)}"
                    return Mismatch(why, why)
                case "interrupted", []:
                    if self._late_since:
                        return TimeLimitReached()
                    return RemoteError.named("KeyboardInterrupt", "it was interrupted", "")
                case "callback raised", [int(number)] if self._has_raised(number):
                    return self._raised_here(number)
                case "callback raised", [int(number), str(where), int(line)] if self._has_raised(
                    number
                ):
                    return _placed(self._raised_here(number), where, line)
            raise WireError("an answer to no question")

    def _has_raised(self, number: int) -> bool:
        return 0 <= number < self._count_raised

    def _raised_here(self, number: int) -> BaseException:
        long_ago = RemoteError.named("Exception", "of an earlier callback", "")
        return self._raised.get(number, long_ago)

    def _call_back(self, number: int, arguments: list[Any], named: dict[Any, Any]) -> None:
        if number not in self._handed or not all(isinstance(name, str) for name in named):
            raise WireError("a call of a function that was not handed over")
        function = self._resolve(Yours(number))
        try:
            # Arguments may make a function of ours take for ever: here timers go off at once.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _TIMERS)
            try:
                value = function(*arguments, **named)
            finally:
                signal.pthread_sigmask(signal.SIG_BLOCK, _TIMERS)
            if self.gone:  # which the function has hidden
                raise Gone(self.gone)
            pieces = wire.pack(["return", value], self._refer, FROM_GRADER)
        except Gone:
            raise
        except BaseException as error:
            place = self._count_raised
            self._count_raised += 1
            with contextlib.suppress(AttributeError, TypeError):
                error.raised_in_a_stand_in = in_a_stand_in(error)  # type: ignore[attr-defined]
            # Without the frames, which hold the arguments; and not all that ever were.
            self._raised[place] = error.with_traceback(None)
            self._raised.pop(place - _MOST_RAISED, None)
            pieces = wire.pack(["raise", place, type(error).__name__], self._refer, FROM_GRADER)
        self._connection.send(pieces)

    def _refer(self, value: Any) -> Theirs | Yours | None:
        if isinstance(value, Remote):
            return Yours(value._number)
        if not callable(value):
            return None
        number = self._number_of.setdefault(id(value), len(self._handed))
        self._handed[number] = value  # kept, so that its id stays its own
        return Theirs(number, "function", getattr(value, "__name__", "function"))

    def _resolve(self, reference: Theirs | Yours) -> Any:
        if isinstance(reference, Yours):
            if reference.number not in self._handed:
                raise WireError("a function that was not handed over")
            function = self._handed[reference.number]
            return _of_a_test_that_has_ended if function is None else function
        return (RemoteFunction if reference.kind == "function" else Remote)(self, reference)

    # -- time

    def _wait(self, stream: socket.socket, writing: bool) -> None:
        while True:
            self._keep_time()
            ready = select.select([] if writing else [stream], [stream] if writing else [], [], 0.1)
            if ready[0] or ready[1]:
                return

    def _keep_time(self) -> None:
        """Interrupt what takes too long, again and again, and kill what does not react."""
        if not self._is_late():
            return
        now = self._passed()
        self._late_since = self._late_since or now
        if now - self._late_since > _SECONDS_TO_REACT:
            self._end_of_it("it could not be interrupted when its time was up")
            raise wire.Closed
        if now - self._interrupted_at > _SECONDS_BETWEEN_INTERRUPTS:
            self._interrupted_at = now
            self._interrupt()

    def _is_late(self) -> bool:
        if signal.sigpending() & _TIMERS:
            return True
        if monotonic() > self._next_look:
            self._next_look = monotonic() + _SECONDS_BETWEEN_LOOKS
            computed, passed = self._limits
            self._beyond = self._cpu_now() > computed or self._passed() > passed
        return self._beyond


def _functions_in(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for entry in value:
            yield from _functions_in(entry)
    elif callable(value):
        yield value


def _placed(error: BaseException, where: str, line: int) -> BaseException:
    """Let an exception of ours tell where the student's function called what raised it."""
    with contextlib.suppress(AttributeError, TypeError):
        error.raised_by = where[:_LONGEST_NAME]  # type: ignore[attr-defined]
        error.raised_in_line = line  # type: ignore[attr-defined]
    return error


def _owner(thing: Any) -> Any:
    """Return the array of which this one is a view."""
    while isinstance(getattr(thing, "base", None), np.ndarray):
        thing = thing.base
    return thing


def _expect_change(thing: Any, now: Any) -> None:
    """Expect that a thing can have become what the other end says."""
    arrays = isinstance(thing, np.ndarray) and isinstance(now, np.ndarray)
    if not (arrays and thing.size == now.size) and not (type(thing) is type(now) is list):
        raise WireError("a change of an argument that does not fit")


def _change(thing: Any, now: Any) -> None:
    try:
        wire.overwrite(thing, now)
    except (ValueError, TypeError, AttributeError):  # read-only, or a view of another array
        why = "an argument was changed that may not be changed"
        raise Mismatch(why, why) from None


def _of_a_test_that_has_ended(*_: Any, **__: Any) -> None:
    raise RuntimeError("this function belongs to a part of a test that has ended")


def signaller(pid: int, number: int) -> Callable[[], None]:
    """Return a function that sends a signal to a process, if it is there."""
    target = Target(pid)
    return lambda: target.send(number)
