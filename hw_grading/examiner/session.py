"""A test cell's access to the student's notebook, which is in another process.

The cell asks for values of names, and calls functions. Each question gets one answer. Before the
answer, the other end may call functions that the test has passed to it, and these may ask further
questions. An answer that does not fit the question ends the session: this question and all later
ones raise `Gone`. For the questions see `hw_grading.inside.serve`.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import select
import signal
import socket
import sys
import types
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from time import monotonic
from typing import Any

import numpy as np

from hw_grading.inside import wire
from hw_grading.inside.wire import Reference, Shipped, Theirs, WireError, Yours
from hw_grading.sandbox.processes import MOST_TIMES
from hw_support.compare import Mismatch
from hw_support.failures import one_line, plain_name
from hw_support.notebook_access import Notebook
from hw_support.time_limit import TimeLimitReached, time_limit

_MOST_DEEP = 100  # questions within questions
_LONGEST_NAME, _LONGEST_TEXT = 100, 2000  # characters of an exception's name and text
_SHIPPED = "hw_support"  # whose functions the notebook can import: it gets its own copy of them
_TIMERS = {signal.SIGALRM, signal.SIGVTALRM}  # of `hw_support.time_limit`, in this process
_NO_LIMITS = float("inf"), float("inf")
_SECONDS_TO_REACT = 3.0  # to interrupts; after that the session and the kernel are ended
_SECONDS_BETWEEN_INTERRUPTS = 0.5
_SECONDS_BETWEEN_LOOKS = 0.1  # at the kernel's clock

# Types that a RemoteError also has if the student's exception has their name. Python and tests rely
# on them: for example, a TypeError means that an object has no len().
_ALSO: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (
        *(ArithmeticError, AssertionError, AttributeError, FloatingPointError, IndexError),
        *(NotImplementedError, OverflowError, RuntimeError, TypeError, ValueError),
        ZeroDivisionError,
    )
}

Call = tuple[Sequence[Any], dict[str, Any]]  # arguments


class Gone(Mismatch):
    """The notebook cannot be asked any more."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the notebook stopped answering: {one_line(why)}")


class RemoteError(Exception):
    """The student's code raised an exception. `named` makes an error of the same name."""

    raised_by, raised_in_line = "", 0  # for messages; see hw_support.failures

    @classmethod
    def named(cls, name: str, text: str, where: str, line: int = 0) -> RemoteError:
        """Return an error whose class has the same name as the student's exception."""
        bases = (cls, _ALSO[name]) if name in _ALSO else (cls,)
        short = name[:_LONGEST_NAME]
        made: Any = type(short if short.isidentifier() else "Exception", bases, {})
        error: RemoteError = made(one_line(text, _LONGEST_TEXT))
        error.raised_by, error.raised_in_line = where[:_LONGEST_NAME], line
        return error


# -- objects that stay in the notebook


class RemoteObject:
    """An object that stays in the notebook. A test can pass it back."""

    def __init__(self, number: int, type_name: str) -> None:
        self.number, self._type_name = number, plain_name(type_name, "something")

    def __repr__(self) -> str:
        return f"<{self._type_name} in the notebook>"

    def __copy__(self) -> RemoteObject:
        return self

    def __deepcopy__(self, memo: Any) -> RemoteObject:
        return self


class RemoteView(RemoteObject):
    """An object that stays in the notebook, and came with a copy of its entries or numbers."""

    def __init__(self, number: int, type_name: str, view: Any) -> None:
        super().__init__(number, type_name)
        self._view = view

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self._view, dtype=dtype)

    def __len__(self) -> int:
        return len(self._view)

    def __bool__(self) -> bool:
        return bool(len(self._view))

    def __getitem__(self, key: Any) -> Any:
        return self._view[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._view)


class RemoteFunction(RemoteObject):
    """A function of the notebook."""

    name = ""  # in the notebook

    def __init__(self, session: Session, number: int, type_name: str) -> None:
        super().__init__(number, type_name)
        self._session = session

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Return what the function returns; change arguments and earlier results as it does."""
        whole = self._session.whole and self._session.depth == 0
        (result,) = self._session.call(self, [(arguments, named)], whole=whole)
        return result()


# -- the session


class Session:
    """The questions about one submission, over a stream to its kernel.

    `interrupt` raises KeyboardInterrupt in the kernel, `kill` ends it. The clocks return the
    seconds that it has computed, and those that it has waited for a processor that others used.
    """

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
        self.depth = 0  # of questions within questions
        self.gone: str | None = None  # why nothing can be asked any more; None if it can
        self.ended = False  # whether the reason is that the kernel's process has ended
        self.hung: dict[str, None] = {}  # names of functions that did not return, in order
        self.whole = True  # whether calls change arguments and earlier results here too
        self._functions: dict[str, RemoteFunction] = {}  # of the notebook, as long as they stay
        self._handed: dict[int, Any] = {}  # functions of the test, by number; None if disabled
        self._number_of: dict[int, int] = {}  # by id
        self._shipped: dict[Shipped, Any] = {}
        self._raised: BaseException | None = None  # by the last function of the test that raised
        self._put: list[Sequence[Any]] = []  # the values of each `put` of this test
        self._protected: dict[int, Any] = {}  # see `protect`; by id
        self._kept: list[Any] | None = None  # what calls in this part returned, the last ones

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
                if values and isinstance(function := values[0], RemoteFunction):
                    function.name = name
                    self._functions[name] = function
        return found

    def put(self, values: Mapping[str, Sequence[Any]]) -> int:
        """Bind names until `put_back`: each value is in a list; an empty list unbinds its name."""
        self._functions.clear()
        self._put.append(list(values.values()))
        self._ask("put", list(values), self._put[-1])
        return len(self._put) - 1

    def put_back(self, number: int) -> None:
        """Bind the names of a `put` again as they were before it."""
        self._functions.clear()
        self._put[number] = []
        self._ask("put back", number)

    def call(
        self, function: RemoteFunction, calls: Sequence[Call], *, whole: bool
    ) -> list[Callable[[], Any]]:
        """Call a function of the notebook several times, in one question.

        Return as many functions, each of which returns the result of its call, or raises its
        exception. After an exception there are no further calls. If `whole`, these functions also
        change the arguments, and results of earlier calls in this part, as the notebook has.
        """
        results: list[Callable[[], Any]] = []
        while len(results) < len(calls):  # in most cases once: the results fit into one message
            rest = calls[len(results) :]
            how = ("first" if self._kept is None else "again") if whole else None
            self._kept = [] if whole and self._kept is None else self._kept
            asked = [[list(arguments), named] for arguments, named in rest]
            try:
                came, failure = self._question("call", function, asked, how)
            except TimeLimitReached as limit:  # by a timer of this process
                came, failure = [], limit
            with self._keeping_to_the_protocol():
                if len(came) > len(rest) or (not came and not failure):
                    raise WireError("results of other calls")
                for call, one in zip(rest, came, strict=False):
                    match one:
                        case [value, None] if not whole:
                            results.append(functools.partial(_returned, value))
                        case [value, [list(), dict(), list()] as after] if whole:
                            results.append(functools.partial(self._changed, value, call, after))
                        case _:
                            raise WireError("a malformed result")
            if failure:
                if isinstance(failure, TimeLimitReached) and function.name:
                    self.hung[function.name] = None
                results += [functools.partial(_raise, failure)] * (len(calls) - len(results))
        return results

    def _changed(self, value: Any, call: Call, after: list[Any]) -> Any:
        """Repeat the changes of a call to its arguments and to earlier results."""
        arguments, named, kept = after
        for ours, now in (
            *zip(call[0], arguments, strict=False),
            *((ours, named.get(name)) for name, ours in call[1].items()),
            *zip(self._kept or (), kept, strict=False),
        ):
            self._change(ours, now)
        self._kept = [*(self._kept or ()), value][-wire.MOST_KEPT :]
        return value

    def _change(self, ours: Any, now: Any) -> Any:
        """Make a value what the notebook has; return the value, or the other if that fails."""
        if id(_owner(ours)) in self._protected:
            return ours
        match ours, now:
            case np.ndarray(), np.ndarray() if ours.size == now.size and ours.flags.writeable:
                with contextlib.suppress(AttributeError, DeprecationWarning):  # a view of another
                    ours.shape = now.shape
                ours[...] = now.reshape(ours.shape)
                return ours
            case list(), list():
                pairs = zip(ours, now, strict=False)
                ours[:] = [*(self._change(*pair) for pair in pairs), *now[len(ours) :]]
                return ours
            case tuple(), tuple():
                pairs = zip(ours, now, strict=False)
                return (*(self._change(*pair) for pair in pairs), *now[len(ours) :])
            case dict(), dict():
                entries = {key: self._change(ours.get(key), entry) for key, entry in now.items()}
                ours.clear()
                ours.update(entries)
                return ours
        return now

    def protect(self, names: dict[str, Any]) -> None:
        """Do not repeat here what functions change in these values: later tests need them."""
        left: list[Any] = list(names.values())
        while left:
            value = left.pop()
            if id(value) in self._protected:
                continue
            if isinstance(value, np.ndarray | list | dict):
                self._protected[id(_owner(value))] = value
            if isinstance(value, list | tuple | dict):
                left += value.values() if isinstance(value, dict) else value

    def end_part(self) -> None:
        """Disable the functions that were passed to the notebook, unless they replace its own."""
        staying = {id(one) for values in self._put for value in values for one in value}
        self._handed = {
            number: function if id(function) in staying else None
            for number, function in self._handed.items()
        }
        self._number_of = {key: n for key, n in self._number_of.items() if key in staying}
        self._kept = self._raised = None

    def end_test(self) -> None:
        """End a test cell: the notebook restores its names and random generators."""
        self.time_left.limits = _NO_LIMITS
        if not self.gone:
            try:
                self._ask("end")
            except BaseException:  # any other message, or an error
                if not self.gone:
                    self.give_up("it did not confirm the end of the test")
        self._put.clear()
        self._functions.clear()
        self.end_part()

    # -- messages

    def _ask(self, *question: Any) -> list[Any]:
        """Send a question and return the values of its answer, or raise its exception.

        That is TimeLimitReached if the kernel was interrupted because its time was up; RemoteError
        if the student's code raised an exception; Mismatch if a value cannot be sent; and what a
        function of the test raised, if the student's code did not catch it.
        """
        values, failure = self._question(*question)
        if failure:
            raise failure
        return values

    def _question(self, *question: Any) -> tuple[list[Any], BaseException | None]:
        """Send a question; return the values of its answer, and the exception that ended it."""
        if self.gone:
            raise Gone(self.gone)
        if self.depth >= _MOST_DEEP:
            why = f"more than {_MOST_DEEP} nested calls"
            raise Mismatch(why, why)
        pieces = self._packed(list(question))
        # Block the timers' signals: they must not interrupt a message. `TimeLeft.is_up` sees them.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _TIMERS)
        self.depth += 1
        try:
            with self._keeping_to_the_protocol():
                self._connection.send(pieces)
                return self._answer("ended" if question[0] == "end" else "values")
        finally:
            self.depth -= 1
            if self.depth == 0:
                self.time_left.late_since = 0.0
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    @contextlib.contextmanager
    def _keeping_to_the_protocol(self) -> Iterator[None]:
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

    def _answer(self, due: str) -> tuple[list[Any], BaseException | None]:
        """Handle all callbacks before the answer; return its values, and an exception to raise."""
        while True:
            self.time_left.keep()  # here too, since messages may come without a pause
            head, body = self._connection.receive(limited=True)
            match wire.unpack(head, body, self._resolve, limited=True):
                case ["callback", int(number), list(arguments), dict(named)]:
                    self._call_back(number, arguments, named)
                case ["values", list(values), failure] if due == "values":
                    return values, self._failure(failure)
                case ["ended"] if due == "ended":
                    return [], None
                case _:
                    raise WireError("an answer that fits no question")

    def _failure(self, failure: Any) -> BaseException | None:
        match failure:
            case None:
                return None
            case ["error", str(name), str(text), str(where), int(line)]:
                return RemoteError.named(name, text, where, line)
            case ["refused", str(why)]:
                return Mismatch(f"the returned value cannot be graded: {one_line(why, 200)}")
            case ["interrupted"]:
                if self.time_left.late_since:
                    return TimeLimitReached()
                return RemoteError.named("KeyboardInterrupt", "it was interrupted", "")
            case ["raised", str(where), int(line)] if error := self._raised:
                with contextlib.suppress(AttributeError, TypeError):
                    error.raised_by = where[:_LONGEST_NAME]  # type: ignore[attr-defined]
                    error.raised_in_line = line  # type: ignore[attr-defined]
                return error
        raise WireError("a malformed failure")

    def _call_back(self, number: int, arguments: list[Any], named: dict[Any, Any]) -> None:
        """Call a function of the test; send back its result, or that it raised an exception."""
        if number not in self._handed:
            raise WireError("a function that the test did not pass")
        if not all(isinstance(name, str) for name in named):
            raise WireError("a call with invalid names")
        try:
            # The student's arguments may make our function run forever, so unblock the timers here.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _TIMERS)
            try:
                if self._handed[number] is None:
                    raise RuntimeError("the part of the test that passed this function has ended")
                value = self._handed[number](*arguments, **named)
            finally:
                signal.pthread_sigmask(signal.SIG_BLOCK, _TIMERS)
            if self.gone:  # the function may have caught `Gone`
                raise Gone(self.gone)
            pieces = self._packed(["return", value])
        except Gone:
            raise
        except BaseException as error:
            self._raised = error.with_traceback(None)  # the frames would keep arguments alive
            pieces = self._packed(["raise", type(error).__name__])
        self._connection.send(pieces)

    def _packed(self, message: list[Any]) -> list[bytes]:
        return wire.pack(message, self._refer, limited=False)

    def _refer(self, value: Any, _: int) -> Reference | None:
        if isinstance(value, RemoteObject):
            return Yours(value.number)
        if not callable(value):
            return None
        if isinstance(value, types.FunctionType):
            module, name = str(value.__module__), value.__name__
            there = module.partition(".")[0] == _SHIPPED and not value.__closure__
            if there and getattr(sys.modules.get(module), name, None) is value:
                self._shipped[Shipped(module, name)] = value
                return Shipped(module, name)
        number = self._number_of.setdefault(id(value), len(self._handed))
        self._handed[number] = value  # alive, so that no other object gets its id
        return Theirs(number, True)

    def _resolve(self, reference: Reference) -> Any:
        match reference:
            case Theirs(number, True, type_name):
                return RemoteFunction(self, number, type_name)
            case Theirs(number, _, type_name, None):
                return RemoteObject(number, type_name)
            case Theirs(number, _, type_name, view):
                return RemoteView(number, type_name, view)
            case Yours(number) if self._handed.get(number):
                return self._handed[number]
            case Shipped() if reference in self._shipped:
                return self._shipped[reference]
            case Yours(number) if number in self._handed:
                return None  # of a part that has ended
        raise WireError("a function that the test did not pass")


def _owner(thing: Any) -> Any:
    """Return the array that owns the memory of this one; another object owns its own."""
    while isinstance(getattr(thing, "base", None), np.ndarray):
        thing = thing.base
    return thing


def _returned(value: Any) -> Any:
    return value


def _raise(error: BaseException) -> None:
    raise error


class TimeLeft:
    """Limits the time of the student's kernel: reads its clocks, interrupts it, gives it up."""

    def __init__(
        self,
        interrupt: Callable[[], None],
        give_up: Callable[[str], object],
        cpu_seconds: Callable[[], float],
        seconds_waited: Callable[[], float],
    ) -> None:
        self._interrupt, self._give_up = interrupt, give_up
        self._cpu_now, self._waited_now = cpu_seconds, seconds_waited
        self._limits = _NO_LIMITS
        self._beyond = False  # whether a limit was reached at the last look
        # When the running question was first seen to take too long, by `_passed`; 0 if it was not.
        self.late_since = 0.0
        self._next_look = self._interrupted_at = 0.0

    def limit(self, cpu_seconds: float, wall_seconds: float) -> None:
        """Limit the kernel's time from now on. An earlier, stricter limit stays in force."""
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

    def wait(self, stream: socket.socket, writing: bool) -> None:
        """Wait until the socket may be ready; meanwhile, interrupt the kernel if its time is up."""
        while True:
            self.keep()
            ready = select.select([] if writing else [stream], [stream] if writing else [], [], 0.1)
            if ready[0] or ready[1]:
                return

    def keep(self) -> None:
        """Interrupt the kernel repeatedly when its time is up; give it up if it does not react."""
        if not self._is_up():
            return
        now = self._passed()
        self.late_since = self.late_since or now
        if now - self.late_since > _SECONDS_TO_REACT:
            self._give_up("it could not be interrupted when its time was up")
            raise wire.Closed
        if now - self._interrupted_at > _SECONDS_BETWEEN_INTERRUPTS:
            self._interrupted_at = now
            self._interrupt()

    def _is_up(self) -> bool:
        """Return whether a timer of this process, or a limit of the kernel, has run out."""
        if signal.sigpending() & _TIMERS:
            return True
        if monotonic() > self._next_look:
            self._next_look = monotonic() + _SECONDS_BETWEEN_LOOKS
            computed, passed = self._limits
            self._beyond = self._cpu_now() > computed or self._passed() > passed
        return self._beyond

    def _passed(self) -> float:
        """Return the seconds on the clock, without those that the kernel waited for a processor."""
        return monotonic() - self._waited_now()


# -- what the test cell sees


class StudentNames(dict[str, Any]):
    """The namespace in which a test cell runs.

    A name is looked up first among those that the test and the instructor's locked cells (`own`)
    have bound, then among Python's builtins, and only then in the student's notebook. So a student
    cannot replace the test's `len` or `np`. Names in `instructors` are never looked up in the
    notebook, even if the cell that binds a name has failed. Names that the test binds stay in this
    namespace; `notebook` replaces names of the student.
    """

    def __init__(
        self, own: dict[str, Any], session: Session, instructors: Collection[str] = ()
    ) -> None:
        super().__init__(own)
        self._session, self._instructors = session, instructors
        self.notebook = RemoteNotebook(self, session)

    def __missing__(self, name: str) -> Any:
        if hasattr(builtins, name) or name.startswith("__") or name in self._instructors:
            raise KeyError(name)
        for value in self._session.get([name])[0]:
            return value
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        try:
            self[str(name)]
        except KeyError:
            return False
        return True

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a name, or `default` if the name is not defined."""
        try:
            return self[name]
        except KeyError:
            return default


class RemoteNotebook(Notebook):
    """What a test cell may do to the notebook, which is in another process."""

    keeps_results = True

    def __init__(self, names: StudentNames, session: Session) -> None:
        super().__init__(names)
        self._session = session

    def put(self, values: Mapping[str, Any]) -> Any:
        """Bind names to other values, for the test and in the notebook."""
        there = {n: [] if value is self.MISSING else [value] for n, value in values.items()}
        return super().put(values), self._session.put(there)

    def put_back(self, before: Any) -> None:
        """Bind names again as they were before `put`."""
        here, there = before
        super().put_back(here)
        self._session.put_back(there)

    def own(self, *names: str) -> Any:
        """Return the value of a name in the notebook, or a list of several; None if not defined."""
        values = [one[0] if one else None for one in self._session.get(names)]
        return values[0] if len(names) == 1 else values

    def calls(
        self, function: Any, inputs: Sequence[Sequence[Any]], *, whole: bool
    ) -> list[Callable[[], Any]]:
        """Return functions that give the results of calls. One question asks for all of them."""
        if isinstance(function, RemoteFunction):
            return self._session.call(function, [(one, {}) for one in inputs], whole=whole)

        def call(one: Sequence[Any]) -> Any:
            self._session.whole = whole
            try:
                return function(*one)
            finally:
                self._session.whole = True

        return [functools.cache(functools.partial(call, one)) for one in inputs]

    def unreturned(self, error: BaseException, but: str) -> str:
        """Return the last function that a time limit has ended, as the session has recorded it."""
        return next(reversed(self._session.hung), "")

    def end_part(self) -> None:
        """Disable the functions that were passed to the notebook in this part."""
        self._session.end_part()

    @contextlib.contextmanager
    def limited(self, cpu_seconds: float, wall_seconds: float) -> Iterator[None]:
        """Limit the time of a block, including computing in the notebook's process.

        Time that this process has waited for the processor does not count, but has its own limit.
        """
        time_left = self._session.time_left
        outer = time_left.limits
        time_left.limit(cpu_seconds, wall_seconds)
        try:
            with time_limit(cpu_seconds, MOST_TIMES * wall_seconds):
                yield
        finally:
            time_left.limits = outer
