"""The questions that a test cell asks the student's kernel, and the answers that are accepted.

Each question gets one answer. Before the answer, the other end may call functions that the test has
passed to it, and these may ask further questions. An answer that does not fit the question ends the
session: this question and all later ones raise `Gone`.
"""

import contextlib
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hw_grading.examiner.handed import HandedOver
from hw_grading.examiner.remote import Gone, Remote, RemoteError, RemoteFunction
from hw_grading.examiner.time_left import NO_LIMITS, TIMERS, TimeLeft
from hw_grading.inside import wire
from hw_grading.inside.wire import FROM_GRADER, FROM_SANDBOX, Theirs, WireError, Yours
from hw_support.attempts import Attempt
from hw_support.compare import Mismatch
from hw_support.failures import one_line
from hw_support.time_limit import TimeLimitReached

_MOST_DEEP = 100  # questions within questions
_LONGEST_NAME = 100  # characters of a function's name


@dataclass(eq=False)
class Change:
    """Names of the notebook that a test has bound."""

    number: int  # in this test
    values: list[Any]  # the new values; empty once the names were put back


class Session:
    """The questions about one submission, over a stream. For the functions see `TimeLeft`."""

    def __init__(
        self,
        stream: socket.socket,
        interrupt: Callable[[], None],
        kill: Callable[[], None],
        cpu_seconds: Callable[[], float],
        seconds_waited: Callable[[], float] = float,  # always 0.0
    ) -> None:
        self.time_left = TimeLeft(interrupt, self.give_up, cpu_seconds, seconds_waited)
        self._connection = wire.Connection(stream, self.time_left.wait)
        self._kill = kill
        self._handed = HandedOver()
        self._depth = 0
        self.gone: str | None = None  # why nothing can be asked any more; None if it can
        self.ended = False  # whether the reason is that the kernel's process has ended
        self._put: list[Change] = []  # of this test
        self._protected: dict[int, Any] = {}  # see `protect`; by id
        self._returned = wire.Remembered()  # what functions returned in this test
        self._name_of: dict[int, str] = {}  # names of functions that `get` returned, by number
        self.hung: dict[str, None] = {}  # names of functions that did not return, in order
        self.returned: set[str] = set()  # names of functions that returned without stand-ins
        self.why_missing: dict[str, str] = {}  # the last missing name, and why it is missing

    def get(self, name: str) -> Any:
        """Return the value of a name in the notebook; raise KeyError if it is not defined."""
        kind, *rest = self.question(["get", name], ("value", "missing"))
        if kind == "missing":
            self.why_missing = {name: rest[0]}
            raise KeyError(name)
        if isinstance(rest[0], RemoteFunction):
            self._name_of[rest[0]._number] = name
        return rest[0]

    def put(self, values: Mapping[str, tuple[Any] | None]) -> Change:
        """Bind names until `put_back`: each value is in a tuple; None unbinds its name."""
        change = Change(len(self._put), list(values.values()))
        self._put.append(change)
        self.question(["put", list(values), change.values], ("value",))
        return change

    def put_back(self, change: Change) -> None:
        """Bind the names of a `put` again as they were before it; once the test ended, do nothing.

        A generator that a test has left may call this at any time.
        """
        if any(change is one for one in self._put):
            change.values = []
            self.question(["put back", change.number], ("value",))

    def rerun(self, names: Sequence[str], given: Sequence[str]) -> list[Any]:
        """Let the notebook run cells again; see `hw_support.rerun`."""
        values = self.question(["rerun", list(names), list(given)], ("value",))[1]
        if type(values) is not list or len(values) != len(names):
            raise TypeError("the notebook returned other values than those asked for")
        return values

    def ask(self, what: str, thing: Remote, *details: Any) -> Any:
        """Ask something about an object in the notebook; see `hw_grading.inside.serve`."""
        return self.question(["ask", what, thing, list(details)], ("value",))[1]

    def call(
        self,
        function: RemoteFunction,
        arguments: Sequence[Any],
        named: dict[str, Any],
        undo: bool = False,
    ) -> Any:
        """Call a function of the notebook.

        Its changes to arrays and lists among its arguments are repeated here. So are its changes to
        arrays and lists that earlier calls in this test returned. With `undo`, the notebook undoes
        the changes to its arguments.
        """
        message = ["call", function, list(arguments), named, undo]
        name = self._name_of.get(function._number)
        try:
            _, value, changes, overwritten = self.question(message, ("value",))
        except TimeLimitReached:
            if name:
                self.hung[name] = None
            raise
        if name and not any(change.values for change in self._put):
            self.returned.add(name)
        given = list(wire.mutable([list(arguments), named]))
        with self.keeping_to_the_protocol():
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
        """Do nothing when one try of a part has ended; `WitnessedSession` records it."""

    def end_part(self) -> None:
        """Disable the functions that were passed to the notebook, unless they replace its own."""
        self._handed.keep_only([change.values for change in self._put])

    def end_test(self) -> None:
        """End a test cell: the notebook restores its names and random generators."""
        self.time_left.limits = NO_LIMITS
        if not self.gone:
            try:
                self.question(["end"], ("ended",))
            except BaseException:  # any other message, or an error
                if not self.gone:
                    self.give_up("it did not confirm the end of the test")
        self._put.clear()
        self._handed.end_test()
        self._returned = wire.Remembered()

    # -- messages

    def question(self, message: list[Any], answers: Sequence[str]) -> list[Any]:
        """Send a question and return its answer, whose kind has to be one of `answers`.

        Raise `TooMuch` if the question is too large to be sent; `Gone` if nothing can be asked any
        more; `TimeLimitReached` if the kernel's time was up, so its code was interrupted;
        `RemoteError` if the student's code raised an exception; `Mismatch` if the answer cannot be
        sent, or questions are nested too deeply; and what a function of the test raised, if nothing
        has caught it.
        """
        if self.gone:
            raise Gone(self.gone)
        if self._depth >= _MOST_DEEP:
            why = f"more than {_MOST_DEEP} nested calls"
            raise Mismatch(why, why)
        pieces = wire.pack(message, self._refer, FROM_GRADER)
        # Block the timers' signals: they must not interrupt a message. `TimeLeft.is_up` sees them.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, TIMERS)
        self._depth += 1
        try:
            with self.keeping_to_the_protocol():
                self._connection.send(pieces)
                answer = self._answer(answers)
        finally:
            self._depth -= 1
            if self._depth == 0:
                self.time_left.late_since = 0.0
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if isinstance(answer, BaseException):  # in the block above it would end the session
            raise answer
        return answer

    @contextlib.contextmanager
    def keeping_to_the_protocol(self) -> Iterator[None]:
        """End the session, and raise `Gone`, if a block raises an exception."""
        try:
            yield
        except wire.Closed:
            self.ended = self.gone is None  # otherwise the kernel was killed here
            raise self.give_up("its process has ended") from None
        except Gone:
            raise
        except BaseException as error:  # after any error, questions and answers are out of step
            raise self.give_up(f"it broke the protocol ({error})") from None

    def give_up(self, why: str) -> Gone:
        """End the session and the kernel; return the exception to raise."""
        self.gone = self.gone or why
        self._kill()
        return Gone(self.gone)

    def _answer(self, answers: Sequence[str]) -> list[Any] | BaseException:
        """Handle all callbacks before the answer; return the answer, or an exception to raise."""
        while True:
            self.time_left.keep()  # here too, since messages may come without a pause
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
                case "missing", [str()] if kind in answers:
                    return message
                case "ended", [] if kind in answers:
                    return message
                case "error", [str(name), str(text), str(where), int(line), str(why)]:
                    return RemoteError.named(name, text, where, line, why)
                case "refused", [str(why)]:
                    why = f"the returned value cannot be graded: {one_line(why, 200)}"
                    return Mismatch(why, why)
                case "interrupted", []:
                    if self.time_left.late_since:
                        return TimeLimitReached()
                    return RemoteError.named("KeyboardInterrupt", "it was interrupted", "")
                case "callback raised", [int(number), str(where), int(line)]:
                    error = self._handed.error(number)
                    with contextlib.suppress(AttributeError, TypeError):
                        error.raised_by = where[:_LONGEST_NAME]  # type: ignore[attr-defined]
                        error.raised_in_line = line  # type: ignore[attr-defined]
                    return error
            raise WireError("an answer that fits no question")

    def _call_back(self, number: int, arguments: list[Any], named: dict[Any, Any]) -> None:
        """Call a function of the test; send back its result, or the number of its exception."""
        function = self._handed.function(number)
        if not all(isinstance(name, str) for name in named):
            raise WireError("a call with invalid names")
        try:
            # The student's arguments may make our function run forever, so unblock the timers here.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, TIMERS)
            try:
                value = function(*arguments, **named)
            finally:
                signal.pthread_sigmask(signal.SIG_BLOCK, TIMERS)
            if self.gone:  # the function may have caught `Gone`
                raise Gone(self.gone)
            pieces = wire.pack(["return", value], self._refer, FROM_GRADER)
        except Gone:
            raise
        except BaseException as error:
            raised = ["raise", self._handed.note_error(error), type(error).__name__]
            pieces = wire.pack(raised, self._refer, FROM_GRADER)
        self._connection.send(pieces)

    def _refer(self, value: Any) -> Theirs | Yours | None:
        if isinstance(value, Remote):
            return Yours(value._number)
        if not callable(value):
            return None
        name = getattr(value, "__name__", "function")
        return Theirs(self._handed.number(value), "function", name)

    def _resolve(self, reference: Theirs | Yours) -> Any:
        if isinstance(reference, Yours):
            return self._handed.function(reference.number)
        return (RemoteFunction if reference.kind == "function" else Remote)(self, reference)


def _owner(thing: Any) -> Any:
    """Return the array that owns the memory of this one; a list owns its own."""
    while isinstance(getattr(thing, "base", None), np.ndarray):
        thing = thing.base
    return thing


def _expect_change(thing: Any, now: Any) -> None:
    """Raise WireError if an array or list cannot have changed to what the other end reports."""
    arrays = isinstance(thing, np.ndarray) and isinstance(now, np.ndarray)
    if not (arrays and thing.size == now.size) and not (type(thing) is type(now) is list):
        raise WireError("a change of an argument to another size or type")


def _change(thing: Any, now: Any) -> None:
    try:
        wire.overwrite(thing, now)
    except (ValueError, TypeError, AttributeError):  # read-only, or a view of another array
        why = "the function changed an argument that it must not change"
        raise Mismatch(why, why) from None
