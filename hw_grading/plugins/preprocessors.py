"""What happens to a notebook in `nbgrader autograde`, by nbgrader's own lists of preprocessors."""

from __future__ import annotations

import json
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from hw_grading.outcome import GraderFault
from hw_grading.records.graded_notebook import FINISHED
from hw_support.submission.belonging import Mistaken, grade_ids_in, mistaken_for
from hw_support.submission.mending import mend
from hw_support.submission.problems import (
    METADATA_KEY,
    Kind,
    Problem,
    Severity,
    add_problems,
    put_notes_on_top,
    read_problems,
)


class MendCells(NbGraderPreprocessor):
    """Gives the notebook the instructor's cells and kernel; the first of `sanitize_preprocessors`.

    Everything that was wrong is logged with the student's id, stored in the notebook, and listed in
    a cell at its top.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Mend the cells of one submission."""
        ids = resources["nbgrader"]
        cells, kernelspec = self.parent.instructors(ids)
        own = {cell.grade_id for cell in cells}
        mistaken = mistaken_for(grade_ids_in(nb), own, self.parent.other_homeworks(ids))
        mended = mend(nb, cells)
        if kernelspec:
            nb.metadata["kernelspec"] = kernelspec
        if mistaken:  # and not a list of all its cells
            add_problems(nb, [_other_homework(mistaken, ids["assignment"])])
        elif not any(p.kind is Kind.FILE for p in read_problems(nb)):
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
        nb.metadata.setdefault(METADATA_KEY, NotebookNode())[FINISHED] = True
        self.parent.grading.progress.saved(resources["nbgrader"]["student"])
        return nb, resources


def _other_homework(mistaken: Mistaken, assignment: str) -> Problem:
    """Say that a notebook is another homework than the one that it was handed in as."""
    few = str(mistaken.found_of_own) if mistaken.found_of_own else "none"
    message = (
        f"This is {mistaken.homework}, handed in as {assignment}: it has {mistaken.found} of the "
        f"{mistaken.of} cells that only {mistaken.homework} has, and {few} of those that only "
        f"{assignment} has. It was graded as {assignment}. Hand in the notebook of {assignment}, "
        f"and this one as {mistaken.homework}."
    )
    return Problem(Kind.OTHER_HOMEWORK, Severity.FAILED, message)


def log_problems(log: Any, student: str, nb: NotebookNode) -> None:
    """Log what was wrong with a submission."""
    for problem in read_problems(nb):
        log.warning("%s: %s", student, problem.message)
