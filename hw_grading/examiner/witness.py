"""Records everything that happens in a test cell: for an instructor, never for a student.

The record includes what grading hides: inputs, calls of the student's functions, their results, and
the expected values. It is text of bounded length.
"""

import re
import traceback
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from hw_grading.examiner.remote import Remote, RemoteFunction
from hw_grading.examiner.session import Session
from hw_support.attempts import Attempt
from hw_support.failures import raised_by, type_of
from hw_support.time_limit import TimeLimitReached

_MOST_FIRST, _MOST_LAST = 2, 3  # first and last calls that are kept of each try
_MOST_READ = 20  # names of the notebook
_MOST_TRIES = 200
_MOST_BYTES = 1 << 20  # of an array that is copied
_MOST_ENTRIES = 20  # of a list
_DEEPEST = 4
_LONGEST_TEXT = 4_000  # characters
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


@dataclass
class Call:
    """A call of a function of the notebook, as text, with its result or exception."""

    function: str
    arguments: list[str]
    result: str = "did not return"


@dataclass
class Try:
    """One try of a part of a test; part "" is the code outside of all parts."""

    part: str = ""
    points: float = 0.0
    hidden: bool = False
    stand_in: bool = False  # whether correct functions replaced the student's
    error: str = ""  # the full text of the exception; "" if there was none
    kind: str = ""  # the name of the exception's type
    in_test: int = 0  # the line of the test cell that raised it; 0 if none
    in_staff: str = ""  # the line of the staff's code, such as "hidden.py, line 3"; "" if none
    function: str = ""  # the student's function that raised it; "" if none
    line: int = 0  # the line of this function in the cell
    got: str = ""  # the compared values; "" if no values were compared
    expected: str = ""
    inputs: dict[str, str] = field(default_factory=dict)  # names that the part has bound: values
    read: dict[str, str] = field(default_factory=dict)  # names of the notebook that it has read
    calls: list[Call] = field(default_factory=list)  # the first and the last calls
    calls_in_all: int = 0


class _Calling:
    """A call with copies of its arguments and result, which are converted to text later."""

    def __init__(self, function: str, arguments: Sequence[Any], named: Mapping[str, Any]) -> None:
        self.function = function
        self.arguments = [_kept(value) for value in arguments]
        self.named = {name: _kept(value) for name, value in named.items()}
        self.result: Any = None
        self.raised: BaseException | None = None
        self.ended = False


class Witness:
    """Records what happens in test cells, one after another."""

    def __init__(self) -> None:
        self._file = ""
        self._tries: list[Try] = []
        self._names: dict[str, Any] = {}
        self._function_names: dict[int, str] = {}
        self._forget()

    def _forget(self) -> None:
        self._first: list[_Calling] = []
        self._last: deque[_Calling] = deque(maxlen=_MOST_LAST)
        self._count = 0
        self._read: dict[str, Any] = {}

    def begin(self, names: dict[str, Any], file: str) -> None:
        """Begin with a test cell; `file` is its name in tracebacks."""
        self._file, self._tries = file, []
        self._names = dict(names)
        self._forget()

    def was_read(self, name: str, value: Any) -> None:
        """Note the value of a name of the notebook."""
        if isinstance(value, Remote):
            self._function_names[value._number] = name
        if not isinstance(value, RemoteFunction) and len(self._read) < _MOST_READ:
            self._read[name] = _kept(value)

    def calling(
        self, function: RemoteFunction, arguments: Sequence[Any], named: Mapping[str, Any]
    ) -> _Calling:
        """Note a call that begins."""
        name = self._function_names.get(function._number, "a function")
        call = _Calling(name, arguments, named)
        self._count += 1
        if len(self._first) < _MOST_FIRST:
            self._first.append(call)
        else:
            self._last.append(call)
        return call

    def tried(self, attempt: Attempt, error: BaseException | None, names: dict[str, Any]) -> None:
        """Note how a try of a part ended."""
        bound = {
            name: _shown(value)
            for name, value in dict.items(names)
            if self._names.get(name, self) is not value and _is_input(name, value)
        }
        self._names = dict(names)
        made = self._made(error)
        if isinstance(error, TimeLimitReached):
            made.error = f"more than {attempt._seconds:g} s, the limit of this part of the test"
        made.part, made.points, made.hidden = attempt.what, attempt.points, attempt.hidden
        made.stand_in, made.inputs = attempt.checks.standing_in, bound
        self._keep(made)

    def records(self) -> list[dict[str, Any]]:
        """Return the record of the test cell in JSON's form: a list of `Try`."""
        if self._count or self._read:
            self._keep(self._made(None))
        return [asdict(one) for one in self._tries]

    def _keep(self, made: Try) -> None:
        if len(self._tries) < _MOST_TRIES:
            self._tries.append(made)
        self._forget()

    def _made(self, error: BaseException | None) -> Try:
        made = Try(
            read={name: _shown(value) for name, value in self._read.items()},
            calls=[_as_text(call) for call in (*self._first, *self._last)],
            calls_in_all=self._count,
        )
        if error is None:
            return made
        made.kind, made.error = type_of(error), _text_of(error) or type_of(error)
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename == self._file:
                made.in_test = frame.lineno or 0
            elif "staff" in Path(frame.filename).parts:
                made.in_staff = f"{Path(frame.filename).name}, line {frame.lineno}"
        if line := getattr(error, "raised_in_line", 0):
            made.function, made.line = raised_by(error), int(line)
        got, expected = (getattr(error, which, None) for which in ("got", "expected"))
        made.got = "" if got is None else _shown(got)
        made.expected = "" if expected is None else _shown(expected)
        return made


class WitnessedSession(Session):
    """A session that reports its questions and their answers to a witness."""

    def __init__(self, witness: Witness, *to_kernel: Any) -> None:
        super().__init__(*to_kernel)
        self._witness = witness

    def get(self, name: str) -> Any:
        """Return the value of a name in the notebook; raise KeyError if it is not defined."""
        value = super().get(name)
        self._witness.was_read(name, value)
        return value

    def call(
        self,
        function: RemoteFunction,
        arguments: Sequence[Any],
        named: dict[str, Any],
        undo: bool = False,
    ) -> Any:
        """Call a function of the notebook."""
        call = self._witness.calling(function, arguments, named)
        try:
            call.result = _kept(value := super().call(function, arguments, named, undo))
        except BaseException as error:
            call.raised = error
            raise
        call.ended = True
        return value

    def tried(self, attempt: Attempt, error: BaseException | None, names: dict[str, Any]) -> None:
        """Report to the witness how one try of a part ended."""
        self._witness.tried(attempt, error, names)


def _is_input(name: str, value: Any) -> bool:
    is_tool = callable(value) or isinstance(value, ModuleType | Attempt)
    return not (name.startswith("_") or is_tool)


def _as_text(call: _Calling) -> Call:
    arguments = [_shown(value) for value in call.arguments]
    arguments += [f"{name}={_shown(value)}" for name, value in call.named.items()]
    made = Call(call.function, arguments)
    if call.raised is not None:
        made.result = f"raised {type_of(call.raised)}: {_text_of(call.raised)}".removesuffix(": ")
    elif call.ended:
        made.result = f"gave {_shown(call.result)}"
    return made


def _text_of(error: BaseException) -> str:
    try:
        return str(error)[:_LONGEST_TEXT]
    except Exception:
        return ""


@dataclass(frozen=True)
class _Large:
    """Replaces a value that is too large to be kept."""

    text: str

    def __repr__(self) -> str:
        return self.text


def _kept(value: Any, depth: int = 0) -> Any:
    """Return a copy of a value, so that later changes do not affect it."""
    if isinstance(value, np.ndarray):
        if value.nbytes <= _MOST_BYTES:
            return value.copy()
        return _Large(f"<array of shape {value.shape}, {value.dtype}, too large to be shown>")
    if isinstance(value, list | tuple) and depth < _DEEPEST:
        entries = [_kept(entry, depth + 1) for entry in value[:_MOST_ENTRIES]]
        if len(value) > _MOST_ENTRIES:
            entries.append(_Large(f"... {len(value) - _MOST_ENTRIES} more"))
        return tuple(entries) if isinstance(value, tuple) else entries
    if isinstance(value, dict) and depth < _DEEPEST:
        return {key: _kept(entry, depth + 1) for key, entry in list(value.items())[:_MOST_ENTRIES]}
    return value


def _shown(value: Any) -> str:
    value = _kept(value)
    try:
        with np.printoptions(precision=10, threshold=200, edgeitems=4, linewidth=96):
            text = repr(value)
    except Exception:
        return f"<{type(value).__name__}>"
    text = _ADDRESS.sub("", text)
    if isinstance(value, np.ndarray) and value.ndim > 1 and "shape=" not in text:
        text = f"{text.removesuffix(')')}, shape={value.shape})"
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
