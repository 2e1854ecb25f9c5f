"""Runs the submissions of a class ahead of nbgrader's loop, which saves scores one after another.

A thread reads and mends submissions in the loop's order and submits them to an executor, up to
`AHEAD` of them more than the loop has taken. Results are stored on disk, by the job's key. When the
loop reaches a submission, it builds the job again and waits for the result with that key. So a
mistake or a delay of the thread does no harm: a submission that was replaced in between has another
key, and is run when the loop reaches it. `Preparation` reads and mends each submission once, ahead
of the loop or inside it.
"""

import functools
import json
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from hw_grading.batch.job import Job, installed, run
from hw_grading.batch.progress import Progress
from hw_grading.batch.seeds import Seeds
from hw_grading.batch.store import Results
from hw_grading.batch.submitted import Stamp, digest_of, stamp_of
from hw_grading.homework.homework import Homework
from hw_grading.outcome import GraderFault, NotGraded, Outcome
from hw_grading.run.settings import RunSettings

AHEAD = 100  # submissions that the thread may be ahead of the loop; there may be more workers
_SECONDS_TO_STOP = 10.0  # for the thread: it may be waiting for the gradebook


@dataclass(frozen=True)
class Prepared:
    """A submission that was read and mended."""

    stamp: Stamp | None  # of its folder, from before the file was read: shows later changes
    digest: str  # of its file, taken before the file was read
    notebook: NotebookNode  # mended, with the instructor's cells
    job: Job


@dataclass
class Preparation:
    """Prepares the submissions of one run; `sanitize` reads and mends what a student handed in."""

    sanitize: Callable[[str, Path], NotebookNode]
    settings: RunSettings
    homework: Homework
    seeds: Seeds
    _ready: dict[Path, Prepared] = field(default_factory=dict, init=False)
    # nbgrader's preprocessors are not thread-safe.
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock, init=False)

    def ahead(self, student: str, path: Path) -> Job:
        """Prepare a submission and return its job."""
        prepared = self._ready[path] = self._prepare(student, path)
        return prepared.job

    def now(self, student: str, path: Path) -> Prepared:
        """Return a submission with its current files; read them again only if they have changed."""
        prepared = self._ready.pop(path, None)
        if prepared and prepared.stamp and prepared.stamp == stamp_of(path.parent):
            return prepared
        return self._prepare(student, path)

    def _prepare(self, student: str, path: Path) -> Prepared:
        with self._one_at_a_time:
            stamp, digest = stamp_of(path.parent), digest_of(path)
            notebook = self.sanitize(student, path)
        # Mending gives random ids to restored cells. The job needs the same ids each time.
        cells = [{**cell, "id": f"cell-{n}"} for n, cell in enumerate(notebook.cells, 1)]
        text = json.dumps({**notebook, "cells": cells}, sort_keys=True, ensure_ascii=False)
        seed = self.seeds.of(self.homework.name, student, notebook)
        job = Job(student, seed, text, self.settings.plain(), installed(), self.homework)
        return Prepared(stamp, digest, notebook, job)


class ClassRun:
    """One run over a class; `pending` has functions that make the jobs, in the loop's order.

    If the executor is None, each job runs in the caller's process when its outcome is requested.
    With `rerun`, submissions that have a result are run again.
    """

    def __init__(
        self,
        pending: Iterable[Callable[[], Job]],
        executor: Executor | None,
        results: Results,
        progress: Progress,
        *,
        at_once: int = 1,
        rerun: bool = False,
        run: Callable[[Job], Outcome] = run,
    ) -> None:
        self._pending, self._executor = pending, executor
        self._results, self._progress = results, progress
        self._rerun, self._run = rerun, run
        self._outcomes: dict[str, Future[Outcome]] = {}  # those that the loop has not taken
        self._taken: set[str] = set()  # the keys of the others
        self._lock = threading.Lock()
        self._room = threading.Semaphore(AHEAD + 2 * at_once)
        self._stopped = threading.Event()
        self._kept = True  # False after a result could not be written to disk
        self._ahead = threading.Thread(target=self._run_ahead, daemon=True)
        if executor is not None:
            self._ahead.start()

    def outcome(self, job: Job) -> Outcome:
        """Return the outcome of a job. Wait for it, or run the job."""
        self._room.release()
        try:
            return self._begun(job).result()
        finally:
            with self._lock:
                self._outcomes.pop(job.key, None)
                self._taken.add(job.key)

    def stop(self) -> None:
        """Start no further job and end the running ones. No job runs after this returns."""
        self._stopped.set()
        self._room.release()
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._ahead.join(_SECONDS_TO_STOP)

    def _run_ahead(self) -> None:
        for make in self._pending:
            self._room.acquire()
            if self._stopped.is_set():
                return
            try:
                if (job := make()).key not in self._taken:
                    self._begun(job)
            except Exception:
                continue  # the loop meets the same error, and reports it

    def _begun(self, job: Job) -> Future[Outcome]:
        """Return the future of a job's outcome; begin the job if nobody has."""
        with self._lock:
            if job.key in self._outcomes:
                return self._outcomes[job.key]
            future = self._outcomes[job.key] = Future()
        try:
            if not self._rerun and (outcome := self._results.get(job.key)):
                self._progress.ended(job.student, outcome, again=True)
                future.set_result(outcome)
                return future
            if self._executor is None:
                self._end(job, future, self._run(job))
            else:
                running = self._executor.submit(self._run, job)
                running.add_done_callback(functools.partial(self._take, job, future))
        except BaseException:
            with self._lock:
                self._outcomes.pop(job.key, None)
            future.cancel()  # otherwise another thread would wait for it forever
            raise
        return future

    def _take(self, job: Job, future: Future[Outcome], running: Future[Outcome]) -> None:
        try:
            outcome = running.result()
        except Exception as error:
            if self._stopped.is_set():  # `stop` ended this job
                future.cancel()
                return
            known = isinstance(error, GraderFault)
            outcome = NotGraded(str(error) if known else f"{type(error).__name__}: {error}")
        self._end(job, future, outcome)

    def _end(self, job: Job, future: Future[Outcome], outcome: Outcome) -> None:
        """Store a result on disk; report only the first failure to do so."""
        try:
            # A fault may be gone the next time, for example if a package was missing.
            if not isinstance(outcome, NotGraded) and not getattr(outcome, "unscored", ()):
                self._results.put(job.key, outcome)
        except Exception as error:
            if self._kept:
                self._progress.trouble(
                    f"Results cannot be saved in {self._results.folder} ({error}). Grading "
                    "continues. If you stop this run, the next one runs these submissions again"
                )
            self._kept = False
        try:
            self._progress.ended(job.student, outcome, again=False)
        finally:  # also if that fails, for example because the terminal is gone
            future.set_result(outcome)
