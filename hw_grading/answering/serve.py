"""Answers the grader's questions about the notebook, in a fork of the kernel (`children`).

The grader's test cell runs in another process. Its questions arrive as messages, and the main
thread of the fork answers them here, until the other end is closed:

- ``get names``: their values in the notebook
- ``put names values``, ``put back``: bind names for a part, and restore the last ones
- ``call function calls whole``: what a function returns for one call after another, each in a
  message of its own; with `whole`, also the arguments as they are after each call, and what the
  call before has returned. The function may be the code of one of the test cell.

The last message of each answer is ``values``, with the exception that ended it. A question may take
the seconds of a part. A function that takes longer raises at once from then on.

Values are sent as they are. Whatever is not plain data stays here, and the grader gets a handle: a
number, and a copy of the entries or numbers, if it has any, to look at. A function of the grader
becomes one here that asks the grader to call it, or a copy of the function if a module here has it.

A student's code can change everything here, and then give any answer. It gains nothing by that: its
functions can return any value anyway.
"""

import contextlib
import importlib
import io
import marshal
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from hw_support.checks import failures
from hw_support.checks.compare import arrays_of
from hw_support.checks.notebook_access import CPU_SECONDS, WALL_SECONDS, Notebook
from hw_support.checks.time_limit import DidNotReturn, TimeLimitReached, refusing

from . import wire
from .wire import Reference, Shipped, Theirs, Yours

_MAX_ENTRIES = 10_000  # of an object, to look at
_DEEPEST_VIEW = 3 * wire.MAX_DEEP // 4
_NAME, _FILE = "function", "<the grader>"  # of all functions that student code gets


class Server:
    """Answers questions. Objects that it refers to by number are kept until the end."""

    def __init__(self, stream: socket.socket, names: dict[str, Any]) -> None:
        self._connection = wire.Connection(stream)
        self._names = names
        self._mine: dict[int, Any] = {}  # objects that the grader refers to by number
        self._number_of: dict[int, int] = {}  # their numbers, by id
        self._functions: dict[Reference, Callable[..., Any]] = {}  # of the grader
        self._notebook = Notebook(names)
        # Of each `put` of this test: whether it has bound functions, and what undoes it.
        self._put: list[tuple[bool, Any]] = []
        self._gate = _Gate()
        self._serving: tuple[int, int] | None = None  # process and thread that use the connection

    def serve(self) -> None:
        """Answer questions until the grader closes its end."""
        self._serving = os.getpid(), threading.get_ident()
        with contextlib.suppress(wire.Closed):
            self._answer_until("the end")
        self._serving = None

    # -- references

    def _packed(self, message: list[Any]) -> list[bytes]:
        return wire.pack(message, self._refer, limited=True)

    def _refer(self, value: Any, depth: int) -> Reference | None:
        """Return what is sent for a value; None if the value itself is sent. May run student code.

        Of objects that are not plain data, the entries are sent too, to look at. An iterator is
        replaced by the list of its entries.
        """
        kind = type(value)
        if kind in (list, tuple, dict):
            return None
        if (kind is np.ndarray or isinstance(value, np.generic)) and wire.is_plain(value.dtype):
            return None
        view = None
        if not callable(value) and depth < _DEEPEST_VIEW:
            view = _view(value)
            if isinstance(view, list) and hasattr(kind, "__next__"):
                value = view
        number = self._number_of.setdefault(id(value), len(self._mine))
        self._mine[number] = value
        return Theirs(number, callable(value), kind.__name__, view)

    def _resolve(self, reference: Reference) -> Any:
        if isinstance(reference, Yours):
            return self._mine[reference.number]
        if reference not in self._functions:
            if isinstance(reference, Shipped):
                function = getattr(importlib.import_module(reference.module), reference.name)
            else:
                function = self._callback(reference)
            self._functions[reference] = _anonymous(function)
        return self._functions[reference]

    def _callback(self, reference: Any) -> FunctionType:
        def callback(*arguments: Any, **named: Any) -> Any:
            if self._serving != (os.getpid(), threading.get_ident()):
                raise RuntimeError("only the test that passed this function can have it called")
            pieces = self._packed(["callback", reference.number, list(arguments), named])
            with self._gate.closed():
                self._connection.send(pieces)
                kind, value = self._answer_until("return")
            if kind == "raise":
                raise CallbackError(value)
            return value

        assert isinstance(callback, FunctionType)
        return callback

    # -- questions

    def _answer_until(self, last: str) -> list[Any]:
        """Answer questions until a message of this kind arrives (a "raise" ends a "return" too)."""
        while True:
            head, body = self._connection.receive(limited=False)
            kind, *rest = wire.unpack(head, body, self._resolve, limited=False)
            if kind == last or (last == "return" and kind == "raise"):
                return [kind, *rest]
            try:
                with self._gate.opened():
                    pieces = self._packed(["values", self._answer(kind, rest), None])
            except BaseException as error:
                failure = self._described(error, rest[0] if rest else None)
                pieces = self._packed(["values", [], failure])
            self._connection.send(pieces)

    def _answer(self, kind: str, rest: list[Any]) -> list[Any]:
        match kind, rest:
            case "call", [function, calls, whole]:
                self._call(function, calls, whole)
            case "get", [names]:
                return [[self._names[n]] if n in self._names else [] for n in names]
            case "put", [names, values]:
                now = [value[0] if value else Notebook.MISSING for value in values]
                undo = self._notebook.put(dict(zip(names, now, strict=True)))
                self._put.append((any(map(callable, now)), undo))
            case "put back", []:
                self._notebook.put_back(self._put.pop()[1])
            case _:
                raise ValueError(kind)
        return []

    def _call(self, function: Any, calls: list[Any], whole: bool) -> None:
        """Call a function, and send each result."""
        if isinstance(function, bytes):
            function = _anonymous(FunctionType(marshal.loads(function), self._names))
        earlier = None
        for arguments, named in calls:
            _write_over_free_memory([arguments, named])
            value = function(*arguments, **named)
            pieces = self._packed(["result", value, *([arguments, earlier] if whole else [])])
            with self._gate.closed():
                self._connection.send(pieces)
            earlier = value

    # -- exceptions

    def _described(self, error: BaseException, function: object) -> list[Any]:
        """Return what the grader learns of the exception that ended a question of a function."""
        if isinstance(error, TimeLimitReached):
            return ["late", self._unreturned(error, function)]
        if isinstance(error, wire.TooMuch):
            return ["refused", str(error)]
        place = failures.place_of(error, self._names, but=_FILE)
        calls = [[one.function, one.line] for one in (place, *place.callers)] if place else []
        if isinstance(error, CallbackError):
            return ["raised", calls]
        if isinstance(error, DidNotReturn) and not place:
            return ["not again", error.args[0]]
        missing = ""
        if isinstance(error, NameError) and not place and type(error.name) is str:
            missing = error.name
        try:
            text = str(error)[:2000]
        except BaseException:
            text = ""
        return ["error", type(error).__name__[:100], text, missing, calls]

    def _unreturned(self, error: BaseException, function: object) -> list[str]:
        """Return the names of the function that the time limit has ended; refuse its next calls.

        If `function` has no name in the notebook, it is the outermost one that has. With functions
        of the grader in the place of the notebook's own, there are none.
        """
        if any(has_functions for has_functions, _ in self._put):
            return []
        called = [name for name, value in list(self._names.items()) if value is function]
        return refuse(self._names, called or [interrupted(error, self._names)])


def interrupted(error: BaseException, names: dict[str, Any]) -> str:
    """Return the notebook's outermost function that an exception has interrupted, or ""."""
    for step in failures.steps_of(error):
        code = step.tb_frame.f_code
        function = names.get(code.co_name)
        if getattr(function, "__code__", None) is code and code.co_filename != _FILE:
            return str(code.co_name)
    return ""


def refuse(names: dict[str, Any], unreturned: Sequence[str]) -> list[str]:
    """Let functions of the notebook raise at once, until they are defined again; return which."""
    replaced = [name for name in unreturned if callable(names.get(name))]
    names.update({name: refusing(name) for name in replaced})
    return replaced


def _view(value: Any) -> Any:
    """Return the numbers (an array) or the first entries (a list) of an object; None without.

    Of a dictionary or a text of another type, such as a `Counter`, it is a plain one.
    """
    with contextlib.suppress(Exception):
        if isinstance(value, dict):
            return dict(islice(value.items(), _MAX_ENTRIES))
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, bytes):
            return bytes(memoryview(value))
        is_number = isinstance(value, int | float)
        if is_number or isinstance(value, np.ndarray) or hasattr(type(value), "__array__"):
            array = np.array(np.asarray(value), subok=False)
            if array.dtype.kind in "fc" and not wire.is_plain(array.dtype):
                array = array.astype("c16" if array.dtype.kind == "c" else "f8")
            if not wire.is_plain(array.dtype):
                return array.tolist() if array.dtype.kind in "US" else list(array)
            return array
        return list(islice(value, _MAX_ENTRIES))
    return None


def _anonymous(function: FunctionType) -> FunctionType:
    """Return a function without its name and source: they would tell which test runs."""
    code = _nameless(function.__code__)
    if function.__doc__:
        code = code.replace(co_consts=(None, *code.co_consts[1:]))
    defaults, within = function.__defaults__, function.__closure__
    made = FunctionType(code, function.__globals__, _NAME, defaults, within)
    made.__kwdefaults__, made.__module__, made.__doc__ = function.__kwdefaults__, _FILE, None
    return made


def _nameless(code: CodeType) -> CodeType:
    constants = (_nameless(one) if isinstance(one, CodeType) else one for one in code.co_consts)
    names = {"co_name": _NAME, "co_qualname": _NAME, "co_filename": _FILE}
    return code.replace(**names, co_firstlineno=1, co_consts=tuple(constants))  # type: ignore


class _Gate:
    """Ends student code when its time is up, but never amid a message: the timers go on."""

    _is_open = False

    def _end(self, *_: object) -> None:
        if self._is_open:
            raise TimeLimitReached

    def _set_handlers(self) -> None:
        """Handle the timers, also after student code that has changed this."""
        if _in_main_thread():
            signal.signal(signal.SIGVTALRM, self._end)
            signal.signal(signal.SIGALRM, self._end)

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Run student code in a block, which has the time of a part. Its output is dropped."""
        timers = {signal.ITIMER_VIRTUAL: CPU_SECONDS}
        timers[signal.ITIMER_REAL] = 2 * WALL_SECONDS
        limits = timers.items() if _in_main_thread() else ()
        self._set_handlers()
        outer = {timer: signal.setitimer(timer, most, most / 10) for timer, most in limits}
        nothing = Nothing()
        self._is_open = True
        try:
            with contextlib.redirect_stdout(nothing), contextlib.redirect_stderr(nothing):
                yield
        finally:
            self._is_open = False
            for timer, left in outer.items():
                signal.setitimer(timer, *left)

    @contextlib.contextmanager
    def closed(self) -> Iterator[None]:
        """Exchange messages in a block, in the middle of student code."""
        self._is_open = False
        self._set_handlers()
        try:
            yield
        finally:
            self._is_open = True


def _in_main_thread() -> bool:
    """Whether signals can be handled here. Tests of this module use other threads."""
    return threading.current_thread() is threading.main_thread()


class CallbackError(Exception):
    """A function of the grader raised an exception."""


class Nothing(io.TextIOBase):
    """A stream that drops what is written."""

    def write(self, text: str) -> int:
        """Drop a text."""
        return len(text)


def _write_over_free_memory(given: Any) -> None:
    """Fill freed memory of small arrays with NaN, so that uninitialised values are noticed."""
    for array in arrays_of(given):
        if array.size <= 1000:
            _ = [np.full(array.size, np.nan) for _ in range(8)]
