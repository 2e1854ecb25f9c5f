"""Asks the student's kernel questions, one at a time, and accepts only plain data.

Each question gets one answer. Before the answer, the other end may call functions that the test has
passed to it, and these may ask further questions. An answer that does not fit the question ends the
session: this question and all later ones raise `Gone`.
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
_LONGEST_NAME, _LONGEST_TEXT = 100, 2000  # characters of an exception's name and text


_ALSO: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (
        *(ArithmeticError, AssertionError, AttributeError, FloatingPointError, IndexError),
        *(NotImplementedError, OverflowError, RuntimeError, TypeError, ValueError),
        ZeroDivisionError,
    )
}


class Gone(Mismatch):
    """The notebook cannot be asked any more."""

    def __init__(self, why: str) -> None:
        message = f"the notebook stopped answering: {one_line(why)}"
        super().__init__(message, message)


class RemoteError(Exception):
    """A student's function raised an exception; `named` makes an error with the same name."""

    raised_by, raised_in_line, why = "", 0, ""  # for messages; see hw_support.failures

    @classmethod
    def named(cls, name: str, text: str, where: str, line: int = 0, why: str = "") -> RemoteError:
        """Return an error whose class has the same name as the student's exception."""
        # Exceptions that Python itself and tests rely on: for example, a TypeError means that an
        # object has no len().
        bases = (cls, _ALSO[name]) if name in _ALSO else (cls,)
        short = name[:_LONGEST_NAME]
        made: Any = type(short if short.isidentifier() else "Exception", bases, {})
        error: RemoteError = made(one_line(text, _LONGEST_TEXT))
        error.raised_by, error.raised_in_line = where[:_LONGEST_NAME], line
        error.why = one_line(why, _LONGEST_TEXT)
        return error


class Remote:
    """An object that stays in the notebook: it can be passed back, asked for its entries, ..."""

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
            raise TypeError("the notebook returned no array")
        return array if dtype is None else array.astype(dtype)

    def __len__(self) -> int:
        length = self._session.ask("length", self)
        if type(length) is not int or not 0 <= length < 2**62:
            raise TypeError("the notebook returned no length")
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
                raise TypeError("the notebook returned no entries")
            yield from entries
            if len(entries) < at_once:
                return

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(
                f"{self._type_name!r} stays in the notebook; tests cannot read its {name!r}"
            )
        return self._session.ask("attribute", self, name)


class RemoteFunction(Remote):
    """A function of the notebook: each call is a question."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Return what the function returns; repeat its changes to its arguments here."""
        return self._session.call(self, arguments, named)

    def undoing(self, *arguments: Any) -> Any:
        """Call the function, and undo in the notebook its changes to the arrays it was given."""
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
        self._name_of: dict[int, str] = {}  # names of functions that `get` returned, by number
        self.hung: dict[str, None] = {}  # functions that did not return in this test, in order
        self.returned: set[str] = set()  # functions that returned while no stand-in was in place
        self._depth = 0
        self._limits = _NO_LIMITS
        self._beyond = False  # whether a limit was reached at the last look
        self._next_look = self._late_since = self._interrupted_at = 0.0
        self.why_missing: dict[str, str] = {}  # the last missing name, and why it is missing
        self.gone: str | None = None  # why nothing can be asked any more
        self.ended = False  # whether the reason is that the kernel's process has ended

    # -- questions

    def get(self, name: str) -> Any:
        """Return the value of a name in the notebook; raise KeyError if it is not defined."""
        kind, *rest = self._question(["get", name], ("value", "missing"))
        if kind == "missing":
            self.why_missing = {name: rest[0] if rest else ""}
            raise KeyError(name)
        if isinstance(rest[0], RemoteFunction):
            self._name_of[rest[0]._number] = name
        return rest[0]

    def put(self, name: str, value: Any) -> None:
        """Give a name of the notebook another value until `put_back`, or the end of the test."""
        self._put[name] = value
        self._question(["put", name, value], ("value",))

    def put_back(self, name: str) -> None:
        """Give a name the value that it had before the first `put`."""
        self._put.pop(name, None)
        self._question(["put back", name], ("value",))

    def rerun(self, names: Sequence[str], given: Sequence[str]) -> list[Any]:
        """Let the notebook run cells again; see `hw_support.rerun`."""
        values = self._question(["rerun", list(names), list(given)], ("value",))[1]
        if type(values) is not list or len(values) != len(names):
            raise TypeError("the notebook returned other values than those asked for")
        return values

    def ask(self, what: str, thing: Remote, *details: Any) -> Any:
        """Ask something about an object in the notebook; see `hw_grading.inside.serve`."""
        return self._question(["ask", what, thing, list(details)], ("value",))[1]

    def call(
        self,
        function: RemoteFunction,
        arguments: Sequence[Any],
        named: dict[str, Any],
        undo: bool = False,
    ) -> Any:
        """Call a function of the notebook.

        Its changes to arrays and lists among its arguments are repeated here. So are its changes to
        arrays and lists that earlier calls in this test returned.
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
        """Do not repeat here what functions change in these arrays and lists.

        They belong to the instructor, and later tests need their original contents.
        """
        for value in names.values():
            self._protected |= {id(_owner(thing)): thing for thing in wire.mutable(value)}

    def tried(self, attempt: Attempt, error: BaseException | None, names: dict[str, Any]) -> None:
        """Note how one try of a part ended, and with which names. Only a witness records it."""

    def end_part(self) -> None:
        """End a part of a test cell: disable the functions that were passed to the notebook.

        Functions that replace the notebook's own stay enabled.
        """
        staying = {id(function) for function in _functions_in(list(self._put.values()))}
        for number, function in self._handed.items():
            if function is not None and id(function) not in staying:
                self._handed[number] = None
                self._number_of.pop(id(function), None)

    def end_test(self) -> None:
        """End a test cell: the notebook restores its names and random generators."""
        self.limits = _NO_LIMITS
        if not self.gone:
            try:
                self._question(["end"], ("ended",))
            except BaseException:  # any other message, or an error
                if not self.gone:
                    self._end_of_it("it did not confirm the end of the test")
        self._put.clear()
        self._handed = dict.fromkeys(self._handed)
        self._number_of.clear()
        self._raised.clear()
        self._returned = wire.Remembered()

    def limit(self, cpu_seconds: float, wall_seconds: float) -> None:
        """Limit the kernel's time from now on. An earlier, stricter limit stays in force.

        Time that the kernel waits for a processor that others use does not count.
        """
        computed, passed = self._limits
        until = self._cpu_now() + cpu_seconds, self._passed() + wall_seconds
        self.limits = min(computed, until[0]), min(passed, until[1])

    @property
    def limits(self) -> tuple[float, float]:
        """When the kernel has to stop: on its CPU clock, and on the clock without waiting times."""
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
            why = f"more than {_MOST_DEEP} nested calls"
            raise Mismatch(why, why)
        pieces = wire.pack(message, self._refer, FROM_GRADER)
        # A timer must not interrupt a message. Block its signal; `_is_late` looks for pending ones.
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
        except BaseException as error:  # after any error, questions and answers are out of step
            raise self._end_of_it(f"it broke the protocol ({error})") from None

    def _end_of_it(self, why: str) -> Gone:
        self.gone = self.gone or why
        self._kill()
        return Gone(self.gone)

    def _answer(self, answers: Sequence[str]) -> list[Any] | BaseException:
        """Handle all callbacks before the answer; return the answer, or an exception to raise."""
        while True:
            self._keep_time()  # here too, since messages may come without a pause
            head, body = self._connection.receive(FROM_SANDBOX)
            message = wire.unpack(head, body, self._resolve, FROM_SANDBOX)
            if type(message) is not list or not message or type(message[0]) is not str:
                raise WireError("a malformed answer")
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
                    why = f"the returned value cannot be graded: {one_line(why, 200)}"
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
            raise WireError("an answer that fits no question")

    def _has_raised(self, number: int) -> bool:
        return 0 <= number < self._count_raised

    def _raised_here(self, number: int) -> BaseException:
        long_ago = RemoteError.named("Exception", "of an earlier callback", "")
        return self._raised.get(number, long_ago)

    def _call_back(self, number: int, arguments: list[Any], named: dict[Any, Any]) -> None:
        if number not in self._handed or not all(isinstance(name, str) for name in named):
            raise WireError("a call of a function that the test did not pass")
        function = self._resolve(Yours(number))
        try:
            # The student's arguments may make our function run forever, so unblock the timers here.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _TIMERS)
            try:
                value = function(*arguments, **named)
            finally:
                signal.pthread_sigmask(signal.SIG_BLOCK, _TIMERS)
            if self.gone:  # the function may have caught the exception
                raise Gone(self.gone)
            pieces = wire.pack(["return", value], self._refer, FROM_GRADER)
        except Gone:
            raise
        except BaseException as error:
            place = self._count_raised
            self._count_raised += 1
            with contextlib.suppress(AttributeError, TypeError):
                error.raised_in_a_stand_in = in_a_stand_in(error)  # type: ignore[attr-defined]
            # Drop the frames, since they keep the arguments alive. Keep only the newest errors.
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
        self._handed[number] = value  # keep it alive, so that no other object gets its id
        return Theirs(number, "function", getattr(value, "__name__", "function"))

    def _resolve(self, reference: Theirs | Yours) -> Any:
        if isinstance(reference, Yours):
            if reference.number not in self._handed:
                raise WireError("a function that the test did not pass")
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
        """Interrupt the kernel repeatedly when its time is up; kill it if it does not react."""
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
    """Add to one of our exceptions the place in the student's function that called ours."""
    with contextlib.suppress(AttributeError, TypeError):
        error.raised_by = where[:_LONGEST_NAME]  # type: ignore[attr-defined]
        error.raised_in_line = line  # type: ignore[attr-defined]
    return error


def _owner(thing: Any) -> Any:
    """Return the array that owns the memory of this one."""
    while isinstance(getattr(thing, "base", None), np.ndarray):
        thing = thing.base
    return thing


def _expect_change(thing: Any, now: Any) -> None:
    """Check that an array or list can have changed to what the other end reports."""
    arrays = isinstance(thing, np.ndarray) and isinstance(now, np.ndarray)
    if not (arrays and thing.size == now.size) and not (type(thing) is type(now) is list):
        raise WireError("a change of an argument to another size or type")


def _change(thing: Any, now: Any) -> None:
    try:
        wire.overwrite(thing, now)
    except (ValueError, TypeError, AttributeError):  # read-only, or a view of another array
        why = "the function changed an argument that it must not change"
        raise Mismatch(why, why) from None


def _of_a_test_that_has_ended(*_: Any, **__: Any) -> None:
    raise RuntimeError("the part of the test that passed this function has ended")


def signaller(pid: int, number: int) -> Callable[[], None]:
    """Return a function that sends a signal to a process, if it still runs."""
    target = Target(pid)
    return lambda: target.send(number)
