"""Puts reading, mending and finishing into `nbgrader autograde`, by its own settings only.

nbgrader converts each notebook twice: a sanitizing pass from `submitted/` to `autograded/`, and an
execution pass over that copy. One exporter serves both passes:

- `Autograde.exporter_class`: `SubmissionExporter` reads the file;
- `Autograde.sanitize_preprocessors`: `MendCells` for all that nbgrader does to cells;
- `Autograde.autograde_preprocessors`: `CollectResult` in the place of `Execute`, `SaveScores` in
  that of `SaveAutoGrades` (`hw_grading.plugins.saving`), and `MarkFinished` last.

Submissions are run ahead of nbgrader's loop (`hw_grading.batch`), from when the exporter is
built.

`GenerateFeedback.exporter_class`: `FeedbackExporter` finds the folders that nbgrader overlooks.
"""

from __future__ import annotations

import functools
import json
import os
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
import sqlalchemy.exc
from nbconvert.exporters import HTMLExporter, NotebookExporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateFeedback, NbGraderException
from traitlets import Bool

from hw_grading.batch import folders
from hw_grading.batch.grading import QUIET, Grading
from hw_grading.batch.settings import WholeClass
from hw_grading.homework.course import Course
from hw_grading.homework.homework import Homework, homework_of
from hw_grading.homework.instructor_cells import grade_ids_of_others, instructor_cells
from hw_grading.outcome import GraderFault
from hw_grading.plugins.preprocessors import log_problems
from hw_grading.plugins.saving import add_indexes
from hw_grading.run.execution import ExecuteSubmission
from hw_support.submission.file import read_submission
from hw_support.submission.mending import InstructorCell
from hw_support.submission.problems import (
    Severity,
    add_problems,
)


class SanitizingExporter(NotebookExporter):
    """Runs preprocessors over a notebook, and validates it when all of them are done.

    It lives for one command, during which the instructor's cells do not change.

    Parameters
    ----------
    config
        As of every exporter.
    course
        nbgrader's `CourseDirectory`; by default that of the converter that it is made for.
    """

    optimistic_validation = Bool(True).tag(config=True)

    def __init__(self, config: Any = None, course: Any = None, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        self._course = course or getattr(self.parent, "coursedir", None)
        self._known: dict[tuple[str, ...], tuple[list[InstructorCell], Any]] = {}
        self._others: dict[tuple[str, str], dict[str, frozenset[str]]] = {}

    def instructors(self, ids: dict[str, str]) -> tuple[list[InstructorCell], Any]:
        """Return cells and kernelspec of the instructor's notebook with these names."""
        names = (ids["db_url"], ids["assignment"], ids["notebook"])
        if names not in self._known:
            with Gradebook(ids["db_url"]) as gradebook:
                source = Course.of(self._course).source(ids["assignment"])
                source /= f"{ids['notebook']}.ipynb"
                cells = instructor_cells(gradebook, *names[1:], source)
                kernelspec = gradebook.find_notebook(ids["notebook"], ids["assignment"]).kernelspec
            self._known[names] = cells, json.loads(kernelspec or "null")
        return self._known[names]

    def other_homeworks(self, ids: dict[str, str]) -> dict[str, frozenset[str]]:
        """Return the grade ids of the course's other assignments, by name."""
        names = (ids["db_url"], ids["assignment"])
        if names not in self._others:
            with Gradebook(ids["db_url"]) as gradebook:
                self._others[names] = grade_ids_of_others(gradebook, ids["assignment"])
        return self._others[names]


class SubmissionExporter(SanitizingExporter):
    """Reads a submission whatever it is; the exporter of `nbgrader autograde`.

    nbgrader builds it after listing the submissions and before the first one, so that the folders
    are put right here (see `hw_grading.batch.folders`).
    """

    def __init__(self, config: Any = None, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        if isinstance(self.parent, Autograde):
            # Of nbgrader's own order of work; they would push the progress bar away.
            warnings.filterwarnings("ignore", "Object of type", sqlalchemy.exc.SAWarning)
            try:
                _expect_that_code_is_run(self)
                folders.prepare(self.parent)
                add_indexes(self.parent.coursedir.db_url)
                course = self.parent.coursedir
                quiet = SanitizingExporter(self.parent.config, course, log=QUIET)
                homework = homework_of(Path(course.root), course.assignment_id)
                check = functools.partial(_expect_that_grading_is_safe, self, self.parent, homework)
                self.grading = Grading(self, self.parent, read_handed_in, quiet, check, homework)
            except GraderFault as fault:
                self.log.error(fault)
                raise NbGraderException(str(fault)) from fault

    def from_filename(  # type: ignore[override]  # a notebook exporter gives text
        self, filename: str, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """Read a notebook by `read_submission` and convert it."""
        resources = {} if resources is None else resources
        folder, name = os.path.split(filename)
        resources["metadata"] = {
            "name": os.path.splitext(name)[0],
            "path": folder,
            "modified_date": _modified(filename),
        }
        mine = self._is_own_copy(filename, resources)
        if mine and self.grading.current:
            nb = self.grading.current.notebook
        elif mine:
            nb, problems = read_submission(filename, keep_outputs=True)
            if any(p.severity is Severity.FAILED for p in problems):
                # Written by the pass before: the fault is the grader's, not the student's.
                raise RuntimeError(f"{filename}: {problems[-1].message}")
        elif isinstance(self.parent, Autograde):
            graded = self._graded_folder(self.parent.coursedir, resources["nbgrader"])
            folders.copy_timestamp(Path(folder), graded)
            nb = read_handed_in(Path(filename))
            if sanitized := self.grading.sanitized(filename, nb):
                log_problems(self.log, resources["nbgrader"]["student"], sanitized)
                return nbformat.writes(sanitized), self._init_resources(resources)
        else:
            nb, problems = read_submission(filename)
            add_problems(nb, problems)
        converted: tuple[str, dict[str, Any]] = self.from_notebook_node(nb, resources, **kwargs)
        return converted

    def _is_own_copy(self, filename: str, resources: dict[str, Any]) -> bool:
        """Whether this is the second pass, over the file that the first one wrote."""
        if not isinstance(self.parent, Autograde):
            return False
        graded = self._graded_folder(self.parent.coursedir, resources["nbgrader"])
        return os.path.normpath(graded) == os.path.normpath(os.path.dirname(filename))

    def _graded_folder(self, course: Any, ids: dict[str, str]) -> Path:
        step = course.autograded_directory
        return Path(course.format_path(step, ids["student"], ids["assignment"]))


class FeedbackExporter(HTMLExporter):
    """The exporter of `nbgrader generate_feedback`, which leaves no student out."""

    def __init__(self, config: Any = None, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        if isinstance(self.parent, GenerateFeedback):
            course = self.parent.coursedir
            folders.add_overlooked(self.parent, course.autograded_directory)
            for left_out, why in folders.drop_unnameable(
                self.parent, course.autograded_directory
            ).items():
                self.log.error("NO FEEDBACK: %s: %s, and grade again", ascii(left_out), why)


def read_handed_in(path: Path) -> NotebookNode:
    """Read a notebook of `submitted/`, whatever it is, with all that is wrong with it."""
    nb, problems = read_submission(path)
    add_problems(nb, problems)
    add_problems(nb, folders.beside(path.parent))
    return nb


def _expect_that_code_is_run(exporter: SubmissionExporter) -> None:
    if not ExecuteSubmission(parent=exporter).enabled:
        raise GraderFault(
            "Grading without running the notebooks (--no-execute) would score outputs that "
            "students made themselves: nothing was graded"
        )


def _expect_that_grading_is_safe(
    exporter: SubmissionExporter, command: Autograde, homework: Homework
) -> None:
    if WholeClass(parent=exporter).executor != "dask":  # whose workers look for themselves
        execution = ExecuteSubmission(parent=exporter, homework=homework)
        execution.check([Path(command.coursedir.root), Path(__file__).parent])


def _modified(filename: str) -> str:
    try:
        seconds = os.lstat(filename).st_mtime
    except OSError:
        return ""
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%B %d, %Y}"
