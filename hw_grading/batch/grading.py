"""One `nbgrader autograde`, from the lock on the course to the table at the end.

`grading` is a context manager around the whole run. It ends everything that it has started, also
after an error. Inside the block nbgrader's loop runs. For each submission the loop asks the
`ClassGrading` for a `Turn`, which has the mended notebook and a function that returns the outcome.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.converters import Autograde

from hw_grading.batch import folders
from hw_grading.batch.ahead import ClassRun
from hw_grading.batch.expected import expected
from hw_grading.batch.job import run, run_elsewhere
from hw_grading.batch.local import LocalProcesses
from hw_grading.batch.preparing import Preparation
from hw_grading.batch.process import one_engine, quiet_database, quiet_interrupt, rare_collections
from hw_grading.batch.progress import Progress
from hw_grading.batch.seeds import course_seeds
from hw_grading.batch.settings import WholeClass
from hw_grading.batch.snapshot import Conditions
from hw_grading.batch.snapshots import Snapshots, kept_around
from hw_grading.batch.store import Results
from hw_grading.homework.course import Course
from hw_grading.homework.homework import Homework
from hw_grading.outcome import Outcome
from hw_grading.run.blame import described
from hw_grading.run.settings import RunSettings

_TURN = "hw_grading"  # key in nbconvert's resources


@dataclass(frozen=True)
class Plan:
    """How a class is to be graded."""

    homework: Homework
    settings: RunSettings
    whole_class: WholeClass
    # Reads and mends any file that a student handed in: nbgrader's first pass.
    sanitize: Callable[[str, Path], NotebookNode]
    secret_file: Path  # of the course's secret, which determines the hidden inputs
    # Called while processes start, with a function that waits until these have imported the
    # homework's code; with None if this process runs the submissions itself. It raises
    # `GraderFault` if submissions cannot be graded with these settings.
    make_ready: Callable[[Callable[[], None] | None], None]


@dataclass(frozen=True)
class Turn:
    """The submission that nbgrader's loop is grading now; in the second pass's resources."""

    student: str
    notebook: NotebookNode  # mended, with the instructor's cells
    digest: str  # of the submitted file
    outcome: Callable[[], Outcome]  # waits for the outcome, or runs the submission
    saved: Callable[[], None]  # has to be called when the scores are in the gradebook

    def put_into(self, resources: dict[str, Any]) -> None:
        """Pass the turn to the preprocessors that get these resources."""
        resources[_TURN] = self

    @classmethod
    def in_resources(cls, resources: dict[str, Any]) -> Turn:
        """Return the turn that `put_into` has stored."""
        turn: Turn = resources[_TURN]
        return turn

    def __deepcopy__(self, memo: dict[int, Any]) -> Turn:
        """Return the turn itself: nbconvert copies resources, but the run must not be copied."""
        return self


class ClassGrading:
    """A run over a class, as nbgrader's loop sees it."""

    def __init__(self, preparation: Preparation, class_run: ClassRun, progress: Progress) -> None:
        self._preparation, self._class_run, self._progress = preparation, class_run, progress

    def turn(self, student: str, path: Path) -> Turn:
        """Return the submission that the loop is grading, with the current content of its files."""
        try:
            prepared = self._preparation.now(student, path)
        except Exception as error:
            self._progress.not_graded(student, described(error))
            raise
        outcome = functools.partial(self._class_run.outcome, prepared.job)
        saved = functools.partial(self._progress.saved, student)
        return Turn(student, prepared.notebook, prepared.digest, outcome, saved)


@contextlib.contextmanager
def grading(converter: Autograde, plan: Plan) -> Iterator[ClassGrading]:
    """Grade the submissions that a converter has listed: nbgrader's loop runs inside the block.

    At the end of the block, also after an error, all processes are ended, the table is shown, a
    snapshot of the class is kept, and the course is unlocked. `GraderFault` is raised if another
    run is grading the course, or if submissions cannot be graded here.
    """
    with ExitStack() as stack:
        stack.enter_context(quiet_interrupt())
        stack.enter_context(quiet_database())
        stack.enter_context(one_engine())
        stack.enter_context(folders.held(converter))
        submissions = list(expected(converter))
        folder = plan.whole_class.place(converter.coursedir.root)
        results = Results(folder / "results", plan.whole_class.results_mb)
        executor, at_once = plan.whole_class.make_executor(
            len(submissions), plan.settings, plan.homework, converter.log.error
        )
        if executor:
            stack.callback(executor.shutdown, cancel_futures=True)
        pool = executor if isinstance(executor, LocalProcesses) else None
        plan.make_ready(pool.start_early() if pool else None)
        course, assignment = Course.of(converter.coursedir), converter.coursedir.assignment_id
        snapshots = Snapshots(folder, assignment)
        conditions = Conditions.of(plan.settings, plan.homework)
        stack.enter_context(kept_around(course, assignment, snapshots, conditions, converter.log))
        progress = stack.enter_context(_progress(converter, submissions, folder))
        progress.at_once = at_once
        seeds = course_seeds(plan.secret_file)
        preparation = Preparation(plan.sanitize, plan.settings, plan.homework, seeds)
        class_run = ClassRun(
            preparation.ahead(submissions),
            executor,
            at_once,
            results,
            progress,
            rerun=plan.whole_class.rerun,
            run=run_elsewhere if plan.whole_class.executor == "dask" else run,
        )
        stack.callback(class_run.stop)
        stack.enter_context(rare_collections())
        yield ClassGrading(preparation, class_run, progress)


@contextlib.contextmanager
def _progress(
    converter: Autograde, submissions: list[tuple[str, Path]], folder: Path
) -> Iterator[Progress]:
    course = converter.coursedir
    students = dict.fromkeys([*(student for student, _ in submissions), *course.unusable])
    progress = Progress(list(students), folder, course.assignment_id, converter.log, sys.stderr)
    course.on_fault = progress.not_graded
    try:
        yield progress
    finally:
        force = " --force" if converter.force else ""
        progress.close(f"nbgrader autograde {course.assignment_id}{force}")
