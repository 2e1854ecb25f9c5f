"""Adds reading, mending and finishing to `nbgrader autograde`, through its own settings only.

nbgrader converts each notebook twice: a sanitizing pass from `submitted/` to `autograded/`, and an
execution pass over that copy. The same exporter serves both passes. `Sanitizing` runs
the preprocessors of the first pass ahead of nbgrader's loop. The preprocessors are in
`preprocessors` and `saving`. docs/design.md says what calls what.
"""

from __future__ import annotations

import errno
import functools
import json
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from nbconvert.exporters import Exporter, NotebookExporter
from nbformat import NotebookNode
from nbgrader.converters import Autograde, NbGraderException
from nbgrader.preprocessors import Execute
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from traitlets import Bool

from hw_grading.batch.grading import TURN, Turn, grading
from hw_grading.batch.settings import WholeClass
from hw_grading.batch.submitted import beside, carry_along
from hw_grading.gradebook.database import Database
from hw_grading.homework.cells import test_cells, uses_checks
from hw_grading.homework.course import Course
from hw_grading.homework.homework import homework_of
from hw_grading.outcome import GraderFault
from hw_grading.plugins.saving import add_indexes
from hw_grading.run.ready import expect_ready
from hw_grading.run.settings import ExecuteSubmission
from hw_support.submission.file import Unreadable, read_submission
from hw_support.submission.problems import add_problems, read_problems

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
            notebook, problems = read_submission(path)
        except Unreadable as why:
            raise GraderFault(f"{str(why)[0].upper()}{str(why)[1:]}") from None
        add_problems(notebook, problems)
        course = self._converter.coursedir
        source = Course.of(course).source(course.assignment_id)
        add_problems(notebook, beside(path, {own.name for own in source.glob("*.ipynb")}))
        # As in `init_single_notebook_resources`, which depends on the position of the loop.
        ids = {
            "student": student,
            "assignment": course.assignment_id,
            "notebook": path.stem,
            "db_url": course.db_url,
            "source": str(source / path.name),
            "release": str(Course.of(course).release(course.assignment_id) / path.name),
        }
        exported = self._exporter.from_notebook_node(Owned(notebook), {"nbgrader": ids})
        return NotebookNode(exported[0])


class DiskFull(SystemExit):
    """A disk is full. After any `Exception`, nbgrader's loop would go on with the next student."""


def _expect_room(converter: Autograde, step: str) -> None:
    """Let a method of a converter raise `DiskFull`, with a sentence, if a disk is full."""
    method = getattr(converter, step)

    @functools.wraps(method)
    def call(*arguments: Any) -> Any:
        try:
            return method(*arguments)
        except Exception as error:
            if not (path := _on_a_full_disk(error, converter.coursedir)):
                raise
            raise DiskFull(
                f"The disk is full: {path} could not be written. The scores that were saved are "
                "complete. Free some space, then run this command again: it grades the rest"
            ) from error

    setattr(converter, step, call)


def _on_a_full_disk(error: BaseException | None, course: Any) -> str:
    """Return the path that could not be written because its disk is full; "" if none is."""
    while error:
        if isinstance(error, OperationalError) and "is full" in str(error.orig):
            return str(make_url(course.db_url).database)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return str(error.filename or Path(course.root, course.autograded_directory))
        error = error.__cause__ or error.__context__
    return ""


class SubmissionExporter(NotebookExporter):
    """The exporter of `nbgrader autograde`. It reads submissions of any content.

    nbgrader's converter creates it after listing the submissions, and then calls its own
    `convert_notebooks`. The run over the class starts and ends in that call.
    """

    optimistic_validation = Bool(True).tag(config=True)

    def __init__(self, config: Any = None, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        self._turn_of: Callable[[str, Path], Turn] | None = None
        self._turn: Turn | None = None
        if isinstance(self.parent, Autograde):
            convert = functools.partial(self._convert_as_a_class, self.parent)
            self.parent.convert_notebooks = convert

    def _convert_as_a_class(self, converter: Autograde) -> None:
        del converter.convert_notebooks  # restore the converter's own method
        steps = ("init_assignment", "convert_single_notebook")
        for step in steps:
            _expect_room(converter, step)
        try:
            with self._grading(converter) as self._turn_of:
                converter.convert_notebooks()
        except (GraderFault, DiskFull) as fault:
            self.log.error(fault)
            raise NbGraderException(str(fault)) from fault
        finally:
            for step in steps:
                delattr(converter, step)
            self._turn_of = self._turn = None

    def _grading(self, converter: Autograde) -> AbstractContextManager[Callable[[str, Path], Turn]]:
        settings = ExecuteSubmission(parent=self)
        if not Execute(parent=self).enabled:
            raise GraderFault(
                "Nothing was graded: with --no-execute, nbgrader would score the outputs that "
                "students saved. Leave out that option"
            )
        course = converter.coursedir
        homework = homework_of(Path(course.root), course.assignment_id)
        whole_class = WholeClass(parent=self)
        tests = test_cells(course.db_url, course.assignment_id)
        examined = sum(map(uses_checks, tests))
        if beside := len(tests) - examined:
            self.log.warning(
                f"{beside} of {len(tests)} test cells run beside student code, as in stock "
                'nbgrader: see "Two kinds of test cells" in docs/design.md'
            )

        def make_ready(wait_for_imports: Callable[[], None] | None) -> None:
            add_indexes(course.db_url)
            Database(Course.of(course).db_url).make_tables()
            if whole_class.executor != "dask":  # dask workers check by themselves
                secret = whole_class.secret(course.root, course.course_id)
                hidden = [Path(course.root), Path(__file__).parent, secret]
                expect_ready(settings, homework, hidden, wait_for_imports, examined=examined > 0)

        sanitize = Sanitizing(converter)
        return grading(converter, homework, settings, whole_class, sanitize, make_ready)

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
        graded = Path(course.format_path(course.autograded_directory, student, assignment))
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
