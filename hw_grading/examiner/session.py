"""The questions that a test cell asks the student's kernel. `Link` sends them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hw_grading.examiner.link import Link
from hw_grading.examiner.remote import Remote, RemoteFunction
from hw_grading.examiner.time_left import NO_LIMITS
from hw_grading.inside import wire
from hw_grading.inside.wire import Theirs, WireError
from hw_support.compare import Mismatch
from hw_support.time_limit import TimeLimitReached


@dataclass(eq=False)
class Change:
    """Names of the notebook that a test has bound."""

    number: int  # in this test
    values: list[Any]  # the new values; empty once the names were put back


class Session(Link):
    """The questions about one submission. For the parameters see `Link`."""

    def __init__(self, *link: Any, **named: Any) -> None:
        super().__init__(*link, **named)
        self._put: list[Change] = []  # of this test
        self._protected: dict[int, Any] = {}  # see `protect`; by id
        self._returned = wire.Remembered()  # what functions returned in this test
        self._name_of: dict[int, str] = {}  # names of functions that `get` returned, by number
        self.hung: dict[str, None] = {}  # names of functions that did not return, in order

    def remote(self, reference: Theirs) -> Remote:
        """Return the proxy for an object of the notebook."""
        return (RemoteFunction if reference.kind == "function" else Remote)(self, reference)

    def get(self, name: str) -> Any:
        """Return the value of a name in the notebook; raise KeyError if it is not defined."""
        kind, *rest = self.question(["get", name], ("value", "missing"))
        if kind == "missing":
            raise KeyError(name)
        if isinstance(rest[0], RemoteFunction):
            self._name_of[rest[0]._number] = name
        return rest[0]

    def put(self, values: Mapping[str, tuple[Any] | None]) -> Change:
        """Bind names until `put_back`: each value is in a tuple; None unbinds its name."""
        change = Change(len(self._put), list(values.values()))
        self._put.append(change)
        self.question(["put", list(values), change.values], ("value",))
        return change

    def put_back(self, change: Change) -> None:
        """Bind the names of a `put` again as they were before it; once the test ended, do nothing.

        A generator that a test has left may call this at any time.
        """
        if any(change is one for one in self._put):
            change.values = []
            self.question(["put back", change.number], ("value",))

    def ask(self, what: str, thing: Remote, *details: Any) -> Any:
        """Ask something about an object in the notebook; see `hw_grading.inside.serve`."""
        return self.question(["ask", what, thing, list(details)], ("value",))[1]

    def call(
        self,
        function: RemoteFunction,
        arguments: Sequence[Any],
        named: dict[str, Any],
    ) -> Any:
        """Call a function of the notebook.

        Its changes to arrays and lists among its arguments are repeated here. So are its changes to
        arrays and lists that earlier calls in this test returned.
        """
        message = ["call", function, list(arguments), named]
        name = self._name_of.get(function._number)
        try:
            _, value, changes, overwritten = self.question(message, ("value",))
        except TimeLimitReached:
            if name:
                self.hung[name] = None
            raise
        given = list(wire.mutable([list(arguments), named]))
        with self.keeping_to_the_protocol():
            changed = [(given[place], now) for place, now in changes]
            changed += [(self._returned.things[place], now) for place, now in overwritten]
            for thing, now in changed:
                _expect_change(thing, now)
        self._returned.add(value)
        for thing, now in changed:
            if id(_owner(thing)) not in self._protected:
                _change(thing, now)
        return value

    def protect(self, names: dict[str, Any]) -> None:
        """Do not repeat here what functions change in these arrays and lists.

        They belong to the instructor, and later tests need their original contents.
        """
        for value in names.values():
            self._protected |= {id(_owner(thing)): thing for thing in wire.mutable(value)}

    def end_part(self) -> None:
        """Disable the functions that were passed to the notebook, unless they replace its own."""
        self._handed.keep_only([change.values for change in self._put])

    def end_test(self) -> None:
        """End a test cell: the notebook restores its names and random generators."""
        self.time_left.limits = NO_LIMITS
        if not self.gone:
            try:
                self.question(["end"], ("ended",))
            except BaseException:  # any other message, or an error
                if not self.gone:
                    self.give_up("it did not confirm the end of the test")
        self._put.clear()
        self._handed.end_test()
        self._returned = wire.Remembered()


def _owner(thing: Any) -> Any:
    """Return the array that owns the memory of this one; a list owns its own."""
    while isinstance(getattr(thing, "base", None), np.ndarray):
        thing = thing.base
    return thing


def _expect_change(thing: Any, now: Any) -> None:
    """Raise WireError if an array or list cannot have changed to what the other end reports."""
    arrays = isinstance(thing, np.ndarray) and isinstance(now, np.ndarray)
    if not (arrays and thing.size == now.size) and not (type(thing) is type(now) is list):
        raise WireError("a change of an argument to another size or type")


def _change(thing: Any, now: Any) -> None:
    try:
        wire.overwrite(thing, now)
    except (ValueError, TypeError, AttributeError):  # read-only, or a view of another array
        why = "the function changed an argument that it must not change"
        raise Mismatch(why, why) from None
