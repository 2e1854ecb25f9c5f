"""The access of a test cell to the notebook: its names and its functions."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hw_support.checks.time_limit import time_limit

if TYPE_CHECKING:
    from hw_support.checks.parts import Tries

_OWN = "__hw_notebook__"  # the name under which a notebook keeps the access to itself
# The limit for one try of a part, with all its cases. Right answers take a few milliseconds.
CPU_SECONDS, WALL_SECONDS = 5.0, 25.0

Score = tuple[float, float]  # earned and possible


class Remote:
    """What a test cell in another process has for an object that stays in the notebook.

    It answers no question, not even `isinstance` (see `is_a`). Only functions that know this type
    can judge it.
    """

    __slots__ = ()

    @staticmethod
    def looked_at(handle: Any) -> Any:
        """Return a copy of the object's entries; `Mismatch` if it has none."""
        raise NotImplementedError

    @staticmethod
    def watched(handle: Any, inputs: Sequence[Sequence[Any]]) -> list[Callable[[], Called]]:
        """Call the object with each of these inputs; see `Notebook.calls`."""
        raise NotImplementedError


def is_a(value: Any, kinds: Any) -> bool:
    """Whether a value is of one of these types; a `Remote` object is of no other."""
    return issubclass(type(value), kinds)


@dataclass(frozen=True)
class Called:
    """A call that has returned, and what it and the call before it may have changed."""

    result: Any
    arguments: Sequence[Any]  # as they are after the call
    earlier: Any  # what the call before has returned, as it is after this call


class Notebook:
    """The access of a test cell to the notebook. Here the test cell runs in the notebook itself.

    A grader may run test cells in another process. Then their namespace has an attribute
    `notebook`: an object with the same methods, which do the same from there (see `notebook_of`).
    """

    MISSING = object()  # the value of a name that is not defined
    # A grader sets an object that answers what is right. Students have none.
    reference: Any = None
    tries: Tries | None = None  # of a grader that makes second tries later
    keeps_results = False  # whether `calls` gives results that can be used in several parts

    def __init__(self, names: dict[str, object]) -> None:
        self.names = names
        # Points earned and possible so far, by test: its name, and file and line of its `Checks`.
        # A test that runs again has the same key.
        self.points: dict[tuple[str, str, int], Score] = {}

    def earned(self) -> dict[str, Score]:
        """Return the points earned and possible so far, by function; its tests are added up."""
        found: dict[str, Score] = {}
        for (name, _, _), (got, possible) in self.points.items():
            before = found.get(name, (0.0, 0.0))
            found[name] = before[0] + got, before[1] + possible
        return found

    def put(self, values: Mapping[str, object]) -> object:
        """Bind names to other values; return what `put_back` needs. `MISSING` unbinds a name."""
        # Use dict's own `get`: that of a grader's namespace asks the notebook.
        before = {name: dict.get(self.names, name, self.MISSING) for name in values}
        Notebook.put_back(self, values)
        return before

    def put_back(self, before: Any) -> None:
        """Bind names again as they were before the `put` that has returned `before`."""
        for name, value in before.items():
            if value is self.MISSING:
                self.names.pop(name, None)
            else:
                self.names[name] = value

    def value(self, name: str) -> Any:
        """Return the value of a name; NameError if it has none."""
        try:
            return self.names[name]
        except KeyError:
            raise NameError(f"name {name!r} is not defined", name=name) from None

    def right(self, value: Any) -> Any:
        """Return a value with right functions in the place of the notebook's own, where graded."""
        return self.reference.in_its_place(value, self.names) if self.reference else value

    def limited(self) -> contextlib.AbstractContextManager[None]:
        """Return a context manager that raises `TimeLimitReached` if a block takes too long."""
        return time_limit(CPU_SECONDS, WALL_SECONDS)

    def own(self, *names: str) -> Any:
        """Return the value of a name in the student's code; None if the name is not defined.

        For several names, return a list.
        """
        values = [self.names.get(name) for name in names]
        return values[0] if len(names) == 1 else values

    def calls(
        self, function: Any, inputs: Sequence[Sequence[Any]], *, whole: bool
    ) -> list[Callable[[], Any]]:
        """Return functions that give the result of a call, one for each of these inputs.

        If `whole`, each returns a `Called` instead. A grader may make all calls at once.
        """
        if not whole:
            return [functools.partial(function, *one) for one in inputs]
        results: list[Any] = [None]

        def call(one: Sequence[Any]) -> Called:
            results.append(function(*one))
            return Called(results[-1], one, results[-2])

        return [functools.partial(call, one) for one in inputs]

    def call_there(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function of hw_support where the notebook's objects are."""
        return function(*arguments)

    def end_part(self) -> None:
        """Do nothing at the end of a part. A grader disables functions that the part passed."""

    @contextlib.contextmanager
    def replaced(self, **values: object) -> Iterator[None]:
        """Bind names to other values within a block."""
        before = self.put(values)
        try:
            yield
        finally:
            self.put_back(before)


def notebook_of(names: dict[str, Any]) -> Notebook:
    """Return the access to the notebook for a test cell with these names, always the same."""
    found: Notebook = getattr(names, "notebook", None) or names.setdefault(_OWN, Notebook(names))
    return found
