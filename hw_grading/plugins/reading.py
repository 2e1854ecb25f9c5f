"""Reads a submission: the one reader, whoever runs the submission, and whenever."""

from __future__ import annotations

import functools
import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbconvert.exporters import Exporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from nbgrader.preprocessors import NbGraderPreprocessor

from hw_grading.batch.job import Job
from hw_grading.batch.submissions import beside, digest_of
from hw_grading.homework.cells import instructor_cells, mistaken_for, plain_cells
from hw_grading.homework.course import Course
from hw_grading.homework.notes import add_problems, put_notes_on_top
from hw_grading.outcome import GraderFault
from hw_support.submission.cells import InstructorCell
from hw_support.submission.file import UserError, read_submission
from hw_support.submission.mending import mend
from hw_support.submission.problems import Kind, Problem, Severity
from hw_support.submission.released import grade_ids_in

_QUIET = logging.getLogger("hw_grading.ahead")  # what was mended is logged when it is saved
_QUIET.disabled = True


class Owned(NotebookNode):
    """A notebook with one owner, so nbconvert need not copy it at each step."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Owned:
        """Return the notebook itself."""
        return self


@dataclass(frozen=True)
class Read:
    """A submission that was read and mended."""

    digest: str  # of its file, taken before the file was read
    notebook: NotebookNode  # mended, with the instructor's cells
    job: Job


class Reader:
    """Reads submissions, and runs a converter's `sanitize_preprocessors` over them."""

    def __init__(
        self, converter: Autograde, db_url: str, job_of: Callable[[str, NotebookNode], Job]
    ) -> None:
        self._course, self._db_url, self._job_of = converter.coursedir, db_url, job_of
        self._exporter = Exporter(config=converter.config, log=_QUIET)
        self._exporter.optimistic_validation = True  # once, after all preprocessors
        for preprocessor in converter.sanitize_preprocessors:
            self._exporter.register_preprocessor(preprocessor)

    def read(self, student: str, path: Path) -> Read:
        """Read a student's notebook, and restore the instructor's cells.

        Raise `GraderFault` if there is no notebook that can be read.
        """
        digest = digest_of(path)
        try:
            notebook = read_submission(path)
        except UserError as why:
            raise GraderFault(f"{str(why)[0].upper()}{str(why)[1:]}") from None
        course, assignment = Course.of(self._course), self._course.assignment_id
        expected = course.notebooks_in(path.parent, assignment)
        missing = [own.name for own in expected if not os.path.lexists(own)]
        also_graded = {own.name for own in expected}
        add_problems(notebook, [*beside(path, also_graded), *map(_not_submitted, missing)])
        ids = {
            "student": student,
            "assignment": assignment,
            "notebook": path.stem,
            "db_url": self._db_url,
            "source": str(course.source(assignment) / path.name),
            "release": str(course.release(assignment) / path.name),
        }
        mended, _ = self._exporter.from_notebook_node(Owned(notebook), {"nbgrader": ids})
        notebook = NotebookNode(mended)
        return Read(digest, notebook, self._job_of(student, notebook))


def _not_submitted(name: str) -> Problem:
    said = f"{name} was not submitted: expected it beside this notebook. Its questions score 0."
    return Problem(Kind.OTHER_NOTEBOOK, Severity.FAILED, said)


class MendCells(NbGraderPreprocessor):
    """Restores the instructor's cells and kernel; the first of `sanitize_preprocessors`.

    The object lives for one command, during which the instructor's cells do not change.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._instructors, self._others = functools.cache(_instructors), functools.cache(_others)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Process one submission."""
        ids = resources["nbgrader"]
        course = (ids["db_url"], ids["assignment"])
        places = tuple(Path(ids[step]) for step in ("release", "source") if ids.get(step))
        cells, kernelspec, plain = self._instructors(*course, ids["notebook"], places)
        own = {cell.grade_id for cell in cells}
        mistaken = mistaken_for(grade_ids_in(nb), own, self._others(*course))
        mended = mend(nb, cells, plain)
        if kernelspec:
            nb.metadata["kernelspec"] = kernelspec
        if mistaken:  # instead of a list of all its cells
            add_problems(nb, [_other_homework(mistaken, ids["assignment"])])
        else:
            add_problems(nb, mended)
        put_notes_on_top(nb)
        return nb, resources


def _instructors(
    db_url: str, assignment: str, notebook: str, places: tuple[Path, ...]
) -> tuple[list[InstructorCell], Any, list[str] | None]:
    """Return cells, kernelspec and plain cells of the instructor's notebook."""
    with Gradebook(db_url) as gradebook:
        cells = instructor_cells(gradebook, assignment, notebook, *places)
        kernelspec = gradebook.find_notebook(notebook, assignment).kernelspec
    return cells, json.loads(kernelspec or "null"), plain_cells(places[-1] if places else None)


def _others(db_url: str, assignment: str) -> dict[str, frozenset[str]]:
    """Return the grade ids of the course's other assignments, by name."""
    with Gradebook(db_url) as gradebook:
        return {
            other.name: frozenset(cell.name for one in other.notebooks for cell in one.source_cells)
            for other in gradebook.assignments
            if other.name != assignment
        }


def _other_homework(other: str, assignment: str) -> Problem:
    message = (
        f"This is {other}, submitted as {assignment}: it has most of the cells that only {other} "
        f"has, and hardly any of those that only {assignment} has. It was graded as {assignment}. "
        f"Submit the notebook of {assignment}, and submit this one as {other}."
    )
    return Problem(Kind.OTHER_HOMEWORK, Severity.FAILED, message)
