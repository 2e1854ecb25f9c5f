"""Answers the grader's questions about the notebook, in the kernel, between two cells.

The grader's test cell runs in another process. Its questions arrive as messages, and the kernel's
main thread answers them here:

- ``get names``: their values in the notebook
- ``put names values``, ``put back number``: bind names for the test, and restore them
- ``call function calls whole``: what a function returns for one call after another; with `whole`,
  also the arguments as they are after each call, and what earlier calls returned
- ``end``: the test has ended

Values are sent as they are. Whatever is no plain data stays here, and the grader gets a handle: a
number, and a copy of the entries or numbers, if it has any, to look at. A function of the grader
becomes one here that asks the grader to call it, or a copy of the function if a module here has it.
After the test, the names that it bound and the random generators are restored.

A student's code can change everything here, and then give any answer. It gains nothing by that: its
functions can return any value anyway.
"""

import contextlib
import importlib
import io
import os
import random
import select
import signal
import socket
import threading
import types
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from hw_support import failures
from hw_support.compare import arrays_of
from hw_support.notebook_access import Notebook

from . import wire
from .wire import Reference, Shipped, Tag, Theirs, Yours

_MOST_ENTRIES = 10_000  # of an object, to look at
_DEEPEST_VIEW = 3 * wire.MOST_DEEP // 4
_NAME, _FILE = "function", "<the grader>"  # of all functions that student code gets


class Server:
    """Answers questions. Objects that it refers to by number are kept until the kernel ends."""

    def __init__(self, stream: socket.socket, names: dict[str, Any]) -> None:
        self._connection = wire.Connection(stream, _wait)
        self._names = names
        self._mine: dict[int, Any] = {}  # objects that the grader refers to by number
        self._number_of: dict[int, int] = {}  # their numbers, by id
        self._functions: dict[Reference, Callable[..., Any]] = {}  # of the grader
        self._reference_of: dict[int, Reference] = {}  # of the grader's functions, by id
        self._notebook = Notebook(names)
        self._put: list[Any] = []  # what undoes each `put` of this test
        self._kept: list[Any] = []  # what the last calls returned
        self._serving: tuple[int, int] | None = None  # process and thread that use the connection
        self._interrupts = _Interrupts()

    def serve(self) -> None:
        """Answer questions until the grader reports that its test cell has ended."""
        state = _RandomState(self._names)
        self._interrupts.begin()
        self._serving = os.getpid(), threading.get_ident()
        try:
            self._answer_until("end")
        finally:
            self._serving = None
            self._interrupts.end()
            while self._put:
                self._notebook.put_back(self._put.pop())
            state.put_back()
        self._connection.send(self._packed(["ended"]))

    def refuse(self, functions: Iterable[str]) -> None:
        """Replace functions of the notebook, for as long as it does not define them again."""
        for name in functions:
            if callable(self._names.get(name)):
                self._names[name] = _refusing(name)

    def refuse_the_one_in(self, interrupt: KeyboardInterrupt) -> None:
        """Replace the outermost function of the notebook that an interrupt has ended."""
        self.refuse([self._notebook.unreturned(interrupt, but="")])

    # -- references

    def _packed(self, message: list[Any]) -> list[bytes]:
        return wire.pack(message, self._refer, limited=True)

    def _refer(self, value: Any, depth: int) -> Reference | None:
        """Return what is sent for a value; None if the value itself is sent. May run student code.

        A function of the grader is sent back as its own. Of objects that are no plain data, the
        entries are sent too, to look at. An iterator is replaced by the list of its entries.
        """
        kind = type(value)
        if kind in (list, tuple, dict):
            return None
        if (kind is np.ndarray or isinstance(value, np.generic)) and wire.is_plain(value.dtype):
            return None
        if (reference := self._reference_of.get(id(value))) is not None:
            return reference
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
            function = _shipped(reference) if isinstance(reference, Shipped) else None
            function = function or _anonymous(self._callback(reference))
            self._functions[reference] = function
            own = Yours(reference.number) if isinstance(reference, Theirs) else reference
            self._reference_of[id(function)] = own
        return self._functions[reference]

    def _callback(self, reference: Any) -> types.FunctionType:
        def callback(*arguments: Any, **named: Any) -> Any:
            if self._serving != (os.getpid(), threading.get_ident()):
                raise RuntimeError("only the test that passed this function can have it called")
            pieces = self._packed(["callback", reference.number, list(arguments), named])
            with self._interrupts.not_now():
                self._connection.send(pieces)
                kind, value = self._answer_until("return")
            if kind == "raise":
                raise CallbackError(value)
            return value

        assert isinstance(callback, types.FunctionType)
        return callback

    # -- questions

    def _answer_until(self, last: str) -> list[Any]:
        """Answer questions until a message of this kind arrives (a "raise" ends a "return" too)."""
        while True:
            head, body = self._connection.receive(limited=False)
            message = wire.unpack(head, body, self._resolve, limited=False)
            kind, *rest = message
            if kind == last or (last == "return" and kind == "raise"):
                return list(message)
            try:
                answer = self._answer(kind, rest)
            except BaseException as error:
                answer = self._packed(["values", [], _described(error, self._notebook)])
            self._connection.send(answer)

    def _answer(self, kind: str, rest: list[Any]) -> list[bytes]:
        match kind, rest:
            case "call", [function, calls, whole]:
                return self._call(function, calls, whole)
            case "get", [names]:
                found = [[self._names[n]] if n in self._names else [] for n in names]
                with self._interrupts.allowed():
                    return self._packed(["values", found, None])
            case "put", [names, values]:
                now = [value[0] if value else Notebook.MISSING for value in values]
                self._put.append(self._notebook.put(dict(zip(names, now, strict=True))))
            case "put back", [number]:
                self._notebook.put_back(self._put[number])
            case _:
                raise ValueError(kind)
        return self._packed(["values", [], None])

    def _call(self, function: Any, calls: list[Any], whole: str | None) -> list[bytes]:
        """Return as many results as there are calls; fewer if one fails, or all are too large."""
        encoder = wire.Encoder(self._refer, limited=True)
        done: list[Any] = []
        failure = None
        if whole == "first":
            self._kept = []
        with _silence(), self._interrupts.allowed():
            for arguments, named in calls:
                mark = encoder.mark()
                _write_over_free_memory([arguments, named])
                try:
                    value = function(*arguments, **named)
                    done.append(self._encoded(encoder, value, [arguments, named], whole))
                except wire.TooMuch as error:
                    encoder.reset(mark)
                    failure = None if done else ["refused", str(error)]
                    break
                except BaseException as error:
                    encoder.reset(mark)
                    failure = _described(error, self._notebook)
                    break
                if whole:
                    self._kept = [*self._kept, value][-wire.MOST_KEPT :]
        return encoder.frame([Tag.LIST, "values", [Tag.LIST, *done], encoder.encode(failure)])

    def _encoded(
        self, encoder: wire.Encoder, value: Any, call: list[Any], whole: str | None
    ) -> Any:
        """Encode a result; if `whole`, with the arguments, and earlier results where these fit."""
        mark = encoder.mark()
        try:
            return encoder.encode([value, [*call, self._kept] if whole else None])
        except wire.TooMuch:
            if not (whole and self._kept):
                raise
            encoder.reset(mark)
            return encoder.encode([value, [*call, []]])


def _view(value: Any) -> Any:
    """Return the numbers (an array) or the first entries (a list) of an object; None without."""
    with contextlib.suppress(Exception):
        if isinstance(value, np.ndarray) or hasattr(type(value), "__array__"):
            array = np.array(np.asarray(value), subok=False)
            if array.dtype.kind in "fc" and not wire.is_plain(array.dtype):
                array = array.astype("c16" if array.dtype.kind == "c" else "f8")
            if not wire.is_plain(array.dtype):
                return array.tolist() if array.dtype.kind in "US" else list(array)
            return array
        return list(islice(value, _MOST_ENTRIES))
    return None


def _shipped(reference: Shipped) -> Callable[..., Any] | None:
    """Return a copy of a function that this process can import; None if it cannot."""
    with contextlib.suppress(Exception):
        function = getattr(importlib.import_module(reference.module), reference.name)
        return _anonymous(function)
    return None


def _anonymous(function: types.FunctionType) -> types.FunctionType:
    """Return a function without its name and source: they would tell which test runs."""
    code = function.__code__
    constants = (None, *code.co_consts[1:]) if function.__doc__ else code.co_consts
    code = code.replace(
        co_name=_NAME, co_qualname=_NAME, co_filename=_FILE, co_consts=constants, co_firstlineno=1
    )
    defaults, within = function.__defaults__, function.__closure__
    made = types.FunctionType(code, function.__globals__, _NAME, defaults, within)
    made.__kwdefaults__, made.__module__, made.__doc__ = function.__kwdefaults__, _FILE, None
    return made


class _Interrupts:
    """Lets an interrupt end a student's function, but never in the middle of a message.

    An interrupt during a message is recorded, and raised when the function continues.
    """

    def __init__(self) -> None:
        self._allowed = self._noted = False
        self._before: Any = None

    def begin(self) -> None:
        self._before = signal.getsignal(signal.SIGINT)
        self._set(self._handle)

    def _set(self, handler: Any) -> None:
        if threading.current_thread() is threading.main_thread():  # not in this module's own tests
            signal.signal(signal.SIGINT, handler)

    def _handle(self, *_: object) -> None:
        if self._allowed:
            raise KeyboardInterrupt
        self._noted = True

    @contextlib.contextmanager
    def allowed(self) -> Iterator[None]:
        """Let an interrupt end a block of student code. Forget an interrupt from before it."""
        self._noted, self._allowed = False, True
        try:
            yield
        finally:
            self._allowed = False
            self._set(self._handle)  # the student's code may have changed it

    @contextlib.contextmanager
    def not_now(self) -> Iterator[None]:
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


class CallbackError(Exception):
    """A function of the grader raised an exception."""


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
        return ["raised", where, line]
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


def _write_over_free_memory(given: Any) -> None:
    """Fill freed memory of small arrays with NaN, so that uninitialised values are noticed."""
    for array in arrays_of(given):
        if array.size <= 1000:
            _ = [np.full(array.size, np.nan) for _ in range(8)]
