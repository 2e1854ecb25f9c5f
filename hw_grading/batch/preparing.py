"""Reads and mends each submission once, ahead of nbgrader's loop or inside it."""

import functools
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from hw_grading.batch.ahead import MOST_READY
from hw_grading.batch.job import Job, installed
from hw_grading.batch.seeds import Seeds
from hw_grading.batch.submitted import Stamp, digest_of, stamp_of
from hw_grading.homework.homework import Homework
from hw_grading.run.settings import RunSettings


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
