"""Partial credit by named parts, for test cells.

A test cell opens a `Checks`, tries every part, and ends in ``checks.score()``, which nbgrader
takes as the cell's partial credit::

    checks = Checks("relu_activation", points=3)

    with checks("values on both sides of 0", points=2):
        out, grad = relu_activation(np.array([-2.0, 0.5]))
        assert_close(out, [0.0, 0.5], what="out")

    checks.score()

A part that fails is reported and the next one is tried. What costs no points, and should be looked
at all the same, is said by ``checks.note("...")``. What a part writes to stderr, a harmless
numpy warning for example, is shown as ordinary output: nbgrader would give 0 for it.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import io
import os
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hw_support import failures
from hw_support.compare import Mismatch
from hw_support.missing_names import why_missing, why_not_imported
from hw_support.rerun import rerun, values_of
from hw_support.time_limit import TimeLimitReached, time_limit, uninterrupted

# For one part. Right answers take a few milliseconds.
CPU_SECONDS = 5.0
WALL_SECONDS = 25.0
# The shares of these that a part has, where none of two things is so, one, or both: an earlier part
# did not end; a function that the test calls did not return in an earlier cell.
_SHARES = (1.0, 1.0), (0.2, 0.4), (0.05, 0.2)


class Notebook:
    """What a test cell may do to the notebook: here, that in which the cell itself runs.

    A grader that runs test cells elsewhere gives their names an attribute `notebook`, with the same
    methods, which do the same from there.

    Parameters
    ----------
    names
        The notebook's names.

    Attributes
    ----------
    hurried
        Whether parts get little time from the first one on, because a function that they call did
        not return in an earlier cell.
    """

    MISSING = object()
    hurried = False

    def __init__(self, names: dict[str, object]) -> None:
        self.names = names

    def put(self, name: str, value: object) -> None:
        """Let a name mean something else."""
        self.names[name] = value

    def put_back(self, name: str, original: object) -> None:
        """Let a name mean `original` again; `MISSING` lets it mean nothing."""
        if original is self.MISSING:
            self.names.pop(name, None)
        else:
            self.names[name] = original

    def why(self, error: BaseException) -> str:
        """Say why a name is missing or an import failed: a package may not be there."""
        if isinstance(error, NameError) and isinstance(error.name, str):
            return why_missing(error.name, self.names)
        return why_not_imported(error)

    def limited(
        self, cpu_seconds: float, wall_seconds: float
    ) -> contextlib.AbstractContextManager[None]:
        """Return a context manager that raises `TimeLimitReached` when a block takes too long."""
        return time_limit(cpu_seconds, wall_seconds)

    def own(self, name: str) -> object:
        """Return what a name means to the student's code; None where it means nothing."""
        return self.names.get(name)

    def unreturned(self, error: BaseException, but: str) -> str:
        """Return the name of the first function that ran when a time limit was reached, or "".

        `but` is the file name of the test cell, whose own functions do not count.
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
        """Run the cells again that bind `names` or `given`; return what `names` mean then."""
        return rerun(self.names, names, given)

    def undoing(self, function: Callable[..., object], *arguments: object) -> object:
        """Call a function, and undo what it did to the arrays that it was given."""
        arrays = [thing for thing in arguments if isinstance(thing, np.ndarray)]
        before = [thing.copy() for thing in arrays]
        try:
            return function(*arguments)
        finally:
            for thing, copy in zip(arrays, before, strict=True):
                thing[...] = copy

    def tried(self, attempt: Attempt, error: BaseException | None) -> None:
        """Be told how one try of a part ended, while its names are there; nobody asks here."""

    def end_part(self) -> None:
        """End a part: functions that it has handed over are of no use any more."""

    @contextlib.contextmanager
    def kept(self, *names: str) -> Iterator[None]:
        """Keep what names mean while a block runs, also if it writes into what they mean."""
        meant = {name: self.own(name) for name in names}
        before = {name: copy.deepcopy(v) for name, v in meant.items() if v is not None}
        for name, value in before.items():
            self.put(name, copy.deepcopy(value))
        try:
            yield
        finally:
            for name in names:
                if name in before:
                    self.put(name, before[name])
                else:
                    self.put_back(name, self.MISSING)

    @contextlib.contextmanager
    def replaced(self, **values: object) -> Iterator[None]:
        """Let names mean something else in a block."""
        before = {name: self.names.get(name, self.MISSING) for name in values}
        for name, value in values.items():
            self.put(name, value)
        try:
            yield
        finally:
            for name, original in before.items():
                self.put_back(name, original)


def _refuse(name: str, *_: object, **__: object) -> None:
    """Stand in the place of a function that did not return within a time limit."""
    why = f"`{name}` is not called again: it did not return within the time limit of another part"
    raise Mismatch(why, why)


def notebook_of(names: dict[str, object]) -> Notebook:
    """Return what a test cell with these names may do to the notebook."""
    notebook: Notebook = getattr(names, "notebook", None) or Notebook(names)
    return notebook


@dataclass(frozen=True)
class Part:
    """What became of one part: `message` is empty when it passed."""

    what: str
    points: float
    message: str

    @property
    def passed(self) -> bool:
        """Whether the part's points were earned."""
        return not self.message


class ChecksFailed(AssertionError):
    """Raised where a failed part has to be seen as an error: by nbgrader's validation."""

    def _render_traceback_(self) -> list[str]:  # IPython: the message is all there is to read
        return [str(self)]


class Attempt:
    """One part while it is tried; made by calling a `Checks`."""

    def __init__(
        self, checks: Checks, what: str, points: float, hidden: bool, last: bool = True
    ) -> None:
        self.checks, self.what, self.points, self.hidden = checks, what, points, hidden
        self._last = last  # whether what became of it is recorded when it ends
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
        # After one endless part the rest of the cell has to fit into the cell's own limit. With
        # stand-ins a part may end that did not end without them.
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
        # By its type: an attribute of a student's exception may raise in turn, `__class__` too.
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
                return "stopped before it came to an end (an endless loop?)"
            case TimeLimitReached():
                self.timed_out = True
                self.checks.note_time_out(error)
                return f"did not return within {self._seconds:g} s (an endless loop?)"
            case Mismatch():
                return error.discreet if self.hidden else str(error)
            case _:
                return self._raised(error)

    def _raised(self, error: BaseException) -> str:
        """Say what an exception was, and where in the student's code it was raised."""
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
    """The state of all random generators that a notebook's names give, to be put back.

    Parameters
    ----------
    names
        The notebook's names; NumPy generators among them count, and the global ones.
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
        """Let every generator go on as if nothing had been drawn."""
        for generator, state in self._generators:
            generator.bit_generator.state = state
        np.random.set_state(self._numpy)  # noqa: NPY002
        random.setstate(self._python)


class _Discard(io.TextIOBase):
    """A stream that keeps nothing: a function under test could print the hidden inputs."""

    def write(self, text: str) -> int:
        return len(text)


def _counted(functions: dict[str, object], most_calls: int) -> dict[str, object]:
    """Return functions that raise `Mismatch` when all together were called more often."""
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
        To replace names of the notebook.
    got, expected : ndarray or None
        What the last failed visible part compared.
    standing_in : bool
        Whether a part is tried for the second time, with stand-ins; see `tries`.
    notes : list of str
        Remarks that cost no points.
    unanswered : callable
        Says why a function of the notebook is no answer, "" if it is one; a grader puts it there.
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
        self._replaced: dict[str, object] = {}
        self._stand_ins: list[tuple[int, dict[str, object]]] = []
        self.unanswered: Callable[[str], str] = lambda name: ""
        self.standing_in = self.timed_out = False
        self._refused: dict[str, object] = {}  # functions that did not return
        self._never_end: set[int] = set()  # places of the stand-ins with which a part timed out
        self._hidden = 0  # parts that are being tried now
        self._functions = self.functions()

    def stand_ins(self, most_calls: int, /, **stand_ins: object) -> None:
        """Name right functions that `tries` may put in the place of the notebook's own.

        Parameters
        ----------
        most_calls
            How often a part may call them, all together: what an answer has to ask, and some more.
            Who has no answer could have them work for him.
        stand_ins
            For each name of the notebook, what it means in the second try of a part. What a further
            call names is for a third try.
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

        So a bug in a function is not charged again at a function that calls it, and a stand-in
        takes no point from an answer that is right with the functions around it. Without stand-ins
        (in a student's notebook there are none) there is one try. What is told of a part that fails
        is what happened with the notebook's own functions.

        Parameters
        ----------
        what, points, hidden, promise, twin
            As for a call of `Checks`.
        shows
            Functions whose results the answer shows. Where one of them is not answered there is
            nothing to show, and no try: see `unanswered`.

        Examples
        --------
        >>> for attempt in checks.tries("two layers", points=2):
        ...     with attempt:
        ...         assert_close(forward_pass(X, Ws, bs, activations)[0], [[506.25]])
        """
        for name in shows:
            if why := self.unanswered(name):
                self.record(what, points, f"there is nothing to show: {why}")
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
        """Return what an answer has bound; in a second try, what its cells give with stand-ins.

        So an answer that only calls functions does not pay for a bug in one of them.

        Parameters
        ----------
        names
            Names of the notebook.
        given
            Names that locked cells bind for the answer. In a second try they are bound again.

        Raises
        ------
        NameError
            The notebook does not have one of them.
        """
        if self.standing_in:
            return self.notebook.rerun(names, given)
        return values_of(self.names, names)

    def replace(self, **stand_ins: object) -> None:
        """Put other functions in the place of those that the tested one depends on.

        Parameters
        ----------
        stand_ins
            For each name of the notebook, what it means until `score` is called. So a bug in one
            function is not charged again where another function calls it.
        """
        for name, stand_in in stand_ins.items():
            self._replaced.setdefault(name, self.names.get(name, Notebook.MISSING))
            self.notebook.put(name, stand_in)

    def note_time_out(self, error: BaseException) -> None:
        """Do not call a function again in this cell that did not return; stand-ins may call it."""
        if self.standing_in:
            return
        self.timed_out = True
        name = self.notebook.unreturned(error, but=self.file)
        if name and name not in self._replaced:
            self._refused[name] = self.names[name]
            self.replace(**{name: functools.partial(_refuse, name)})

    def functions(self) -> dict[str, object]:
        """Return the functions among the notebook's names, those of test cells left out."""
        return {
            name: value
            for name, value in dict(self.names).items()
            if callable(value) and not isinstance(value, Checks) and not name.startswith("_test_")
        }

    def put_functions_back(self, functions: dict[str, object]) -> None:
        """Let functions of the notebook keep their names, which a test cell has bound as well.

        A student's helper ``loss`` is needed again after a test's ``loss, dL_dg = ...``.
        """
        for name, function in functions.items():
            if self.names.get(name) is not function and name not in self._replaced:
                self.names[name] = function

    def put_back(self) -> None:
        """Let the names that `replace` took mean again what they meant before."""
        for name, original in self._replaced.items():
            self.notebook.put_back(name, original)
        self._replaced.clear()

    def __call__(
        self, what: str, points: float, *, hidden: bool = False, promise: str = "", twin: str = ""
    ) -> Attempt:
        """Return a context manager that tries one part, worth `points`.

        Parameters
        ----------
        what
            What the part looks at, in a few words.
        points
            What it is worth.
        hidden
            Whether its inputs are hidden: then a message tells neither inputs nor expected
            values, and nothing of the text of an exception; what is printed is dropped; and the
            names that the part binds are put back, and random generators too, so that a
            notebook runs on as it did without the part.
        promise, twin
            For readers of a hidden part: the words of the notebook that promise what it looks at,
            and the visible part of the same cell that tries the promise.

        Notes
        -----
        An interrupt (the time limit of a cell, or the stop button) ends the whole cell. Every
        other exception, ``SystemExit`` too, fails just this part.
        """
        return Attempt(self, what, points, hidden)

    def record(self, what: str, points: float, message: str) -> None:
        """Keep what became of a part, and print a line about it, and one about what was wrong."""
        self.notebook.end_part()
        if message:  # one of blanks alone is a failure as well
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
            What the student should look at, in a sentence. It is put on one line, and cut after
            1000 characters. A remark that was made before is not made again.

        Notes
        -----
        ``python -m hw_support check`` lists the remarks of a run, and does not say that nothing is
        left to do while there are any. In a hidden part, and in a second try, nothing is kept.
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
            The sum over the parts that passed. None, which nbgrader reads as all points, when
            all passed and some parts are not in this notebook: in a student's copy the hidden
            ones are missing, and a number below the total would look like a failure.

        Raises
        ------
        ChecksFailed
            While nbgrader validates a notebook and a part has failed: its report shows nothing
            but errors.
        """
        self.put_back()
        self.put_functions_back(self._functions)
        earned = sum(part.points for part in self.parts if part.passed)
        tried = sum(part.points for part in self.parts)
        failed = [part for part in self.parts if not part.passed]
        print(f"{self.name}: {earned:g} of {tried:g} points here.", end="")
        if tried < self.points:
            print(f" Parts worth {self.points - tried:g} more are run when you are graded.", end="")
        print()
        if failed and os.environ.get("NBGRADER_EXECUTION") == "validate":
            lines = [f"{self.name}: {len(failed)} part{'s' if len(failed) > 1 else ''} failed"]
            lines += [f"  {part.what}: {part.message}" for part in failed]
            raise ChecksFailed("\n".join(lines))
        if not failed and (tried < self.points or self.points == 0):
            return None
        return float(earned)
