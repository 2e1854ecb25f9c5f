"""Test cells in parts: a part is a function of a case, and passes if all of its cases pass.

A test cell opens a `Checks`, adds its parts, and ends in ``checks.score()``, which nbgrader takes
as the cell's partial credit::

    checks = Checks("mean_and_spread", inputs="x", returns="mean, spread", cases=[
        ([1.0, 3.0], 2.0, 1.0),
    ])
    checks.table("means", points=1, compare="mean")

    @checks.part("the spread of numbers that are all the same is 0", points=1)
    def _():
        assert_close(mean_and_spread(np.ones(3))[1], 0.0, what="spread")

    checks.score()

Students see every part and run it with the cases of the cell. When a notebook is graded,
`Checks.grade_with` adds fresh cases, and a second try: a part that fails runs once more with the
homework's reference in the place of every function further up in the notebook. The better result
counts, so a bug in one function costs no points in another that calls it.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import importlib
import inspect
import itertools
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hw_support import failures
from hw_support.compare import (
    Mismatch,
    assert_close,
    expect_result_kept,
    expect_same,
    looked_at,
    shown,
)
from hw_support.fresh import generator
from hw_support.notebook_access import notebook_of
from hw_support.time_limit import TimeLimitReached

Case = Sequence[Any]

# The limit for one try of a part, with all its cases. Right answers take a few milliseconds.
CPU_SECONDS, WALL_SECONDS = 5.0, 25.0
_LONGEST_INPUTS = 300  # characters
# What NumPy's errors for shapes that do not fit together have in their text.
_OF_SHAPES = re.compile(r"matmul|broadcast|not aligned|einsum|dimension|shape")
# What messages say of a function without an answer, and of a part that does not count alone.
NOT_ANSWERED = "is not answered yet"
COUNTS_ONLY = "counts only if a part that compares values passes"
EXCUSED = "one of your functions raises an error here, which has cost points in its own test"
SECOND_TRY = "with right functions in the place of those that stand above in the notebook"
# Points earned and possible in the tests of answered functions that this process has run, by name.
earned: dict[str, tuple[float, float]] = {}


_close = functools.partial(assert_close, rtol=1e-5, atol=1e-8)


class StaffError(BaseException):
    """The homework's staff code, or the test, failed. This is no mistake of the student's.

    It is no `Exception`, so that ``except Exception`` in a test does not hide it.
    """


@dataclass(frozen=True)
class Part:
    """The outcome of a part.

    `message` says why it failed; it is empty if the part passed. `fresh` tells whether a fresh case
    failed, `second_try` whether the part passed only with the reference's functions, `excused`
    whether it counts because a function that has cost points raises an error there, and
    `compares_values` whether it compares values.
    """

    what: str
    points: float
    message: str = ""
    fresh: bool = False
    second_try: bool = False
    excused: bool = False
    compares_values: bool = True

    @property
    def passed(self) -> bool:
        """Whether the part's points were earned."""
        return not self.message


class Checks:
    """The parts of one test cell.

    Parameters
    ----------
    name
        Of the function or question that the cell tests.
    inputs, returns
        Names of the function's arguments and results, for `table` and `untouched`: ``"x, W, b"``.
    function
        What is called there, if it is not the notebook's function `name`.
    cases
        For the parts without cases of their own: tuples of the inputs and then of what is expected.
        A list of numbers stands for an array, a tuple for a list. Each part gets a copy.
    """

    def __init__(
        self,
        name: str,
        *,
        inputs: str = "",
        returns: str = "",
        cases: Iterable[Case] = (),
        function: Callable[..., object] | None = None,
    ) -> None:
        cell = sys._getframe(1)
        self.name = name
        self._inputs, self._returns, self._function = inputs.split(", "), returns, function
        self.notebook = notebook_of(cell.f_globals)
        self.parts: list[Part] = []
        self.notes: list[str] = []  # remarks that cost no points
        # Of the last part that failed: its case, and the arrays that it compared.
        self.case: Case | None = None
        self.got: object = None
        self.expected: object = None
        self.second_try = False  # whether the reference's functions replace the notebook's now
        self._cases = list(cases)
        self._fresh: dict[str, list[Case]] = {}  # by part; those of "" are for all parts
        self._reference: Any = None  # its module
        self._file = cell.f_code.co_filename
        self._shows_results = False  # whether it tests a deliverable, and no function
        self._unanswered = ""  # the message for all parts, if there is no answer yet
        self._running: list[Case] = []  # the cases of the part that runs
        self._calls: Any = None  # the inputs and calls of the part that runs, if it has begun them
        self._shared: dict[Any, Any] = {}  # cases and calls that several parts use

    def grade_with(self, package: str) -> None:
        """Add fresh cases and second tries from a homework's staff code, such as ``staff.hw2``.

        ``<package>.fresh`` may have a function with the name of this `Checks`. It takes a random
        generator, which depends on the submission's seed alone, and returns cases: a list for all
        parts without cases of their own, or a dictionary of lists by part.

        ``<package>.reference`` holds right functions in the order of the notebook. In a second try,
        those before the tested one replace the notebook's own. Its function ``second_try(own)``, if
        there is one, returns a dictionary of functions to use instead; ``own(name)`` is the
        notebook's own function.

        `StaffError` if the staff code fails.
        """
        try:
            self._reference = importlib.import_module(f"{package}.reference")
            draw = getattr(importlib.import_module(f"{package}.fresh"), self.name, None)
            cases = draw(generator(self.name)) if draw else {}
            self._fresh = cases if isinstance(cases, dict) else {"": list(cases)}
        except Exception as error:
            raise StaffError(f"{package} has no cases for {self.name}: {error!r}") from error

    def part(
        self,
        what: str,
        points: float,
        *,
        cases: Sequence[Case] | None = None,
        values: bool = True,
        of: Sequence[str] = (),
    ) -> Callable[[Callable[..., object]], object]:
        """Return a decorator that runs a function as a part at once.

        Parameters
        ----------
        what
            What the part tests, in a few words.
        points
            What it is worth.
        cases
            The part's own cases. Without any, its function is called once, with no arguments.
        values
            Whether the part compares values. One that does not, such as a comparison of shapes,
            counts only if a part above it that does has passed.
        of
            The functions whose results a deliverable shows. What the notebook's own functions
            return is right, also if it is wrong: it has cost points in the function's own test. But
            if two functions of the notebook or more have less than half of their points, and one of
            these is among them, only what the reference returns is right. If one of them raises an
            error, there is nothing to show, and the part counts under the same condition.
        """

        def run(function: Callable[..., object]) -> object:
            part = Part(failures.one_line(what), points, compares_values=values)
            self._add(part, function, cases, of)
            # The name `_` of the notebook, to which the decorated function is bound, stays.
            return dict.get(self.notebook.names, "_")

        return run

    def table(
        self,
        what: str,
        points: float,
        compare: str,
        *,
        cases: Sequence[Case] | None = None,
        values: bool = True,
        by: Callable[..., object] = _close,
        **how: Any,
    ) -> None:
        """Run a part that compares some of the function's results: those that `compare` names.

        Each is compared by ``by(got, expected, what=name, **how)``; without `by`, as `assert_close`
        does, up to a relative error of 1e-5. For `cases` and `values` see `part`.
        """
        names, count = self._returns.split(", "), len(self._inputs)

        def row(*case: object) -> None:
            _, call = self._next_call(lambda inputs: [inputs], whole=False)
            came = results(call(), self._returns)
            for name in compare.split(", "):
                by(came[names.index(name)], case[count + names.index(name)], what=name, **how)

        self.part(what, points, cases=cases, values=values)(row)

    def untouched(self, what: str, points: float, *, cases: Sequence[Case] | None = None) -> None:
        """Run a part that expects that calls change neither their inputs nor earlier results."""

        def row(*case: object) -> None:
            inputs, call = self._next_call(lambda one: [one, _reversed(one)], whole=True)
            before = copy.deepcopy(inputs)
            called = call()
            expect_same(called.arguments, before, ", ".join(self._inputs))
            expect_result_kept(called.result, next(self._calls)[1])

        self.part(what, points, cases=cases, values=False)(row)

    def shows(
        self,
        what: str,
        points: float,
        names: str,
        call: Callable[[], object],
        *,
        of: Sequence[str],
        by: Callable[..., object] = _close,
        **how: Any,
    ) -> None:
        """Run a part that compares the values of names of the notebook with the results of a call.

        `names` are as many as the results of ``call()``: ``"sigmoid_near, sigmoid_near_grad"``. For
        `of` see `part`, for `by` and `how` see `table`.
        """

        def row() -> None:
            [called] = self.notebook.calls(call, [()], whole=False)
            for name, right in zip(names.split(", "), results(called(), names), strict=True):
                by(self._value(name), right, what=name, **how)

        self.part(what, points, of=of)(row)

    def _next_call(self, split: Callable[[Any], list[Any]], *, whole: bool) -> Any:
        """Return the inputs and the call of the next case, of those that `_run` runs.

        `split` returns the inputs of each call of a case. For `whole` see `Notebook.calls`.
        """
        if self._calls is None:
            cases = [_arrays(copy.deepcopy(case))[: len(self._inputs)] for case in self._running]
            inputs = [one for case in cases for one in split(case)]
            # The parts of a table share their calls, if the results cannot be used up.
            key = (self.second_try, whole, *map(id, self._running))
            if key not in self._shared or not self.notebook.keeps_results:
                function = self._function or self._value(self.name)
                calls = self.notebook.calls(function, inputs, whole=whole)
                self._shared[key] = self._running, calls  # the cases too, since ids are used again
            self._calls = zip(inputs, self._shared[key][1], strict=True)
        return next(self._calls)

    def _value(self, name: str) -> Any:
        """Return the value of a name of the notebook; NameError if it has none."""
        try:
            return self.notebook.names[name]
        except KeyError:
            raise NameError(f"name {name!r} is not defined", name=name) from None

    def _add(
        self,
        part: Part,
        function: Callable[..., object],
        cases: Sequence[Case] | None,
        of: Sequence[str],
    ) -> None:
        """Run a part, add it and print its outcome."""
        fresh = self._fresh.get(part.what, self._fresh.get("", []) if cases is None else [])
        own = (self._cases if cases is None else cases) or [()]
        self._shows_results |= bool(of)
        part = self._tried(part, functools.partial(self._run, part, function, own, fresh), of)
        self.parts.append(part)
        if not self._unanswered:
            print(_line(part.what, part.points, part.message))
        if part.second_try or part.excused:
            print(f"        {SECOND_TRY if part.second_try else EXCUSED}")

    def _tried(self, part: Part, run: Callable[[], Part], of: Sequence[str]) -> Part:
        """Return the part with its outcome, after at most two tries."""
        if self._unanswered:
            return replace(part, message=self._unanswered)
        if not part.compares_values and not any(p.passed and p.compares_values for p in self.parts):
            return replace(part, message=COUNTS_ONLY)
        first, too_few = run(), _with_too_few_points(of)
        if first.excused and of and not too_few:
            return replace(part, excused=True)
        if first.message or too_few:
            if self._reference:
                with self.notebook.replaced(**self._right_functions()):
                    self.second_try = True
                    second = run()
                    self.second_try = False
                if not second.message:
                    return replace(part, second_try=True)
            elif not first.message:
                too_few += ". When you are graded, the right value counts"
        return replace(first, message=first.message or too_few, excused=False)

    def _right_functions(self) -> dict[str, object]:
        """Return the reference's functions that stand before the tested one in the notebook."""
        reference = self._reference
        right = {
            name: function
            for name, function in vars(reference).items()
            if inspect.isfunction(function) and function.__module__ == reference.__name__
        }
        second_try: Callable[..., Any] = right.pop("second_try", lambda _: {})
        replaced = second_try(self.notebook.own)
        names = [name for name in right if not name.startswith("_")]
        above = names[: names.index(self.name)] if self.name in names else names
        return {name: replaced.get(name, right[name]) for name in above}

    def _run(
        self,
        part: Part,
        function: Callable[..., object],
        cases: Sequence[Case],
        fresh: Sequence[Case],
    ) -> Part:
        """Run a part with all cases until one fails; it is `excused` if the notebook's code raised.

        KeyboardInterrupt ends the cell.
        """
        case: Case = ()
        self._running, self._calls = [*cases, *fresh], None
        try:
            with self.notebook.limited(CPU_SECONDS, WALL_SECONDS):
                for number, case in enumerate(self._running):
                    part = replace(part, fresh=number >= len(cases))
                    with _output(dropped=part.fresh or self.second_try):
                        function(*_arrays(copy.deepcopy(case)))
        except (StaffError, KeyboardInterrupt):
            raise
        except BaseException as error:
            place, message = None, "an exception was raised"
            with contextlib.suppress(Exception):  # its text and attributes are student code too
                place = failures.place_of(error, self.notebook.names, but=self._file)
                if isinstance(error, ImportError) and not place:
                    raise StaffError(str(error)) from None
                message = self._why(error, place)
                names = [*inspect.signature(function).parameters]
                names = self._inputs if names == ["case"] else names
                if not self._unanswered and (about := _about(names, case, part.fresh, error)):
                    message += f"{'' if message.endswith('?') else '.'} {about}"
                if not self.second_try:
                    self.case, self.got = case, getattr(error, "got", None)
                    self.expected = getattr(error, "expected", None)
            told = isinstance(error, Mismatch | NotImplementedError)
            excused = isinstance(error, Exception) and not told and bool(place)
            message = failures.one_line(message) or "failed"  # blanks are a failure too
            return replace(part, message=message, excused=excused)
        finally:
            self.notebook.end_part()
        return replace(part, fresh=False)

    def _why(self, error: BaseException, place: failures.Place | None) -> str:
        if isinstance(error, TimeLimitReached):
            self._shared.clear()
            return f"did not return within {CPU_SECONDS:g} s (an endless loop?)"
        if isinstance(error, Mismatch):
            return str(error)
        if isinstance(error, NotImplementedError):
            name = place.function if place else "this"
            message = f"{name} {NOT_ANSWERED} (NotImplementedError)"
        elif isinstance(error, NameError) and not place:  # the test itself needs the name
            name = str(error.name)
            message = f"{name} is not defined. Did its cell end in an error?"
        else:
            return failures.described(error, place)
        if name == self.name and not self.second_try:
            self._unanswered = message
        return message

    def note(self, text: str) -> None:
        """Print a remark that costs no points, once: ``note    <text>``.

        The text, a sentence on what you should look at, is cut after 1000 characters. ``python -m
        hw_support check`` lists the remarks; while there are any, it does not report that nothing
        is left to do.
        """
        line = failures.one_line(str(text))
        if line and line not in self.notes:
            self.notes.append(line)
            print(f"note    {line}")

    def score(self) -> float | None:
        """Return the points earned, as the cell's last expression.

        It is None if the parts are worth nothing. AssertionError if a part has failed while
        nbgrader validates the notebook, which reports only errors.
        """
        known = {part.what for part in self.parts} | {""}
        if unknown := [what for what in self._fresh if what not in known]:
            raise StaffError(f"{self.name} has no part {unknown[0]!r}, for which there are cases")
        points = sum(part.points for part in self.parts)
        got = sum(part.points for part in self.parts if part.passed)
        if not (self._shows_results or self._unanswered):
            earned[self.name] = got, points
        if self._unanswered:
            print(_line(f"all {len(self.parts)} parts", points, self._unanswered))
        print(f"{self.name}: {got:g} of {points:g} points")
        failed = [part for part in self.parts if not part.passed]
        if failed and os.environ.get("NBGRADER_EXECUTION") == "validate":
            lines = [f"{part.what}: {part.message}" for part in failed]
            raise AssertionError("\n".join(["parts that failed:", *lines]))
        return float(got) if points else None


def results(came: Any, names: str) -> list[Any]:
    """Return the results of a call, as many as there are names: ``"out, grad"``.

    For one name, what was returned is the result. `Mismatch` if the call returned fewer results.
    Further results are left out.
    """
    count = len(names.split(", "))
    if count == 1:
        return [came]
    value = None
    with contextlib.suppress(Mismatch):
        value = looked_at(came)
    # The rows of one array are no results.
    if isinstance(value, Iterable) and not isinstance(value, np.ndarray | str | dict):
        entries = list(itertools.islice(value, count))
        if len(entries) == count:
            return entries
    missing = ". Is a `return` missing?" if came is None else ""
    raise Mismatch(f"expected {count} results ({names}), got {shown(came)}{missing}")


def _with_too_few_points(functions: Sequence[str]) -> str:
    """Say that one of these functions and another have less than half of their points; or ""."""
    poor = [name for name, (got, points) in earned.items() if got < points / 2]
    if len(poor) < 2 or not {*functions} & {*poor}:
        return ""
    return (
        f"{' and '.join(poor)} have less than half of their points, so their results do not count"
    )


def _arrays(value: Any) -> Any:
    """Return a case with arrays in the place of lists of numbers, and lists in that of tuples."""
    if issubclass(type(value), tuple):
        return list(map(_arrays, value))
    numbers = value
    while issubclass(type(numbers), list) and numbers:
        numbers = numbers[0]
    is_array = issubclass(type(value), list) and issubclass(type(numbers), int | float)
    return np.array(value) if is_array else value


def _about(names: Sequence[str], case: Case, is_fresh: bool, error: BaseException) -> str:
    """Describe the inputs of a case: all but those that begin with "expected".

    Arrays are told by their shapes if NumPy raised an error for these.
    """
    of_shapes = isinstance(error, ValueError) and _OF_SHAPES.search(str(error))
    most = {"entries": 0} if of_shapes else {}
    inputs = zip(names, _arrays(tuple(case)), strict=False)
    shows = [f"{n} = {shown(v, **most)}" for n, v in inputs if not n.startswith("expected")]
    text = ", ".join(shows)
    if len(text) > _LONGEST_INPUTS:
        text = text[:_LONGEST_INPUTS] + "…"
    return f"{'Fresh input' if is_fresh else 'Input'}: {text}" if text else ""


def _reversed(value: Any) -> Any:
    """Return arrays, and those in lists, with their rows in reversed order; else the value."""
    if issubclass(type(value), list):
        return [_reversed(entry) for entry in value]
    is_array = issubclass(type(value), np.ndarray) and value.ndim
    return value[::-1].copy() if is_array else value


def _line(what: str, points: float, message: str) -> str:
    mark = f"FAILED  {what} [{points:g} pt]\n        {message}"
    return mark if message else f"passed  {what} [{points:g} pt]"


@contextlib.contextmanager
def _output(*, dropped: bool) -> Iterator[None]:
    """Show what is written to stderr as ordinary output: nbgrader would score 0 for it."""
    with open(os.devnull, "w", encoding="utf-8") as nothing:
        stream = nothing if dropped else sys.stdout
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
            yield
