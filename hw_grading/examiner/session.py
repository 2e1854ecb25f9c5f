"""Asks the student's kernel questions, one at a time, and accepts only plain data.

Each question gets one answer. Before the answer, the other end may call functions that the test has
passed to it, and these may ask further questions. An answer that does not fit the question ends the
session: this question and all later ones raise `Gone`.
"""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from hw_grading.examiner.handed import HandedOver
from hw_grading.examiner.remote import Gone, Remote, RemoteError, RemoteFunction
from hw_grading.examiner.time_left import TIMERS, TimeLeft
from hw_grading.inside import wire
from hw_grading.inside.wire import FROM_GRADER, FROM_SANDBOX, Theirs, WireError, Yours
from hw_grading.sandbox.forked import Target
from hw_support.checks import Attempt
from hw_support.compare import Mismatch
from hw_support.failures import one_line
from hw_support.time_limit import TimeLimitReached

_MOST_DEEP = 100  # questions within questions
_LONGEST_NAME = 100  # characters of a function's name


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
        self.time_left = TimeLeft(interrupt, self._give_up, cpu_seconds, seconds_waited)
        self._connection = wire.Connection(stream, self.time_left.wait)
        self._kill = kill
        self._handed = HandedOver()
        self._put: list[list[Any]] = []  # the values of each `put` in this test that is in force
        self._protected: dict[int, Any] = {}
        self._returned = wire.Remembered()
        self._name_of: dict[int, str] = {}  # names of functions that `get` returned, by number
        self.hung: dict[str, None] = {}  # functions that did not return in this test, in order
        self.returned: set[str] = set()  # functions that returned while no stand-in was in place
        self._depth = 0
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

    def put(self, values: Mapping[str, tuple[Any] | None]) -> int:
        """Bind names of the notebook until `put_back`, or the end of the test.

        Parameters
        ----------
        values
            For each name a tuple with its value; None unbinds the name.

        Returns
        -------
        int
            The number of this change, for `put_back`.
        """
        number = len(self._put)
        self._put.append(list(values.values()))
        self._question(["put", list(values), list(values.values())], ("value",))
        return number

    def put_back(self, number: int) -> None:
        """Bind the names of a `put` again as they were before it."""
        self._put[number] = []
        self._question(["put back", number], ("value",))

    def rerun(self, names: Sequence[str], given: Sequence[str]) -> list[Any]:
        """Let the notebook run cells again; see `hw_support.rerun`."""
        values = self._question(["rerun", list(names), list(given)], ("value",))[1]
        if type(values) is not list or len(values) != len(names):
            raise TypeError("not the values that were asked for")
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
        if name and not any(self._put):
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
        self._handed.keep_only(self._put)

    def end_test(self) -> None:
        """End a test cell: the notebook restores its names and random generators."""
        self.time_left.end_limits()
        if not self.gone:
            try:
                self._question(["end"], ("ended",))
            except BaseException:  # any other message, or an error
                if not self.gone:
                    self._give_up("it did not end when the test had ended")
        self._put.clear()
        self._handed.end_test()
        self._returned = wire.Remembered()

    # -- messages

    def _question(self, message: list[Any], answers: Sequence[str]) -> list[Any]:
        if self.gone:
            raise Gone(self.gone)
        if self._depth >= _MOST_DEEP:
            why = f"more than {_MOST_DEEP} calls within calls"
            raise Mismatch(why, why)
        pieces = wire.pack(message, self._refer, FROM_GRADER)
        # A timer must not interrupt a message. Block its signal; `_is_late` looks for pending ones.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, TIMERS)
        self._depth += 1
        try:
            with self._keeping_to_the_protocol():
                self._connection.send(pieces)
                answer = self._answer(answers)
        finally:
            self._depth -= 1
            if self._depth == 0:
                self.time_left.late_since = 0.0
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
            raise self._give_up("its process has ended") from None
        except Gone:
            raise
        except BaseException as error:  # after any error, questions and answers are out of step
            raise self._give_up(f"it did not keep to the protocol ({error})") from None

    def _give_up(self, why: str) -> Gone:
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
                    if self.time_left.late_since:
                        return TimeLimitReached()
                    return RemoteError.named("KeyboardInterrupt", "it was interrupted", "")
                case "callback raised", [int(number)] if self._handed.has_raised(number):
                    return self._handed.error(number)
                case "callback raised", [int(number), str(where), int(line)] if (
                    self._handed.has_raised(number)
                ):
                    return _placed(self._handed.error(number), where, line)
            raise WireError("an answer to no question")

    def _call_back(self, number: int, arguments: list[Any], named: dict[Any, Any]) -> None:
        function = self._handed.function(number)
        if not all(isinstance(name, str) for name in named):
            raise WireError("a call with names that are none")
        try:
            # The student's arguments may make our function run forever, so unblock the timers here.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, TIMERS)
            try:
                value = function(*arguments, **named)
            finally:
                signal.pthread_sigmask(signal.SIG_BLOCK, TIMERS)
            if self.gone:  # the function may have caught the exception
                raise Gone(self.gone)
            pieces = wire.pack(["return", value], self._refer, FROM_GRADER)
        except Gone:
            raise
        except BaseException as error:
            pieces = wire.pack(
                ["raise", self._handed.note_error(error), type(error).__name__],
                self._refer,
                FROM_GRADER,
            )
        self._connection.send(pieces)

    def _refer(self, value: Any) -> Theirs | Yours | None:
        if isinstance(value, Remote):
            return Yours(value._number)
        if not callable(value):
            return None
        return Theirs(
            self._handed.number(value), "function", getattr(value, "__name__", "function")
        )

    def _resolve(self, reference: Theirs | Yours) -> Any:
        if isinstance(reference, Yours):
            return self._handed.function(reference.number)
        return (RemoteFunction if reference.kind == "function" else Remote)(self, reference)


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
        raise WireError("a change of an argument that does not fit")


def _change(thing: Any, now: Any) -> None:
    try:
        wire.overwrite(thing, now)
    except (ValueError, TypeError, AttributeError):  # read-only, or a view of another array
        why = "an argument was changed that may not be changed"
        raise Mismatch(why, why) from None


def signaller(pid: int, number: int) -> Callable[[], None]:
    """Return a function that sends a signal to a process, if it still runs."""
    target = Target(pid)
    return lambda: target.send(number)
