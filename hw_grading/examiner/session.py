"""The examiner's questions to the student's notebook, which is in another process.

A test cell asks for values of names, and calls functions. Each question gets one answer. Before the
answer, the other end may call functions that the test has passed to it, and these may ask further
questions. An answer that does not fit the question ends the try: this question and all later ones
raise `Gone`. For the questions see `hw_grading.answering.serve`.

Each try of a test cell has a child of the kernel, and a stream to it. The child itself ends a call
that takes too long, as a timer here ends a function of the test. Student code that prevents this
runs into the limits of the cell. They end the child.
"""

from __future__ import annotations

import contextlib
import functools
import signal
import socket
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hw_grading.answering import wire
from hw_grading.answering.wire import Reference, Shipped, Theirs, WireError, Yours
from hw_grading.examiner.handles import FunctionHandle, Handle, SeenHandle, is_handle, known_as
from hw_support.checks.compare import Mismatch
from hw_support.checks.failures import one_line, plain_name
from hw_support.checks.notebook_access import Called
from hw_support.checks.time_limit import TimeLimitReached

_MAX_DEEP = 100  # questions within questions
_LONGEST_NAME, _LONGEST_TEXT = 100, 2000  # characters of an exception's name and text
_MOST_STEPS = 3  # of an exception's traceback
_TIMERS = {signal.SIGALRM, signal.SIGVTALRM}  # of `hw_support.checks.time_limit`
_SHIPPED = "hw_support"  # whose functions the notebook can import: it gets its own copy of them

# Types that a RemoteError also has if the student's exception has their name. Python and tests rely
# on them: for example, `Checks` treats a NotImplementedError as a missing answer.
_ALSO: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (
        *(ArithmeticError, AssertionError, AttributeError, FloatingPointError, IndexError),
        *(NameError, NotImplementedError, OverflowError, RuntimeError, TypeError, ValueError),
        ZeroDivisionError,
    )
}

Call = tuple[Sequence[Any], dict[str, Any]]  # arguments
Step = tuple[str, int]  # a function of the notebook, and a line of it that was running
Results = list[Callable[[], Any]]  # each returns the result of a call, or raises its exception


class Gone(Mismatch):
    """The notebook cannot be asked any more."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the notebook stopped answering: {one_line(why)}")


class RemoteError(Exception):
    """The student's code raised an exception. `named` makes an error of the same name."""

    raised_in: Sequence[Step] = ()  # for messages; see hw_support.checks.failures

    @classmethod
    def named(cls, name: str, text: str, missing: str, steps: Sequence[Step] = ()) -> RemoteError:
        """Return an error whose class has the same name as the student's exception.

        `steps` are functions with their lines, the innermost first. `missing` is the name that a
        `NameError` without a step is about.
        """
        bases = (cls, _ALSO[name]) if name in _ALSO else (cls,)
        short = name[:_LONGEST_NAME]
        made: Any = type(short if short.isidentifier() else "Exception", bases, {})
        error: RemoteError = made(one_line(text, _LONGEST_TEXT))
        error.raised_in = steps
        if isinstance(error, NameError):
            error.name = plain_name(missing)
        return error


def _steps(given: list[Any]) -> list[Step]:
    """Return functions and lines as the kernel has named them; or `WireError`."""
    match given:
        case []:
            return []
        case [[str(name), int(line)], *others]:
            return [(name[:_LONGEST_NAME], line), *_steps(others)]
    raise WireError("a place that is none")


class Session:
    """The questions about one submission, over a stream to one child of its kernel at a time."""

    def __init__(self) -> None:
        self._tries = -1  # begun: a handle belongs to one, unless the notebook has a name for it
        self.begin(None)

    def begin(self, stream: socket.socket | None) -> None:
        """Begin a try, with the stream to a child; None if no child can be had."""
        self._stream, self._connection = stream, wire.Connection(stream) if stream else None
        # Why nothing can be asked any more; None if it can.
        self.gone = None if stream else "it could not start another process"
        self.unreturned: list[str] = []  # functions of the notebook that did not return
        self._tries += 1
        self._depth = 0  # of questions within questions
        self._functions: dict[str, FunctionHandle] = {}  # of the notebook, as long as they stay
        self._handed: dict[int, Any] = {}  # functions of the test, by number; None if disabled
        self._number_of: dict[int, int] = {}  # by id
        self._raised: BaseException | None = None  # by the last function of the test that raised
        # What replaces values of the notebook, by name; the last ones come last.
        self._put: list[dict[str, Sequence[Any]]] = []

    # -- questions

    def get(self, names: Sequence[str]) -> list[list[Any]]:
        """Return the values of names in the notebook, each in a list, empty if not defined."""
        if all(name in self._functions for name in names):
            return [[self._functions[name]] for name in names]
        found = self._ask("get", list(names))
        with self._keeping_to_the_protocol():
            for name, values in zip(names, found, strict=True):
                if type(values) is not list or len(values) > 1:
                    raise WireError("values of a name")
                if values and is_handle(values[0]):
                    values[0].name = name
                if values and type(values[0]) is FunctionHandle:
                    self._functions[name] = values[0]
        return found

    def replaced_names(self) -> set[str]:
        """Return the names of the notebook that are bound to values of the test now."""
        return {name for values in self._put for name in values}

    def put(self, values: Mapping[str, Sequence[Any]]) -> None:
        """Bind names until `put_back`: each value is in a list; an empty list unbinds its name."""
        self._functions.clear()
        self._put.append(dict(values))
        self._ask("put", list(values), [list(value) for value in values.values()])

    def put_back(self) -> None:
        """Bind the names of the last `put` again as they were before it."""
        self._functions.clear()
        self._disable([one for value in self._put.pop().values() for one in value])
        self._ask("put back")

    def call(
        self, function: FunctionHandle | bytes, calls: Sequence[Call], *, whole: bool
    ) -> Results:
        """Call a function several times, in one question; return a function for each result.

        `function` is one of the notebook, or the code of one of the test cell, which then runs in
        the notebook. After an exception there are no further calls. If `whole`, each result is a
        `Called`, with the arguments and the earlier result as they are in the notebook.
        """
        given = [[list(arguments), named] for arguments, named in calls]
        came, failure = self._question("call", function, given, whole, results=len(calls))
        results: Results = []
        with self._keeping_to_the_protocol():
            if len(came) > len(calls) or (len(came) < len(calls) and not failure):
                raise WireError("results of other calls")
            for one in came:
                match one:
                    case [value] if not whole:
                        results.append(functools.partial(_returned, value))
                    case [value, list(arguments), earlier] if whole:
                        called = Called(value, arguments, earlier)
                        results.append(functools.partial(_returned, called))
                    case _:
                        raise WireError("a malformed result")
        if failure:
            self._functions.clear()  # the notebook may have replaced one that took too long
            results += [functools.partial(_raise, failure)] * (len(calls) - len(results))
        return results

    def end_part(self) -> None:
        """Disable the functions that were passed to the notebook, unless they replace its own."""
        self._disable(list(self._handed.values()))
        self._raised = None

    def _disable(self, functions: list[Any]) -> None:
        """Disable functions that were passed to the notebook, unless they replace its own."""
        staying = {id(one) for put in self._put for value in put.values() for one in value}
        for key in {id(function) for function in functions} - staying:
            if (number := self._number_of.pop(key, None)) is not None:
                self._handed[number] = None

    def end(self) -> None:
        """End a try. Nothing can be asked until the next one begins."""
        if self._stream:
            self._stream.close()
        self.gone = self.gone or "the test has ended"

    # -- messages

    def _ask(self, *question: Any) -> list[Any]:
        """Send a question and return the values of its answer, or raise its exception.

        That is TimeLimitReached if its time was up; RemoteError if the student's code raised an
        exception; Mismatch if a value cannot be sent; and what a function of the test raised, if
        the student's code did not catch it.
        """
        values, failure = self._question(*question)
        if failure:
            raise failure
        return values

    def _question(self, *question: Any, results: int = 0) -> tuple[list[Any], BaseException | None]:
        """Send a question; return the values of its answer, and the exception that ended it.

        At most this many `results` come before the answer's last message.
        """
        if self.gone or not self._connection:
            raise Gone(str(self.gone))
        if self._depth >= _MAX_DEEP:
            why = f"more than {_MAX_DEEP} nested calls"
            raise Mismatch(why, why)
        pieces = self._packed(list(question))
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _TIMERS)  # not amid a message
        self._depth += 1
        try:
            with self._keeping_to_the_protocol():
                self._connection.send(pieces)
                return self._answer(self._connection, results)
        finally:
            self._depth -= 1
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    @contextlib.contextmanager
    def _keeping_to_the_protocol(self) -> Iterator[None]:
        """End the try, and raise `Gone`, if a block raises an exception."""
        try:
            yield
        except wire.Closed:
            raise self._give_up("its process has ended") from None
        except Gone:
            raise
        except BaseException as error:  # after any error, questions and answers are out of step
            raise self._give_up(f"it broke the protocol ({error})") from None

    def _give_up(self, why: str) -> Gone:
        self.gone = self.gone or why
        return Gone(self.gone)

    def _answer(self, child: wire.Connection, most: int) -> tuple[list[Any], BaseException | None]:
        """Handle all callbacks; return the values of an answer, and an exception to raise."""
        came: list[Any] = []
        while True:
            head, body = child.receive(limited=True)
            match wire.unpack(head, body, self._resolve, limited=True):
                case ["callback", int(number), list(arguments), dict(named)]:
                    child.send(self._called_back(number, arguments, named))
                case ["result", *one] if len(came) < most:
                    came.append(one)
                case ["values", list(values), failure]:
                    return [*came, *values], self._failure(failure)
                case _:
                    raise WireError("an answer that fits no question")

    def _failure(self, failure: Any) -> BaseException | None:
        match failure:
            case None:
                return None
            case ["error", str(name), str(text), str(missing), list(steps)]:
                return RemoteError.named(name, text, missing, _steps(steps[:_MOST_STEPS]))
            case ["refused", str(why)]:
                return Mismatch(f"the returned value cannot be graded: {one_line(why, 200)}")
            case ["late", list(names)] if all(plain_name(one) == one for one in names):
                self.unreturned += names
                return TimeLimitReached()
            case ["not again", str(name)]:
                why = "is not called again: it did not return within the time limit of another part"
                return Mismatch(f"`{plain_name(name)}` {why}")
            case ["raised", list(steps)] if error := self._raised:
                with contextlib.suppress(AttributeError, TypeError):
                    error.raised_in = _steps(steps[:_MOST_STEPS])  # type: ignore[attr-defined]
                return error
        raise WireError("a malformed failure")

    def _called_back(self, number: int, arguments: list[Any], named: dict[Any, Any]) -> list[bytes]:
        """Call a function of the test; return the message of its result, or of its exception."""
        if number not in self._handed:
            raise WireError("a function that the test did not pass")
        if not all(isinstance(name, str) for name in named):
            raise WireError("a call with invalid names")
        try:
            if self._handed[number] is None:
                raise RuntimeError("the part of the test that passed this function has ended")
            # The student's arguments may make our function run forever.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _TIMERS)
            try:
                value = self._handed[number](*arguments, **named)
            finally:
                signal.pthread_sigmask(signal.SIG_BLOCK, _TIMERS)
            if self.gone:  # the function may have caught `Gone`
                raise Gone(self.gone)
            return self._packed(["return", value])
        except Gone:
            raise
        except BaseException as error:
            self._raised = error.with_traceback(None)  # the frames would keep arguments alive
            return self._packed(["raise", type(error).__name__])

    def _packed(self, message: list[Any]) -> list[bytes]:
        return wire.pack(message, self._refer, limited=False)

    def _refer(self, value: Any, _: int) -> Reference | None:
        if is_handle(value):
            return Yours(self._number(value))
        if not callable(value):
            return None
        if isinstance(value, types.FunctionType):
            module, name = str(value.__module__), value.__name__
            there = module.partition(".")[0] == _SHIPPED and not value.__closure__
            if there and getattr(sys.modules.get(module), name, None) is value:
                return Shipped(module, name)
        number = self._number_of.setdefault(id(value), len(self._handed))
        self._handed[number] = value  # alive, so that no other object gets its id
        return Theirs(number, True)

    def _number(self, handle: Handle) -> int:
        """Return the number by which the child knows an object; `Mismatch` if it does not."""
        number, of_try, name = known_as(handle)
        if of_try == self._tries:
            return number
        for found in self.get([name])[0] if name else ():
            if is_handle(found):
                return known_as(found)[0]
        raise Mismatch("expected an object of the notebook, got one of an earlier test")

    def _resolve(self, reference: Reference) -> Any:
        match reference:
            case Theirs(number, True, type_name):
                return FunctionHandle(number, type_name, self.call, of_try=self._tries)
            case Theirs(number, _, type_name, view):
                make = Handle if view is None else SeenHandle
                return make(number, type_name, view, of_try=self._tries)
        raise WireError("a function that the test did not pass")


def _returned(value: Any) -> Any:
    return value


def _raise(error: BaseException) -> None:
    raise error
