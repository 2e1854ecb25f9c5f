"""Test cells in parts: a part is a function of a case, and passes if all of its cases pass.

A test cell opens a `Checks`, adds its parts, and ends in ``checks.score()``, which nbgrader takes
as the cell's partial credit::

    checks = Checks("mean_and_spread", returns="mean, spread", cases=[([1.0, 3.0], 2.0, 1.0)])
    checks.table("means", points=1, compare="mean")

    @checks.part("the spread of numbers that are all the same is 0", points=1)
    def _():
        assert_close(mean_and_spread(np.ones(3))[1], 0.0, what="spread")

    checks.score()

Students see every part and run it with the cases of the cell. When a notebook is graded, the
homework's solutions are at hand as a reference. They answer fresh cases (see `Checks.fresh`), and
a part that fails gets a second try, with the reference in the place of every function further up in
the notebook. The better result counts, so a bug in one function costs no points in another that
calls it. A grader may make the second tries later, when no student code follows: see `Tries`.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import io
import itertools
import math
import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from types import CodeType
from typing import TYPE_CHECKING, Any

import numpy as np

from hw_support import figures
from hw_support.checks import failures
from hw_support.checks.causes import IN_ANOTHER_ORDER, mark_of, times
from hw_support.checks.compare import (
    Mismatch,
    NotPlainData,
    as_numbers,
    expect,
    expect_result_kept,
    expect_same,
    expect_spread,
    expect_value,
    looked_at,
    refuted,
    shown,
)
from hw_support.checks.fitting import (
    Arguments,
    arguments_of,
    wrong_call,
    wrong_case,
    wrong_inputs,
    wrong_part,
    wrong_results,
)
from hw_support.checks.fresh import drawn_like, generator, is_finite
from hw_support.checks.notebook_access import notebook_of
from hw_support.checks.time_limit import TimeLimitReached
from hw_support.checks.written import last_call

if TYPE_CHECKING:
    from hw_support.figures import Facts

Case = Sequence[Any]
Mark = tuple[float, float]
Explain = Callable[[Sequence[Case]], str]  # of a part's visible cases, which known mistake it is

# The limit for one try of a part, with all its cases. Right answers take a few milliseconds.
CPU_SECONDS, WALL_SECONDS = 5.0, 25.0
_MOST_ENTRIES = 10_000  # of an iterator, which may never end
_LONGEST_INPUTS = 300  # characters
_WIDTH = 88  # characters of a line
PASSED, FAILED = "passed", "FAILED"
_COLOURS, _PLAIN = {PASSED: "\x1b[32m", FAILED: "\x1b[1;31m"}, "\x1b[0m"
# What NumPy's errors for shapes that do not fit together have in their text.
_OF_SHAPES = re.compile(r"matmul|broadcast|not aligned|einsum|dimension|shape")
DID_NOT_RETURN = "did not return within"
# What messages say of a function without an answer, and of a part that does not count alone.
NOT_ANSWERED = "is not answered yet"
COUNTS_ONLY = "counts only if a part that compares values passes"
_AGAIN = {COUNTS_ONLY: COUNTS_ONLY}
_THE_SAME = "for the same reason as a part above"
SECOND_TRY = "passed with correct versions of your earlier functions"

# What code of the homework's own may raise while it draws or answers fresh cases.
_NOTHING_RIGHT = (Exception, NotPlainData, TimeLimitReached)


class StaffError(BaseException):
    """The homework's staff code, or the test, failed. This is no mistake of the student's.

    It is no `Exception`, so that ``except Exception`` in a test does not hide it.
    """


class _TooFewResults(ValueError):
    """The solution returns fewer results than the test names."""


@dataclass(frozen=True)
class Part:
    """The outcome of a part.

    `message` says why it failed; it is empty if the part passed. `fresh` tells whether a fresh case
    failed, `second_try` whether the part passed only with the reference's functions, and
    `compares_values` whether it compares values. `excused` says why the part counts although one of
    the student's functions raised an error or is not defined: that has cost points already.
    """

    what: str
    points: float
    message: str = ""
    fresh: bool = False
    second_try: bool = False
    excused: str = ""
    compares_values: bool = True

    @property
    def passed(self) -> bool:
        """Whether the part's points were earned."""
        return not self.message


@dataclass(frozen=True)
class FirstTry:
    """The first try of a part: its outcome, what it printed, and what is told from then on."""

    part: Part
    said: str
    unanswered: str
    told: frozenset[str]


class Tries:
    """The tries of a cell that runs twice: `first` are those of its parts, None if it had none.

    The first time no part gets a second try. If one is wanted, the cell runs again with the first
    tries `known`, when no code of the student's follows.
    """

    def __init__(self, known: Sequence[FirstTry | None] = ()) -> None:
        self.first: list[FirstTry | None] = []
        self.is_wanted = False  # whether the cell should run again
        self.is_second = bool(known)
        self._known = known

    def begin(self) -> FirstTry | None:
        """Begin the next part; return its first try if it is known."""
        place = len(self.first)
        self.first.append(None)
        return self._known[place] if place < len(self._known) else None


class Checks:
    """The parts of one test cell.

    Parameters
    ----------
    name
        Of the function or question that the cell tests.
    inputs
        Names of the function's arguments, as in ``"x, W, b"``. Without it, those of its signature.
    returns
        Names of its results, for `table`.
    function
        What is called there, if it is not the notebook's function `name`.
    cases
        For the parts without cases of their own: tuples of the inputs and then of what is expected.
        A list of numbers stands for an array, a tuple for a list. Each part gets a copy.
    exactly
        Whether further results, beyond those that `returns` names, are a mistake.
    likely
        Known mistakes. A key says what the mistake is, as a message ends: "the bias is missing".
        Its value has, by the name of each result that the mistake makes wrong, one number that
        stands for the wrong values, their mark. To get the mark, make the mistake in the notebook,
        run the test, and look at ``checks.marks``. From then on, a table whose values have this
        mark says "Likely cause: the bias is missing".
    """

    def __init__(
        self,
        name: str,
        *,
        inputs: str = "",
        returns: str = "",
        cases: Iterable[Case] = (),
        function: Callable[..., object] | None = None,
        exactly: bool = False,
        likely: Mapping[str, Mapping[str, Sequence[float]]] | None = None,
    ) -> None:
        cell = sys._getframe(1)
        self.name = name
        self._given_inputs, self._returns, self._function = inputs, returns, function
        self.notebook = notebook_of(cell.f_globals)
        self.parts: list[Part] = []
        self.notes: list[str] = []  # remarks that cost no points
        # Of the last part that failed: its case, and the arrays that it compared.
        self.case: Case | None = None
        self.got: object = None
        self.expected: object = None
        # Of tables that failed: the marks of their results, by name. See `likely` above.
        self.marks: dict[str, list[float]] = {}
        self.second_try = False  # whether the reference's functions replace the notebook's now
        self._cases = list(cases)
        self._exactly, self._likely = exactly, likely or {}
        self._told: set[str] = set()  # inputs and causes that stand in a message already
        self._later: dict[str, list[Part]] = {}  # parts that `score` prints, by their message
        self._reference = self.notebook.reference
        self._ranges: Mapping[str, tuple[float, float]] = {}  # of fresh numbers, by input
        self._draw: Callable[[np.random.Generator], Any] | None = None  # the test's own generator
        self._file = cell.f_code.co_filename
        self._nothing_shown = False  # whether the part that runs has no value of a deliverable
        self._unanswered = ""  # the message for all parts, if there is no answer yet
        self._late = ""  # the message for further parts, if the function did not return
        self._running: list[Case] = []  # the cases of the part that runs
        self._calls: Any = None  # the inputs and calls of the part that runs, if it has begun them
        self._shared: dict[Any, Any] = {}  # cases and calls that several parts use
        # IPython may count runs in the name of a cell's file.
        self._key = name, re.sub(r"-input-\d+-", "", self._file), cell.f_lineno
        self.notebook.points[self._key] = 0.0, math.inf  # a test may end before its first part

    def fresh(self, draw: Callable[..., Any] | None = None, /, **ranges: Any) -> Any:
        """Say how fresh cases are drawn when the notebook is graded. Call it before the first part.

        Without it, their inputs are like those of the visible cases: see
        `hw_support.checks.fresh.drawn_like`. The reference answers them.

        Parameters
        ----------
        draw
            A function of a `numpy.random.Generator` that returns tuples of inputs, of any shapes.
            It may be decorated: ``@checks.fresh``.
        ranges
            The least and the largest number of an input, by name, such as ``degree=(0, 3)``; whole
            numbers for an input of whole numbers.
        """
        if self.parts or (draw and ranges):
            raise StaffError(
                f"{self.name}: call checks.fresh once, before the first part, with a function or "
                "with ranges"
            )
        self._draw, self._ranges = draw, ranges
        return draw

    @functools.cached_property
    def _arguments(self) -> Arguments:
        """The arguments of the function."""
        if self._given_inputs:
            names = self._given_inputs.split(", ")
            return Arguments(names, len(names))
        function: Any = self._function
        if function is None and self._reference:
            function = self._reference.function(self.name)
        if function is None:
            with contextlib.suppress(NameError):
                function = self._value(self.name)
        found = None
        if not hasattr(type(function), "looked_at"):  # a function in another process
            found = arguments_of(function)
        if found and not found.has_more:
            return found
        count = max((len(case) for case in self._cases), default=0) - len(self._returns.split(", "))
        names = [f"argument {n}" for n in range(1, count + 1)]
        return Arguments(names, count)

    @property
    def _inputs(self) -> Sequence[str]:
        """The names of the function's arguments."""
        return self._arguments.names

    def _count(self, case: Case) -> int:
        """Return how many entries of a case are inputs; what is expected follows.

        A case need not have a value for each result, and may have none.
        """
        count = len(case) - len(self._returns.split(", "))
        return min(max(count, self._arguments.needed), len(case))

    def _expect_fit(
        self, function: Callable[..., object], cases: Sequence[Case], compared: Sequence[str] | None
    ) -> None:
        """Raise `StaffError` if visible cases do not fit a part: its function, or the solution's.

        For `compared` see `_add`.
        """
        if compared is None:
            wrong = wrong_part(function, cases)
        else:
            wrong = self._wrong_calls(cases, compared)
        if wrong:
            raise StaffError(f"{self.name}: {wrong}")

    def _wrong_calls(self, cases: Sequence[Case], compared: Sequence[str]) -> str:
        """Say that calls with these cases do not fit the solution's function; or ""."""
        right, results = None, self._returns.split(", ")
        with contextlib.suppress(LookupError):
            right = self._right(self._function) or self._reference.function(self.name)
        if not right or not (arguments := arguments_of(right)):
            return ""
        # Of `right`: what is looked up in a function of another process fails.
        name = getattr(right, "__name__", self.name) if self._function is not None else self.name
        if self._given_inputs:
            if wrong := wrong_inputs(self._inputs, arguments, name):
                return wrong
            arguments = self._arguments
        if wrong := wrong_call(arguments, name, cases):
            return wrong
        least = max((results.index(one) + 1 for one in compared), default=0)
        found = (
            wrong_case(n, case, self._count(case), least, arguments, name, self._returns)
            for n, case in enumerate(cases, 1)
        )
        return next(filter(None, found), "")

    def part(
        self,
        what: str,
        points: float,
        *,
        cases: Sequence[Case] | None = None,
        values: bool = True,
        of: Sequence[str] = (),
    ) -> Callable[[Callable[..., object]], object]:
        """Return a decorator. It runs the function below it at once, as a part.

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
            For a deliverable, the functions whose results it shows. The part then expects what the
            student's own functions return. A mistake in these costs nothing here, since it has cost
            points in the function's own test. If such a function raises an error or is not defined,
            so that there is nothing to show (see `shown`), the part counts as passed. Neither holds
            if one of the functions, and another one of the notebook, have less than half of their
            points: then the part fails, since nobody knows who made what is shown.
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
        by: Callable[..., object] | None = None,
        **how: Any,
    ) -> None:
        """Run a part that compares some of the function's results: those that `compare` names.

        Each is compared by ``by(got, expected, what=name, **how)``; without `by`, as `expect_value`
        does: values of any plain kind, numbers up to a relative error of 1e-5. For `cases` and
        `values` see `part`.
        """
        names, compared = self._returns.split(", "), compare.split(", ")
        for name in compared:
            if name not in names:
                known = f"one of {self._returns}" if self._returns else "a name in `returns`"
                raise StaffError(f"{name!r} is not a result of {self.name}: expected {known}")

        def row(*case: object) -> None:
            _, call = self._next_call(lambda inputs: [inputs], whole=False)
            came = results(call(), self._returns, exactly=self._exactly)
            right = dict(zip(names, case[self._count(case) :], strict=False))
            for name in compared:
                said = f"no case has a value for {name}. Does {self.name} take the right arguments?"
                expect(name in right, said)
                (by or expect_value)(came[names.index(name)], right[name], what=name, **how)

        def explain(visible: Sequence[Case]) -> str:
            self._calls = None
            calls = [self._next_call(lambda inputs: [inputs], whole=False)[1] for _ in visible]
            came = [results(call(), self._returns) for call in calls]
            due = [case[self._count(case) :] for case in visible]
            marks = dict(zip(names, map(_mark_of, zip(*came, strict=True)), strict=True))
            right = dict(zip(names, map(_mark_of, zip(*due, strict=False)), strict=False))
            return self._known(compared, marks, right)

        part = Part(failures.one_line(what), points, compares_values=values)
        self._add(part, row, cases, (), compared=compared, explain=explain)

    def untouched(
        self,
        what: str | float,
        points: float | None = None,
        *,
        cases: Sequence[Case] | None = None,
    ) -> None:
        """Run a part that expects that calls change neither their inputs nor earlier results.

        ``untouched(1)`` calls it "the inputs are left as they were".
        """
        if points is None:
            what, points = "the inputs are left as they were", float(what)

        def row(*case: object) -> None:
            inputs, call = self._next_call(lambda one: [one, _reversed(one)], whole=True)
            before = copy.deepcopy(inputs)
            called = call()
            expect_same(called.arguments, before, ", ".join(self._inputs))
            expect_result_kept(called.result, next(self._calls)[1])

        part = Part(failures.one_line(str(what)), points, compares_values=False)
        self._add(part, row, cases, (), compared=())

    def random(
        self,
        what: str,
        points: float,
        call: Callable[[], object],
        *,
        mean: float | None = None,
        std: float | None = None,
        low: float = -math.inf,
        high: float = math.inf,
    ) -> None:
        """Run a part on a function that draws random numbers: ``lambda: noise(1000)``.

        All numbers of ``call()``, an array or a list of arrays, are expected to lie between `low`
        and `high`, with this `mean` and standard deviation `std`, up to 7 standard errors, if they
        are given. Two calls should differ, and if the numbers are no whole ones, all numbers. A
        call should draw 1000 numbers or more.
        """

        def row() -> None:
            calls = self.notebook.calls(call, [(), ()], whole=False)
            first, second = (_draws(one()) for one in calls)
            expect_spread(first, mean, std, low, high)
            both = np.concatenate([first, second])
            same = first.size == second.size and np.array_equal(first, second)
            constant = np.ptp(both) == 0
            said = "expected two calls to differ, got the same numbers twice. Is a seed set inside?"
            expect(constant or not same, said)
            is_whole = np.array_equal(both, np.round(both))  # such as a die's
            different = len(np.unique(both))
            said = f"expected {both.size} different numbers in two calls, got {different}"
            expect(is_whole or different > 0.99 * both.size, said)

        self.part(what, points, cases=[()])(row)

    def shows(
        self,
        what: str,
        points: float,
        names: str,
        call: Callable[[], object],
        *,
        of: Sequence[str] = (),
        by: Callable[..., object] | None = None,
        **how: Any,
    ) -> None:
        """Run a part that compares the values of names of the notebook with the results of a call.

        `names` are as many as the results of ``call()``: ``"sigmoid_near, sigmoid_near_grad"``. For
        `of` see `part`; without it, these are the tested functions that `call` names. For `by` and
        `how` see `table`.
        """

        def row() -> None:
            values = self.shown(names, call)
            [called] = self.notebook.calls(call, [()], whole=False)
            right = results(called(), names)
            compare = by or expect_value
            for name, value, due in zip(names.split(", "), values, right, strict=True):
                try:
                    compare(value, due, what=name, **how)
                except Mismatch as error:
                    if not error.cause:
                        error.cause = self._cause_of(error, names, values, right, compare, how)
                    raise

        functions = of or self._named_by(call) or [self.name]
        self.part(what, points, cases=[()], of=functions)(row)

    def _cause_of(
        self,
        error: Mismatch,
        names: str,
        values: Sequence[Any],
        right: Sequence[Any],
        compare: Callable[..., object],
        how: Mapping[str, Any],
    ) -> str:
        """Return why a deliverable shows a wrong value: a multiple, or values of other names."""
        got, due = error.got, error.expected
        with contextlib.suppress(TypeError, ValueError):  # of what is no number
            if np.size(got) > 1 and np.array_equal(np.sort(got, None), np.sort(due, None)):
                return IN_ANOTHER_ORDER
            if cause := times(float(got), float(due)):
                return cause
        with contextlib.suppress(Exception):
            for other, its in zip(values, reversed(right), strict=True):
                compare(other, its, what="", **how)
            return f"the values of {names} have changed places"
        return ""

    def _named_by(self, call: Callable[[], object]) -> list[str]:
        """Return the tested functions that a function of the cell names, also through others."""
        names, codes = dict[str, None](), [getattr(call, "__code__", None)]
        for code in codes:  # which grows
            for name in _names_in(code) if code else ():
                other = dict.get(self.notebook.names, name)
                code_of_other = getattr(other, "__code__", None)
                if name not in names and getattr(code_of_other, "co_filename", "") == self._file:
                    codes.append(code_of_other)
                names[name] = None
        tested = self.notebook.earned()
        return [name for name in names if name in tested and name != self.name]

    def shown(self, names: str, call: Callable[[], object]) -> list[Any]:
        """Return the values of the names, separated by ", ", that a deliverable has bound.

        If one has no value, `call` is called, which calls the student's functions. If these raise
        an error, the student could not show anything, and the part may count (see `of` in `part`).
        NameError if they raise none.
        """
        try:
            return [self._value(name) for name in names.split(", ")]
        except NameError:
            self._nothing_shown = True
            [called] = self.notebook.calls(call, [()], whole=False)
            called()
            raise

    def _next_call(self, split: Callable[[Any], list[Any]], *, whole: bool) -> Any:
        """Return the inputs of the next case, and a function that calls the student's with them.

        `_run` goes through the cases one by one, and this is asked once for each call. The first
        time, the calls of all cases are made ready, since a grader may make them in one question.
        `split` returns the inputs of each call of a case. For `whole` see `Notebook.calls`.
        """
        if self._calls is None:
            cases = [self._inputs_of(case) for case in self._running]
            inputs = [one for case in cases for one in split(case)]
            # The parts of a table share their calls, if the results cannot be used up.
            key = (self.second_try, whole, *map(id, self._running))
            if key not in self._shared or not self.notebook.keeps_results:
                function = self._value(self.name) if self._function is None else self._function
                calls = self.notebook.calls(function, inputs, whole=whole)
                self._shared[key] = self._running, calls  # the cases too, since ids are used again
            self._calls = zip(inputs, self._shared[key][1], strict=True)
        return next(self._calls)

    def _inputs_of(self, case: Case) -> list[Any]:
        """Return copies of the inputs of a case: all that come before what is expected."""
        inputs = _arrays(tuple(copy.deepcopy(case)))
        return [*inputs[: self._count(case)]]

    def _known(
        self, names: Sequence[str], marks: Mapping[str, Mark], right: Mapping[str, Mark]
    ) -> str:
        """Return the known mistake that explains these results; "" if none or several do.

        A mark is a number for all visible results of one name, and how near another may be.
        """

        def agree(one: Mark | None, other: float) -> bool:
            return one is not None and abs(one[0] - other) < one[1]

        found = set()
        for name in names:
            mark = marks[name]
            if name in right and agree(mark, right[name][0]):
                continue  # the values are right; another part is about the shape
            for other in right.keys() - {name}:
                if agree(mark, right[other][0]) and agree(right.get(name), marks[other][0]):
                    found.add(f"{' and '.join(sorted((name, other)))} have changed places")
            self.marks.setdefault(name, []).append(mark[0])
            for cause, known in self._likely.items():
                if any(agree(mark, one) for one in known.get(name, ())):
                    found.add(cause)
        swapped = [cause for cause in found if cause not in self._likely]
        return (swapped or [*found])[0] if len(swapped) == 1 or len(found) == 1 else ""

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
        *,
        compared: Sequence[str] | None = None,
        explain: Explain | None = None,
    ) -> None:
        """Run a part, add it and print its outcome, unless `score` prints it.

        If its cases are inputs of calls, `compared` has the names of the results that it compares.
        `explain` names a known mistake.
        """
        own = (self._cases if cases is None else cases) or [()]
        if self._reference:
            self._expect_fit(function, own, compared)
        fresh = self._fresh_cases(part.what, cases, calls=compared is not None)
        if of:
            self.notebook.points.pop(self._key, None)
        run = functools.partial(self._run, part, function, own, fresh, explain or (lambda _: ""))
        part = self._tried(part, run, of)
        told = {one.message for one in self.parts}
        self.parts.append(part)
        if self._key in self.notebook.points:
            self.notebook.points[self._key] = self._points()
        if part.second_try or part.excused:
            _say(PASSED, [part], SECOND_TRY if part.second_try else part.excused)
        elif part.message and part.message not in {*told, COUNTS_ONLY, self._unanswered}:
            _say(FAILED, [part], part.message)
        elif not self._unanswered:
            self._later.setdefault(part.message, []).append(part)

    def _tried(self, part: Part, run: Callable[[], Part], of: Sequence[str]) -> Part:
        """Return the part with its outcome, after at most two tries."""
        tries: Tries | None = self.notebook.tries
        if known := tries and tries.begin():
            first, self._unanswered = known.part, known.unanswered
            self._told |= known.told
            print(known.said, end="")
        elif self._unanswered:
            return replace(part, message=self._unanswered)
        elif not (part.compares_values or any(p.passed and p.compares_values for p in self.parts)):
            return replace(part, message=COUNTS_ONLY)
        else:
            first = self._first_try(run, tries) if tries else run()
        too_few = _with_too_few_points(of, self.notebook.earned())
        if first.excused and of and not too_few:
            return replace(part, message="", excused=first.excused)
        if first.message or too_few:
            right = self._right_functions()
            if tries and not tries.is_second:
                tries.is_wanted = tries.is_wanted or bool(too_few or right)
            elif right and not too_few:  # poor functions have no use for right ones
                with self.notebook.replaced(**right):
                    self.second_try = True
                    second = run()
                    self.second_try = False
                if not second.message:
                    return replace(part, second_try=True)
        return replace(first, message=first.message or too_few, excused="")

    def _first_try(self, run: Callable[[], Part], tries: Tries) -> Part:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            first = run()
        print(said.getvalue(), end="")
        told = frozenset(self._told)
        tries.first[-1] = FirstTry(first, said.getvalue(), self._unanswered, told)
        return first

    # -- fresh cases

    def _fresh_cases(self, what: str, cases: Sequence[Case] | None, *, calls: bool) -> list[Case]:
        """Return the fresh cases of a part; none without a reference.

        `cases` are the part's own, None if it has those of the cell. `StaffError` if none can be
        drawn.
        """
        if not self._reference:
            return []
        if cases is None:
            return self._drawn.get(what, self._drawn.get("", []))
        if what in self._drawn or not calls or self._is_drawn_by_staff:
            return self._drawn.get(what, [])
        with self._drawing():
            return self._like(cases, generator(f"{self.name}: {what}"))

    @functools.cached_property
    def _drawn(self) -> dict[str, list[Case]]:
        """Fresh cases by part; those of "" are for all parts without cases of their own."""
        draw, by_staff = generator(self.name), None
        if not self._draw and not self._ranges:
            by_staff = self._reference.generator_of(self.name)
        self._is_drawn_by_staff = by_staff is not None
        with self._drawing():
            if self._draw:
                return {"": [*map(self._answered, self._right(self._draw)(draw))]}
            if not by_staff:
                return {"": self._like(self._cases, draw)} if self._returns else {}
            made = by_staff(draw)
            by_part = made if isinstance(made, dict) else {"": made}
            return {part: [*map(self._whole, those)] for part, those in by_part.items()}

    @contextlib.contextmanager
    def _drawing(self) -> Iterator[None]:
        """Turn an error in a block, which draws fresh cases, into a `StaffError`."""
        try:
            with self.notebook.limited(CPU_SECONDS, WALL_SECONDS), _output(dropped=True):
                yield
        except _TooFewResults as error:
            raise StaffError(f"{self.name}: {error}") from error
        except _NOTHING_RIGHT as error:
            why = failures.described(error, None)
            raise StaffError(f"{self.name}: no fresh case can be drawn: {why}") from error

    def _like(self, cases: Sequence[Case], draw: np.random.Generator) -> list[Case]:
        """Return fresh cases like these. Inputs for which nothing is right are left out.

        ValueError if these are all.
        """
        inputs = [one for one in map(self._inputs_of, cases) if one]
        if unknown := sorted({*self._ranges} - {*self._inputs}):
            raise ValueError(
                f"checks.fresh names {unknown[0]!r}, which is no argument: expected some of "
                f"{', '.join(self._inputs)}"
            )
        shows_numbers_alone = all(map(is_finite, cases))
        visible = [value for case in cases for value in case[self._count(case) :]]
        sizes = {len(value) for value in visible if isinstance(value, tuple | list)}
        found: list[Case] = []
        why, too_few = "", None
        for one in drawn_like(inputs, self._inputs, draw, self._ranges):
            try:
                case = self._answered(one)
            except _NOTHING_RIGHT as error:
                too_few = error if isinstance(error, _TooFewResults) else None
                why = f"the solution raises {failures.described(error, None)}"
                if isinstance(error, TimeLimitReached):
                    break
                continue
            due = case[len(one) :]
            if visible and len(due) == 1 and isinstance(due[0], tuple) and len(due[0]) not in sizes:
                raise _TooFewResults(wrong_results(self._returns.split(", "), due[0]))
            if is_finite(case) or not shows_numbers_alone:
                found.append(case)
            else:
                too_few, why = None, "the solution returns NaN or infinity"
        if why and not found and self._reference.has_solutions:
            if too_few:
                raise too_few
            raise ValueError(
                f"for all inputs like those of the visible cases {why}. Say with "
                "checks.fresh(...) how to draw inputs for which it is right"
            )
        return found

    def _whole(self, case: Case) -> Case:
        """Return a case of the staff's with what is expected, which it may have."""
        return case if len(case) > self._count(case) else self._answered(case)

    def _answered(self, inputs: Case) -> Case:
        """Return a case with these inputs, and with what the reference returns for them.

        LookupError if the solutions define no function of this name.
        """
        if not isinstance(inputs, list | tuple):
            raise TypeError(f"expected a tuple of inputs, got {shown(inputs)}")
        function = self._right(self._function) or self._reference.function(self.name)
        if not function:
            why = self._reference.why_not(self.name) or "the solutions define no such function"
            raise LookupError(f"{self.name}: {why}")
        with np.errstate(all="ignore"):
            came = function(*self._right(_arrays(tuple(copy.deepcopy(inputs)))))
        try:
            came = results(came, self._returns)
        except Mismatch as error:
            raise _TooFewResults(wrong_results(self._returns.split(", "), came)) from error
        return (*inputs, *copy.deepcopy(came))

    @property
    def is_graded(self) -> bool:
        """Whether what is right is at hand, as in a grader."""
        return self._reference is not None

    def right(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of the test cell that calls right functions of the homework, by name.

        Without a reference, as at home, it is the function itself: it calls the notebook's own.
        """
        right: Callable[..., Any] = self._right(function) if self.is_graded else function
        return right

    def functions_above_lost_points(self) -> bool:
        """Whether a function of an earlier test has not all of its points."""
        return any(
            got < points
            for name, (got, points) in self.notebook.earned().items()
            if name != self.name
        )

    def _right(self, value: Any) -> Any:
        """Return a value with right functions in the place of the notebook's own."""
        return self._reference.in_its_place(value, self.notebook.names)

    def _right_functions(self) -> dict[str, object]:
        """Return the reference's functions above the tested one, of answers that are graded."""
        if not self._reference:
            return {}
        tested = self.notebook.earned().items()
        graded = [name for name, (_, points) in tested if points and name != self.name]
        right: dict[str, object] = self._reference.above(self.name, graded, self.notebook.own)
        return right

    def _run(
        self,
        part: Part,
        function: Callable[..., object],
        cases: Sequence[Case],
        fresh: Sequence[Case],
        explain: Explain,
    ) -> Part:
        """Run a part with all cases until one fails; it is `excused` if the notebook's code raised.

        KeyboardInterrupt ends the cell.
        """

        def run_visible() -> None:
            self._calls = None
            for one in cases:
                with contextlib.suppress(Exception):
                    function(*_arrays(copy.deepcopy(one)))

        if self._late and not self._reference:
            return replace(part, message=self._late)
        case: Case = ()
        self._running, self._calls, self._nothing_shown = [*cases, *fresh], None, False
        if self.second_try:
            with contextlib.suppress(LookupError):
                self._running = self._right(self._running)
        try:
            with self.notebook.limited(CPU_SECONDS, WALL_SECONDS):
                for number, case in enumerate(self._running):
                    part = replace(part, fresh=number >= len(cases))
                    with _output(dropped=part.fresh or self.second_try):
                        function(*_arrays(copy.deepcopy(case)))
        except (StaffError, KeyboardInterrupt):
            raise
        except BaseException as error:
            place, message, excused = None, "an exception was raised", ""
            with contextlib.suppress(Exception):  # its text and attributes are student code too
                place = failures.place_of(error, self.notebook.names, but=self._file)
                if isinstance(error, ImportError) and not place:
                    raise StaffError(str(error)) from None
                if isinstance(error, Mismatch) and not (part.fresh or self.second_try):
                    self._find_cause(error, run_visible, lambda: explain(cases))
                message = self._why(error, place)
                excused = self._excuse(error, place) if self._nothing_shown else ""
                names: Sequence[str] = [*inspect.signature(function).parameters]
                names = self._inputs[: self._count(case)] if names == ["case"] else names
                call = self._other_call(function, error)
                about = _about(names, case, part.fresh, error) if call is None else ""
                about = f"Call: {call}" if call else about
                if about and not self._unanswered and (self.second_try or about not in self._told):
                    message += f"{'' if message.endswith('?') else '.'} {about}"
                    self._told.add("" if self.second_try else about)
                if not self.second_try:
                    self.case, self.got = case, getattr(error, "got", None)
                    self.expected = getattr(error, "expected", None)
            message = failures.one_line(message) or "failed"  # blanks are a failure too
            return replace(part, message=message, excused=excused)
        finally:
            self.notebook.end_part()
        return replace(part, fresh=False)

    def _excuse(self, error: BaseException, place: failures.Place | None) -> str:
        """Say that a function of the student's, which has a test of its own, caused an error."""
        if isinstance(error, Mismatch | NotImplementedError) or not isinstance(error, Exception):
            return ""
        missing = str(error.name) if isinstance(error, NameError) else ""
        got, possible = self.notebook.earned().get(missing, (0.0, 0.0))
        if got < possible:
            what = f"{missing} is not defined"
        elif place:
            what = f"{place.function} raises an error here"
        else:
            return ""
        return f"{what}, which has cost points in its own test"

    def _other_call(self, function: Callable[..., object], error: BaseException) -> str | None:
        """Return the call that led to an error; None if its inputs are those of the case."""
        code: CodeType | None = getattr(function, "__code__", None)
        if code is None or code.co_filename != self._file:
            return None
        lines = [s.tb_lineno for s in failures.steps_of(error) if s.tb_frame.f_code is code]
        return last_call(code, lines[-1], self.name) if lines else None

    def _find_cause(
        self,
        error: Mismatch,
        run_visible: Callable[[], None],
        explain: Callable[[], str],
    ) -> None:
        """Give an error a known mistake as its cause, or none if another visible case refutes it.

        A mistake is told once in a cell.
        """
        known = ""
        with (
            self.notebook.limited(CPU_SECONDS, WALL_SECONDS),
            _output(dropped=True),
            contextlib.suppress(*_NOTHING_RIGHT),
        ):
            known = explain()
            if not known and error.cause and refuted(error.cause, run_visible):
                error.cause = ""
        error.cause = known or error.cause
        if error.cause in self._told:
            error.cause = ""
        self._told.add(error.cause)

    def _why(self, error: BaseException, place: failures.Place | None) -> str:
        if isinstance(error, TimeLimitReached):
            self._shared.clear()
            self._late = f"`{self.name}` is not called again: it {DID_NOT_RETURN} the time limit"
            return f"{DID_NOT_RETURN} {CPU_SECONDS:g} s (an endless loop?)"
        if isinstance(error, Mismatch | NotPlainData):
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
        """Print the points, and return those earned: end the cell with this call.

        nbgrader takes the value of a cell's last line as its score. It is None if all parts
        together are worth 0 points. While nbgrader validates a notebook, it looks at errors alone;
        so a part that failed raises AssertionError then.
        """
        known = {part.what for part in self.parts} | {""}
        drawn = self._drawn if self._reference else {}
        if unknown := [what for what in drawn if what not in known]:
            raise StaffError(f"{self.name} has no part {unknown[0]!r}, for which there are cases")
        got, points = self._points()
        if self._unanswered:
            every = Part(f"all {len(self.parts)} parts", points)
            _say(FAILED, [every], self._unanswered)
        for message, parts in sorted(self._later.items(), reverse=True):
            _say(FAILED if message else PASSED, parts, _AGAIN.get(message, message and _THE_SAME))
        self._later = {}
        print(f"{self.name}: {got:g} of {points:g} points")
        failed = [part for part in self.parts if not part.passed]
        if failed and os.environ.get("NBGRADER_EXECUTION") == "validate":
            lines = [f"{part.what}: {part.message}" for part in failed]
            raise AssertionError("\n".join(["parts that failed:", *lines]))
        if not points:
            return None
        return float(got) if os.environ.get("NBGRADER_EXECUTION") else _Score(got)

    def _points(self) -> tuple[float, float]:
        """Return the points earned and possible so far."""
        got = sum(part.points for part in self.parts if part.passed)
        return got, sum(part.points for part in self.parts)

    def figure(self, name: str, arrays: str = "") -> Facts:
        """Return the facts of a Figure or an Axes of the notebook, for `expect_figure`.

        `arrays` names arrays of the notebook that its curves may show, such as ``"loss, rate"``.
        The notebook itself takes the facts, so they are hints: a student can forge them.
        """
        named = {one: self._value(one) for one in arrays.split(", ") if one}
        came = self.notebook.call_there(figures.facts_of, self._value(name), named)
        return figures.expect_facts(came)


def results(came: Any, names: str, *, exactly: bool = False) -> list[Any]:
    """Return the results of a call, as many as there are names: ``"out, grad"``.

    For one name, what was returned is the result; of an iterator, the list of its first 10,000
    entries. `Mismatch` if the call returned fewer results.
    Further results are left out; with `exactly`, `Mismatch`.
    """
    count = len(names.split(", "))
    if count == 1:
        # As a grader's handle of an iterator, which has a list of its entries.
        is_iterator = hasattr(type(came), "__next__")
        return [[*itertools.islice(came, _MOST_ENTRIES)] if is_iterator else came]
    value = None
    with contextlib.suppress(Mismatch):
        value = looked_at(came)
    # The rows of one array are no results.
    if isinstance(value, Iterable) and not isinstance(value, np.ndarray | str | dict):
        entries = list(itertools.islice(value, count + 1 if exactly else count))
        if len(entries) == count:
            return entries
        if len(entries) > count:
            size = f"{len(value)} of them" if isinstance(value, Sized) else "more"
            said = f"got {size}. Put what belongs together into one tuple or list"
            raise Mismatch(f"expected {count} results ({names}), {said}")
    missing = ". Is a `return` missing?" if came is None else ""
    kinds = {np.ndarray: "one array, ", str: "one text, ", dict: "one dictionary, "}
    one = kinds.get(type(value), "")
    raise Mismatch(f"expected {count} results ({names}), got {one}{shown(came)}{missing}")


def _draws(came: Any) -> Any:
    """Return all numbers of a result as one flat array."""
    came = looked_at(came)
    arrays = came if isinstance(came, list | tuple) else [came]
    flat = [as_numbers(array, what="the result").astype(float).ravel() for array in arrays]
    return np.concatenate([np.empty(0), *flat])


def _names_in(code: CodeType) -> list[str]:
    inner = [name for one in code.co_consts if isinstance(one, CodeType) for name in _names_in(one)]
    return [*code.co_names, *inner]


def _with_too_few_points(functions: Sequence[str], earned: Mapping[str, Mark]) -> str:
    """Say that one of these functions and another have less than half of their points; or "".

    `earned` has the points, earned and possible, of each function that is tested.
    """
    poor = [name for name, (got, points) in earned.items() if got < points / 2]
    if len(poor) < 2 or not {*functions} & {*poor}:
        return ""
    return (
        f"{' and '.join(poor)} have less than half of their points, so their results do not count"
    )


def _arrays(value: Any) -> Any:
    """Return a case with arrays in the place of lists of numbers, and lists in that of tuples.

    A list with anything else stays a list; one of lists of different lengths is one of arrays.
    """
    if issubclass(type(value), tuple):
        return list(map(_arrays, value))
    numbers = value
    while issubclass(type(numbers), list) and numbers:
        numbers = numbers[0]
    if issubclass(type(value), list) and issubclass(type(numbers), int | float):
        with contextlib.suppress(ValueError):  # of rows of different lengths
            array = np.array(value)
            return array if array.dtype.kind in "biuf" else value
        return [_arrays(entry) for entry in value]
    return value


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


class _Score(float):
    """Points that IPython does not show: they stand in the line above."""

    def _ipython_display_(self) -> None:
        pass


def _say(outcome: str, parts: Sequence[Part], message: str = "") -> None:
    """Print parts with one outcome, and what is to be said of them, in lines of 88 characters."""
    named = ", ".join(f"{part.what} [{part.points:g} pt]" for part in parts)
    lines = [*_wrapped(f"{outcome:<8}{named}"), *_wrapped(f"{'':<8}{message}")]
    if _has_colours():
        lines[0] = lines[0].replace(outcome, f"{_COLOURS[outcome]}{outcome}{_PLAIN}", 1)
    print(*lines, sep="\n")


def _wrapped(text: str) -> list[str]:
    whole = {"break_long_words": False, "break_on_hyphens": False, "subsequent_indent": " " * 8}
    return textwrap.wrap(text, _WIDTH, **whole)  # type: ignore[arg-type]


def _has_colours() -> bool:
    """Whether the output is for a person's eyes at once: in a terminal, or a notebook at work."""
    if os.environ.get("NBGRADER_EXECUTION") or os.environ.get("NO_COLOR"):
        return False
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel") or sys.stdout.isatty()


def _mark_of(column: Sequence[Any]) -> Mark:
    return mark_of([array for value in column for array in _arrays_in(value)])


def _arrays_in(value: Any) -> list[Any]:
    """Return the numbers in a result as arrays: one, or those of the entries of a list."""
    value = looked_at(value)
    try:
        return [as_numbers(value, what="")]
    except Mismatch:
        entries = value if isinstance(value, list | tuple) else []
        return [array for entry in entries for array in _arrays_in(entry)]


@contextlib.contextmanager
def _output(*, dropped: bool) -> Iterator[None]:
    """Show what is written to stderr as ordinary output: nbgrader would score 0 for it."""
    with open(os.devnull, "w", encoding="utf-8") as nothing:
        stream = nothing if dropped else sys.stdout
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
            yield
