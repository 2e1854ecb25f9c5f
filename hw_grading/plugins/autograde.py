"""`nbgrader autograde`, with our own loop over the class in place of nbgrader's.

nbgrader lets a course choose its exporter, and no other part of `Autograde`. Its converter makes
the exporter after it has listed the submissions, and then calls its own `convert_notebooks`. So the
exporter sets that attribute of the converter, for one command. nbgrader's loop runs one submission
at a time, writes a student's notebook before it is graded, and uses names that students chose as
patterns. tests/grading/plugins/test_autograde.py fails if a version of nbgrader does not call it
so.
"""

import functools
import signal
from typing import Any

from nbconvert.exporters import Exporter
from nbformat import NotebookNode
from nbgrader.converters import Autograde, NbGraderException
from nbgrader.preprocessors import Execute

from hw_grading.grade.pipeline import Options, grade_class
from hw_grading.gradebook.database import Database
from hw_grading.homework.course import Course
from hw_support.submission.file import UserError


class SubmissionExporter(Exporter):
    """The exporter of `nbgrader autograde`: it grades the class of its converter."""

    def __init__(self, config: Any = None, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        if isinstance(self.parent, Autograde):
            self.parent.convert_notebooks = functools.partial(self._grade_class, self.parent)

    def _grade_class(self, converter: Autograde) -> None:
        """Grade the class, one submission after another, with the runs ahead."""
        directory: Any = converter.coursedir
        course, assignment = Course.of(directory), directory.assignment_id
        try:
            if not Execute(parent=self).enabled:
                raise UserError(
                    "Nothing was graded: with --no-execute, nbgrader would score the outputs that "
                    "students saved. Leave out that option"
                )
            if directory.notebook_id != "*":
                raise UserError(
                    "Nothing was graded: all notebooks of a submission are graded together. Leave "
                    "out --notebook"
                )
            Database(course.db_url).expect_homework(assignment)
            for preprocessor in converter.autograde_preprocessors:
                self.register_preprocessor(preprocessor)
            options = Options(
                self.log,
                converter.force,
                converter.create_student,
                functools.partial(self._finish, assignment, course.db_url),
                functools.partial(converter.set_permissions, assignment),
            )
            grade_class(course, assignment, options)
        except UserError as fault:
            self.log.error(fault)
            raise NbGraderException(str(fault)) from fault
        except KeyboardInterrupt:  # without a traceback
            raise SystemExit(128 + signal.SIGINT) from None

    def _finish(
        self, assignment: str, db_url: str, notebook: NotebookNode, name: str, student: str
    ) -> NotebookNode:
        """Apply nbgrader's preprocessors, which limit outputs, to a graded notebook."""
        ids = {"assignment": assignment, "student": student, "notebook": name, "db_url": db_url}
        resources = {"nbgrader": ids, "metadata": {"name": name}, "unique_key": name}
        # `from_notebook_node` would copy the notebook four times.
        resources = self._init_resources(resources)
        for preprocessor in self._preprocessors:
            notebook, resources = preprocessor(notebook, resources)
        return notebook
