"""One `nbgrader autograde`: which submissions it will come to, who runs them, and how far it is."""

from __future__ import annotations

import functools
import gc
import hashlib
import json
import logging
import os
import signal
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbconvert.exporters import Exporter
from nbformat import NotebookNode
from nbgrader.converters import Autograde

from hw_grading.batch import folders
from hw_grading.batch.ahead import MOST_READY, ClassRun, Pending
from hw_grading.batch.job import Job, Outcome, installed, run, run_elsewhere
from hw_grading.batch.local import LocalProcesses
from hw_grading.batch.progress import Progress
from hw_grading.batch.settings import WholeClass
from hw_grading.batch.store import Results
from hw_grading.homework.homework import Homework
from hw_grading.run.execution import ExecuteSubmission

QUIET = logging.getLogger("hw_grading.ahead")  # the loop says the same, later
QUIET.propagate = False
QUIET.addHandler(logging.NullHandler())
_BETWEEN_COLLECTIONS = 50  # submissions
_AS_BEFORE = gc.get_threshold()
_COLLECT_SELDOM = 10_000, 20, 1_000_000
_PLAIN = (str, int, float, bool, type(None))


@dataclass(frozen=True)
class Sanitized:
    """What became of a submission in the first pass, and what it was before.

    Attributes
    ----------
    before
        A digest of the notebook as it was read.
    notebook
        With the instructor's cells in it.
    job
        To run it.
    """

    before: bytes
    notebook: NotebookNode
    job: Job


class Grading:
    """What is done for one converter, from when it has listed its submissions until it is gone.

    Parameters
    ----------
    exporter
        The converter's; its configuration is ours.
    converter
        Its folders were put right (`hw_grading.batch.folders.prepare`).
    read
        Reads what a student handed in, whatever it is.
    sanitizing
        An exporter without preprocessors, which is given those of the first pass.
    check
        Raises an error where submissions cannot be graded as they are to be. It is called while
        processes start.
    homework
        That of the assignment.

    Attributes
    ----------
    current
        The submission that the loop is at, where it was sanitized ahead.
    """

    def __init__(
        self,
        exporter: Exporter,
        converter: Autograde,
        read: Callable[[Path], NotebookNode],
        sanitizing: Exporter,
        check: Callable[[], None],
        homework: Homework,
    ) -> None:
        settings = WholeClass(parent=exporter)
        self._homework = homework
        execution = ExecuteSubmission(parent=exporter, homework=homework)
        self._settings = _plain_settings(execution)
        self._read = read
        self._sanitizing = sanitizing
        for preprocessor in converter.sanitize_preprocessors:
            sanitizing.register_preprocessor(preprocessor)
        self._ready: dict[str, Sanitized] = {}
        self.current: Sanitized | None = None
        course = converter.coursedir
        pending = list(_pending(converter))
        folder = Path(course.root, settings.folder)
        students = dict.fromkeys([*(student for student, _ in pending), *course.unusable])
        self.progress = Progress(
            list(students), folder, course.assignment_id, converter.log, sys.stderr
        )
        elsewhere = settings.executor == "dask"
        executor, at_once = settings.make_executor(
            len(pending), execution, homework, self.progress.trouble
        )
        self.progress.at_once = at_once
        results = Results(folder / "results", settings.results_mb)
        if isinstance(executor, LocalProcesses) and not results.folder.exists():
            executor.start_early()
        try:
            check()
        except BaseException:
            if executor:
                executor.shutdown(wait=False, cancel_futures=True)
            raise
        self._run = ClassRun(
            self._prepared(converter, pending),
            executor,
            at_once,
            results,
            self.progress,
            rerun=settings.rerun,
            run=run_elsewhere if elsewhere else run,
        )
        command = f"nbgrader autograde {course.assignment_id}"
        command += " --force" if converter.force else ""
        weakref.finalize(converter, _close, self._run, self.progress, command)
        course.on_fault = self.progress.not_graded
        self._passed = 0  # submissions that the loop has been through
        if gc.get_freeze_count():  # in a process that has graded a class before
            gc.unfreeze()
            gc.collect()
        gc.freeze()  # the course and all modules stay: collections need not go through them
        # The more submissions there were, the longer a full collection takes: it is done seldom.
        gc.set_threshold(*_COLLECT_SELDOM)
        _end_quietly_on_interrupt()

    def sanitized(self, path: str, notebook: NotebookNode) -> NotebookNode | None:
        """Return what a notebook that was read from a file becomes, if that is known already."""
        self._passed += 1
        if self._passed % _BETWEEN_COLLECTIONS == 0:
            gc.collect()
        self.current = self._ready.pop(path, None)
        if self.current and self.current.before != _digest(notebook):
            self.current = None  # the file was replaced in between
        return self.current.notebook if self.current else None

    def outcome(self, notebook: NotebookNode, student: str) -> Outcome:
        """Return what came of a sanitized notebook; wait for it, or run it."""
        job = self.current.job if self.current else self._job(notebook, student)
        return self._run.outcome(job)

    def _job(self, notebook: NotebookNode, student: str) -> Job:
        # Ids of cells that were put back are drawn at random; by its file a notebook has these.
        cells = [{**cell, "id": f"cell-{n}"} for n, cell in enumerate(notebook.cells, 1)]
        text = json.dumps({**notebook, "cells": cells}, sort_keys=True, ensure_ascii=False)
        return Job(student, text, self._settings, installed(), self._homework)

    def _prepared(self, converter: Autograde, pending: list[tuple[str, str]]) -> Iterator[Pending]:
        """Give submissions as the loop will have them after its first pass."""
        course = converter.coursedir

        def job(student: str, path: str) -> Job:
            # As `init_single_notebook_resources` makes it, which looks at how far the loop is.
            ids = {
                "student": student,
                "assignment": course.assignment_id,
                "notebook": Path(path).stem,
                "db_url": course.db_url,
            }
            notebook = self._read(Path(path))
            before = _digest(notebook)
            done, _ = Exporter.from_notebook_node(self._sanitizing, notebook, {"nbgrader": ids})
            job = self._job(done, student)
            if len(self._ready) < MOST_READY:
                self._ready[path] = Sanitized(before, done, job)
            return job

        for student, path in pending:
            yield Pending(student, functools.partial(job, student, path))


def _digest(notebook: NotebookNode) -> bytes:
    return hashlib.sha256(json.dumps(notebook, sort_keys=True).encode()).digest()


def _pending(converter: Autograde) -> Iterator[tuple[str, str]]:
    """Give students and notebooks in the order in which nbgrader will come to them."""
    course = converter.coursedir
    excluded = course.student_id_exclude.split(",") if course.student_id_exclude else ()
    known = folders.notebook_names(course)
    for folder, student in sorted(folders.students(converter)):
        if student in excluded or student in course.unusable:
            continue
        if folders.why_unusable(Path(folder)):
            continue
        names = [path for path in sorted(converter.assignments[folder]) if Path(path).stem in known]
        if _will_be_graded(converter, student, names):
            for path in names:
                yield student, path


def _will_be_graded(converter: Autograde, student: str, notebooks: list[str]) -> bool:
    """Whether nbgrader's loop will not skip a student; see `BaseConverter.init_destination`."""
    course = converter.coursedir
    folder = course.format_path(course.autograded_directory, student, course.assignment_id)
    if course.notebook_id == "*":
        there = os.path.exists(folder)
    else:
        there = all(os.path.exists(Path(folder, Path(path).name)) for path in notebooks)
    if not there or converter.force:
        return True
    times = (course.get_existing_timestamp(place) for place in (Path(notebooks[0]).parent, folder))
    new, old = times
    return bool(new and old and new > old)


def _plain_settings(execution: ExecuteSubmission) -> dict[str, Any]:
    """Return those settings that can travel; others are the way in which nbgrader runs it."""
    settings = {name: getattr(execution, name) for name in execution.trait_names(config=True)}
    return {name: value for name, value in sorted(settings.items()) if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_plain(entry) for name, entry in value.items())
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return isinstance(value, _PLAIN)


def _close(run: ClassRun, progress: Progress, command: str) -> None:
    run.stop()
    progress.close(command)
    gc.set_threshold(*_AS_BEFORE)


def _end_quietly_on_interrupt() -> None:
    """Let Ctrl-C end the program at once, without a traceback; what was finished is kept."""

    def end(*_: object) -> None:
        raise SystemExit(128 + signal.SIGINT)

    if (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    ):
        signal.signal(signal.SIGINT, end)
