"""One run over a class, from the lock on the course to the table at the end.

`grading` is a context manager around the whole run. It ends everything that it has started, also
after an error. Inside, `ClassRun.ahead` begins submissions before the loop over the class saves
them one after another. A result is kept on disk as soon as there is one, by the job's key.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import signal
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import sqlalchemy.exc
from nbgrader.converters import Autograde

import hw_grading
from hw_grading.batch.job import Job, run, run_elsewhere
from hw_grading.batch.local import LocalProcesses
from hw_grading.batch.locks import course_locked
from hw_grading.batch.progress import Progress
from hw_grading.batch.settings import WholeClass, course_secret
from hw_grading.batch.store import Results
from hw_grading.batch.submissions import Submission, to_grade
from hw_grading.examiner import client
from hw_grading.homework.cells import test_cells, uses_checks
from hw_grading.homework.course import fixed_folder
from hw_grading.homework.homework import Homework
from hw_grading.outcome import NotGraded, Outcome
from hw_grading.run.blame import described
from hw_grading.run.settings import RunSettings
from hw_grading.sandbox import fork_client

AHEAD = 100  # submissions that are begun before the loop saves them; there may be more workers
# Thresholds for `gc.set_threshold`, which make full collections rare: a full collection takes
# longer with each graded submission.
_SELDOM = 10_000, 20, 50


class ClassRun:
    """Runs jobs by an executor; without one, each job runs in this process when it begins.

    With `rerun`, submissions that have a result are run again.
    """

    def __init__(
        self,
        executor: Executor | None,
        results: Results,
        progress: Progress,
        *,
        at_once: int = 1,
        rerun: bool = False,
        run: Callable[[Job], Outcome] = run,
    ) -> None:
        self.progress = progress
        self._executor, self._results = executor, results
        self._most = AHEAD + 2 * at_once if executor else 0
        self._rerun, self._run = rerun, run
        self._stopped = False
        self._kept = True  # False after a result could not be written to disk

    def ahead(
        self, things: Iterable[Any], begin: Callable[[Any], Any]
    ) -> Iterator[tuple[Any, Any]]:
        """Begin things ahead; yield each with what `begin` has returned, in their order."""
        begun: deque[tuple[Any, Any]] = deque()
        for thing in things:
            begun.append((thing, begin(thing)))
            if len(begun) > self._most:
                yield begun.popleft()
        while begun:
            yield begun.popleft()

    def begin(self, job: Job) -> Future[Outcome]:
        """Return the future of a job's outcome."""
        future: Future[Outcome] = Future()
        if not self._rerun and (outcome := self._results.get(job.key)):
            self.progress.ended(job.student, outcome, again=True)
            future.set_result(outcome)
        elif self._executor is None:
            self._end(job, future, self._run(job))
        else:
            running = self._executor.submit(self._run, job)
            running.add_done_callback(functools.partial(self._take, job, future))
        return future

    def stop(self) -> None:
        """Start no further job and end the running ones. No job runs after this returns."""
        self._stopped = True
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)

    def _take(self, job: Job, future: Future[Outcome], running: Future[Outcome]) -> None:
        try:
            outcome = running.result()
        except Exception as error:
            if self._stopped:  # `stop` ended this job
                future.cancel()
                return
            lost = "the connection to the Dask scheduler was lost"
            outcome = NotGraded(lost if isinstance(error, CancelledError) else described(error))
        self._end(job, future, outcome)

    def _end(self, job: Job, future: Future[Outcome], outcome: Outcome) -> None:
        """Store a result on disk; report only the first failure to do so."""
        try:
            # A fault may be gone the next time, for example if a package was missing.
            if not isinstance(outcome, NotGraded) and not outcome.unscored:
                self._results.put(job.key, outcome)
        except Exception as error:
            if self._kept:
                self.progress.trouble(
                    f"Results cannot be saved in {self._results.folder} ({error}). Grading "
                    "continues. If you stop this run, the next one runs these submissions again"
                )
            self._kept = False
        try:
            self.progress.ended(job.student, outcome, again=False)
        finally:  # also if that fails, for example because the terminal is gone
            future.set_result(outcome)


@contextlib.contextmanager
def grading(
    converter: Autograde, homework: Homework, settings: RunSettings, whole_class: WholeClass
) -> Iterator[tuple[ClassRun, list[Submission], bytes]]:
    """Prepare a run over a converter's class, and end it: also after an error.

    Yield the run, the submissions to grade or to refuse, and the course's secret. `GraderFault` is
    raised if another run is grading the course, or if submissions cannot be graded here.
    """
    course: Any = converter.coursedir
    root, assignment = Path(course.root), course.assignment_id
    with ExitStack() as stack:
        is_main = threading.current_thread() is threading.main_thread()
        for number in (signal.SIGINT, signal.SIGTERM):
            # A handler that the program has set itself, such as a server's, stays.
            usual = signal.getsignal(number) in (signal.default_int_handler, signal.SIG_DFL)
            if is_main and usual:
                stack.callback(signal.signal, number, signal.signal(number, _end))
        stack.callback(gc.set_threshold, *gc.get_threshold())
        gc.set_threshold(*_SELDOM)
        # SQLAlchemy's warnings about nbgrader's code would disturb the progress bar.
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", "Object of type", sqlalchemy.exc.SAWarning)
        autograded = fixed_folder(course, course.autograded_directory)
        stack.enter_context(course_locked(root, autograded))
        submissions = to_grade(converter)
        good = sum(not one.why for one in submissions)
        examined = _examined(converter)
        executor, at_once = whole_class.make_executor(good, settings, homework, examined)
        if executor:
            stack.callback(executor.shutdown, cancel_futures=True)
        wait = executor.expect_imports if isinstance(executor, LocalProcesses) else None
        secret = whole_class.secret(root, course.course_id)
        if whole_class.executor != "dask":  # Dask workers check by themselves
            hidden = [root, Path(hw_grading.__file__).parent, secret]
            expect_ready(settings, homework, hidden, wait, examined)
        students = list(dict.fromkeys(one.student for one in submissions))
        folder = whole_class.place(root)
        progress = Progress(students, folder, assignment, converter.log, sys.stderr)
        results = Results(folder / "results")
        results.tidy(whole_class.results_mb)
        force = " --force" if converter.force else ""
        stack.callback(progress.close, f"nbgrader autograde {assignment}{force}")
        class_run = ClassRun(
            executor,
            results,
            progress,
            at_once=at_once,
            rerun=whole_class.rerun,
            run=run_elsewhere if whole_class.executor == "dask" else run,
        )
        stack.callback(class_run.stop)
        yield class_run, submissions, course_secret(secret)


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


def _end(number: int, _: object) -> None:
    """End the program and its processes after a signal, without a traceback."""
    raise SystemExit(128 + number)
