"""Runs the jobs of a class by an executor. A result is kept on disk as soon as there is one."""

import contextlib
import functools
import json
import logging
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hw_grading
from hw_grading.grade.job import Conditions, Job, run, run_elsewhere
from hw_grading.grade.kept import ResultStore
from hw_grading.grade.settings import WholeClass
from hw_grading.grade.workers import Workers
from hw_grading.homework.course import Course
from hw_grading.homework.notebook import uses_checks
from hw_grading.outcome import GraderFault, Outcome, SettingsError, Status
from hw_grading.run.settings import ExecuteSubmission

Log = logging.Logger | logging.LoggerAdapter[Any]


class ClassRun:
    """Runs jobs under the same conditions. With `rerun`, also those that have a result already.

    In the folder are the results, and a list of all runs: ``<assignment>.jsonl``.
    """

    def __init__(
        self,
        workers: Workers,
        conditions: Conditions,
        folder: Path,
        log: Log,
        *,
        rerun: bool = False,
        run: Callable[[Job], Outcome] = run,
    ) -> None:
        self.workers, self.conditions, self.at_once = workers, conditions, workers.at_once
        self._folder, self._log = folder, log
        self._results = ResultStore(folder / "results")
        with contextlib.suppress(OSError):  # the first result that cannot be saved tells it
            folder.mkdir(parents=True, exist_ok=True)
        self._results.tidy()
        self._rerun, self._run = rerun, run
        self._can_keep = True  # False after a result could not be written to disk

    def begin(self, job: Job) -> Future[Outcome]:
        """Return the future of a job's outcome.

        `SettingsError` if the homework's code cannot be imported. Only a job that has to run waits
        to know that.
        """
        if not self._rerun and (outcome := self._results.get(job.key)):
            future: Future[Outcome] = Future()
            future.set_result(outcome)
            return future
        try:
            self.workers.expect_imports()
        except GraderFault as why:
            raise SettingsError(str(why)) from why
        future = self.workers.submit(self._run, job)
        future.add_done_callback(functools.partial(self._ended, job))
        return future

    def has_kept(self, job: Job) -> bool:
        """Whether `begin` would return a result of an earlier run."""
        return not self._rerun and self._results.has(job.key)

    def _ended(self, job: Job, ended: Future[Outcome]) -> None:
        """Store a result, and note the run in the list of runs."""
        if ended.cancelled() or ended.exception():
            return
        outcome = ended.result()
        if not outcome.faults:
            self.keep(job, outcome)
        line = {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "student": job.student,
            "end": outcome.status,
            "why": outcome.why,
            "seconds": outcome.seconds,
            "cpu_seconds": outcome.cpu_seconds,
        }
        path = self._folder / f"{job.homework.name}.jsonl"
        with contextlib.suppress(OSError), path.open("a") as lines:
            lines.write(f"{json.dumps(line)}\n")

    def keep(self, job: Job, outcome: Outcome) -> None:
        """Store a result, unless it has a fault, which may be gone the next time.

        The first failure to store one is reported.
        """
        if outcome.status is Status.NOT_GRADED or outcome.unscored:
            return
        try:
            self._results.put(job.key, outcome)
        except OSError as error:
            if self._can_keep:
                self._log.error(
                    f"Results cannot be saved in {self._results.folder} ({error}). Grading "
                    "continues. If you stop this run, the next one runs these submissions again"
                )
            self._can_keep = False


@contextlib.contextmanager
def running(
    course: Course,
    assignment: str,
    tests: Collection[Any],
    notebooks: int,
    *,
    whole_class: WholeClass | None = None,
    log: Log | None = None,
) -> Iterator[ClassRun]:
    """Start workers for this number of notebooks, and end them: also after an error.

    `tests` are the homework's test cells. Other settings than the course's can be given.
    """
    settings = ExecuteSubmission(config=course.config)
    whole_class = whole_class or WholeClass(config=course.config)
    homework, examined = course.homework(assignment), any(map(uses_checks, tests))
    hidden = [course.root, Path(hw_grading.__file__).parent]
    workers = whole_class.make_executor(notebooks, settings, homework, examined, hidden)
    try:
        yield ClassRun(
            workers,
            Conditions(homework, settings, whole_class.seed),
            whole_class.place(course.root),
            log or logging.getLogger(),
            rerun=whole_class.rerun,
            run=run_elsewhere if whole_class.executor == "dask" else run,
        )
    finally:
        workers.shutdown(cancel_futures=True)
