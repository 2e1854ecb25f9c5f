"""Runs the submissions of a class ahead of nbgrader's loop, which saves scores one after another.

A thread reads and mends submissions in the loop's order and submits them to an executor. It keeps a
few more jobs submitted than the executor has workers. Results are stored on disk, by the job's key.
When the loop reaches a submission, it builds the job again and waits for the result with that key.
So a mistake or a delay of the thread does no harm. For example, a submission that was replaced in
between has another key, and is run when the loop reaches it. `Preparation` reads and mends each
submission once, ahead of the loop or inside it.
"""

import functools
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from nbformat import NotebookNode

from hw_grading.batch.job import Job, installed, run
from hw_grading.batch.seeds import Seeds
from hw_grading.batch.store import Results
from hw_grading.batch.submitted import Stamp, digest_of, stamp_of
from hw_grading.homework.homework import Homework
from hw_grading.outcome import GraderFault, NotGraded, Outcome, WithScores
from hw_grading.run.settings import RunSettings

_SECONDS_TO_STOP = 10.0  # for the thread: it may be waiting for the gradebook
_MOST_RUNS = 3  # of a submission whose stored result is gone when the loop reaches it
MOST_READY = 100  # submissions with a result: the thread may be this far ahead of the loop


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

    def ahead(self, submissions: Iterable[tuple[str, Path]]) -> Iterator[Callable[[], Job]]:
        """Yield functions that prepare a submission and return its job."""
        for student, path in submissions:
            yield functools.partial(self._job_ahead, student, path)

    def now(self, student: str, path: Path) -> Prepared:
        """Return a submission with its current files; read them again only if they have changed."""
        prepared = self._ready.pop(path, None)
        if prepared and prepared.stamp and prepared.stamp == stamp_of(path.parent):
            return prepared
        return self._prepare(student, path)

    def _job_ahead(self, student: str, path: Path) -> Job:
        prepared = self._prepare(student, path)
        if len(self._ready) < MOST_READY:
            self._ready[path] = prepared
        return prepared.job

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


class Watcher(Protocol):
    """Receives the progress of a run over a class. Any thread may call it."""

    def began(self, student: str) -> None:
        """Note that a submission runs, or waits for a worker."""

    def ended(self, student: str, outcome: Outcome, *, again: bool) -> None:
        """Note the outcome; `again` means that an earlier run produced it."""

    def trouble(self, message: str) -> None:
        """Show a message to the instructor."""


class ClassRun:
    """One run over a class; `pending` has functions that make the jobs, in the loop's order.

    The executor runs `at_once` jobs at a time. If it is None, each job runs in the caller's process
    when its outcome is requested. With `rerun`, submissions that have a result are run again.
    """

    def __init__(
        self,
        pending: Iterable[Callable[[], Job]],
        executor: Executor | None,
        at_once: int,
        results: Results,
        watcher: Watcher,
        *,
        rerun: bool = False,
        run: Callable[[Job], Outcome] = run,
    ) -> None:
        self._pending, self._executor = pending, executor
        self._results, self._watcher = results, watcher
        self._rerun, self._run = rerun, run
        self._settled: dict[str, Future[Outcome | None]] = {}
        self._lock = threading.Lock()
        self._room = threading.Semaphore(2 * at_once + 2)
        self._ready_ahead = threading.Semaphore(MOST_READY)
        self._stopped = threading.Event()
        self._kept = True  # False after a result could not be written to disk
        self._ahead = threading.Thread(target=self._run_ahead, daemon=True)
        if executor is not None:
            self._ahead.start()

    def outcome(self, job: Job) -> Outcome:
        """Return the outcome of a job. Wait for it, or run the job."""
        self._ready_ahead.release()
        for _ in range(_MOST_RUNS):
            settled, _ = self._settle(job)
            outcome = settled.result() or self._results.get(job.key)
            if outcome:
                return outcome
            with self._lock:  # the file was removed in between: run the job again
                if self._settled.get(job.key) is settled:
                    del self._settled[job.key]
        return NotGraded(
            f"the grader saved its result {_MOST_RUNS} times in {self._results.folder} and could "
            "not read it again. Check whether that disk is full or faulty"
        )

    def stop(self) -> None:
        """Start no further job and end the running ones. No job runs after this returns."""
        self._stopped.set()
        self._room.release()
        self._ready_ahead.release()
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._ahead.join(_SECONDS_TO_STOP)

    def _run_ahead(self) -> None:
        for make in self._pending:
            self._room.acquire()
            if self._stopped.is_set():
                return
            try:
                settled, begun = self._settle(make())
            except Exception:
                self._room.release()  # the loop meets the same error, and reports it
                continue
            ready = settled.done() or not begun  # not begun here: the loop has begun this job
            settled.add_done_callback(lambda _: self._room.release())
            if ready:  # do not run further ahead: that would only slow down the loop
                self._ready_ahead.acquire()

    def _settle(self, job: Job) -> tuple[Future[Outcome | None], bool]:
        """Return a future for a job's result, and whether this call has started the job.

        The future is done when there is a result. It holds None if the result is on disk.
        """
        with self._lock:
            settled = self._settled.get(job.key)
            if settled is not None:
                return settled, False
            settled = self._settled[job.key] = Future()
        try:
            self._begin(job, settled)
        except BaseException:
            with self._lock:
                self._settled.pop(job.key, None)
            settled.cancel()  # otherwise other threads would wait for it forever
            raise
        return settled, True

    def _begin(self, job: Job, settled: Future[Outcome | None]) -> None:
        if not self._rerun and (outcome := self._results.get(job.key)):
            self._watcher.ended(job.student, outcome, again=True)
            settled.set_result(None)
            return
        self._watcher.began(job.student)
        if self._executor is None:
            self._take(job, settled, self._run(job))
        else:
            running = self._executor.submit(self._run, job)
            running.add_done_callback(functools.partial(self._ended, job, settled))

    def _ended(self, job: Job, settled: Future[Outcome | None], running: Future[Outcome]) -> None:
        try:
            outcome = running.result()
        except CancelledError:
            settled.cancel()
            return
        except Exception as error:
            if self._stopped.is_set():  # `stop` ended this job
                settled.cancel()
                return
            known = isinstance(error, GraderFault)
            outcome = NotGraded(str(error) if known else f"{type(error).__name__}: {error}")
        self._take(job, settled, outcome)

    def _take(self, job: Job, settled: Future[Outcome | None], outcome: Outcome) -> None:
        """Store a result on disk, or keep it in memory if it has no scores or writing fails."""
        kept = False
        try:
            if not isinstance(outcome, NotGraded):
                kept = self._keep(job, outcome)
            self._watcher.ended(job.student, outcome, again=False)
        finally:  # also if the watcher fails, for example because the terminal is gone
            settled.set_result(None if kept else outcome)

    def _keep(self, job: Job, outcome: WithScores) -> bool:
        """Store a result on disk, and return whether that worked; report only the first failure."""
        try:
            self._results.put(job.key, outcome)
            return True
        except Exception as error:
            if self._kept:
                self._watcher.trouble(
                    f"Results cannot be saved in {self._results.folder} ({error}). Grading "
                    "continues. If you stop this run, the next one runs these submissions again"
                )
            self._kept = False
            return False
