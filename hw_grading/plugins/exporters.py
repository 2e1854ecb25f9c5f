"""Adds reading, mending and finishing to `nbgrader autograde`, through its own settings only.

nbgrader converts each notebook twice: a sanitizing pass from `submitted/` to `autograded/`, and an
execution pass over that copy. The same exporter serves both passes. `Sanitizing` runs
the preprocessors of the first pass ahead of nbgrader's loop. The preprocessors are in
`preprocessors` and `saving`. docs/design.md says what calls what.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nbconvert.exporters import Exporter, NotebookExporter
from nbformat import NotebookNode
from nbgrader.converters import Autograde, NbGraderException
from nbgrader.preprocessors import Execute
from traitlets import Bool

from hw_grading.batch.grading import TURN, Turn, grading
from hw_grading.batch.settings import WholeClass
from hw_grading.batch.submitted import beside, carry_along
from hw_grading.gradebook.database import Database
from hw_grading.homework.course import Course
from hw_grading.homework.homework import homework_of
from hw_grading.homework.notes import add_problems, read_problems
from hw_grading.outcome import GraderFault
from hw_grading.plugins.hooks import DiskFull, around_the_loop
from hw_grading.plugins.saving import add_indexes
from hw_grading.run.settings import ExecuteSubmission
from hw_support.submission.file import UserError, read_submission
from hw_support.submission.problems import Kind, Problem, Severity

_QUIET = logging.getLogger("hw_grading.ahead")  # nbgrader's loop logs the same messages later
_QUIET.propagate = False
_QUIET.addHandler(logging.NullHandler())


class Owned(NotebookNode):
    """A notebook with one owner, so nbconvert need not copy it at each step."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Owned:
        """Return the notebook itself."""
        return self


class Sanitizing:
    """Reads submissions, and runs a converter's `sanitize_preprocessors` over them."""

    def __init__(self, converter: Autograde) -> None:
        self._converter = converter
        self._exporter = Exporter(config=converter.config, log=_QUIET)
        self._exporter.optimistic_validation = True  # once, after all preprocessors
        for preprocessor in converter.sanitize_preprocessors:
            self._exporter.register_preprocessor(preprocessor)

    def __call__(self, student: str, path: Path) -> NotebookNode:
        """Return a student's notebook with the instructor's cells; `GraderFault` without one."""
        try:
            notebook = read_submission(path)
        except UserError as why:
            raise GraderFault(f"{str(why)[0].upper()}{str(why)[1:]}") from None
        course = self._converter.coursedir
        here = Course.of(course)
        expected = here.notebooks_in(path.parent, course.assignment_id)
        missing = [own.name for own in expected if not os.path.lexists(own)]
        also_graded = {own.name for own in expected}
        add_problems(notebook, [*beside(path, also_graded), *map(_not_submitted, missing)])
        # As in `init_single_notebook_resources`, which depends on the position of the loop.
        ids = {
            "student": student,
            "assignment": course.assignment_id,
            "notebook": path.stem,
            "db_url": course.db_url,
            "source": str(here.source(course.assignment_id) / path.name),
            "release": str(here.release(course.assignment_id) / path.name),
        }
        exported = self._exporter.from_notebook_node(Owned(notebook), {"nbgrader": ids})
        return NotebookNode(exported[0])


def _not_submitted(name: str) -> Problem:
    said = f"{name} was not submitted: expected it beside this notebook. Its questions score 0."
    return Problem(Kind.OTHER_NOTEBOOK, Severity.FAILED, said)


class SubmissionExporter(NotebookExporter):
    """The exporter of `nbgrader autograde`. It reads submissions of any content.

    nbgrader's converter creates it after listing the submissions, and then converts them. The run
    over the class starts and ends with that conversion.
    """

    optimistic_validation = Bool(True).tag(config=True)

    def __init__(self, config: Any = None, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        self._turn_of: Callable[[str, Path], Turn] | None = None
        self._turn: Turn | None = None
        if isinstance(self.parent, Autograde):
            around_the_loop(self.parent, self._grading)

    @contextlib.contextmanager
    def _grading(self, converter: Autograde) -> Iterator[None]:
        """Grade a class: nbgrader's loop runs inside the block."""
        try:
            if not Execute(parent=self).enabled:
                raise GraderFault(
                    "Nothing was graded: with --no-execute, nbgrader would score the outputs that "
                    "students saved. Leave out that option"
                )
            course = converter.coursedir
            here = Course.of(course)
            if course.notebook_id != "*" and len(here.notebooks(course.assignment_id)) > 1:
                raise GraderFault(
                    "Nothing was graded: all notebooks of a submission are graded together. Leave "
                    "out --notebook"
                )
            files = here.files(course.assignment_id)
            homework = homework_of(Path(course.root), course.assignment_id, files)
            settings, whole_class = ExecuteSubmission(parent=self), WholeClass(parent=self)
            add_indexes(course.db_url)
            Database(here.db_url).make_tables()
            sanitize = Sanitizing(converter)
            with grading(converter, homework, settings, whole_class, sanitize) as self._turn_of:
                yield
        except (GraderFault, DiskFull) as fault:
            self.log.error(fault)
            raise NbGraderException(str(fault)) from fault
        finally:
            self._turn_of = self._turn = None

    def from_filename(  # type: ignore[override]  # a notebook exporter gives text
        self, filename: str, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """Return the mended notebook in the first pass, the scored one in the second."""
        if self._turn_of is None:
            raise RuntimeError("SubmissionExporter reads submissions for `nbgrader autograde` only")
        resources = {} if resources is None else resources
        path = Path(filename)
        resources["metadata"] = {"name": path.stem, "path": str(path.parent)}
        course: Any = self.parent.coursedir  # type: ignore[union-attr]
        student, assignment = (resources["nbgrader"][name] for name in ("student", "assignment"))
        graded = Course.of(course).autograded(student, assignment)
        if self._turn is None or path.parent != graded:  # first pass: the file was handed in
            self._turn = self._turn_of(student, path)
            carry_along(path.parent, graded)
            for problem in read_problems(self._turn.notebook):
                self.log.warning("%s: %s", student, problem.message)
            return as_text(self._turn.notebook), self._init_resources(resources)
        resources[TURN] = self._turn
        done, resources = Exporter.from_notebook_node(
            self, Owned(self._turn.notebook), resources, **kwargs
        )
        return as_text(done), resources


def as_text(notebook: NotebookNode) -> str:
    """Return a notebook's file content, ten times as fast as nbformat: each cell on one line."""
    dumped = functools.partial(json.dumps, ensure_ascii=False, sort_keys=True)
    rest = {key: value for key, value in notebook.items() if key != "cells"}
    cells = ",\n".join(map(dumped, notebook.cells))
    return f'{{"cells": [\n{cells}\n],\n{dumped(rest)[1:]}\n'
