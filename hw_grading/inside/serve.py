"""Answers the grader's questions about the notebook, in the kernel, between two cells.

The grader's test cell runs in another process. Its questions arrive as messages, and the kernel's
main thread answers them here. Arguments are passed by value; a function among them becomes a
`callback`, which asks the grader to call it. After the test, the names that it bound and the random
generators are restored.

A student's code can change everything here, and then give any answer. It gains nothing by that: its
functions can return any value anyway.
"""

import contextlib
import io
import os
import random
import select
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from hw_support import failures
from hw_support.notebook_access import Notebook

from . import wire
from .wire import FROM_GRADER, FROM_SANDBOX, Theirs, Yours

_PLAIN = (list, tuple, dict)
_LARGEST_BY_VALUE = 4 << 20  # bytes
_MOST_AT_ONCE = 100  # entries of an iterator in one answer


class Server:
    """Answers questions. Objects that it refers to by number are kept until the kernel ends."""

    def __init__(self, stream: socket.socket, names: dict[str, Any]) -> None:
        self._connection = wire.Connection(stream, _wait)
        self._names = names
        self._mine: dict[int, Any] = {}  # objects that the grader refers to by number
        self._number_of: dict[int, int] = {}  # their numbers, by id
        self._callbacks: dict[int, Callable[..., Any]] = {}  # by the grader's number
        self._notebook = Notebook(names)
        self._put: list[Any] = []  # what undoes each `put` of this test
        self._process = 0  # the process that may use the connection
        self._turn = threading.RLock()  # held by the thread that uses it; not by student code
        self._serving = False  # whether callbacks can be called
        self._interrupts = _Interrupts()
        self._passed_back: set[int] = set()  # ids of objects to which the last message referred
        self._all_by_value = False  # whether the answer contains large arrays too
        self._returned = _Returned()

    def serve(self) -> None:
        """Answer questions until the grader reports that its test cell has ended."""
        self._process = os.getpid()
        self._returned = _Returned()
        state = _RandomState(self._names)
        self._interrupts.begin()
        self._turn.acquire()
        self._serving = True
        try:
            self._answer_until("end")
        finally:
            self._serving = False
            self._turn.release()
            self._interrupts.end()
            while self._put:
                self._notebook.put_back(self._put.pop())
            state.put_back()
        self._send(["ended"])

    def refuse(self, functions: Iterable[str]) -> None:
        """Replace functions of the notebook, for as long as it does not define them again."""
        for name in functions:
            if callable(self._names.get(name)):
                self._names[name] = _refusing(name)

    def refuse_the_one_in(self, interrupt: KeyboardInterrupt) -> None:
        """Replace the outermost function of the notebook that an interrupt has ended."""
        self.refuse([self._notebook.unreturned(interrupt, but="")])

    # -- messages

    def _send(self, message: Any) -> None:
        self._connection.send(wire.pack(message, self._refer, FROM_SANDBOX))

    def _receive(self) -> list[Any]:
        head, body = self._connection.receive(FROM_GRADER)
        self._passed_back.clear()
        message: list[Any] = wire.unpack(head, body, self._resolve, FROM_GRADER)
        return message

    def _refer(self, value: Any) -> Theirs | Yours | None:
        """Return the reference that is sent for a value; None if the value itself is sent.

        Functions, large arrays, subclasses of arrays and other objects stay here. A callback is
        sent back as the grader's own function.
        """
        kind = type(value)
        if kind in _PLAIN:
            return None
        if isinstance(value, np.ndarray | np.generic):
            exact = kind is np.ndarray or isinstance(value, np.generic)
            small = self._all_by_value or not _is_large(value)
            if exact and small and wire.is_plain(value.dtype):
                return None
        number = getattr(value, "grader_number", None) if callable(value) else None
        if type(number) is int and self._callbacks.get(number) is value:
            return Yours(number)
        if kind is complex:
            return None
        number = self._number_of.setdefault(id(value), len(self._mine))
        self._mine[number] = value
        return Theirs(number, "function" if callable(value) else "object", kind.__name__)

    def _resolve(self, reference: Theirs | Yours) -> Any:
        if isinstance(reference, Yours):
            thing = self._mine[reference.number]
            self._passed_back.add(id(thing))
            return thing
        if reference.number not in self._callbacks:
            self._callbacks[reference.number] = self._callback(reference)
        return self._callbacks[reference.number]

    def _answer_until(self, last: str) -> list[Any]:
        """Answer questions until a message of this kind arrives (a "raise" ends a "return" too)."""
        while True:
            kind, *rest = message = self._receive()
            if kind == last or (last == "return" and kind == "raise"):
                return message
            try:
                answer = self._answer(kind, rest)
            except BaseException as error:
                answer = _described(error, self._notebook)
            self._all_by_value = kind == "ask"
            try:
                self._send(answer)
                if kind == "call" and answer[0] == "value":  # the grader remembers the same
                    self._returned.add(answer[1])
            except wire.TooMuch as error:
                self._send(["refused", str(error)])
            finally:
                self._all_by_value = False

    def _answer(self, kind: str, rest: list[Any]) -> list[Any]:
        match kind, rest:
            case "call", [function, arguments, named]:
                return self._call(function, arguments, named)
            case "get", [name]:
                if name not in self._names:
                    return ["missing"]
                return ["value", self._names[name], [], []]
            case "put", [names, values]:
                now = [Notebook.MISSING if value is None else value[0] for value in values]
                self._put.append(self._notebook.put(dict(zip(names, now, strict=True))))
                return ["value", None, [], []]
            case "put back", [number]:
                self._notebook.put_back(self._put[number])
                return ["value", None, [], []]
            case "ask", [what, thing, details]:
                with self._student_code():
                    return ["value", _OPERATIONS[what](thing, *details), [], []]
        raise ValueError(kind)

    # -- calls

    def _call(self, function: Any, arguments: list[Any], named: Any) -> list[Any]:
        """Call a function; return its value, and what it changed in arrays and lists.

        These are its arguments and what earlier calls returned.
        """
        given = list(wire.mutable([arguments, named], lambda a: id(a) in self._passed_back))
        before = [_copy(thing) for thing in given]
        _write_over_free_memory(given)
        with _silence(), self._student_code():
            value = function(*arguments, **named)
        changed = [
            [place, thing]
            for place, (thing, copy) in enumerate(zip(given, before, strict=True))
            if not _same(thing, copy)
        ]
        return ["value", value, changed, self._returned.overwritten()]

    @contextlib.contextmanager
    def _student_code(self) -> Iterator[None]:
        """Let student code run in a block: interrupts end it, and its threads may call back."""
        self._turn.release()
        try:
            with self._interrupts.allowed():
                yield
        finally:
            self._turn.acquire()

    def _callback(self, reference: Theirs) -> Callable[..., Any]:
        def callback(*arguments: Any, **named: Any) -> Any:
            if self._process != os.getpid():
                raise RuntimeError("only the notebook's process can call a function of the test")
            with self._interrupts.not_now(), self._turn:
                if not self._serving:
                    raise RuntimeError("the test that passed this function has ended")
                self._send(["callback", reference.number, list(arguments), named])
                kind, *rest = self._answer_until("return")
            if kind == "raise":
                raise CallbackError(*rest)
            return rest[0]

        callback.__name__ = callback.__qualname__ = reference.type_name
        callback.grader_number = reference.number  # type: ignore[attr-defined]
        return callback


class _Returned:
    """The arrays and lists that functions returned in this test, with copies of their contents."""

    def __init__(self) -> None:
        self._remembered = wire.Remembered(_is_large)
        self._copies: list[Any] = []

    def add(self, value: Any) -> None:
        for thing in self._remembered.add(value):
            self._copies.append(None if thing is None else _copy(thing))

    def overwritten(self) -> list[list[Any]]:
        """Return the numbers and new contents of arrays and lists that have changed since."""
        changed = []
        for number, thing in enumerate(self._remembered.things):
            if thing is not None and not _same(thing, self._copies[number]):
                self._copies[number] = _copy(thing)
                changed.append([number, thing])
        return changed


class _Interrupts:
    """Lets an interrupt end a student's function, but never in the middle of a message.

    An interrupt during a message is recorded, and raised when the function continues.
    """

    def __init__(self) -> None:
        self._in_main_thread = self._allowed = self._noted = False
        self._before: Any = None

    def begin(self) -> None:
        self._in_main_thread = _is_main_thread()
        self._before = signal.getsignal(signal.SIGINT)
        self._set(self._handle)

    def _set(self, handler: Any) -> None:
        if self._in_main_thread and _is_main_thread():
            signal.signal(signal.SIGINT, handler)

    def _handle(self, *_: object) -> None:
        if self._allowed:
            raise KeyboardInterrupt
        self._noted = True

    @contextlib.contextmanager
    def allowed(self) -> Iterator[None]:
        """Let an interrupt end a block. Forget an interrupt from before the block."""
        if self._is_aside():
            yield
            return
        self._noted, self._allowed = False, True
        try:
            yield
        finally:
            self._allowed = False
            self._set(self._handle)  # the student's code may have changed it

    @contextlib.contextmanager
    def not_now(self) -> Iterator[None]:
        if self._is_aside():
            yield
            return
        self._allowed = False
        self._set(self._handle)  # see `allowed`
        try:
            yield
        finally:
            self._allowed = True
        if self._noted:
            raise KeyboardInterrupt

    def end(self) -> None:
        self._set(self._before)

    def _is_aside(self) -> bool:
        """Whether this is a thread of the student's: an interrupt only reaches the main thread."""
        return self._in_main_thread and not _is_main_thread()


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


class CallbackError(Exception):
    """A function of the grader raised an exception: the exception's number, and a text."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(text)
        self.number = number


class DidNotReturn(Exception):
    """A call of a function that did not return within a limit before."""


def _refusing(name: str) -> Callable[..., Any]:
    def refusing(*_: object, **__: object) -> None:
        why = f"`{name}` is not called again: it did not return within a time limit before"
        raise DidNotReturn(why)

    return refusing


def _described(error: BaseException, notebook: Notebook) -> list[Any]:
    if isinstance(error, KeyboardInterrupt):
        return ["interrupted"]
    place = failures.place_of(error, notebook.names)
    where, line = (place.function, place.line) if place else ("", 0)
    if isinstance(error, CallbackError):
        return ["callback raised", error.number, where, line]
    try:
        text = str(error)[:2000]
    except BaseException:
        text = ""
    return ["error", type(error).__name__[:100], text, where, line]


class _RandomState:
    """The saved state of the NumPy generators among a notebook's names, and of the global ones."""

    def __init__(self, names: dict[str, Any]) -> None:
        self._generators = [
            (generator, generator.bit_generator.state)
            for generator in names.values()
            if isinstance(generator, np.random.Generator)
        ]
        self._numpy = np.random.get_state()  # noqa: NPY002  # students use it
        self._python = random.getstate()

    def put_back(self) -> None:
        """Restore every generator to the saved state."""
        for generator, state in self._generators:
            generator.bit_generator.state = state
        np.random.set_state(self._numpy)  # noqa: NPY002
        random.setstate(self._python)


def _wait(stream: socket.socket, writing: bool) -> None:
    with contextlib.suppress(KeyboardInterrupt):  # the interrupt came after the end of a call
        select.select([] if writing else [stream], [stream] if writing else [], [])


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Drop printed text: a test cell's output comes only from the grader."""
    nothing = _Nothing()
    with contextlib.redirect_stdout(nothing), contextlib.redirect_stderr(nothing):
        yield


class _Nothing(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


# -- arguments that a function may change


def _is_large(thing: Any) -> bool:
    """Return whether an array is sent only on request: most large ones are parts of caches."""
    return isinstance(thing, np.ndarray) and thing.nbytes > _LARGEST_BY_VALUE


def _copy(thing: Any) -> Any:
    return thing.copy() if isinstance(thing, np.ndarray) else list(thing)


def _same(thing: Any, copy: Any) -> bool:
    if isinstance(copy, np.ndarray):
        return thing.shape == copy.shape and _bytes(thing) == _bytes(copy)
    return len(thing) == len(copy) and all(a is b for a, b in zip(thing, copy, strict=True))


def _bytes(array: Any) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _write_over_free_memory(given: list[Any]) -> None:
    """Fill freed memory of small arrays with NaN, so that uninitialised values are noticed."""
    for thing in given:
        if isinstance(thing, np.ndarray) and thing.size <= 1000:
            _ = [np.full(thing.size, np.nan) for _ in range(8)]


# -- other questions about a value


def _array(thing: Any) -> Any:
    array = np.asarray(thing)
    if array.dtype.kind in "fc" and not wire.is_plain(array.dtype):
        array = array.astype("c16" if array.dtype.kind == "c" else "f8")
    if not wire.is_plain(array.dtype):
        raise TypeError(f"{array.dtype.name} values are not plain numbers")
    return np.array(array, copy=True, subok=False)


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "array": _array,
    "attribute": getattr,
    "bool": bool,
    "entry": lambda thing, key: thing[key],
    "iterator": iter,
    "length": len,
    "next": lambda iterator, most: list(islice(iterator, max(1, min(most, _MOST_AT_ONCE)))),
}
