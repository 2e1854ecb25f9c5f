"""The preprocessors of `nbgrader autograde`, for nbgrader's own lists of preprocessors."""

import functools
import json
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor

from hw_grading.batch.grading import OUTCOME, TURN, Turn
from hw_grading.gradebook.graded_notebook import FINISHED, HANDED_IN
from hw_grading.homework.cells import (
    Mistaken,
    grade_ids_by_assignment,
    instructor_cells,
    mistaken_for,
    plain_cells,
)
from hw_grading.homework.notes import add_problems, put_notes_on_top, read_problems
from hw_grading.outcome import GraderFault, NotGraded
from hw_support.submission.cells import InstructorCell
from hw_support.submission.mending import mend
from hw_support.submission.problems import METADATA_KEY, Kind, Problem, Severity
from hw_support.submission.released import grade_ids_in


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
        ids = grade_ids_by_assignment(gradebook.db)
    return {name: theirs for name, theirs in ids.items() if name != assignment}


class CollectResult(NbGraderPreprocessor):
    """Replaces a sanitized notebook by the executed one; used instead of nbgrader's `Execute`.

    Without a result, a `GraderFault` leaves the student without a score instead of a zero.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Wait for the submission's result, or run the submission."""
        turn: Turn = resources[TURN]
        outcome = turn.outcome()
        if isinstance(outcome, NotGraded):
            raise GraderFault(f"NOT GRADED: {turn.student}: {outcome.fault}")
        resources[OUTCOME] = outcome
        before = set(read_problems(nb))
        nb = nbformat.from_dict(json.loads(outcome.notebook))
        for problem in read_problems(nb):
            if problem not in before:
                self.log.warning("%s: %s", turn.student, problem.message)
        return nb, resources


class MarkFinished(NbGraderPreprocessor):
    """Marks a notebook as completely graded; the last of `autograde_preprocessors`.

    Without the mark, or with the mark of another file than the submitted one, it is graded again.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Set the mark. It reaches the disk when the whole notebook is written."""
        turn: Turn = resources[TURN]
        ours = nb.metadata.setdefault(METADATA_KEY, NotebookNode())
        ours[FINISHED], ours[HANDED_IN] = True, turn.digest
        turn.saved()
        return nb, resources


def _other_homework(mistaken: Mistaken, assignment: str) -> Problem:
    few = str(mistaken.found_of_own) if mistaken.found_of_own else "none"
    message = (
        f"This is {mistaken.homework}, submitted as {assignment}: it has {mistaken.found} of the "
        f"{mistaken.of} cells that only {mistaken.homework} has, and {few} of those that only "
        f"{assignment} has. It was graded as {assignment}. Submit the notebook of {assignment}, "
        f"and submit this one as {mistaken.homework}."
    )
    return Problem(Kind.OTHER_HOMEWORK, Severity.FAILED, message)
