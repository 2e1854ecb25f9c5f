"""Partial credit by named parts, for test cells.

A test cell opens a `Checks`, tries every part, and ends in ``checks.score()``, which nbgrader
takes as the cell's partial credit::

    checks = Checks("relu_activation", points=3)

    with checks("values on both sides of 0", points=2):
        out, grad = relu_activation(np.array([-2.0, 0.5]))
        assert_close(out, [0.0, 0.5], what="out")

    checks.score()

A part that fails is reported and the next one is tried. ``checks.note("...")`` prints a remark that
costs no points. Output to stderr, such as a harmless NumPy warning, is shown as ordinary output,
because nbgrader would score 0 for it.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import io
import os
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hw_support import failures
from hw_support.compare import Mismatch
from hw_support.missing_names import why_missing, why_not_imported
from hw_support.rerun import rerun, values_of
from hw_support.time_limit import TimeLimitReached, time_limit, uninterrupted

# The limit for one part. Right answers take a few milliseconds.
CPU_SECONDS = 5.0
WALL_SECONDS = 25.0
# The shares of CPU seconds and wall seconds that a part gets. There are two reasons for less time:
# an earlier part timed out, or a function that the test calls did not return in an earlier cell.
# The entries are for none, one and both of these.
_SHARES = (1.0, 1.0), (0.2, 0.4), (0.05, 0.2)


class Notebook:
    """Access of a test cell to the notebook; here the test runs inside that notebook.

    A grader that runs test cells in another process gives their namespace an attribute `notebook`.
    It has the same methods, and they do the same from that process.

    Parameters
    ----------
    names
        The notebook's names.

    Attributes
    ----------
    hurried
        Whether all parts get less time, because a function that they call did not return in an
        earlier cell.
    """

    MISSING = object()
    hurried = False

    def __init__(self, names: dict[str, object]) -> None:
        self.names = names

    def put(self, values: Mapping[str, object]) -> object:
        """Bind names to other values; return what `put_back` needs. `MISSING` unbinds a name."""
        before = {name: dict.get(self.names, name, self.MISSING) for name in values}
        self._bind(values)
        return before

    def put_back(self, before: Any) -> None:
        """Bind names again as they were before `put`, which has returned `before`."""
        self._bind(before)

    def _bind(self, values: Mapping[str, object]) -> None:
        for name, value in values.items():
            if value is self.MISSING:
                self.names.pop(name, None)
            else:
                self.names[name] = value

    def why(self, error: BaseException) -> str:
        """Say why a name is missing or an import failed: a package may not be installed."""
        if isinstance(error, NameError) and isinstance(error.name, str):
            return why_missing(error.name, self.names)
        return why_not_imported(error)

    def limited(
        self, cpu_seconds: float, wall_seconds: float
    ) -> contextlib.AbstractContextManager[None]:
        """Return a context manager that raises `TimeLimitReached` when a block takes too long."""
        return time_limit(cpu_seconds, wall_seconds)

    def own(self, name: str) -> object:
        """Return the value of a name in the student's code; None if it has none."""
        return self.names.get(name)

    def unreturned(self, error: BaseException, but: str) -> str:
        """Return the name of the first function that ran when a time limit was reached, or "".

        `but` is the file name of the test cell. Its own functions are ignored.
        """
        place = error.__traceback__
        while place:
            code = place.tb_frame.f_code
            name = str(code.co_name)
            function = self.names.get(name)
            if getattr(function, "__code__", None) is code and code.co_filename != but:
                return name
            place = place.tb_next
        return ""

    def rerun(self, names: Sequence[str], given: Sequence[str]) -> list[Any]:
        """Run the cells that bind `names` or `given` again; return the new values of `names`."""
        return rerun(self.names, names, given)

    def undoing(self, function: Callable[..., object], *arguments: object) -> object:
        """Call a function, and restore its array arguments afterwards."""
        arrays = [thing for thing in arguments if isinstance(thing, np.ndarray)]
        before = [thing.copy() for thing in arrays]
        try:
            return function(*arguments)
        finally:
            for thing, copy in zip(arrays, before, strict=True):
                thing[...] = copy

    def tried(self, attempt: Attempt, error: BaseException | None) -> None:
        """Receive the outcome of one try of a part; here nothing uses it."""

    def end_part(self) -> None:
        """End a part: functions that it passed to the notebook cannot be called any more."""

    @contextlib.contextmanager
    def kept(self, *names: str) -> Iterator[None]:
        """Restore the values of names after a block, even if the block changed them in place."""
        meant = {name: self.own(name) for name in names}
        before = {name: copy.deepcopy(v) for name, v in meant.items() if v is not None}
        self.put(copy.deepcopy(before))
        try:
            yield
        finally:
            self.put({name: before.get(name, self.MISSING) for name in names})

    @contextlib.contextmanager
    def replaced(self, **values: object) -> Iterator[None]:
        """Bind names to other values within a block."""
        before = self.put(values)
        try:
            yield
        finally:
            self.put_back(before)


def _refuse(name: str, *_: object, **__: object) -> None:
    """Replace a function that did not return within a time limit."""
    why = f"`{name}` is not called again: it did not return within the time limit of another part"
    raise Mismatch(why, why)


def notebook_of(names: dict[str, object]) -> Notebook:
    """Return the access to the notebook for a test cell with these names."""
    notebook: Notebook = getattr(names, "notebook", None) or Notebook(names)
    return notebook


@dataclass(frozen=True)
class Part:
    """The outcome of one part: `message` is empty if it passed."""

    what: str
    points: float
    message: str

    @property
    def passed(self) -> bool:
        """Whether the part's points were earned."""
        return not self.message


class ChecksFailed(AssertionError):
    """Raised so that nbgrader's validation shows a failed part as an error."""

    def _render_traceback_(self) -> list[str]:  # IPython: the message is all there is to read
        return [str(self)]


class Attempt:
    """One part while it is tried; made by calling a `Checks`."""

    def __init__(
        self, checks: Checks, what: str, points: float, hidden: bool, last: bool = True
    ) -> None:
        self.checks, self.what, self.points, self.hidden = checks, what, points, hidden
        self._last = last  # whether to record the outcome
        self.message = ""
        self.timed_out = False
        self._streams = contextlib.ExitStack()

    def __enter__(self) -> None:
        self._names = self.checks.names
        self._functions = self.checks.functions()
        self._before = dict(self._names) if self.hidden else {}
        self.checks._hidden += self.hidden
        self._random = RandomState(self._names) if self.hidden else None
        shown = _Discard() if self.hidden else sys.stdout
        self._streams.enter_context(contextlib.redirect_stdout(shown))
        self._streams.enter_context(contextlib.redirect_stderr(shown))
        # After a part that timed out, the rest of the cell must fit into the cell's own limit. A
        # part that timed out without stand-ins may end with them.
        checks = self.checks
        hangs = 0 if checks.standing_in else checks.timed_out + checks.notebook.hurried
        cpu_share, wall_share = _SHARES[hangs]
        self._seconds = CPU_SECONDS * cpu_share
        limited = checks.notebook.limited(self._seconds, WALL_SECONDS * wall_share)
        self._streams.enter_context(limited)

    @uninterrupted
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: object
    ) -> bool:
        self._streams.close()
        self.checks.notebook.tried(self, error)
        self.checks._hidden -= self.hidden
        if self.hidden:
            for name in self._names.keys() - self._before.keys():
                del self._names[name]
            self._names.update(self._before)
        if self._random:
            self._random.put_back()
        self.checks.put_functions_back(self._functions)
        self.message = self._message(error)
        if self._last or issubclass(type(error), KeyboardInterrupt):
            self.checks.record(self.what, self.points, self.message)
        # Use type(): an attribute of a student's exception may raise too, even `__class__`.
        if issubclass(type(error), Mismatch) and not self.hidden:
            self.checks.got = getattr(error, "got", None)
            self.checks.expected = getattr(error, "expected", None)
        if issubclass(type(error), KeyboardInterrupt):
            self.checks.put_back()
            return False
        return True

    def _message(self, error: BaseException | None) -> str:
        try:
            return self._said(error)
        except KeyboardInterrupt:
            raise
        except BaseException:  # an exception's text and attributes are student code too
            return "an exception was raised"

    def _said(self, error: BaseException | None) -> str:
        match error:
            case None:
                return ""
            case KeyboardInterrupt():
                return "interrupted before it returned (an endless loop?)"
            case TimeLimitReached():
                self.timed_out = True
                self.checks.note_time_out(error)
                return f"did not return within {self._seconds:g} s (an endless loop?)"
            case Mismatch():
                return error.discreet if self.hidden else str(error)
            case _:
                return self._raised(error)

    def _raised(self, error: BaseException) -> str:
        """Describe an exception and the place in the student's code that raised it."""
        place = failures.place_of(error, self._names, but=self.checks.file)
        if isinstance(error, NotImplementedError):
            name = place.function if place else failures.raised_by(error)
            return f"{name or 'this'} is not answered yet (NotImplementedError)"
        if not place and (told := failures.not_taken_apart(error, self._names, hidden=self.hidden)):
            return told
        why = self.checks.notebook.why(error)
        within = failures.in_a_stand_in(error, self._names, but=self.checks.file)
        return failures.described(error, place, hidden=self.hidden, in_a_stand_in=within, why=why)


class RandomState:
    """The saved state of all random generators that a notebook can reach by name.

    Parameters
    ----------
    names
        The notebook's names. The NumPy generators among them and the global generators are saved.
    """

    def __init__(self, names: dict[str, object]) -> None:
        self._generators = [
            (generator, generator.bit_generator.state)
            for generator in names.values()
            if isinstance(generator, np.random.Generator)
        ]
        self._numpy = np.random.get_state()  # noqa: NPY002  # students use it
        self._python = random.getstate()

    def put_back(self) -> None:
        """Restore every generator to the saved state."""
        for generator, state in self._generators:
            generator.bit_generator.state = state
        np.random.set_state(self._numpy)  # noqa: NPY002
        random.setstate(self._python)


class _Discard(io.TextIOBase):
    """A stream that keeps nothing: a function under test could print the hidden inputs."""

    def write(self, text: str) -> int:
        return len(text)


def _counted(functions: dict[str, object], most_calls: int) -> dict[str, object]:
    """Return functions that raise `Mismatch` after `most_calls` calls of all of them together."""
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
                raise Mismatch(why, why)
            return value(*arguments, **named)

        return function

    return {name: counted(value) for name, value in functions.items()}


class Checks:
    """The parts of one test cell.

    Parameters
    ----------
    name
        What is tested, such as ``"sigmoid_activation"``.
    points
        The points of the whole cell, hidden parts included.

    Attributes
    ----------
    names : dict
        The names of the notebook in which the cell runs.
    file : str
        The file name of the cell itself, for tracebacks.
    notebook : Notebook
        Access to the notebook, for example to replace its names.
    got, expected : ndarray or None
        The arrays that the last failed visible part compared.
    standing_in : bool
        Whether a part is tried for the second time, with stand-ins; see `tries`.
    notes : list of str
        Remarks that cost no points.
    unanswered : callable
        Returns why a function of the notebook is no answer; "" if it is one. A grader sets it.
    """

    def __init__(self, name: str, points: float) -> None:
        self.name = name
        self.points = points
        self.parts: list[Part] = []
        self.notes: list[str] = []
        cell = sys._getframe(1)
        self.names, self.file = cell.f_globals, cell.f_code.co_filename
        self.notebook = notebook_of(self.names)
        self.got: object = None
        self.expected: object = None
        self._replaced: set[str] = set()
        self._until_score = contextlib.ExitStack()
        self._stand_ins: list[tuple[int, dict[str, object]]] = []
        self.unanswered: Callable[[str], str] = lambda name: ""
        self.standing_in = self.timed_out = False
        self._refused: dict[str, object] = {}  # functions that did not return
        self._never_end: set[int] = set()  # places of the stand-ins with which a part timed out
        self._hidden = 0  # parts that are being tried now
        self._functions = self.functions()

    def stand_ins(self, most_calls: int, /, **stand_ins: object) -> None:
        """Register right functions with which `tries` may replace the notebook's own.

        Parameters
        ----------
        most_calls
            How often a part may call all of them together: as often as a right answer needs, and
            some more. Without this limit, a student without an answer could let them do the work.
        stand_ins
            The value of each name in the second try of a part. The names of a further call are for
            a third try.
        """
        self._stand_ins.append((most_calls, stand_ins))

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

        So a bug in one function costs no points again in a function that calls it. A stand-in never
        costs points that an answer earns with the notebook's own functions. Without stand-ins there
        is only one try; a student's notebook has none. The message of a failed part describes the
        try with the notebook's own functions.

        Parameters
        ----------
        what, points, hidden, promise, twin
            See `Checks.__call__`.
        shows
            Functions whose results the answer shows. If one of them has no answer (see
            `unanswered`), there is nothing to show and the part fails without a try.

        Examples
        --------
        >>> for attempt in checks.tries("two layers", points=2):
        ...     with attempt:
        ...         assert_close(forward_pass(X, Ws, bs, activations)[0], [[506.25]])
        """
        for name in shows:
            if why := self.unanswered(name):
                self.record(what, points, f"there is no result to show: {why}")
                return
        attempt = Attempt(self, what, points, hidden, last=False)
        yield attempt
        message, got, expected = attempt.message, self.got, self.expected
        for number, (most_calls, stand_ins) in enumerate(self._stand_ins if message else ()):
            if number in self._never_end:
                continue
            attempt = Attempt(self, what, points, hidden, last=False)
            self.standing_in = True
            try:
                counted = _counted(stand_ins, most_calls)
                with self.notebook.replaced(**self._refused | counted):
                    yield attempt
            finally:
                self.standing_in = False
            if attempt.timed_out:
                self._never_end.add(number)
            if not attempt.message:
                message = ""
                break
        self.got, self.expected = got, expected
        self.record(what, points, message)

    def results(self, *names: str, given: Sequence[str] = ()) -> list[Any]:
        """Return an answer's values; in a second try, run its cells again with stand-ins.

        So a bug in one function costs no points in an answer that only calls it.

        Parameters
        ----------
        names
            Names of the notebook.
        given
            Names that locked cells bind for the answer. A second try binds them again.

        Raises
        ------
        NameError
            The notebook lacks one of the names.
        """
        if self.standing_in:
            return self.notebook.rerun(names, given)
        return values_of(self.names, names)

    def replace(self, **stand_ins: object) -> None:
        """Replace functions on which the tested function depends.

        Parameters
        ----------
        stand_ins
            The value of each name until `score` is called. So a bug in one function costs no points
            again in a function that calls it.
        """
        self._replaced |= stand_ins.keys()
        self._until_score.enter_context(self.notebook.replaced(**stand_ins))

    def note_time_out(self, error: BaseException) -> None:
        """Block a function that did not return, for the rest of the cell, except for stand-ins."""
        if self.standing_in:
            return
        self.timed_out = True
        name = self.notebook.unreturned(error, but=self.file)
        if name and name not in self._replaced:
            self._refused[name] = self.names[name]
            self.replace(**{name: functools.partial(_refuse, name)})

    def functions(self) -> dict[str, object]:
        """Return the notebook's functions, without those of test cells."""
        return {
            name: value
            for name, value in dict(self.names).items()
            if callable(value) and not isinstance(value, Checks) and not name.startswith("_test_")
        }

    def put_functions_back(self, functions: dict[str, object]) -> None:
        """Restore the notebook's functions whose names the test cell has bound too.

        After a test's ``loss, dL_dg = ...``, for example, a student's helper ``loss`` is restored.
        """
        for name, function in functions.items():
            if self.names.get(name) is not function and name not in self._replaced:
                self.names[name] = function

    def put_back(self) -> None:
        """Restore the names that `replace` has replaced."""
        self._until_score.close()
        self._replaced.clear()

    def __call__(
        self, what: str, points: float, *, hidden: bool = False, promise: str = "", twin: str = ""
    ) -> Attempt:
        """Return a context manager that tries one part, worth `points`.

        Parameters
        ----------
        what
            What the part tests, in a few words.
        points
            What it is worth.
        hidden
            Whether its inputs are hidden. Then messages show no inputs, no expected values and no
            text of an exception. Printed output is dropped. The names that the part binds and the
            random generators are restored, so the rest of the notebook runs as it would without the
            part.
        promise, twin
            For readers of a hidden part. `promise` quotes the words of the notebook that announce
            what the part tests. `twin` names the visible part of the same cell that tests the same.

        Notes
        -----
        An interrupt (the cell's time limit or the stop button) ends the whole cell. Any other
        exception, even ``SystemExit``, fails only this part.
        """
        return Attempt(self, what, points, hidden)

    def record(self, what: str, points: float, message: str) -> None:
        """Record the outcome of a part and print it; print a second line if the part failed."""
        self.notebook.end_part()
        if message:  # a message of blanks is a failure too
            message = failures.one_line(message) or "failed"
        part = Part(failures.one_line(what), points, message)
        self.parts.append(part)
        mark = "passed" if part.passed else "FAILED"
        print(f"{mark}  {part.what} [{points:g} pt]" + (f"\n        {message}" if message else ""))

    def note(self, text: str) -> None:
        """Print a remark that costs no points: ``note    <text>``.

        Parameters
        ----------
        text
            What you should look at, in a sentence. It is printed on one line and cut after 1000
            characters. The same remark is printed only once.

        Notes
        -----
        ``python -m hw_support check`` lists the remarks of a run. While there are any, it does not
        report that nothing is left to do. Remarks in a hidden part or in a second try are dropped.
        """
        line = failures.one_line(str(text))
        if not line or line in self.notes or self._hidden or self.standing_in:
            return
        self.notes.append(line)
        print(f"note    {line}")

    def score(self) -> float | None:
        """Return the points earned, as the cell's last expression.

        Returns
        -------
        float or None
            The sum over the parts that passed. None if all passed but this notebook lacks some
            parts; nbgrader then gives all points. A student's copy lacks the hidden parts, and a
            number below the total would look like a failure.

        Raises
        ------
        ChecksFailed
            A part has failed while nbgrader validates the notebook. Validation reports only errors.
        """
        self.put_back()
        self.put_functions_back(self._functions)
        earned = sum(part.points for part in self.parts if part.passed)
        tried = sum(part.points for part in self.parts)
        failed = [part for part in self.parts if not part.passed]
        print(f"{self.name}: {earned:g} of {tried:g} points in this notebook.", end="")
        if tried < self.points:
            print(
                f" Hidden parts, worth {self.points - tried:g} more, run when your notebook is "
                "graded.",
                end="",
            )
        print()
        if failed and os.environ.get("NBGRADER_EXECUTION") == "validate":
            lines = [f"{self.name}: {len(failed)} part{'s' if len(failed) > 1 else ''} failed"]
            lines += [f"  {part.what}: {part.message}" for part in failed]
            raise ChecksFailed("\n".join(lines))
        if not failed and (tried < self.points or self.points == 0):
            return None
        return float(earned)
