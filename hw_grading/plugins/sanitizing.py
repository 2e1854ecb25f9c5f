"""nbgrader's sanitizing pass over one submission, outside nbgrader's loop: read it and mend it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from nbconvert.exporters import Exporter
from nbformat import NotebookNode
from nbgrader.converters import Autograde

from hw_grading.batch.submitted import beside
from hw_grading.homework.course import Course
from hw_support.submission.file import read_submission
from hw_support.submission.problems import add_problems

_QUIET = logging.getLogger("hw_grading.ahead")  # nbgrader's loop logs the same, in its own order
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
        """Return a student's notebook with the instructor's cells, whatever the file was."""
        notebook, problems = read_submission(path)
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
        }
        exported = self._exporter.from_notebook_node(Owned(notebook), {"nbgrader": ids})
        return NotebookNode(exported[0])
