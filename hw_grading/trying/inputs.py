"""Inputs of a solution's functions: those that tests pass, and one that tells a mutant.

The instructor's code runs in this process, which is one of the workers. Each call has a time limit.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import functools
import inspect
import io
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hw_grading.examiner.cells import Fault, run_cell
from hw_grading.examiner.reference import Clock, run_solutions
from hw_grading.trying.forms import key_of
from hw_support.checks.compare import Mismatch, arrays_of, expect_value
from hw_support.checks.fresh import drawn_like
from hw_support.checks.time_limit import time_limit
from hw_support.source import bound_by

_MOST_CALLS = 300  # that are recorded of a function
_SECONDS_OF_A_CALL = 1.0
_CPU_SECONDS_OF_SOLUTIONS = 60.0
_AROUND = (0, 1, -1, 0.5, -0.5, 1e-3, -1e-3)  # what is added to a constant of the code
_ROUNDS = 40  # of random inputs
_LONGEST = 80  # characters of a value in a sentence

Cells = Sequence[tuple[str, str, str]]  # kind, grade id, source
Files = Mapping[str, bytes]  # what lies beside the notebook
Recorded = dict[str, dict[str, list[str]]]  # what tests ask of functions; see `recorded`
_Outcome = tuple[Any, Any]  # what a call returns, or an exception; its arguments afterwards


def recorded(
    cells: Cells, tests: Sequence[str], functions: Sequence[str], files: Files
) -> Recorded:
    """Run the solutions and these test cells, and return what they ask of functions.

    These are the "kinds" of results and the "keys" of inputs, by function.
    """
    with _beside(files):
        calls = _calls(_solved(cells), tests, functions)
    kinds = {n: {kind for _, came in those for kind in _kinds(came)} for n, those in calls.items()}
    keys = {n: {key_of(arguments) for arguments, _ in those} for n, those in calls.items()}
    return {what: {n: sorted(of[n]) for n in of} for what, of in (("kinds", kinds), ("keys", keys))}


def telling_input(
    cells: Cells,
    tests: Sequence[str],
    right: str,
    mutant: str,
    files: Files,
    cpu_seconds: float,
    is_case: bool,
) -> tuple[str, str]:
    """Return an input for which a mutant gives another result, in words and as code to paste.

    Both are "" if none is found. `right` is the source of the solution, `mutant` the changed one.
    If they define no functions, the values that they compute are compared. The results of random
    functions are not. The code is a case of `Checks`, or an assert.
    """
    until = time.process_time() + cpu_seconds
    with _beside(files):
        names = _solved(cells)
        one, other = (_bound(source, names, cpu_seconds) for source in (right, mutant))
        functions = [name for name in bound_by(right) if inspect.isfunction(one.get(name))]
        if not functions:
            return _telling_value([n for n in bound_by(right) if _names(tests, n)], one, other), ""
        calls = _calls(names, tests, functions)
        for name in functions:
            if callable(changed := other.get(name)):
                inputs = [arguments for arguments, _ in calls.get(name, ())]
                pair = one[name], changed
                is_random = inputs and _is_random(one[name], inputs[0])
                if not is_random and (found := _found(pair, inputs, mutant, until)):
                    return _told(one[name], *found, is_case=is_case)
    return "", ""


def _found(
    pair: tuple[Any, Any], inputs: list[list[Any]], mutant: str, until: float
) -> tuple[list[Any], _Outcome, _Outcome] | None:
    """Return an input that tells one function from another, and what both give."""
    for arguments in _candidates(inputs, mutant):
        if time.process_time() > until:
            break
        if outcomes := _differing(pair, arguments):
            for digits in (0, 1, 3):  # the simplest that does
                rounded = _rounded(arguments, digits)
                if simple := _differing(pair, rounded):
                    return rounded, *simple
            return arguments, *outcomes
    return None


def _told(
    function: Callable[..., Any],
    arguments: list[Any],
    due: _Outcome,
    came: _Outcome,
    *,
    is_case: bool,
) -> tuple[str, str]:
    said = f"`{_shown(function, arguments)}` gives {_said(due)}, the mutant {_said(came)}"
    if is_case:
        results = due[0] if isinstance(due[0], tuple) else (due[0],)
        return said, f"({', '.join(map(_as_code, [*arguments, *results]))}),"
    call = f"{function.__name__}({', '.join(map(_as_code, arguments))})"
    if arrays_of(due[0]):
        return said, f"np.testing.assert_allclose({call}, {_as_code(due[0])})"
    return said, f"assert {call} == {_as_code(due[0])}"


def _shown(function: Callable[..., Any], arguments: list[Any]) -> str:
    about = zip(_names_of(function, len(arguments)), arguments, strict=True)
    return ", ".join(f"{name} = {_in_words(value)}" for name, value in about)


def _names(tests: Sequence[str], name: str) -> bool:
    return any(re.search(rf"\b{name}\b", test) for test in tests)


def _telling_value(names: Sequence[str], one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Return in words which of these names two cells bind to different values; "" if none."""
    for name in names:
        missing = NameError()
        due, came = ((values.get(name, missing), ()) for values in (one, other))
        if not callable(due[0]) and due[0] is not missing and _differ(came, due):
            return f"`{name}` is {_said(due)}, the mutant's {_said(came)}"
    return ""


def _differing(pair: tuple[Any, Any], arguments: list[Any]) -> tuple[_Outcome, _Outcome] | None:
    """Return what both functions give, if it differs."""
    due, came = (_result(function, arguments) for function in pair)
    return (due, came) if due and came and _differ(came, due) else None


def _solved(cells: Cells) -> dict[str, Any]:
    """Return what the solutions bind."""
    with _quiet():
        return run_solutions(cells, Clock(_CPU_SECONDS_OF_SOLUTIONS)).names


def _bound(source: str, names: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """Return what a cell binds beside these names, as far as it comes."""
    found = dict(names)
    with contextlib.suppress(BaseException), time_limit(seconds, 5 * seconds), _quiet():
        run_cell(source, "answer", found, locked=True)
    return found


def _names_of(function: Callable[..., Any], count: int) -> list[str]:
    names = [*inspect.signature(function).parameters]
    return [*names, *(f"argument {n}" for n in range(len(names) + 1, count + 1))][:count]


@contextlib.contextmanager
def _beside(files: Files) -> Iterator[None]:
    """Run code in a folder with these files, as notebooks do."""
    before, path = Path.cwd(), [*sys.path]
    variables = {**os.environ}
    os.environ.setdefault("MPLBACKEND", "Agg")
    with tempfile.TemporaryDirectory(prefix="hw-try-") as folder:
        for name, content in files.items():
            place = Path(folder, name)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        os.chdir(folder)
        sys.path.append(folder)
        try:
            yield
        finally:
            os.chdir(before)
            sys.path[:] = path
            os.environ.clear()
            os.environ.update(variables)


def _is_random(function: Callable[..., Any], arguments: list[Any]) -> bool:
    """Whether two calls with the same inputs give different results."""
    one, other = _result(function, arguments), _result(function, arguments)
    return bool(one and other and _differ(one, other))


def _calls(
    names: dict[str, Any], tests: Sequence[str], functions: Sequence[str]
) -> dict[str, list[tuple[list[Any], Any]]]:
    """Return the calls of functions while test cells run: copies of arguments, and the result."""
    calls: dict[str, list[tuple[list[Any], Any]]] = {name: [] for name in functions}

    def watched(name: str, right: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(right)  # tests read its signature
        def call(*arguments: Any, **named: Any) -> Any:
            kept = None
            if len(calls[name]) < _MOST_CALLS and not named:
                with contextlib.suppress(Exception):
                    kept = copy.deepcopy([*arguments])
            came = right(*arguments, **named)
            if kept is not None:
                calls[name].append((kept, came))
            return came

        return call

    for name in functions:
        if callable(names.get(name)):
            names[name] = watched(name, names[name])
    for source in tests:
        with contextlib.suppress(Fault), _quiet():
            run_cell(source, "test", names, locked=True)
    return calls


def _candidates(inputs: list[list[Any]], mutant: str) -> Iterator[list[Any]]:
    """Yield inputs: those that were recorded, some with a constant of the code, and random ones."""
    simplest = sorted(inputs, key=lambda one: len(repr(one)))
    yield from simplest
    numbers = {0, 1, *_constants(mutant)}
    near = sorted({number + step for number in numbers for step in _AROUND}, key=abs)
    for arguments in simplest[:3]:
        for position, value in enumerate(arguments):
            for number in near:
                if (changed := _with_number(value, number)) is not None:
                    yield [*arguments[:position], changed, *arguments[position + 1 :]]
    draw = np.random.default_rng(1)
    by_count: dict[int, list[list[Any]]] = {}
    for arguments in inputs:
        by_count.setdefault(len(arguments), []).append(arguments)
    for _ in range(_ROUNDS):
        for count, those in by_count.items():
            yield from drawn_like(those[:50], [""] * count, draw, {})


def _constants(source: str) -> Iterator[float]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            yield node.value  # type: ignore[misc]


def _with_number(value: Any, number: float) -> Any:
    """Return a value with a number in the place of it, or of its first entry; None without one."""
    if type(value) is int:
        return int(number) if number == int(number) else None
    if type(value) is float:
        return float(number)
    if isinstance(value, np.ndarray) and value.dtype.kind in "iuf" and value.size:
        if value.dtype.kind != "f" and number != int(number):
            return None
        changed = value.copy()
        changed.flat[0] = number
        return changed
    if isinstance(value, list | tuple) and value:
        first = _with_number(value[0], number)
        return None if first is None else type(value)([first, *value[1:]])
    return None


def _result(function: Callable[..., Any], arguments: list[Any]) -> tuple[Any, Any] | None:
    """Return what a call gives, an exception in the place of a result, and its arguments after it.

    None if it takes too long.
    """
    given = copy.deepcopy(arguments)
    try:
        with time_limit(_SECONDS_OF_A_CALL, 5 * _SECONDS_OF_A_CALL), _quiet():
            return function(*given), given
    except Exception as error:
        return error, given
    except BaseException:  # the time limit
        return None


def _differ(came: tuple[Any, Any], due: tuple[Any, Any]) -> bool:
    if isinstance(due[0], Exception) or isinstance(came[0], Exception):
        return type(due[0]) is not type(came[0]) and not isinstance(due[0], Exception)
    if arrays_of(due[0]) and not all(np.isfinite(one).all() for one in arrays_of(due[0])):
        return False
    for one, other in zip(came, due, strict=True):
        try:
            expect_value(one, other)
        except Mismatch:
            return True
        except TypeError:  # objects
            continue
    return False


def _kinds(value: Any) -> Iterator[str]:
    """Yield of what kinds a result and its entries are."""
    yield type(value).__name__
    if isinstance(value, np.ndarray):
        yield "array"
        yield from ["float array"] * (value.dtype == float)
        yield from ["flat array"] * (value.ndim == 1)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _kinds(entry)


def _rounded(value: Any, digits: int) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return np.round(value, digits)
    if isinstance(value, list | tuple):
        return type(value)(_rounded(one, digits) for one in value)
    return round(value, digits) if isinstance(value, float) else value


def _said(outcome: _Outcome) -> str:
    result = outcome[0]
    return type(result).__name__ if isinstance(result, Exception) else _in_words(result)


def _in_words(value: Any) -> str:
    """Return a value as a test cell would have it in its cases, or its shape if that is long."""
    if len(text := _as_code(value)) <= _LONGEST:
        return text
    shape = np.shape(value) if isinstance(value, np.ndarray | np.generic) else ()
    return f"an array of shape {shape}" if shape else f"{text[:_LONGEST]}…"


def _as_code(value: Any) -> str:
    """Return a value as a test cell has it in its cases."""
    if isinstance(value, np.ndarray | np.generic):
        return repr(value.tolist())
    if isinstance(value, list):
        return f"[{', '.join(map(_as_code, value))}]"
    if isinstance(value, tuple):
        return f"({''.join(f'{_as_code(one)}, ' for one in value).rstrip()})"
    return str(getattr(value, "__name__", "f")) if callable(value) else repr(value)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    nothing = io.StringIO()
    quiet = contextlib.redirect_stdout(nothing), contextlib.redirect_stderr(nothing)
    with quiet[0], quiet[1], np.errstate(all="ignore"):
        yield
