"""Adds reading, mending and finishing to `nbgrader autograde`, through its own settings only.

nbgrader converts each notebook twice: a sanitizing pass from `submitted/` to `autograded/`, and an
execution pass over that copy. The same exporter serves both passes:

- `Autograde.exporter_class`: `SubmissionExporter` starts and ends the run over the class
  (`hw_grading.batch.grading`), and reads each file.
- `Autograde.sanitize_preprocessors`: `MendCells` replaces all that nbgrader does to cells.
  `hw_grading.plugins.sanitizing` runs these preprocessors ahead of nbgrader's loop.
- `Autograde.autograde_preprocessors`: `CollectResult` replaces `Execute`, `SaveScores` replaces
  `SaveAutoGrades` (`hw_grading.plugins.saving`), and `MarkFinished` comes last.

docs/lifecycle.md shows the order of the calls.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbconvert.exporters import Exporter, NotebookExporter
from nbformat import NotebookNode
from nbgrader.converters import Autograde, NbGraderException
from nbgrader.preprocessors import Execute
from traitlets import Bool

from hw_grading.batch.grading import ClassGrading, Plan, Turn, grading
from hw_grading.batch.settings import WholeClass
from hw_grading.batch.submitted import carry_along
from hw_grading.homework.course import Course
from hw_grading.homework.homework import homework_of
from hw_grading.outcome import GraderFault
from hw_grading.plugins.preprocessors import log_problems
from hw_grading.plugins.sanitizing import Owned, Sanitizing
from hw_grading.plugins.saving import add_indexes
from hw_grading.records.database import Database
from hw_grading.run.execution import ExecuteSubmission
from hw_grading.run.ready import expect_ready


class SubmissionExporter(NotebookExporter):
    """The exporter of `nbgrader autograde`. It reads any submission, whatever the file contains.

    nbgrader's converter creates it after listing the submissions, and then calls its own
    `convert_notebooks`. The run over the class starts and ends in that call.
    """

    optimistic_validation = Bool(True).tag(config=True)

    def __init__(self, config: Any = None, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        self._class: ClassGrading | None = None
        self._turn: Turn | None = None
        if isinstance(self.parent, Autograde):
            convert = functools.partial(self._convert_as_a_class, self.parent)
            self.parent.convert_notebooks = convert

    def _convert_as_a_class(self, converter: Autograde) -> None:
        """Convert the notebooks within a run over the class."""
        del converter.convert_notebooks  # restore the converter's own method
        try:
            with grading(converter, self._plan(converter)) as self._class:
                converter.convert_notebooks()
        except GraderFault as fault:
            self.log.error(fault)
            raise NbGraderException(str(fault)) from fault
        finally:
            self._class = self._turn = None

    def _plan(self, converter: Autograde) -> Plan:
        """Read how the class is to be graded.

        Raises
        ------
        GraderFault
            The class must not be graded with these settings.
        """
        _expect_that_code_is_run(self)
        course = converter.coursedir
        homework = homework_of(Path(course.root), course.assignment_id)
        settings = ExecuteSubmission(parent=self)
        whole_class = WholeClass(parent=self)
        secret = whole_class.secret(course.root, course.course_id)

        def make_ready(wait_for_imports: Callable[[], None] | None) -> None:
            add_indexes(converter.coursedir.db_url)
            Database(Course.of(converter.coursedir).db_url).make_tables()
            if whole_class.executor != "dask":  # dask workers check by themselves
                hidden = [Path(course.root), Path(__file__).parent, secret]
                expect_ready(settings, homework, hidden, wait_for_imports)

        return Plan(homework, settings, whole_class, Sanitizing(converter), secret, make_ready)

    def from_filename(  # type: ignore[override]  # a notebook exporter gives text
        self, filename: str, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """Return the mended notebook in the first pass, the scored one in the second."""
        if self._class is None:
            raise RuntimeError("SubmissionExporter reads submissions for `nbgrader autograde` only")
        resources = {} if resources is None else resources
        folder, name = os.path.split(filename)
        resources["metadata"] = {
            "name": os.path.splitext(name)[0],
            "path": folder,
            "modified_date": _modified(filename),
        }
        ids = resources["nbgrader"]
        graded = self._graded_folder(ids)
        if self._turn is None or Path(folder) != graded:  # first pass: the file was handed in
            self._turn = self._class.turn(ids["student"], Path(filename))
            carry_along(Path(folder), graded)
            log_problems(self.log, ids["student"], self._turn.notebook)
            return as_text(self._turn.notebook), self._init_resources(resources)
        self._turn.put_into(resources)
        done, resources = Exporter.from_notebook_node(
            self, Owned(self._turn.notebook), resources, **kwargs
        )
        return as_text(done), resources

    def _graded_folder(self, ids: dict[str, str]) -> Path:
        course: Any = self.parent.coursedir  # type: ignore[union-attr]
        step = course.autograded_directory
        return Path(course.format_path(step, ids["student"], ids["assignment"]))


def as_text(notebook: NotebookNode) -> str:
    """Return a notebook's file content, with one line for each cell.

    nbformat writes each value on its own line, which takes ten times as long.
    """
    rest = {key: value for key, value in notebook.items() if key != "cells"}
    cells = ",\n".join(_json(cell) for cell in notebook.cells)
    return f'{{"cells": [\n{cells}\n],\n{_json(rest)[1:]}\n'


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _expect_that_code_is_run(exporter: SubmissionExporter) -> None:
    if not (Execute(parent=exporter).enabled and ExecuteSubmission(parent=exporter).enabled):
        raise GraderFault(
            "Nothing was graded: with --no-execute, nbgrader would score the outputs that "
            "students saved. Leave out that option"
        )


def _modified(filename: str) -> str:
    try:
        seconds = os.lstat(filename).st_mtime
    except OSError:
        return ""
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%B %d, %Y}"
