"""The link to the student's kernel: questions, and the answers that are accepted.

Each question gets one answer. Before the answer, the other end may call functions that the test has
passed to it, and these may ask further questions. An answer that does not fit the question ends the
session: this question and all later ones raise `Gone`.
"""

import contextlib
import signal
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hw_grading.examiner.handed import HandedOver
from hw_grading.examiner.remote import Gone, Remote, RemoteError
from hw_grading.examiner.time_left import TIMERS, TimeLeft
from hw_grading.inside import wire
from hw_grading.inside.wire import FROM_GRADER, FROM_SANDBOX, Theirs, WireError, Yours
from hw_support.compare import Mismatch
from hw_support.failures import one_line
from hw_support.time_limit import TimeLimitReached

_MOST_DEEP = 100  # questions within questions
_LONGEST_NAME = 100  # characters of a function's name


class Link(ABC):
    """The messages to and from one kernel, over a stream. For the functions see `TimeLeft`."""

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

    @abstractmethod
    def remote(self, reference: Theirs) -> Remote:
        """Return the proxy for an object of the notebook."""

    def question(self, message: list[Any], answers: Sequence[str]) -> list[Any]:
        """Send a question and return its answer, whose kind has to be one of `answers`.

        Raises
        ------
        TooMuch
            If the question is too large to be sent.
        Gone
            If nothing can be asked any more.
        TimeLimitReached
            If the kernel's time was up, so its code was interrupted.
        RemoteError
            If the student's code raised an exception.
        Mismatch
            If the answer cannot be sent, or questions are nested too deeply.
        BaseException
            What a function of the test raised, if the student's code did not catch it.
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
                case "missing", [] if kind in answers:
                    return message
                case "ended", [] if kind in answers:
                    return message
                case "error", [str(name), str(text), str(where), int(line)]:
                    return RemoteError.named(name, text, where, line)
                case "refused", [str(why)]:
                    why = f"the returned value cannot be graded: {one_line(why, 200)}"
                    return Mismatch(why)
                case "interrupted", []:
                    if self.time_left.late_since:
                        return TimeLimitReached()
                    return RemoteError.named("KeyboardInterrupt", "it was interrupted", "")
                case "callback raised", [int(number), str(where), int(line)]:
                    return _placed(self._handed.error(number), where, line)
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
        # Student code does not get the name of a hidden test's function.
        return Theirs(self._handed.number(value), "function", "function")

    def _resolve(self, reference: Theirs | Yours) -> Any:
        if isinstance(reference, Yours):
            return self._handed.function(reference.number)
        return self.remote(reference)


def _placed(error: BaseException, where: str, line: int) -> BaseException:
    """Add to an exception of a test's function the place in the student's code that called it."""
    with contextlib.suppress(AttributeError, TypeError):
        error.raised_by = where[:_LONGEST_NAME]  # type: ignore[attr-defined]
        error.raised_in_line = line  # type: ignore[attr-defined]
    return error
