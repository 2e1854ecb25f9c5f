"""Puts reading, mending and finishing into `nbgrader autograde`, by its own settings only.

nbgrader converts each notebook twice: a sanitizing pass from `submitted/` to `autograded/`, and an
execution pass over that copy. One exporter serves both passes:

- `Autograde.exporter_class`: `SubmissionExporter` reads the file;
- `Autograde.sanitize_preprocessors`: `MendCells` for all that nbgrader does to cells;
- `Autograde.autograde_preprocessors`: `CollectResult` in the place of `Execute`, `SaveScores` in
  that of `SaveAutoGrades` (`hw_grading.saving`), and `MarkFinished` last.

Submissions are run ahead of nbgrader's loop (`hw_grading.whole_class`), from when the exporter is
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
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool

from hw_grading import submission_folders
from hw_grading.execution import ExecuteSubmission
from hw_grading.faults import GraderFault
from hw_grading.instructor_cells import instructor_cells
from hw_grading.saving import add_indexes
from hw_grading.whole_class.grading import QUIET, Grading
from hw_grading.whole_class.settings import WholeClass
from hw_support.submission.file import read_submission
from hw_support.submission.mending import InstructorCell, mend
from hw_support.submission.problems import (
    METADATA_KEY,
    Kind,
    Severity,
    add_problems,
    put_notes_on_top,
    read_problems,
)


class SanitizingExporter(NotebookExporter):
    """Runs preprocessors over a notebook, and validates it when all of them are done.

    It lives for one command, during which the instructor's cells do not change.
    """

    optimistic_validation = Bool(True).tag(config=True)

    def __init__(self, config: Any = None, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        self._known: dict[tuple[str, ...], tuple[list[InstructorCell], Any]] = {}

    def instructors(self, ids: dict[str, str]) -> tuple[list[InstructorCell], Any]:
        """Return cells and kernelspec of the instructor's notebook with these names."""
        names = (ids["db_url"], ids["assignment"], ids["notebook"])
        if names not in self._known:
            with Gradebook(ids["db_url"]) as gradebook:
                cells = instructor_cells(gradebook, *names[1:])
                kernelspec = gradebook.find_notebook(ids["notebook"], ids["assignment"]).kernelspec
            self._known[names] = cells, json.loads(kernelspec or "null")
        return self._known[names]


class SubmissionExporter(SanitizingExporter):
    """Reads a submission whatever it is; the exporter of `nbgrader autograde`.

    nbgrader builds it after listing the submissions and before the first one, so that the folders
    are put right here (see `hw_grading.submission_folders`).
    """

    def __init__(self, config: Any = None, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        if isinstance(self.parent, Autograde):
            # Of nbgrader's own order of work; they would push the progress bar away.
            warnings.filterwarnings("ignore", "Object of type", sqlalchemy.exc.SAWarning)
            try:
                _expect_that_code_is_run(self)
                submission_folders.prepare(self.parent)
                add_indexes(self.parent.coursedir.db_url)
                quiet = SanitizingExporter(config=self.parent.config, log=QUIET)
                check = functools.partial(_expect_that_grading_is_safe, self, self.parent)
                self.grading = Grading(self, self.parent, read_handed_in, quiet, check)
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
            submission_folders.copy_timestamp(Path(folder), graded)
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
            submission_folders.add_overlooked(self.parent, course.autograded_directory)
            for left_out, why in submission_folders.drop_unnameable(self.parent).items():
                self.log.error("NO FEEDBACK: %s: %s, and grade again", ascii(left_out), why)


class MendCells(NbGraderPreprocessor):
    """Gives the notebook the instructor's cells and kernel; the first of `sanitize_preprocessors`.

    Everything that was wrong is logged with the student's id, stored in the notebook, and listed in
    a cell at its top.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Mend the cells of one submission."""
        ids = resources["nbgrader"]
        cells, kernelspec = self.parent.instructors(ids)
        mended = mend(nb, cells)
        if kernelspec:
            nb.metadata["kernelspec"] = kernelspec
        if not any(p.kind is Kind.FILE for p in read_problems(nb)):
            add_problems(nb, mended)  # of a file that could not be read every cell is "deleted"
        log_problems(self.log, ids["student"], nb)
        put_notes_on_top(nb)
        return nb, resources


class CollectResult(NbGraderPreprocessor):
    """Puts the executed notebook in the place of a sanitized one; stands for nbgrader's `Execute`.

    Raises
    ------
    GraderFault
        There is no result: the student is left without a score, rather than with a zero.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Wait for the submission's result, or run it."""
        student = resources["nbgrader"]["student"]
        outcome = self.parent.grading.outcome(nb, student)
        if outcome.notebook is None:
            raise GraderFault(f"NOT GRADED: {student}: {outcome.fault}")
        before = set(read_problems(nb))
        nb = nbformat.from_dict(json.loads(outcome.notebook))
        for problem in read_problems(nb):
            if problem not in before:
                self.log.warning("%s: %s", student, problem.message)
        return nb, resources


class MarkFinished(NbGraderPreprocessor):
    """Marks a notebook as graded to the end; the last of `autograde_preprocessors`.

    A folder without the mark is what a killed run left, and is graded anew.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Set the mark, which reaches the disk when the notebook is written whole."""
        nb.metadata.setdefault(METADATA_KEY, NotebookNode())[submission_folders.FINISHED] = True
        self.parent.grading.progress.saved(resources["nbgrader"]["student"])
        return nb, resources


def log_problems(log: Any, student: str, nb: NotebookNode) -> None:
    """Log what was wrong with a submission."""
    for problem in read_problems(nb):
        log.warning("%s: %s", student, problem.message)


def read_handed_in(path: Path) -> NotebookNode:
    """Read a notebook of `submitted/`, whatever it is, with all that is wrong with it."""
    nb, problems = read_submission(path)
    add_problems(nb, problems)
    add_problems(nb, submission_folders.beside(path.parent))
    return nb


def _expect_that_code_is_run(exporter: SubmissionExporter) -> None:
    if not ExecuteSubmission(parent=exporter).enabled:
        raise GraderFault(
            "Grading without running the notebooks (--no-execute) would score outputs that "
            "students made themselves: nothing was graded"
        )


def _expect_that_grading_is_safe(exporter: SubmissionExporter, command: Autograde) -> None:
    if WholeClass(parent=exporter).executor != "dask":  # whose workers look for themselves
        execution = ExecuteSubmission(parent=exporter)
        execution.check([Path(command.coursedir.root), Path(__file__).parent])


def _modified(filename: str) -> str:
    try:
        seconds = os.lstat(filename).st_mtime
    except OSError:
        return ""
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%B %d, %Y}"
