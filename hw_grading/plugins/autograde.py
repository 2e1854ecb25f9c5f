"""`nbgrader autograde`, with our own loop over the class in place of nbgrader's.

nbgrader lets a course choose its exporter, and no other part of `Autograde`. Its converter makes
the exporter after it has listed the submissions, and then calls its own `convert_notebooks`. So the
exporter sets that attribute of the converter, for one command. nbgrader's loop runs one submission
at a time, writes a student's notebook before it is graded, and uses names that students chose as
patterns. tests/grading/plugins/test_autograde.py fails if a version of nbgrader does not call it
so.
"""

import contextlib
import errno
import functools
import json
import signal
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, NbGraderException
from nbgrader.preprocessors import Execute
from nbgrader.utils import is_locked, is_solution
from sqlalchemy.exc import OperationalError
from traitlets import Bool

from hw_grading.grade.class_run import ClassRun, grading
from hw_grading.grade.job import graded_with
from hw_grading.grade.read import Read, Reader
from hw_grading.grade.save import RUN, UNSCORED, WRITTEN, add_indexes
from hw_grading.grade.settings import WholeClass
from hw_grading.grade.submissions import Submission, carry_along, with_long_wait
from hw_grading.grade.trial import BesideClass, Trial
from hw_grading.gradebook.database import Database
from hw_grading.gradebook.runs import Run
from hw_grading.gradebook.runs import digest_of as digest_of_cell
from hw_grading.homework.course import Course
from hw_grading.homework.folders import read_time
from hw_grading.homework.notes import is_notes, read_problems
from hw_grading.notebooks import FINISHED, HANDED_IN
from hw_grading.outcome import GraderFault, Outcome, SettingsError, Status
from hw_grading.run.blame import described
from hw_grading.run.settings import ExecuteSubmission
from hw_grading.texts import typed
from hw_support.submission.cells import grade_id_of
from hw_support.submission.file import UserError
from hw_support.submission.problems import METADATA_KEY, Kind

_FULL = (errno.ENOSPC, errno.EDQUOT)  # error numbers of a full disk
_Begun = tuple[Read, Future[Outcome]]  # of one notebook


class SubmissionExporter(NotebookExporter):
    """The exporter of `nbgrader autograde`: it grades the class of its converter."""

    optimistic_validation = Bool(True).tag(config=True)

    def __init__(self, config: Any = None, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        if isinstance(self.parent, Autograde):
            self.parent.convert_notebooks = functools.partial(self._grade_class, self.parent)

    def _grade_class(self, converter: Autograde) -> None:
        """Grade the class, one submission after another, with the runs ahead."""
        course: Any = converter.coursedir
        try:
            if not Execute(parent=self).enabled:
                raise UserError(
                    "Nothing was graded: with --no-execute, nbgrader would score the outputs that "
                    "students saved. Leave out that option"
                )
            here = Course.of(course)
            if course.notebook_id != "*":
                raise UserError(
                    "Nothing was graded: all notebooks of a submission are graded together. Leave "
                    "out --notebook"
                )
            homework = here.homework(course.assignment_id)
            settings, whole_class = ExecuteSubmission(parent=self), WholeClass(parent=self)
            Database(here.db_url).expect_homework(course.assignment_id)
            add_indexes(course.db_url)
            for preprocessor in converter.autograde_preprocessors:
                self.register_preprocessor(preprocessor)
            with grading(converter, homework, settings, whole_class) as (run, submissions, job):
                db_url = with_long_wait(course.db_url)
                reader = Reader(here, course.assignment_id, db_url, job, run.beside)
                trial = Trial(here, course.assignment_id, reader, run)
                workers = min(run.at_once, len(submissions))
                beside = BesideClass(trial, workers, self.log)
                loop = _Loop(self, converter, db_url, reader, run, homework.files, beside)
                ahead = run.ahead(submissions, loop.begin, lambda one: one.size)
                failed = [one.student for one, begun in ahead if not loop.finish(one, begun)]
                if submissions:
                    beside.tell(is_last=True)
                graded = len(submissions) - len(failed)
                never = [name for name, count in loop.faulty.items() if count == graded]
        except UserError as fault:
            self.log.error(fault)
            raise NbGraderException(str(fault)) from fault
        except KeyboardInterrupt:  # without a traceback
            raise SystemExit(128 + signal.SIGINT) from None
        if failed:
            raise NbGraderException(f"Some submissions were not graded: {len(failed)}")
        if never:
            said = (
                f"No submission has a score in {', '.join(never)}, because of the homework's own "
                "cells: see the notes in autograded/. All other scores are saved. Mend the cells "
                f"in source/, then type: {typed('hw-grading regrade', course.assignment_id)}"
            )
            self.log.error(said)
            raise NbGraderException(said)


@dataclass
class _Loop:
    """The steps of one submission in a run over its class."""

    exporter: SubmissionExporter
    converter: Autograde
    db_url: str
    reader: Reader
    run: ClassRun
    files: Mapping[str, bytes]  # beside the instructor's notebooks, by path
    beside: BesideClass
    # How many submissions have no score in a test because of the homework's fault, by grade id.
    faulty: Counter[str] = field(default_factory=Counter)

    @property
    def course(self) -> Any:
        """The converter's course directory."""
        return self.converter.coursedir

    def begin(self, one: Submission) -> list[_Begun] | Exception:
        """Read a student's notebooks and begin to run them; return the error if that fails.

        `SettingsError` if nobody's can run.
        """
        try:
            if one.why:
                raise GraderFault(one.why)
            notebooks = [self.reader.read(one.student, path) for path in one.paths]
            return [(read, self.run.begin(read.job)) for read in notebooks]
        except SettingsError:
            raise
        except Exception as error:
            return error
        finally:
            self.beside.one_more()

    def finish(self, one: Submission, begun: list[_Begun] | Exception) -> bool:
        """Wait for a student's results and save them; return whether that succeeded.

        `UserError` if nothing can be saved any more: nobody else can be graded either.
        """
        try:
            if not one.why:
                one.remove_graded()
                self.converter.notebooks = list(map(str, one.paths))
                self.converter.run_pre_convert_hook()
                self._register(one)
            if isinstance(begun, Exception):
                raise begun
            outcomes = [
                self.beside.settled(path.stem, read.job, running.result())
                for path, (read, running) in zip(one.paths, begun, strict=True)
            ]
            for outcome in outcomes:
                if outcome.status is Status.NOT_GRADED:
                    raise GraderFault(outcome.why)
            self.beside.tell()
            carry_along(one.folder, one.graded)
            saved = None  # the row of the notebooks so far
            for path, (read, _), outcome in zip(one.paths, begun, outcomes, strict=True):
                saved = self._save(one, path, read, outcome, saved)
            for name, content in self.files.items():  # for pages that show the notebook
                (one.graded / name).parent.mkdir(parents=True, exist_ok=True)
                (one.graded / name).write_bytes(content)
            self.converter.set_permissions(self.course.assignment_id, one.student)
            self.converter.run_post_convert_hook()
        except Exception as error:
            if not one.why:
                with contextlib.suppress(OSError):
                    one.remove_graded()
            if isinstance(error, OperationalError) or getattr(error, "errno", 0) in _FULL:
                raise UserError(
                    f"Nothing more can be saved in {self.course.root} or in the gradebook "
                    f"({getattr(error, 'orig', error)}). The scores that were saved are complete. "
                    "When that is mended, run this command again: it grades the rest"
                ) from error
            why = described(error)
            if isinstance(error, CancelledError):
                why = "the connection to the Dask scheduler was lost"
            unforeseen = not isinstance(error, UserError)
            self.converter.log.error("NOT GRADED: %s: %s", one.student, why, exc_info=unforeseen)
            self.run.progress.not_graded(one.student, why)
            return False
        problems = saved.problems if saved else ()
        self.faulty.update({one.cell for one in problems if one.cell and one.kind is Kind.GRADER})
        self.run.progress.saved(one.student, outcomes)
        return True

    def _register(self, one: Submission) -> None:
        """Make a student's rows in the gradebook; a missing notebook scores 0, as in nbgrader."""
        time = None
        try:
            time = read_time(one.folder)
        except UserError as why:
            self.converter.log.warning("%s", why)
        ids = self.course.assignment_id, one.student
        known = {"timestamp": time} if time else {}
        with Gradebook(self.db_url, self.course.course_id) as gradebook:
            if self.converter.create_student:
                gradebook.update_or_create_student(one.student)
            else:
                gradebook.find_student(one.student)
            gradebook.update_or_create_submission(*ids, **known)
            for notebook in gradebook.find_assignment(ids[0]).notebooks:
                if not (one.folder / f"{notebook.name}.ipynb").exists():
                    missing = gradebook.find_submission_notebook(notebook.name, *ids)
                    for grade in missing.grades:
                        grade.auto_score, grade.needs_manual_grade = 0, False
            gradebook.db.commit()

    def _save(
        self, one: Submission, path: Path, read: Read, outcome: Outcome, before: Run | None
    ) -> Run:
        """Save scores, the row of the run, and the graded notebook, in this order.

        All notebooks of a submission share one row: `before` is that of the notebooks so far.
        Return the new one.
        """
        notebook = nbformat.from_dict(json.loads(outcome.notebook))
        for problem in dict.fromkeys([*read_problems(read.notebook), *read_problems(notebook)]):
            self.converter.log.warning("%s: %s", one.student, problem.message)
        run = run_of(notebook, read, outcome)
        ids = {
            "student": one.student,
            "assignment": self.course.assignment_id,
            "notebook": path.stem,
            "db_url": self.db_url,
        }
        resources: dict[str, Any] = {
            "nbgrader": ids,
            "metadata": {"name": path.stem, "path": str(path.parent)},
            "unique_key": path.stem,
            "output_files_dir": f"{path.stem}_files",
            RUN: before.joined(run) if before else run,
            UNSCORED: outcome.unscored,
            WRITTEN: str(read.job.seed),
        }
        ours = notebook.metadata.setdefault(METADATA_KEY, NotebookNode())
        ours[FINISHED], ours[HANDED_IN] = True, read.digest
        text, resources = self.exporter.from_notebook_node(notebook, resources)
        self.converter.write_single_notebook(text, resources)
        saved: Run = resources[RUN]
        return saved


def run_of(notebook: NotebookNode, read: Read, outcome: Outcome) -> Run:
    """Return the row of a run."""
    instructors: dict[str, str] = {}
    answers: dict[str, str] = {}
    others = ""  # the cells without a grade id
    for cell in read.notebook.cells:  # with their hidden tests
        name = grade_id_of(cell)
        if name is not None:
            of_instructor = is_locked(cell) and not is_solution(cell)
            (instructors if of_instructor else answers)[name] = digest_of_cell(cell.source)
        elif not is_notes(cell):
            others += digest_of_cell(cell.source)
    job = read.job
    return Run(
        read.digest,
        {**answers, "": digest_of_cell(others)},
        {"cells": instructors, **graded_with(job.settings, job.versions, job.homework)},
        str(notebook.metadata.get(METADATA_KEY, {}).get("seed", "")),
        outcome.status,
        outcome.why,
        tuple(read_problems(notebook)),
        outcome.cpu_seconds,
        outcome.seconds,
        outcome.parts,
    )
