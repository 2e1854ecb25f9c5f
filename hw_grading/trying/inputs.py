"""Inputs that tell a wrong answer from the solution, and what to paste into the test.

The instructor's code runs in this process, which is one of the workers. Each call has a time limit.
What is pasted was run: the solution passes it, and the wrong answer does not.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import inspect
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hw_grading.examiner.cells import run_cell
from hw_grading.homework.homework import Homework
from hw_grading.trying.calls import Cells, Tests, beside, calls_of, quiet, solved
from hw_support.checks.compare import Mismatch, arrays_of, expect_value
from hw_support.checks.fresh import drawn_like, is_finite
from hw_support.checks.time_limit import time_limit
from hw_support.source import bound_by

_SECONDS_OF_A_CALL = 1.0
_AROUND = (0, 1, -1, 0.5, -0.5, 1e-3, -1e-3)  # what is added to a constant of the code
_ROUNDS = 40  # of random inputs
_LONGEST = 80  # characters of a value in a sentence
_SAME_DRAWS = 12, 200  # calls that agree, before a function is not random; if it may be
_DRAWS = re.compile(r"random|\brng\b|shuffle|secrets|uuid|bootstrap")
_FACTORS = (2, 10, 1000)  # beyond what tests show

# What is said of an answer, what to paste, and what else is known: "random", "beyond", or "".
Told = tuple[str, str, str]
_NOTHING: Told = "", "", ""


@dataclass(frozen=True)
class _Outcome:
    """What a call gives: a result, or an exception; and its arguments afterwards."""

    result: Any
    arguments: list[Any]


@dataclass(frozen=True)
class _Pair:
    """A function of the solution, the same of a wrong answer, and the names that both see."""

    name: str
    right: Callable[..., Any]
    wrong: Callable[..., Any]
    names: Mapping[str, Any]
    until: float  # CPU time of this process (s)

    def differing(self, given: list[Any]) -> tuple[_Outcome, _Outcome] | None:
        """Return what both give, if it differs."""
        due = _result(self.right, given)
        came = _result(self.wrong, given) if due else None
        return (due, came) if due and came and _differ(came, due) else None

    def passes(self, code: str, *, function: Callable[..., Any]) -> bool:
        """Whether code runs to its end with a function in the place of the solution's."""
        names = {**self.names, self.name: function}
        try:
            with time_limit(_SECONDS_OF_A_CALL, 5 * _SECONDS_OF_A_CALL), quiet():
                exec(code, names)
        except BaseException:
            return False
        return True

    def is_told_by(self, code: str) -> bool:
        """Whether the solution passes code each time, and the wrong answer never."""
        return all(self.passes(code, function=self.right) for _ in range(3)) and not any(
            self.passes(code, function=self.wrong) for _ in range(3)
        )


def telling_input(
    cells: Cells,
    tests: Tests,
    right: str,
    wrong: str,
    homework: Homework,
    cpu_seconds: float,
    is_case: bool,
    is_concept: bool = False,
) -> Told:
    """Return an input for which a wrong answer gives something else, in words and to paste.

    All are "" if none is found. `right` is the source of the solution, `wrong` the changed one. If
    they define no functions, the values that they compute are compared. Of random functions and
    values nothing is compared. What is pasted is a case of `Checks`, or an assert; its numbers lie
    between those that tests show. For a mistake of `concepts`, inputs beyond these are looked for
    too, and shown in words alone: whether the solution is right there, its author must know.
    """
    until = time.process_time() + cpu_seconds
    with beside(homework):
        names = solved(cells)
        one, other = (_bound(source, names, cpu_seconds) for source in (right, wrong))
        functions = [name for name in bound_by(right) if inspect.isfunction(one.get(name))]
        if not functions:
            again = _bound(right, names, cpu_seconds)
            asked = [n for n in bound_by(right) if any(re.search(rf"\b{n}\b", t) for _, t in tests)]
            if _telling_value(asked, one, again):
                return "", "", "random"
            return _telling_value(asked, one, other), "", ""
        calls = calls_of(names, tests, functions)
        for name in functions:
            if callable(changed := other.get(name)):
                inputs = [call.given for call in calls.get(name, ()) if not call.named]
                if _is_random(one[name], inputs, right):
                    return "", "", "random"
                pair = _Pair(name, one[name], changed, one, until)
                if told := _found(pair, inputs, wrong, is_case, is_concept):
                    return told
    return _NOTHING


def _found(
    pair: _Pair, inputs: list[list[Any]], wrong: str, is_case: bool, is_concept: bool
) -> Told | None:
    for given in _candidates(pair.right, inputs, wrong):
        if time.process_time() > pair.until:
            return None
        if outcomes := pair.differing(given):
            for digits in (0, 1, 3):  # the simplest that does
                rounded = _rounded(given, digits)
                if _is_within(rounded, inputs) and (simple := pair.differing(rounded)):
                    given, outcomes = rounded, simple
                    break
            return _told(pair, given, *outcomes, is_case=is_case)
    for given in _beyond(inputs) if is_concept else ():
        if time.process_time() > pair.until + _SECONDS_OF_A_CALL:
            return None
        if outcomes := pair.differing(given):
            said, _, _ = _told(pair, given, *outcomes, is_case=is_case)
            return said, "", "beyond"
    return None


def _told(pair: _Pair, given: list[Any], due: _Outcome, came: _Outcome, *, is_case: bool) -> Told:
    about = zip(_names_of(pair.right, len(given)), given, strict=True)
    said = f"`{', '.join(f'{name} = {_in_words(value)}' for name, value in about)}`"
    call = f"{pair.name}({', '.join(map(_as_code, given))})"
    code = run = ""
    if _differ_in(came.result, due.result):
        said += f" gives {_said(due)}, the wrong answer {_said(came)}"
        if is_case:
            code = _case(given, due)
            run = _with_checks(pair, given, due, 'table("case", 1, {names!r})')
        else:
            code = _asserted(call, due.result)
    elif any(map(_differ_in, came.arguments, due.arguments)):
        said += ": the wrong answer changes its arguments"
        if is_case:
            code = "checks.untouched(1)"
            run = _with_checks(pair, given, due, "untouched(1)")
        else:
            code = _kept(pair, given, due)
    else:
        kinds = type(due.result).__name__, type(came.result).__name__
        said += f" gives a {kinds[0]}, the wrong answer a {kinds[1]}"
        if not is_case:
            code = f'assert type({call}).__name__ == "{kinds[0]}"'
    is_shown = bool(code) and pair.is_told_by(run or code)
    return said, code if is_shown else "", ""


def _case(given: list[Any], due: _Outcome) -> str:
    results = due.result if isinstance(due.result, tuple) else (due.result,)
    return f"({', '.join(_as_code(one, lists=True) for one in [*given, *results])}),"


def _with_checks(pair: _Pair, given: list[Any], due: _Outcome, part: str) -> str:
    """Return code that runs a case in a `Checks`, as the test would, with one part."""
    results = len(due.result) if isinstance(due.result, tuple) else 1
    inputs = ", ".join(f"input{n}" for n in range(len(given)))
    names = ", ".join(f"result{n}" for n in range(results))
    return (
        "from hw_support import Checks\n"
        f"checks = Checks({pair.name!r}, inputs={inputs!r}, returns={names!r}, "
        f"cases=[{_case(given, due)}])\n"
        f"checks.{part.format(names=names)}\nassert checks.parts[-1].passed"
    )


def _asserted(call: str, due: Any) -> str:
    """Return an assert that a call has a result."""
    if arrays_of(due):
        return f"np.testing.assert_allclose({call}, {_as_code(due, lists=True)})"
    if isinstance(due, float | np.floating):
        return f"assert abs({call} - {_as_code(due)}) <= {1e-6 * max(1.0, abs(float(due))):.0e}"
    return f"assert {call} == {_as_code(due)}"


def _kept(pair: _Pair, given: list[Any], due: _Outcome) -> str:
    """Return code that a call leaves its arguments as the solution does."""
    names = _names_of(pair.right, len(given))
    bound = [f"{name} = {_as_code(value)}" for name, value in zip(names, given, strict=True)]
    after = [
        f"assert np.array_equal({name}, {_as_code(value)})"
        if isinstance(value, np.ndarray)
        else f"assert {name} == {_as_code(value)}"
        for name, value in zip(names, due.arguments, strict=True)
        if isinstance(value, list | dict | set | np.ndarray)
    ]
    return "\n".join([*bound, f"{pair.name}({', '.join(names)})", *after])


def _telling_value(names: Sequence[str], one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Return in words which of these names two cells bind to different values; "" if none."""
    for name in names:
        missing = NameError()
        due, came = (_Outcome(values.get(name, missing), []) for values in (one, other))
        if not callable(due.result) and due.result is not missing and _differ(came, due):
            return f"`{name}` is {_said(due)}, in the wrong answer {_said(came)}"
    return ""


def _bound(source: str, names: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """Return what a cell binds beside these names, as far as it comes."""
    found = dict(names)
    with contextlib.suppress(BaseException), time_limit(seconds, 5 * seconds), quiet():
        run_cell(source, "answer", found, locked=True)
    return found


def _names_of(function: Callable[..., Any], count: int) -> list[str]:
    names = [*inspect.signature(function).parameters]
    return [*names, *(f"argument{n}" for n in range(len(names) + 1, count + 1))][:count]


def _is_random(function: Callable[..., Any], inputs: Sequence[list[Any]], source: str) -> bool:
    """Whether calls with the same inputs give different results."""
    for given in sorted(inputs, key=lambda one: len(repr(one)))[:3]:
        until = time.process_time() + _SECONDS_OF_A_CALL
        first = _result(function, given)
        for number in range(_SAME_DRAWS[bool(_DRAWS.search(source))]):
            if number > _SAME_DRAWS[0] and time.process_time() > until:
                break
            if first and (other := _result(function, given)) and _differ(other, first):
                return True
    return False


# -- inputs to try


def _candidates(
    right: Callable[..., Any], inputs: list[list[Any]], wrong: str
) -> Iterator[list[Any]]:
    """Yield inputs: those of tests, some with a constant of the code, and random ones like these.

    Numbers lie between those that tests show. Optional arguments are left out too.
    """
    simplest = sorted(inputs, key=lambda one: len(repr(one)))
    yield from simplest
    yield from _with_optional(right, simplest[:5])
    numbers = {0, 1, *_constants(wrong)}
    near = sorted({number + step for number in numbers for step in _AROUND}, key=abs)
    for given in simplest[:3]:
        for position, value in enumerate(given):
            for number in near:
                if (changed := _with_number(value, number)) is not None:
                    made = [*given[:position], changed, *given[position + 1 :]]
                    yield from [made] if _is_within(made, inputs) else []
    draw = np.random.default_rng(1)
    by_count: dict[int, list[list[Any]]] = {}
    for given in inputs:
        by_count.setdefault(len(given), []).append(given)
    for _ in range(_ROUNDS):
        for count, those in by_count.items():
            made_like = drawn_like(those[:50], [""] * count, draw, {})
            yield from (one for one in made_like if _is_within(one, inputs))


def _with_optional(
    function: Callable[..., Any], inputs: Sequence[list[Any]]
) -> Iterator[list[Any]]:
    """Yield inputs without their last optional arguments, and with one that no test passes."""
    parameters = [*inspect.signature(function).parameters.values()]
    defaults = [p.default for p in parameters if p.kind <= p.POSITIONAL_OR_KEYWORD]
    needed = sum(default is inspect.Parameter.empty for default in defaults)
    for given in inputs:
        for count in range(needed, len(given)):
            yield given[:count]
        for default in defaults[len(given) :][:1]:
            yield from ([*given, other] for other in _other_than(default))


def _other_than(default: Any) -> Iterator[Any]:
    if isinstance(default, bool):
        yield not default
    elif isinstance(default, int | float):
        yield from (default + 1, default * 2 or 2, default + 0.5)


def _is_within(given: list[Any], inputs: Sequence[list[Any]]) -> bool:
    """Whether all numbers of inputs lie between those that tests show at their places."""
    for place, value in enumerate(given):
        shown = [number for one in inputs if place < len(one) for number in _span(one[place])]
        numbers = _span(value)
        if numbers and shown and not min(shown) <= min(numbers) <= max(numbers) <= max(shown):
            return False
    return True


def _span(value: Any) -> list[float]:
    """Return the least and the largest of the numbers in a value, if it has any."""
    if isinstance(value, list | tuple):
        return [number for entry in value for number in _span(entry)]
    if isinstance(value, bool) or not isinstance(value, int | float | np.ndarray | np.number):
        return []
    array = np.asarray(value)
    return [array.min(), array.max()] if array.size and array.dtype.kind in "iuf" else []


def _beyond(inputs: list[list[Any]]) -> Iterator[list[Any]]:
    """Yield inputs that differ from those of tests in size, sign, order or signs of a text."""
    for given in sorted(inputs, key=lambda one: len(repr(one)))[:3]:
        for position, value in enumerate(given):
            for other in _unlike(value):
                yield [*given[:position], other, *given[position + 1 :]]
        sizes = {len(one) for one in given if isinstance(one, list | np.ndarray) and np.ndim(one)}
        if len(sizes) == 1:  # arguments that belong together
            yield [_twice(value) for value in given]


def _unlike(value: Any) -> Iterator[Any]:
    if isinstance(value, str):
        yield from (f"{value} {value}", value.upper(), value.title(), f"{value}12", f"12{value}")
        yield re.sub(r"(\w)", r"\1\1", value)
        yield re.sub(r"(\w)\1+", r"\1", value)
    elif isinstance(value, bool):
        return
    elif isinstance(value, int | float):
        yield -value
        yield from (value * factor for factor in _FACTORS)
    elif isinstance(value, list | np.ndarray) and np.ndim(value):
        yield _twice(value)
        yield value[::-1]


def _twice(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.ndim:
        return np.concatenate([value, value[::-1]])
    return [*value, *value[::-1]] if isinstance(value, list) else value


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


# -- what calls give


def _result(function: Callable[..., Any], arguments: list[Any]) -> _Outcome | None:
    """Return what a call gives; None if it takes too long, or if the inputs cannot be copied."""
    try:
        given = copy.deepcopy(arguments)
        with time_limit(_SECONDS_OF_A_CALL, 5 * _SECONDS_OF_A_CALL), quiet():
            try:
                return _Outcome(function(*given), given)
            except Exception as error:
                return _Outcome(error, given)
    except BaseException:  # the time limit
        return None


def _differ(came: _Outcome, due: _Outcome) -> bool:
    """Whether a wrong answer gives something else; not where the solution raises, or gives NaN."""
    if isinstance(due.result, Exception):
        return False
    if isinstance(came.result, Exception):
        return True
    if not is_finite(due.result):
        return False
    if any(map(_differ_in, [came.result, *came.arguments], [due.result, *due.arguments])):
        return True
    is_checked = isinstance(due.result, dict | set | Iterator)
    return is_checked and type(due.result) is not type(came.result)


def _differ_in(came: Any, due: Any) -> bool:
    try:
        expect_value(came, due)
    except Mismatch:
        return True
    except Exception:  # objects that nobody can compare
        return False
    return False


def _rounded(value: Any, digits: int) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return np.round(value, digits)
    if isinstance(value, list | tuple):
        return type(value)(_rounded(one, digits) for one in value)
    return round(value, digits) if isinstance(value, float) else value


# -- in words and as code


def _said(outcome: _Outcome) -> str:
    result = outcome.result
    return type(result).__name__ if isinstance(result, Exception) else _in_words(result)


def _in_words(value: Any) -> str:
    """Return a value as a test cell would have it in its cases, or its shape if that is long."""
    if len(text := _as_code(value, lists=True)) <= _LONGEST:
        return text
    shape = np.shape(value) if isinstance(value, np.ndarray | np.generic) else ()
    return f"an array of shape {shape}" if shape else f"{text[:_LONGEST]}…"


def _as_code(value: Any, *, lists: bool = False) -> str:
    """Return a value as code; with `lists`, as cases of `Checks` have it: lists for arrays."""
    if isinstance(value, np.ndarray) and not lists and value.ndim:
        return f"np.array({value.tolist()!r})"
    if isinstance(value, np.ndarray | np.generic):
        return repr(value.tolist())
    if isinstance(value, list):
        return f"[{', '.join(_as_code(one, lists=lists) for one in value)}]"
    if isinstance(value, tuple):
        return f"({''.join(f'{_as_code(one, lists=lists)}, ' for one in value).rstrip()})"
    return str(getattr(value, "__name__", "f")) if callable(value) else repr(value)
