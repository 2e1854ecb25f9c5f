"""The cases of a test cell: those that students see, and fresh ones while it is graded."""

from __future__ import annotations

import contextlib
import copy
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np

from hw_support.checks import failures
from hw_support.checks.compare import Mismatch, NotPlainData, looked_at, shown
from hw_support.checks.fitting import (
    Arguments,
    StaffError,
    arguments_of,
    wrong_case,
    wrong_part,
    wrong_results,
)
from hw_support.checks.fresh import drawn_like, generator, is_finite
from hw_support.checks.notebook_access import Notebook, Remote, is_a
from hw_support.checks.printing import output
from hw_support.checks.time_limit import TimeLimitReached

Case = Sequence[Any]

# What code of the homework's own may raise while it draws or answers fresh cases.
NOTHING_RIGHT = (Exception, NotPlainData, TimeLimitReached)
_MOST_ENTRIES = 10_000  # of an iterator, which may never end


@dataclass(frozen=True)
class Function:
    """What a test cell calls with the inputs of a case, and how the test names what belongs to it.

    `given` is a function of the test cell; if it is None, the notebook's function `name` is called.
    """

    name: str
    given: Callable[..., object] | None
    inputs: str  # names, as in "x, W"; without any, those of the signature count
    returns: str

    @property
    def results(self) -> list[str]:
        """The names of its results."""
        return self.returns.split(", ")


@dataclass(frozen=True)
class _Drawn:
    """Fresh cases by part; those of "" are for all parts without cases of their own."""

    by_part: Mapping[str, Sequence[Case]]
    by_staff: bool  # whether the staff's generator has drawn them, for all parts that get any


class Cases:
    """The cases of a test cell. Before the first part, `draw` or `ranges` may be set."""

    def __init__(self, function: Function, visible: Iterable[Case], notebook: Notebook) -> None:
        self.visible = list(visible)
        self.draw: Callable[[np.random.Generator], Any] | None = None  # the test's own generator
        self.ranges: Mapping[str, tuple[float, float]] = {}  # of fresh numbers, by input
        self._function, self._notebook = function, notebook
        self._reference = notebook.reference

    # -- visible cases

    @functools.cached_property
    def _arguments(self) -> Arguments:
        """The arguments of the function."""
        if self._function.inputs:
            names = self._function.inputs.split(", ")
            return Arguments(names, len(names))
        function: Any = self._function.given
        if function is None and self._reference:
            function = self._reference.function(self._function.name)
        if function is None:
            with contextlib.suppress(NameError):
                function = self._notebook.value(self._function.name)
        found = None if is_a(function, Remote) else arguments_of(function)
        if found and not found.has_more:
            return found
        count = max(map(len, self.visible), default=0) - len(self._function.results)
        names = [f"argument {n}" for n in range(1, count + 1)]
        return Arguments(names, count)

    @property
    def inputs(self) -> Sequence[str]:
        """The names of the function's arguments."""
        return self._arguments.names

    def count(self, case: Case) -> int:
        """Return how many entries of a case are inputs; what is expected follows.

        A case need not have a value for each result, and may have none.
        """
        count = len(case) - len(self._function.results)
        return min(max(count, self._arguments.needed), len(case))

    def inputs_of(self, case: Case) -> list[Any]:
        """Return copies of the inputs of a case: all that come before what is expected."""
        return [*arrays(tuple(copy.deepcopy(case)))[: self.count(case)]]

    def expect_fit(
        self,
        judge: Callable[..., object] | None,
        cases: Sequence[Case],
        compared: Sequence[str] | None,
    ) -> None:
        """Raise `StaffError` if visible cases do not fit a part of the test.

        They are arguments of the part's own function, `judge`; or, if it has none, inputs of the
        tested one with the results that are `compared`.
        """
        if judge:
            wrong = wrong_part(judge, cases)
        else:
            found = (self._wrong_case(n, case, compared or ()) for n, case in enumerate(cases, 1))
            wrong = next(filter(None, found), "")
        if wrong:
            raise StaffError(f"{self._function.name}: {wrong}")

    def _wrong_case(self, number: int, case: Case, compared: Sequence[str]) -> str:
        """Say that a call with this case does not fit the solution's function; or ""."""
        arguments = None
        with contextlib.suppress(LookupError):
            right = self._right_function()
            arguments = self._arguments if self._function.inputs else arguments_of(right)
        if arguments is None:
            return ""
        results = self._function.results
        least = max((results.index(one) + 1 for one in compared), default=0)
        returns = self._function.returns
        return wrong_case(number, case, self.count(case), least, arguments, returns)

    # -- fresh cases

    def fresh(self, what: str, own: Sequence[Case] | None, *, calls: bool) -> Sequence[Case]:
        """Return the fresh cases of a part; none without a reference.

        `own` are the part's own cases, None if it has those of the cell. `calls` tells whether they
        are inputs of the function. `StaffError` if none can be drawn.
        """
        if not self._reference:
            return []
        drawn = self._drawn
        if own is None:
            return drawn.by_part.get(what, drawn.by_part.get("", []))
        if what in drawn.by_part or not calls or drawn.by_staff:
            return drawn.by_part.get(what, [])
        with self._drawing():
            return self._like(own, generator(f"{self._function.name}: {what}"))

    def expect_used(self, parts: Iterable[str]) -> None:
        """Raise `StaffError` if the staff have drawn cases for a part that is not there."""
        known, drawn = {"", *parts}, self._drawn.by_part if self._reference else {}
        if unknown := [what for what in drawn if what not in known]:
            name = self._function.name
            raise StaffError(f"{name} has no part {unknown[0]!r}, for which there are cases")

    @functools.cached_property
    def _drawn(self) -> _Drawn:
        draw, by_staff = generator(self._function.name), None
        if not self.draw and not self.ranges:
            by_staff = self._reference.generator_of(self._function.name)
        with self._drawing():
            if self.draw:
                cases = [*map(self._answered, self._notebook.right(self.draw)(draw))]
                return _Drawn({"": cases}, by_staff=False)
            if not by_staff:
                made = {"": self._like(self.visible, draw)} if self._function.returns else {}
                return _Drawn(made, by_staff=False)
            made = by_staff(draw)
            by_part = made if isinstance(made, dict) else {"": made}
            whole = {part: [*map(self._whole, those)] for part, those in by_part.items()}
            return _Drawn(whole, by_staff=True)

    @contextlib.contextmanager
    def _drawing(self) -> Iterator[None]:
        """Turn an error in a block, which draws fresh cases, into a `StaffError`."""
        try:
            with self._notebook.limited(), output(dropped=True):
                yield
        except NOTHING_RIGHT as error:
            why = failures.error_message(error, None)
            name = self._function.name
            raise StaffError(f"{name}: no fresh case can be drawn: {why}") from error

    def _like(self, cases: Sequence[Case], draw: np.random.Generator) -> list[Case]:
        """Return fresh cases like these. Inputs for which nothing is right are left out.

        ValueError or `StaffError` if these are all.
        """
        inputs = [one for one in map(self.inputs_of, cases) if one]
        if unknown := sorted({*self.ranges} - {*self.inputs}):
            raise ValueError(
                f"checks.fresh names {unknown[0]!r}, which is no argument: expected some of "
                f"{', '.join(self.inputs)}"
            )
        shows_numbers_alone = all(map(is_finite, cases))
        visible = [value for case in cases for value in case[self.count(case) :]]
        plain = [value for value in visible if not isinstance(value, dict | set | str)]
        sizes = {len(value) if isinstance(value, tuple | list) else 1 for value in plain}
        found: list[Case] = []
        why, wrong = "", None
        for one in drawn_like(inputs, self.inputs, draw, self.ranges):
            try:
                case = self._answered(one)
            except (StaffError, *NOTHING_RIGHT) as error:
                why, wrong = f"the solution raises {failures.error_message(error, None)}", error
                if isinstance(error, TimeLimitReached):
                    break
                continue
            due = case[len(one) :]
            if sizes and len(due) == 1 and isinstance(due[0], tuple) and len(due[0]) not in sizes:
                raise self._wrong_results(due[0])
            if is_finite(case) or not shows_numbers_alone:
                found.append(case)
            else:
                why, wrong = "the solution returns NaN or infinity", None
        if why and not found and self._reference.has_solutions:
            if isinstance(wrong, StaffError):
                raise wrong
            raise ValueError(
                f"for all inputs like those of the visible cases {why}. Say with "
                "checks.fresh(...) how to draw inputs for which it is right"
            )
        return found

    def _whole(self, case: Case) -> Case:
        """Return a case of the staff's with what is expected, which it may have."""
        return case if len(case) > self.count(case) else self._answered(case)

    def _answered(self, inputs: Case) -> Case:
        """Return a case with these inputs, and with what the reference returns for them.

        LookupError if the solutions define no function of this name; `StaffError` if it returns
        fewer results than the test names.
        """
        if not isinstance(inputs, list | tuple):
            raise TypeError(f"expected a tuple of inputs, got {shown(inputs)}")
        function = self._right_function()
        with np.errstate(all="ignore"):
            came = function(*self._notebook.right(arrays(tuple(copy.deepcopy(inputs)))))
        try:
            came = results(came, self._function.returns)
        except Mismatch as error:
            raise self._wrong_results(came) from error
        return (*inputs, *copy.deepcopy(came))

    def _wrong_results(self, came: Any) -> StaffError:
        return StaffError(f"{self._function.name}: {wrong_results(self._function.results, came)}")

    def _right_function(self) -> Callable[..., Any]:
        """Return the solution's function; LookupError if there is none."""
        name = self._function.name
        found: Callable[..., Any] | None = self._notebook.right(self._function.given)
        if not (found := found or self._reference.function(name)):
            why = self._reference.why_not(name) or "the solutions define no such function"
            raise LookupError(f"{name}: {why}")
        return found


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


def arrays(value: Any) -> Any:
    """Return a case with arrays in the place of lists of numbers, and lists in that of tuples.

    A list with anything else stays a list; one of lists of different lengths is one of arrays.
    """
    if is_a(value, tuple):
        return list(map(arrays, value))
    if not is_a(value, list):
        return value
    numbers = value
    while is_a(numbers, list) and numbers:
        numbers = numbers[0]
    if is_a(numbers, int | float):
        with contextlib.suppress(ValueError):  # of rows of different lengths
            array = np.array(value)
            return array if array.dtype.kind in "biuf" else value
        return [arrays(entry) for entry in value]
    return value


def in_another_order(value: Any) -> Any:
    """Return arrays, and those in lists, with their rows in reversed order; else the value."""
    if is_a(value, list):
        return [in_another_order(entry) for entry in value]
    return value[::-1].copy() if is_a(value, np.ndarray) and value.ndim else value
