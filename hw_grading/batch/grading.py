"""One `nbgrader autograde`, from the lock on the course to the table at the end.

`grading` is a context manager around the whole run. It ends everything that it has started, also
after an error. Inside the block nbgrader's loop runs. For each submission the loop asks for a
`Turn`, which has the mended notebook and a function that returns the outcome.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy.exc
from nbformat import NotebookNode
from nbgrader.converters import Autograde

import hw_grading
from hw_grading.batch import folders
from hw_grading.batch.ahead import ClassRun, Preparation
from hw_grading.batch.job import run, run_elsewhere
from hw_grading.batch.local import LocalProcesses
from hw_grading.batch.progress import Progress
from hw_grading.batch.seeds import course_seeds
from hw_grading.batch.settings import WholeClass
from hw_grading.batch.store import Results
from hw_grading.examiner import client
from hw_grading.gradebook.runs import Run
from hw_grading.homework.cells import test_cells, uses_checks
from hw_grading.homework.homework import Homework
from hw_grading.outcome import Outcome
from hw_grading.run.blame import described
from hw_grading.run.settings import RunSettings
from hw_grading.sandbox import fork_client

TURN = "hw_grading"  # key of the `Turn` in the resources of the second pass
OUTCOME = "hw_grading_outcome"  # key of its outcome there, once it is known
# Thresholds for `gc.set_threshold`, which make full collections rare: a full collection takes
# longer with each graded submission.
_SELDOM = 10_000, 20, 50


@dataclass(frozen=True)
class Turn:
    """The submission that nbgrader's loop is grading now."""

    student: str
    notebook: NotebookNode  # mended, with the instructor's cells
    digest: str  # of the submitted file
    graded_with: Mapping[str, Mapping[str, str]]  # apart from the instructor's cells
    outcome: Callable[[], Outcome]  # waits for the outcome, or runs the submission
    saved: Callable[[], None]  # has to be called when the scores are in the gradebook
    saved_runs: dict[str, Run] = field(default_factory=dict)  # of this pass over the class

    def __deepcopy__(self, memo: dict[int, Any]) -> Turn:
        """Return the turn itself: nbconvert copies resources, but the run must not be copied."""
        return self


@contextlib.contextmanager
def grading(
    converter: Autograde,
    homework: Homework,
    settings: RunSettings,
    whole_class: WholeClass,
    sanitize: Callable[[str, Path], NotebookNode],
) -> Iterator[Callable[[str, Path], Turn]]:
    """Grade the submissions that a converter has listed: nbgrader's loop runs inside the block.

    Yield a function that returns the turn of a student's notebook, with its current content.
    `sanitize` reads and mends any file that a student handed in: nbgrader's first pass.

    At the end of the block, also after an error, all processes are ended, the table is shown, and
    the course is unlocked. `GraderFault` is raised if another run is grading the course, or if
    submissions cannot be graded here.
    """
    course: Any = converter.coursedir
    root, assignment = Path(course.root), course.assignment_id
    with ExitStack() as stack:
        stack.enter_context(quiet_interrupt())
        # SQLAlchemy's warnings about nbgrader's code would disturb the progress bar.
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", "Object of type", sqlalchemy.exc.SAWarning)
        directory: Any = stack.enter_context(folders.locked_and_prepared(converter))
        submissions = list(folders.expected(converter))
        examined = _examined(converter)
        executor, at_once = whole_class.make_executor(
            len(submissions), settings, homework, examined, converter.log.error
        )
        if executor:
            stack.callback(executor.shutdown, cancel_futures=True)
        wait = executor.start_early() if isinstance(executor, LocalProcesses) else None
        secret = whole_class.secret(root, course.course_id)
        if whole_class.executor != "dask":  # Dask workers check by themselves
            hidden = [root, Path(hw_grading.__file__).parent, secret]
            expect_ready(settings, homework, hidden, wait, examined)
        students = dict.fromkeys([*(student for student, _ in submissions), *directory.unusable])
        folder = whole_class.place(root)
        progress = Progress(list(students), folder, assignment, converter.log, sys.stderr)
        force = " --force" if converter.force else ""
        stack.callback(progress.close, f"nbgrader autograde {assignment}{force}")
        directory.on_fault = progress.not_graded
        preparation = Preparation(sanitize, settings, homework, course_seeds(secret))
        class_run = ClassRun(
            (functools.partial(preparation.ahead, *submission) for submission in submissions),
            executor,
            Results(folder / "results", whole_class.results_mb),
            progress,
            at_once=at_once,
            rerun=whole_class.rerun,
            run=run_elsewhere if whole_class.executor == "dask" else run,
        )
        stack.callback(class_run.stop)
        stack.enter_context(rare_collections())

        saved_runs: dict[str, Run] = {}

        def turn(student: str, path: Path) -> Turn:
            try:
                prepared = preparation.now(student, path)
            except Exception as error:
                progress.not_graded(student, described(error))
                raise
            outcome = functools.partial(class_run.outcome, prepared.job)
            saved = functools.partial(progress.saved, student)
            graded_with = prepared.job.graded_with
            about = (student, prepared.notebook, prepared.digest, graded_with)
            return Turn(*about, outcome, saved, saved_runs)

        yield turn


def expect_ready(
    settings: RunSettings,
    homework: Homework,
    secrets: Sequence[Path],
    wait_for_imports: Callable[[], None] | None,
    examined: bool,
) -> None:
    """Raise `GraderFault` if submissions cannot be run on this machine.

    `wait_for_imports` waits until another process has imported the homework's code, and raises
    `GraderFault` if that fails. It is None if this process runs submissions itself: then its fork
    servers are started meanwhile, and its examiner if test cells are `examined`.
    """
    if not wait_for_imports:
        if settings.sandbox != "none" and settings.fork_kernels:
            fork_client.begin(settings.blas_threads, homework.manifest.preload)
        wait_for_imports = client.begin(homework) if examined else None
    try:
        settings.expect_a_sandbox(secrets)
    finally:
        if wait_for_imports:
            wait_for_imports()


def _examined(converter: Any) -> bool:
    """Return whether there are test cells with `Checks`; say how many have none."""
    course = converter.coursedir
    tests = test_cells(course.db_url, course.assignment_id)
    examined = sum(map(uses_checks, tests))
    if beside := len(tests) - examined:
        converter.log.warning(
            f"{beside} of {len(tests)} test cells run beside student code, as in stock nbgrader: "
            'see "Two kinds of test cells" in docs/design.md'
        )
    return examined > 0


# -- what a run changes in its process, and restores


@contextlib.contextmanager
def rare_collections() -> Iterator[None]:
    """Make full garbage collections rare, and exclude the course and all modules from them."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextlib.contextmanager
def quiet_interrupt() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the program and its processes at once, without a traceback.

    A handler that the program has set itself, such as a server's, stays.
    """

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    usual: dict[int, Any] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
    }
    ours = [number for number, handler in usual.items() if signal.getsignal(number) is handler]
    if threading.current_thread() is not threading.main_thread():
        ours = []
    for number in ours:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, usual[number])
