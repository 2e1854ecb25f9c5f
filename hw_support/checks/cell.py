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

import copy
import functools
import itertools
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hw_support import figures
from hw_support.checks import failures
from hw_support.checks.cases import Case, Cases, Function, results
from hw_support.checks.compare import (
    as_numbers,
    expect,
    expect_result_kept,
    expect_same,
    expect_spread,
    expect_value,
    looked_at,
)
from hw_support.checks.deliverables import expect_shown, named_by
from hw_support.checks.fitting import StaffError
from hw_support.checks.known import seen_in
from hw_support.checks.notebook_access import notebook_of
from hw_support.checks.parts import Part
from hw_support.checks.printing import Printer, Score
from hw_support.checks.running import Explain, Judges, Plan, Running

if TYPE_CHECKING:
    from hw_support.figures import Facts


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
    ) -> None:
        cell = sys._getframe(1)
        self.name = name
        self.notebook = notebook_of(cell.f_globals)
        self.parts: list[Part] = []
        self.notes: list[str] = []  # remarks that cost no points
        # Of the last part that failed: its case, and the arrays that it compared.
        self.case: Case | None = None
        self.got: object = None
        self.expected: object = None
        self._function, self._exactly = Function(name, function, inputs, returns), exactly
        self._file = cell.f_code.co_filename
        self._cases = Cases(self._function, cases, self.notebook)
        self._running = Running(self._function, self._cases, self.notebook, self._file)
        self._printer = Printer()
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
        self._cases.draw, self._cases.ranges = draw, ranges
        return draw

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
            self._add(part, lambda _: itertools.repeat(function), cases, function=function, of=of)
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
        names, compared = self._function.results, compare.split(", ")
        for name in compared:
            if name not in names:
                known = self._function.returns
                known = f"one of {known}" if known else "a name in `returns`"
                raise StaffError(f"{name!r} is not a result of {self.name}: expected {known}")

        def judge(call: Callable[[], object], *case: object) -> None:
            came = results(call(), self._function.returns, exactly=self._exactly)
            right = dict(zip(names, case[self._cases.count(case) :], strict=False))
            for name in compared:
                said = f"no case has a value for {name}. Does {self.name} take the right arguments?"
                expect(name in right, said)
                (by or expect_value)(came[names.index(name)], right[name], what=name, **how)

        def judges(some: Sequence[Case]) -> Iterator[Callable[..., object]]:
            for _, call in self._running.calls(some, whole=False):
                yield functools.partial(judge, call)

        def explain(visible: Sequence[Case], some: Sequence[Case]) -> tuple[str, str]:
            calls = self._running.calls(some, whole=False)
            came = [
                results(call(), self._function.returns)
                for _, call in itertools.islice(calls, len(visible))
            ]
            due = [case[self._cases.count(case) :] for case in visible]
            return seen_in(
                compared,
                dict(zip(names, zip(*came, strict=True), strict=True)),
                dict(zip(names, zip(*due, strict=False), strict=False)),
            )

        part = Part(failures.one_line(what), points, compares_values=values)
        self._add(part, judges, cases, compared=compared, explain=explain)

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

        def judge(
            inputs: Sequence[Any], call: Callable[[], Any], again: Callable[[], Any], *_: object
        ) -> None:
            before = copy.deepcopy(inputs)
            called = call()
            expect_same(called.arguments, before, ", ".join(self._cases.inputs))
            expect_result_kept(called.result, again)

        def judges(some: Sequence[Case]) -> Iterator[Callable[..., object]]:
            calls = self._running.calls(some, whole=True)
            for (inputs, call), (_, again) in zip(calls, calls, strict=True):
                yield functools.partial(judge, inputs, call, again)

        part = Part(failures.one_line(str(what)), points, compares_values=False)
        self._add(part, judges, cases, compared=())

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
            expect_shown(names, values, results(called(), names), by or expect_value, how)

        tested = self.notebook.earned()
        named = named_by(call, self.notebook.names, self._file)
        functions = [name for name in named if name in tested and name != self.name]
        self.part(what, points, cases=[()], of=of or functions or [self.name])(row)

    def shown(self, names: str, call: Callable[[], object]) -> list[Any]:
        """Return the values of the names, separated by ", ", that a deliverable has bound.

        If one has no value, `call` is called, which calls the student's functions. If these raise
        an error, the student could not show anything, and the part may count (see `of` in `part`).
        NameError if they raise none.
        """
        try:
            return [self.notebook.value(name) for name in names.split(", ")]
        except NameError:
            self._running.nothing_shown = True
            [called] = self.notebook.calls(call, [()], whole=False)
            called()
            raise

    def _add(
        self,
        part: Part,
        judges: Judges,
        cases: Sequence[Case] | None,
        *,
        compared: Sequence[str] | None = None,
        function: Callable[..., object] | None = None,
        of: Sequence[str] = (),
        explain: Explain = lambda *_: ("", ""),
    ) -> None:
        """Run a part and add it; `cases` are its own. For the others see `Plan`.

        If its cases are inputs of calls, `compared` has the names of the results that it compares.
        """
        visible = (self._cases.visible if cases is None else cases) or [()]
        if self.is_graded:
            self._cases.expect_fit(function, visible, compared)
        fresh = self._cases.fresh(part.what, cases, calls=compared is not None)
        if of:
            self.notebook.points.pop(self._key, None)
        plan = Plan(part, visible, fresh, judges, explain, function, of)
        self.parts.append(self._running.outcome(plan, self.parts))
        failed = self._running.failed
        self.case, self.got, self.expected = failed.case, failed.got, failed.expected
        if self._key in self.notebook.points:
            self.notebook.points[self._key] = self._points()
        self._printer.add(self.parts[-1], self._running.unanswered)

    # -- what staff code asks

    @property
    def second_try(self) -> bool:
        """Whether the reference's functions replace the notebook's now."""
        return self._running.second_try

    @property
    def is_graded(self) -> bool:
        """Whether what is right is at hand, as in a grader."""
        return self.notebook.reference is not None

    def right(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of the test cell that calls right functions of the homework, by name.

        Without a reference, as at home, it is the function itself: it calls the notebook's own.
        """
        right: Callable[..., Any] = self.notebook.right(function)
        return right

    def functions_above_lost_points(self) -> bool:
        """Whether a function of an earlier test has not all of its points."""
        return any(
            got < points
            for name, (got, points) in self.notebook.earned().items()
            if name != self.name
        )

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
        self._cases.expect_used(part.what for part in self.parts)
        got, points = self._points()
        self._printer.end(self.parts, self._running.unanswered)
        print(f"{self.name}: {got:g} of {points:g} points")
        failed = [part for part in self.parts if not part.passed]
        if failed and os.environ.get("NBGRADER_EXECUTION") == "validate":
            lines = [f"{part.what}: {part.message}" for part in failed]
            raise AssertionError("\n".join(["parts that failed:", *lines]))
        if not points:
            return None
        return float(got) if os.environ.get("NBGRADER_EXECUTION") else Score(got)

    def _points(self) -> tuple[float, float]:
        """Return the points earned and possible so far."""
        got = sum(part.points for part in self.parts if part.passed)
        return got, sum(part.points for part in self.parts)

    def figure(self, name: str, arrays: str = "") -> Facts:
        """Return the facts of a Figure or an Axes of the notebook, for `expect_figure`.

        `arrays` names arrays of the notebook that its curves may show, such as ``"loss, rate"``.
        The notebook itself takes the facts, so they are hints: a student can forge them.
        """
        named = {one: self.notebook.value(one) for one in arrays.split(", ") if one}
        came = self.notebook.call_there(figures.facts_of, self.notebook.value(name), named)
        return figures.expect_facts(came)


def _draws(came: Any) -> Any:
    """Return all numbers of a result as one flat array."""
    came = looked_at(came)
    arrays = came if isinstance(came, list | tuple) else [came]
    flat = [as_numbers(array, what="the result").astype(float).ravel() for array in arrays]
    return np.concatenate([np.empty(0), *flat])
