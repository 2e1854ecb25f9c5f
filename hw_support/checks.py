"""Partial credit by named parts, for test cells.

A test cell opens a `Checks`, tries every part, and ends in ``checks.score()``, which nbgrader
takes as the cell's partial credit::

    checks = Checks("relu_activation", points=3)

    with checks("values on both sides of 0", points=2):
        out, grad = relu_activation(np.array([-2.0, 0.5]))
        assert_close(out, [0.0, 0.5], what="out")

    checks.score()

If a part fails, the next one is tried. Output to stderr, such as a harmless NumPy warning, is shown
as ordinary output, because nbgrader would score 0 for it.
"""

import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hw_support import failures
from hw_support.attempts import Attempt
from hw_support.compare import Mismatch
from hw_support.fitting import Parameter, fitted
from hw_support.notebook_access import Notebook, notebook_of
from hw_support.overwritten import overwritten
from hw_support.replacements import Replacements
from hw_support.rerun import values_of
from hw_support.tally import Part, Tally


class Checks(Tally):
    """The parts of one test cell, with the points of the whole cell, hidden parts included."""

    def __init__(self, name: str, points: float) -> None:
        super().__init__(name, points)
        cell = sys._getframe(1)
        self.names, self.file = cell.f_globals, cell.f_code.co_filename
        self.notebook = notebook_of(self.names)
        # The arrays that the last failed visible part compared.
        self.got: object = None
        self.expected: object = None
        self.replacements = Replacements(self.notebook)
        # Returns why a function of the notebook is no answer; "" if it is one. A grader sets it.
        self.unanswered: Callable[[str], str] = lambda name: ""
        # The names of the stand-ins with which a part is tried again.
        self.stood_in_for: frozenset[str] = frozenset()
        self.number_of_try = 1  # of a part
        self.timed_out = False  # whether a part was, without stand-ins
        # Most calls, values by name, and the names of the notebook's own functions for `results`.
        self._stand_ins: list[tuple[int, dict[str, object], Sequence[str]]] = []
        self._own_in_results: dict[str, object] = {}  # of the stand-ins that are in place
        self._parameters: dict[str, list[Parameter] | None] = {}  # of the notebook's functions
        self._never_end: set[int] = set()  # indices of the stand-ins with which a part timed out
        self._hidden = 0  # hidden parts that are being tried now
        self.functions = self.replacements.functions()  # of the notebook, before the cell
        if type(self.notebook) is Notebook:  # a grader's test cells have names of their own
            for sentence in overwritten(self.names, cell.f_code):
                self.note(sentence)

    def stand_ins(
        self, most_calls: int, own_in_results: Sequence[str] = (), /, **stand_ins: object
    ) -> None:
        """Register right functions with which the second try of a part replaces the notebook's own.

        If this method is called again, those functions are used in a third try. A part may make
        `most_calls` calls of all of them together: as many as a right answer needs, and some more.
        Without this limit, a student without an answer could let them do the work.

        The cells that `results` runs again call the notebook's own functions `own_in_results`: a
        cell that reads their results in another layout cannot run with right ones.
        """
        self._stand_ins.append((most_calls, stand_ins, own_in_results))

    def _fitted(self, stand_ins: dict[str, object]) -> dict[str, object]:
        """Return stand-ins that can be called as the notebook's own functions can."""
        for name, value in stand_ins.items():
            if callable(value) and name not in self._parameters:
                own = self.notebook.own(name)
                self._parameters[name] = self.notebook.parameters(own)
        return {
            name: fitted(value, self._parameters[name]) if callable(value) else value
            for name, value in stand_ins.items()
        }

    def tries(
        self,
        what: str,
        points: float,
        *,
        shows: Sequence[str] = (),
        hidden: bool = False,
        promise: str = "",
        twin: str = "",
    ) -> Iterator[Attempt]:
        """Try a part with the notebook's own functions, then with stand-ins; the better one counts.

        So a bug in one function costs no points again in a function that calls it. Without
        stand-ins there is only one try; a student's notebook has none. The message of a failed part
        describes the try with the notebook's own functions.

        If one of the functions whose results the answer `shows` has no answer, the part fails
        without a try. For the other parameters see `Checks.__call__`. Each try is written as
        ``for attempt in checks.tries(...): with attempt:``.
        """
        for name in shows:
            if why := self.unanswered(name):
                self.record(what, points, f"there is no result to show: {why}")
                return
        attempt = Attempt(self, what, points, hidden, last=False)
        yield attempt
        message, got, expected = attempt.message, self.got, self.expected
        for number, (most_calls, stand_ins, own) in enumerate(self._stand_ins if message else ()):
            if number in self._never_end:
                continue
            attempt = Attempt(self, what, points, hidden, last=False)
            own_functions = {name: self.names[name] for name in own if name in self.names}
            self.stood_in_for, self._own_in_results = frozenset(stand_ins), own_functions
            self.number_of_try = number + 2
            try:
                counted = _counted(self._fitted(stand_ins), most_calls)
                with self.notebook.replaced(**self.replacements.blocked | counted):
                    yield attempt
            finally:
                self.stood_in_for, self._own_in_results = frozenset(), {}
                self.number_of_try = 1
            if attempt.timed_out:
                self._never_end.add(number)
            if not attempt.message:
                message = ""
                break
        self.got, self.expected = got, expected
        self.record(what, points, message)

    def results(self, *names: str, given: Sequence[str] = ()) -> list[Any]:
        """Return the values of names; in a second try, run the answer's cells again with stand-ins.

        So a bug in one function costs no points in an answer that only calls it. `given` are names
        that locked cells bind for the answer; a second try binds them again. A name that a stand-in
        has replaced keeps that value. NameError if the notebook lacks one of the names.
        """
        if not self.standing_in:
            return values_of(self.names, names)
        fixed = sorted(self.stood_in_for)
        again = [name for name in names if name not in fixed]
        with self.notebook.replaced(**self._own_in_results):
            values = dict(zip(again, self.notebook.rerun(again, given, fixed), strict=True))
        return [values[name] if name in values else self.names[name] for name in names]

    def replace(self, **stand_ins: object) -> None:
        """Replace functions on which the tested function depends, until `score` is called."""
        self.replacements.replace(**stand_ins)

    def note_time_out(self, error: BaseException) -> None:
        """Block the student's function that a time limit has interrupted, until the cell ends."""
        if not self.standing_in:  # a stand-in may be in place of what hangs
            self.timed_out = True
            self.replacements.block(self.notebook.unreturned(error, but=self.file))

    def __call__(
        self, what: str, points: float, *, hidden: bool = False, promise: str = "", twin: str = ""
    ) -> Attempt:
        """Return a context manager that tries one part, worth `points`.

        `what` says in a few words what it tests. If its inputs are `hidden`, messages show no
        inputs, no expected values and no text of an exception. Printed output is dropped. The names
        that the part binds and the random generators are restored. Readers of a hidden part find in
        `promise` the words of the notebook that announce it, and in `twin` the visible part of the
        cell that tests the same.

        An interrupt (the cell's time limit or the stop button) ends the whole cell. Any other
        exception, even ``SystemExit``, fails only this part.
        """
        return Attempt(self, what, points, hidden)

    def record(self, what: str, points: float, message: str) -> None:
        """Record and print the outcome of a part; `message` says why it failed, "" if it passed."""
        self.notebook.end_part()
        if message:  # a message of blanks is a failure too
            message = failures.one_line(message) or "failed"
        self.add(Part(failures.one_line(what), points, message))

    @property
    def standing_in(self) -> bool:
        """Whether a part is tried again with stand-ins."""
        return bool(self.stood_in_for)

    @property
    def quiet(self) -> bool:
        """Whether remarks are dropped: in a hidden part and in a second try."""
        return bool(self._hidden or self.standing_in)

    def score(self) -> float | None:
        """Restore replaced names; return the points earned, as `Tally.score` does."""
        self.replacements.put_back()
        self.replacements.put_functions_back(self.functions)
        return super().score()


def _counted(functions: dict[str, object], most_calls: int) -> dict[str, object]:
    calls = 0

    def counted(value: object) -> object:
        if isinstance(value, list):
            return [counted(entry) for entry in value]
        if not callable(value):
            return value

        @functools.wraps(value)
        def function(*arguments: object, **named: object) -> object:
            nonlocal calls
            calls += 1
            if calls > most_calls:
                why = f"it calls other functions more than {most_calls:,} times"
                raise Mismatch(why)
            return value(*arguments, **named)

        return function

    return {name: counted(value) for name, value in functions.items()}
