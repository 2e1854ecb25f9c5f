"""Run the parts of a test cell: with all cases, and again with right functions further up."""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import CodeType
from typing import Any

from hw_support.checks import failures, notebook_access
from hw_support.checks import fingerprint as fingerprints
from hw_support.checks.cases import NOTHING_RIGHT, Case, Cases, Function, arrays, in_another_order
from hw_support.checks.compare import Mismatch, NotPlainData, refuted, shown
from hw_support.checks.deliverables import excuse, with_too_few_points
from hw_support.checks.fitting import StaffError
from hw_support.checks.known import told_in
from hw_support.checks.notebook_access import Notebook
from hw_support.checks.parts import COUNTS_ONLY, DID_NOT_RETURN, NOT_ANSWERED, FirstTry, Part, Tries
from hw_support.checks.printing import output
from hw_support.checks.time_limit import TimeLimitReached
from hw_support.checks.written import last_call

_LONGEST_INPUTS = 300  # characters
# What NumPy's errors for shapes that do not fit together have in their text.
_OF_SHAPES = re.compile(r"matmul|broadcast|not aligned|einsum|dimension|shape")

# For some cases, functions that judge one case each. They are asked for one by one.
Judges = Callable[[Sequence[Case]], Iterator[Callable[..., object]]]
# For the visible cases and those that run, a clause on wrong results, and their fingerprint.
Explain = Callable[[Sequence[Case], Sequence[Case]], tuple[str, str]]


@dataclass(frozen=True)
class Plan:
    """What a part runs: the visible cases, then the fresh ones.

    `explain` is that of a table (see `hw_support.checks.known.seen_in`). `function` is that of a
    part of the test's own, and `of` the functions whose results a deliverable shows.
    """

    part: Part
    visible: Sequence[Case]
    fresh: Sequence[Case]
    judges: Judges
    explain: Explain = lambda *_: ("", "")
    function: Callable[..., object] | None = None
    of: Sequence[str] = ()


@dataclass(frozen=True)
class Failed:
    """The case of a part that failed, and the arrays that it compared."""

    case: Case | None = None
    got: object = None
    expected: object = None


class Running:
    """Runs the parts of one test cell, whose code is in `file`."""

    def __init__(self, function: Function, cases: Cases, notebook: Notebook, file: str) -> None:
        self.second_try = False  # whether the reference's functions replace the notebook's now
        self.failed = Failed()  # the last part that failed in its first try
        self.unanswered = ""  # the message for all parts, if there is no answer yet
        self.nothing_shown = False  # whether the part that runs has no value of a deliverable
        self._function, self._cases, self._notebook, self._file = function, cases, notebook, file
        self._told: set[str] = set()  # inputs and causes that stand in a message already
        self._late = ""  # the message for further parts, if the function did not return
        self._shared: dict[Any, Any] = {}  # cases and calls that several parts use

    def calls(
        self, cases: Sequence[Case], *, whole: bool
    ) -> Iterator[tuple[Any, Callable[[], Any]]]:
        """Yield the inputs of each case, and a function that calls the tested one with them.

        The calls of all cases are made ready at once, since a grader may make them in one question.
        If `whole` (see `Notebook.calls`), each case has a second call, with its rows in another
        order.
        """
        inputs = [self._cases.inputs_of(case) for case in cases]
        if whole:
            inputs = [one for first in inputs for one in (first, in_another_order(first))]
        # The parts of a table share their calls, if the results cannot be used up.
        key = (self.second_try, whole, *map(id, cases))
        if key not in self._shared or not self._notebook.keeps_results:
            function: Any = self._function.given
            if function is None:
                function = self._notebook.value(self._function.name)
            calls = self._notebook.calls(function, inputs, whole=whole)
            self._shared[key] = cases, calls  # the cases too, since ids are used again
        yield from zip(inputs, self._shared[key][1], strict=True)

    def outcome(self, plan: Plan, above: Sequence[Part]) -> Part:
        """Return a part with its outcome, after at most two tries; `above` are those before it."""
        part, tries = plan.part, self._notebook.tries
        if known := tries and tries.begin():
            first, self.unanswered = known.part, known.unanswered
            self._told |= known.told
            print(known.said, end="")
        elif self.unanswered:
            return replace(part, message=self.unanswered)
        elif not (part.compares_values or any(p.passed and p.compares_values for p in above)):
            return replace(part, message=COUNTS_ONLY)
        else:
            first = self._first_try(plan, tries) if tries else self._run(plan)
        too_few = with_too_few_points(plan.of, self._notebook.earned())
        if first.excused and plan.of and not too_few:
            return replace(part, excused=first.excused)
        if first.message or too_few:
            right = self._right_functions()
            if tries and not tries.is_second:
                tries.is_wanted = tries.is_wanted or bool(too_few or right)
            elif right and not too_few:  # poor functions have no use for right ones
                with self._notebook.replaced(**right):
                    self.second_try = True
                    second = self._run(plan)
                    self.second_try = False
                if second.passed:
                    return replace(part, second_try=True)
                # Mistakes further up have no part in it.
                first = replace(first, fingerprint=second.fingerprint or first.fingerprint)
        return replace(first, message=first.message or too_few, excused="")

    def _first_try(self, plan: Plan, tries: Tries) -> Part:
        """Run a part, and note what its second try has to know."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            first = self._run(plan)
        print(said.getvalue(), end="")
        told = frozenset(self._told)
        tries.first[-1] = FirstTry(first, said.getvalue(), self.unanswered, told)
        return first

    def _right_functions(self) -> dict[str, object]:
        """Return the reference's functions above the tested one, of answers that are graded."""
        if not self._notebook.reference:
            return {}
        tested, name = self._notebook.earned().items(), self._function.name
        graded = [one for one, (_, points) in tested if points and one != name]
        right: dict[str, object] = self._notebook.reference.above(name, graded, self._notebook.own)
        return right

    def _run(self, plan: Plan) -> Part:
        """Run a part with all cases until one fails; it is `excused` if the notebook's code raised.

        KeyboardInterrupt ends the cell.
        """
        if self._late and not self._notebook.reference:
            return replace(plan.part, message=self._late)
        cases: Sequence[Case] = [*plan.visible, *plan.fresh]
        if self.second_try:
            with contextlib.suppress(LookupError):
                cases = self._notebook.right(cases)
        self.nothing_shown, is_fresh = False, False
        case: Case = ()
        try:
            with self._notebook.limited():
                judges = plan.judges(cases)
                for number, case in enumerate(cases):
                    is_fresh = number >= len(plan.visible)
                    with output(dropped=is_fresh or self.second_try):
                        next(judges)(*arrays(copy.deepcopy(case)))
        except (StaffError, KeyboardInterrupt):
            raise
        except BaseException as error:
            failed = replace(plan.part, message="an exception was raised", fresh=is_fresh)
            with contextlib.suppress(Exception):  # its text and attributes are student code too
                failed = self._failed(plan, failed, cases, case, error)
            return failed
        finally:
            self._notebook.end_part()
        return plan.part

    # -- why a part failed

    def _failed(
        self, plan: Plan, part: Part, cases: Sequence[Case], case: Case, error: BaseException
    ) -> Part:
        """Return a part that failed for a case, with its message."""
        place = failures.place_of(error, self._notebook.names, but=self._file)
        if isinstance(error, ImportError) and not place:
            raise StaffError(str(error)) from None
        cause = fingerprint = ""
        if isinstance(error, Mismatch):
            cause, error.cause = error.cause, ""  # a message has it at its end
            if not part.fresh:
                cause, fingerprint = self._look_closer(cause, plan, cases)
        message = self._why(error, place)
        fingerprint = fingerprint or _fingerprint(message, error, place, part.fresh)
        cause = self._sentence(fingerprint) or cause
        if cause and cause not in self._told and not self.second_try:
            message += f". Likely cause: {cause}"
            self._told.add(cause)
        earned = self._notebook.earned()
        excused = excuse(error, place, earned) if self.nothing_shown else ""
        call = self._other_call(plan.function, error)
        about = f"Call: {call}" if call else ""
        if call is None:
            about = _about(self._names(plan, case), case, part.fresh, error)
        if about and not self.unanswered and (self.second_try or about not in self._told):
            message += f"{'' if message.endswith('?') else '.'} {about}"
            self._told.add("" if self.second_try else about)
        if not self.second_try:
            got, expected = getattr(error, "got", None), getattr(error, "expected", None)
            self.failed = Failed(case, got, expected)
        # Blanks are a failure too.
        message = failures.one_line(message) or "failed"
        return replace(part, message=message, excused=excused, fingerprint=fingerprint)

    def _names(self, plan: Plan, case: Case) -> Sequence[str]:
        """Return the names of the entries of a case, as far as they are inputs."""
        if plan.function:
            names = [*inspect.signature(plan.function).parameters]
            if names != ["case"]:
                return names
        return self._cases.inputs[: self._cases.count(case)]

    def _other_call(self, function: Any, error: BaseException) -> str | None:
        """Return the call that led to an error; None if its inputs are those of the case."""
        code: CodeType | None = getattr(function, "__code__", None)
        if code is None or code.co_filename != self._file:
            return None
        lines = [s.tb_lineno for s in failures.steps_of(error) if s.tb_frame.f_code is code]
        return last_call(code, lines[-1], self._function.name) if lines else None

    def _look_closer(self, cause: str, plan: Plan, cases: Sequence[Case]) -> tuple[str, str]:
        """Return the cause of a mismatch, and the fingerprint of the visible results; "" if none.

        `cause` is one that explains the case that failed. Another visible case may refute it.
        """

        def run_visible() -> None:
            for case, judge in zip(plan.visible, plan.judges(cases), strict=False):
                with contextlib.suppress(Exception):
                    judge(*arrays(copy.deepcopy(case)))

        seen = fingerprint = ""
        with (
            self._notebook.limited(),
            output(dropped=True),
            contextlib.suppress(*NOTHING_RIGHT),
        ):
            seen, fingerprint = plan.explain(plan.visible, cases)
            if not seen and cause and refuted(cause, run_visible):
                cause = ""
        return seen or cause, fingerprint

    def _sentence(self, fingerprint: str) -> str:
        """Return what a student at home is told of a known mistake; "" if there is nothing.

        A grader adds it where results are shown, so that nobody is graded again for a new one.
        """
        if self._notebook.reference:
            return ""
        with contextlib.suppress(OSError):
            return told_in(Path.cwd()).get(self._function.name, {}).get(fingerprint, "")
        return ""

    def _why(self, error: BaseException, place: failures.Place | None) -> str:
        function = self._function.name
        if isinstance(error, TimeLimitReached):
            self._shared.clear()
            self._late = f"`{function}` is not called again: it {DID_NOT_RETURN} the time limit"
            return f"{DID_NOT_RETURN} {notebook_access.CPU_SECONDS:g} s (an endless loop?)"
        if isinstance(error, Mismatch | NotPlainData):
            return str(error)
        if isinstance(error, NotImplementedError):
            name = place.function if place else "this"
            message = f"{name} {NOT_ANSWERED} (NotImplementedError)"
        elif isinstance(error, NameError) and not place:  # the test itself needs the name
            name = str(error.name)
            message = f"{name} is not defined. Did its cell end in an error?"
        else:
            return failures.error_message(error, place)
        if name == function and not self.second_try:
            self.unanswered = message
        return message


def _fingerprint(
    message: str, error: BaseException, place: failures.Place | None, is_fresh: bool
) -> str:
    """Return the fingerprint of a failure that has none of its results.

    What visible cases show is the same for everybody who makes the mistake, numbers too. A message
    without compared arrays may be on random numbers, whose sizes are alike.
    """
    if isinstance(error, Mismatch) and not is_fresh:
        if error.got is None:
            return fingerprints.of_message(message, sizes=True)
        return fingerprints.of_values(message)
    if isinstance(error, Mismatch | NotPlainData | TimeLimitReached):
        return fingerprints.of_message(message)
    kind = failures.plain_name(type(error).__name__, "an exception")
    return fingerprints.of_error(kind, str(error), place.function if place else "")


def _about(names: Sequence[str], case: Case, is_fresh: bool, error: BaseException) -> str:
    """Describe the inputs of a case: all but those that begin with "expected".

    Arrays are told by their shapes if NumPy raised an error for these.
    """
    of_shapes = isinstance(error, ValueError) and _OF_SHAPES.search(str(error))
    most = {"entries": 0} if of_shapes else {}
    inputs = zip(names, arrays(tuple(case)), strict=False)
    shows = [f"{n} = {shown(v, **most)}" for n, v in inputs if not n.startswith("expected")]
    text = ", ".join(shows)
    if len(text) > _LONGEST_INPUTS:
        text = text[:_LONGEST_INPUTS] + "…"
    return f"{'Fresh input' if is_fresh else 'Input'}: {text}" if text else ""
