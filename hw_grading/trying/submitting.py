"""Submits answers to the class's own workers, and collects their results.

A notebook is cut down to the cells that an answer can change. Results are kept in a folder.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from hw_grading.batch.grading import running
from hw_grading.batch.job import OURS, installed
from hw_grading.batch.local import LocalProcesses
from hw_grading.batch.progress import Progress
from hw_grading.batch.settings import WholeClass
from hw_grading.homework.cells import is_test, test_cells
from hw_grading.homework.course import Course
from hw_grading.outcome import GraderFault, Outcome, PartResult, Status
from hw_grading.plugins.reading import Reader
from hw_grading.plugins.trial import write_both
from hw_grading.run.faults import settled
from hw_grading.run.outputs import score_of
from hw_grading.run.settings import ExecuteSubmission
from hw_grading.texts import write_whole
from hw_grading.trying.plan import Plan
from hw_grading.trying.report import Tried
from hw_support.submission.cells import grade_id_of

_WHO = "(try)"  # in the place of a student's id; no id has brackets
_MUTANT_CPU_SECONDS = 5.0  # of a mutant of quick solutions; an endless loop does not end before
_MANY = 1000  # submissions: enough for all workers

Sources = Mapping[str, str]  # of cells, by grade id
Submitted = Sequence[tuple[Plan, Sequence[str], Sources]]  # notebooks: tests, other sources


@dataclass(frozen=True)
class Result:
    """What tests gave to one answer."""

    lost: dict[str, float]  # points by test; all of them if it has no score
    earned: dict[str, float]
    unscored: tuple[str, ...] = ()
    parts: tuple[PartResult, ...] = ()
    failed: str = ""  # why there is no result
    took_long: bool = False  # whether it came to a limit
    cpu_seconds: float = 0.0

    @classmethod
    def of(
        cls, future: Future[Outcome], due: Mapping[str, float], sound: Collection[str]
    ) -> Result:
        """Wait for an outcome; `due` are points of tests that cannot give all of theirs."""
        try:
            outcome = settled(future.result(), sound)
        except GraderFault as fault:
            return cls({}, {}, failed=str(fault))
        if outcome.status is Status.NOT_GRADED:
            return cls({}, {}, failed=outcome.why)
        lost, earned = {}, {}
        notebook = nbformat.from_dict(json.loads(outcome.notebook))
        for cell in filter(is_test, notebook.cells):
            name = grade_id_of(cell) or ""
            score, most = score_of(cell)
            earned[name] = 0.0 if name in outcome.unscored else score
            if earned[name] < (most := due.get(name, most)) - 1e-9:
                lost[name] = most - earned[name]
        took_long = outcome.status is Status.SUBMISSION_FAILED
        about = outcome.unscored, outcome.parts, "", took_long, outcome.cpu_seconds
        return cls(lost, earned, *about)

    def __add__(self, other: Result) -> Result:
        """Return what several notebooks of one submission got."""
        return Result(
            self.lost | other.lost,
            self.earned | other.earned,
            self.unscored + other.unscored,
            self.parts + other.parts,
            self.failed or other.failed,
            self.took_long or other.took_long,
            self.cpu_seconds + other.cpu_seconds,
        )

    @property
    def why(self) -> str:
        """The first message of a part that failed."""
        return next((p.message for p in self.parts if p.message and not p.passed), "")


@dataclass(frozen=True)
class _Asked:
    """An answer whose results are awaited."""

    name: str
    futures: Sequence[Future[Outcome]]
    note: Callable[[Result], object]


class Submitting:
    """The workers, the notebooks with solutions, and answers whose results are awaited.

    Sentences on answers that could not be graded are findings.
    """

    def __init__(
        self,
        course: Course,
        tried: Tried,
        folder: Path,
        cpu_seconds: float | None,
        stack: ExitStack,
    ) -> None:
        assignment, config = tried.assignment, course.config
        self._tried = tried
        self.sound: Collection[str] = ()  # tests that the solutions pass
        self._settings, self._short = (ExecuteSubmission(config=config) for _ in range(2))
        self._settings.cpu_seconds_per_submission = (
            cpu_seconds or self._settings.cpu_seconds_per_submission
        )
        self._short.cpu_seconds_per_submission = _MUTANT_CPU_SECONDS
        self._homework = course.homework(assignment)
        whole_class = WholeClass(config=config)
        whole_class.folder, whole_class.secret_file = str(folder), str(folder / "secret")
        tests = test_cells(course.db_url, assignment)
        self._progress = Progress(0, len(tests), assignment, logging.getLogger())
        workers = running(
            course,
            self._homework,
            self._settings,
            whole_class,
            tests,
            notebooks=_MANY,
            progress=lambda: self._progress,
        )
        self._class_run, self._job = stack.enter_context(workers)
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hw-try-")))
        write_both(course, assignment, place / "solutions", place / "untouched")
        reader = Reader(course, assignment, course.db_url, self._job)
        paths = sorted((place / "solutions").glob("*.ipynb"))
        self._plans = [Plan(path.stem, reader.read(_WHO, path).notebook) for path in paths]
        self._seconds: dict[str, float] = {}  # CPU time of the solutions, by test
        # Points that the solutions get without the cells that take long, by test.
        self._due: dict[str, float] = {}
        self._begun = 0  # notebooks
        self._awaited: list[_Asked] = []
        call: Callable[..., Future[Any]] = self._class_run.call
        if whole_class.executor == "dask":  # whose workers are threads: no call there can be ended
            here = LocalProcesses(len(os.sched_getaffinity(0)), examined=False)
            stack.callback(here.shutdown, cancel_futures=True)
            call = here.submit
        self._remembered = Remembered(folder / f"{assignment}.json", call)

    def _ask(
        self,
        name: str,
        notebooks: Submitted,
        note: Callable[[Result], object],
        *,
        who: str = _WHO,
        is_mutant: bool = False,
    ) -> None:
        """Begin to grade an answer: notebooks with these tests, and other sources of cells."""
        futures = []
        for plan, tests, sources in notebooks:
            if tests:
                took = sum(self._seconds.get(test, _MUTANT_CPU_SECONDS) for test in tests)
                quick = is_mutant and took < _MUTANT_CPU_SECONDS / 5
                settings = self._short if quick else self._settings
                job = self._job(who, plan.cut(tests, sources), settings=settings)
                futures.append(self._class_run.begin(job, of_class=False))
        self._begun += len(futures)
        self._progress.expect(self._begun)
        for future in futures:
            future.add_done_callback(self._progress.ran)
        if futures:
            self._awaited.append(_Asked(name, futures, note))

    def _collect(self) -> None:
        """Wait for all answers, and note their results."""
        while self._awaited:
            asked = self._awaited[0]
            results = (Result.of(future, self._due, self.sound) for future in asked.futures)
            result = sum(results, Result({}, {}))
            self._awaited.pop(0)
            for test in result.unscored:
                self._tried.findings.append(f"{test}: no score for this answer: {asked.name}")
            if result.failed:
                self._tried.findings.append(f"{asked.name}: not graded. {result.failed}")
            else:
                asked.note(result)


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
        about = [installed()[OURS], function.__name__, *arguments]
        key = hashlib.sha256(repr(about).encode()).hexdigest()
        if key in self._before:
            self._results[key] = self._before[key]
            return lambda: self._results[key]
        future = self._call(function, *arguments)

        def result() -> Any:
            try:
                self._results[key] = future.result()
            except GraderFault:  # a mutant can end its worker
                return None
            return self._results[key]

        return result

    def save(self) -> None:
        """Write the results of this run."""
        write_whole(self._file, json.dumps(self._results).encode())
