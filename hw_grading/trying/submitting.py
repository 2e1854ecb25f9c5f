"""Grades answers by the class's own workers, and collects their results.

A notebook is cut down to the cells that an answer can change. Results are kept in a folder.
"""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from hw_grading.grade.class_run import running
from hw_grading.grade.job import OURS, installed
from hw_grading.grade.progress import Progress
from hw_grading.grade.read import Reader
from hw_grading.grade.settings import WholeClass
from hw_grading.grade.trial import Trial, write_both
from hw_grading.homework.cells import test_cells
from hw_grading.homework.course import Course
from hw_grading.homework.homework import Homework
from hw_grading.outcome import GraderFault, Outcome, PartResult, Status
from hw_grading.run.faults import settled
from hw_grading.run.settings import ExecuteSubmission
from hw_grading.texts import write_whole
from hw_grading.trying.plan import CodeCell, Plan

_LONG_CPU_SECONDS = 20.0  # of a run; what takes longer is left out unless all is wanted
_WHO = "(try)"  # in the place of a student's id; no id has brackets
_MUTANT_CPU_SECONDS = 5.0  # of a mutant of quick solutions; an endless loop does not end before
_MANY = 1000  # submissions: enough for all workers

Sources = Mapping[str, str]  # of cells, by grade id
Notebook = tuple[Plan, Sequence[str], Sources]  # tests, and other sources
Submitted = Sequence[Notebook]
_Answer = TypeVar("_Answer")


@dataclass
class TrialResult:
    """What tests gave to one answer, in all notebooks together."""

    # Points by test: all of them if it has no score, and 0 of a test without points that failed.
    lost: dict[str, float] = field(default_factory=dict)
    earned: dict[str, float] = field(default_factory=dict)
    unscored: list[str] = field(default_factory=list)
    parts: list[PartResult] = field(default_factory=list)
    failed: str = ""  # why there is no result
    took_long: bool = False  # whether it came to a limit
    cpu_seconds: float = 0.0

    def add(self, outcome: Outcome, tests: Collection[str], due: Mapping[str, float]) -> None:
        """Add what these tests of a notebook gave; `due` are points of those that cannot give all.

        Without a score for the submission, nothing but the reason is added.
        """
        if outcome.status is Status.NOT_GRADED:
            self.failed = outcome.why
            return
        self.took_long |= outcome.status is Status.SUBMISSION_FAILED
        self.cpu_seconds += outcome.cpu_seconds
        self.unscored += [test for test in outcome.unscored if test in tests]
        parts = [part for part in outcome.parts if part.cell in tests]
        self.parts += parts
        failed = {part.cell for part in parts if not part.passed}
        for score in outcome.scores:
            if (name := score.cell) in tests:
                self.earned[name] = score.earned or 0.0
                most = due.get(name, score.points)
                if self.earned[name] < most - 1e-9 or (not most and name in failed):
                    self.lost[name] = most - self.earned[name]

    @property
    def why(self) -> str:
        """The first message of a part that failed."""
        return next((p.message for p in self.parts if p.message and not p.passed), "")


class Grading:
    """Workers that grade answers to one homework, and what was found out about its tests so far.

    Attributes
    ----------
    everything
        Whether also what takes long is tried.
    plans
        The notebooks with solutions.
    cells
        All test cells, and what the solutions and the untouched release earn there.
    sound
        The tests that the solutions pass. What measures answers leaves out others.
    seconds
        CPU time of the solutions, by test.
    due
        Points that the solutions get without the cells that take long, by test.
    findings
        Sentences on answers that could not be graded.
    """

    def __init__(
        self, course: Course, assignment: str, folder: Path, everything: bool, stack: ExitStack
    ) -> None:
        config = course.config
        self._settings, self._short = (ExecuteSubmission(config=config) for _ in range(2))
        if not everything:
            self._settings.cpu_seconds_per_submission = _LONG_CPU_SECONDS
        self._short.cpu_seconds_per_submission = _MUTANT_CPU_SECONDS
        self.homework, self.everything = course.homework(assignment), everything
        whole_class = WholeClass(config=config)
        whole_class.executor = "processes"  # each call can be ended
        whole_class.folder = str(folder)
        tests = test_cells(course.db_url, assignment)
        self.progress = Progress(0, len(tests), assignment, logging.getLogger())
        stack.callback(self.progress.close, "")
        workers = running(course, assignment, tests, _MANY, whole_class=whole_class)
        self._class_run = stack.enter_context(workers)
        reader = Reader(course, assignment, course.db_url, self._class_run.conditions)
        self.cells = Trial(course, assignment, reader, self._class_run).cells
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hw-try-")))
        write_both(course, assignment, place / "solutions", place / "untouched")
        paths = sorted((place / "solutions").glob("*.ipynb"))
        self.plans = [Plan(path.stem, reader.read(_WHO, path).nb()) for path in paths]
        self.sound: Collection[str] = {cell.name for cell in self.cells if cell.is_sound}
        self.seconds: dict[str, float] = {}
        self.due: dict[str, float] = {}
        self.findings: list[str] = []
        self._begun = 0  # notebooks that no earlier run has graded
        call = self._class_run.workers.submit
        self.remembered = Remembered(folder / f"{assignment}.json", call)
        stack.callback(self.remembered.save)

    def usable(self, plan: Plan, tests: Collection[str]) -> list[str]:
        """Return those of these tests that the solutions pass, in their order."""
        return [test for test in plan.tests if test in tests and test in self.sound]

    def whole(self, sources: Sources, test: str = "") -> Submitted:
        """Return a submission of all notebooks with all tests, or one of them."""
        return [
            (plan, self.usable(plan, [test] if test else plan.tests), sources)
            for plan in self.plans
        ]

    def charged(self) -> Iterator[tuple[Plan, CodeCell, list[str]]]:
        """Yield each solution that a test charges, with these tests."""
        for plan in self.plans:
            for name, cell in plan.answers.items():
                if tests := self.usable(plan, plan.tests_of(name)):
                    yield plan, cell, tests

    def graded(
        self,
        answers: Iterable[tuple[_Answer, Submitted]],
        *,
        who: Sequence[str] = (_WHO,),
        is_mutant: bool = False,
    ) -> Iterator[tuple[_Answer, TrialResult]]:
        """Grade answers, once in each name of `who`, and yield each with its result, in order.

        An answer is notebooks with some of their tests, and other sources of cells. One that no
        test can judge is left out, and so is one that cannot be graded, which is a finding.
        """
        every = [*answers]
        begun = deque(
            (one, self._begin(asked, name, is_mutant)) for name in who for one, asked in every
        )
        while begun:
            answer, futures = begun.popleft()
            result = TrialResult()
            for tests, future in futures:
                try:
                    result.add(settled(future.result(), self.sound), tests, self.due)
                except GraderFault as fault:
                    result.failed = str(fault)
            for test in result.unscored:
                self.findings.append(f"{test}: no score for this answer: {answer}")
            if result.failed:
                self.findings.append(f"{answer}: not graded. {result.failed}")
            elif futures:
                yield answer, result

    def _begin(
        self, notebooks: Submitted, who: str, is_mutant: bool
    ) -> list[tuple[Sequence[str], Future[Outcome]]]:
        """Begin to grade an answer; return the tests and the outcome of each notebook."""
        futures = []
        for plan, tests, sources in notebooks:
            if tests:
                took = sum(self.seconds.get(test, _MUTANT_CPU_SECONDS) for test in tests)
                quick = is_mutant and took < _MUTANT_CPU_SECONDS / 5
                settings = self._short if quick else self._settings
                conditions = replace(self._class_run.conditions, settings=settings)
                job = conditions.job(who, plan.cut(tests, sources))
                futures.append((tests, self._class_run.begin(job)))
        left = [future for _, future in futures if not future.done()]
        self._begun += len(left)
        self.progress.expect(self._begun)
        for future in left:
            future.add_done_callback(self.progress.ran)
        return futures


def names(count: int) -> list[str]:
    """Return further names for `Grading.graded`: each has other fresh cases."""
    return [f"(try {number})" for number in range(2, count + 2)]


class Remembered:
    """Calls by workers whose results are kept in a file, as JSON."""

    def __init__(self, file: Path, call: Callable[..., Future[Any]]) -> None:
        self._file, self._call = file, call
        self._before: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            self._before = json.loads(file.read_text(encoding="utf-8"))
        self._results: dict[str, Any] = {}

    def __call__(self, function: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
        """Begin a call; return a function that waits for its result, None if the call failed."""
        known = [
            argument.digest() if isinstance(argument, Homework) else argument
            for argument in arguments
        ]
        about = [installed()[OURS], function.__name__, *known]
        key = hashlib.sha256(repr(about).encode()).hexdigest()
        future = None if key in self._before else self._call(function, *arguments)

        def result() -> Any:
            try:
                self._results[key] = future.result() if future else self._before[key]
            except GraderFault:  # a mutant can end its worker
                return None
            return self._results[key]

        return result

    def save(self) -> None:
        """Write the results of this run."""
        write_whole(self._file, json.dumps(self._results).encode())
