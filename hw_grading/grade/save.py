"""Saves the scores of a submission and the row of its run into the gradebook in one transaction.

It takes the place of nbgrader's `SaveAutoGrades`, which commits each score by itself and reads
whole tables for it, and of `AssignLatePenalties`, which stores a penalty before people have graded
by hand, and does not update it when the score grows. `hw_grading.gradebook` computes penalties.
So a stored penalty is removed: nbgrader's pages would subtract it as well. If an extension was
granted before the student submitted, it is now stored for these pages.
"""

import contextlib
import functools
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import BaseCell, Comment, Grade, Gradebook
from nbgrader.utils import compute_checksum, is_grade, is_locked, is_solution, is_task
from sqlalchemy import inspect, text, update

from hw_grading.grade.job import Job, graded_with
from hw_grading.grade.submissions import Submission
from hw_grading.gradebook.extensions import show_in_nbgrader
from hw_grading.gradebook.runs import Run, digests_before, remember, save_run, source_digest
from hw_grading.homework.folders import read_time
from hw_grading.homework.notebook import is_test
from hw_grading.notebooks import answer_digest, cells_by_id
from hw_grading.outcome import Outcome
from hw_support.submission.cells import grade_id_of, nbgrader_metadata, text_of, trimmed
from hw_support.submission.file import UserError

# The columns that nbgrader searches without an index. It would read whole tables of a large class.
_LOOKED_UP = {
    "grade": "notebook_id",
    "comment": "notebook_id",
    "submitted_notebook": "assignment_id",
    "submitted_assignment": "student_id",
}


@dataclass(frozen=True)
class GradedNotebook:
    """A notebook of a submission as it is stored, and how it came about."""

    notebook: NotebookNode
    job: Job
    outcome: Outcome

    @property
    def run(self) -> Run:
        """The row of its run."""
        instructors: dict[str, str] = {}
        answers: dict[str, str] = {}
        others = ""  # the cells without a grade id
        for cell in self.job.nb().cells:  # with their hidden tests
            name = grade_id_of(cell)
            if name is not None:
                of_instructor = is_locked(cell) and not is_solution(cell)
                (instructors if of_instructor else answers)[name] = source_digest(cell.source)
            else:
                others += source_digest(cell.source)
        with_what = graded_with(self.job.settings, self.job.versions, self.job.homework)
        return Run(
            self.job.file,
            {**answers, "": source_digest(others)},
            {"cells": instructors, **with_what},
            self.outcome.seed,
            self.outcome.problems,
            self.outcome.cpu_seconds,
            self.outcome.seconds,
            self.outcome.parts,
        )


class Saver:
    """Saves submissions of an assignment into a gradebook."""

    def __init__(self, db_url: str, course_id: str, assignment: str) -> None:
        """Add missing indexes to the gradebook, so that a large class is not slower."""
        # It stays open: each new one looks for its tables, and prepares all its statements again.
        self._gradebook = Gradebook(db_url, course_id)
        self._assignment = assignment
        with self._session() as gradebook:
            inspector = inspect(gradebook.engine)
            for table, column in _LOOKED_UP.items():
                name = f"hw_grading_{table}_{column}"
                if not inspector.has_index(table, name):  # making one needs a lock of the table
                    with gradebook.engine.begin() as connection:
                        command = f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({column})"
                        connection.execute(text(command))

    def close(self) -> None:
        """Close the gradebook."""
        self._gradebook.close()

    @contextlib.contextmanager
    def _session(self) -> Iterator[Gradebook]:
        """Yield the gradebook with a session of its own: what a block does not commit is undone."""
        try:
            yield self._gradebook
        finally:
            self._gradebook.db.remove()

    def register(self, one: Submission, create_student: bool, log: Any) -> None:
        """Make a student's rows in the gradebook, as nbgrader does, before there are scores."""
        known = {}
        try:
            if time := read_time(one.folder):
                known["timestamp"] = time
        except UserError as why:
            log.warning("%s", why)
        with self._session() as gradebook:
            if create_student:
                gradebook.update_or_create_student(one.student)
            else:
                gradebook.find_student(one.student)
            gradebook.update_or_create_submission(self._assignment, one.student, **known)

    def save(self, student: str, notebooks: Sequence[GradedNotebook]) -> None:
        """Save the scores of a registered submission; after an error nothing is saved.

        A notebook that is missing scores 0, as in nbgrader.
        """
        whose = self._assignment, student
        graded = {one.job.name: one for one in notebooks}
        with self._session() as gradebook:
            rows = gradebook.find_submission(*whose).notebooks
            # This locks the submission's scores until the end of the transaction.
            mine = update(Grade).where(Grade.notebook_id.in_([row.id for row in rows]))
            gradebook.db.execute(mine.values(needs_manual_grade=Grade.needs_manual_grade))
            connection = gradebook.db.connection()
            before = digests_before(connection, *whose)
            answers: dict[str, str] = {}
            cells = set[str]()
            for row in rows:
                row.late_submission_penalty = None
                if one := graded.get(row.name):
                    found = cells_by_id(one.notebook)
                    whole = "" if row.name == self._assignment else f"/{row.name}"
                    answers |= {**_digests_of(found), whole: _digest_of_all(one)}
                    cells |= found.keys()
                    same = {cell for cell in answers if before.get(cell) == answers[cell]}
                    _save_scores(gradebook, row, one, same, is_same=whole in same)
                else:
                    for grade in row.grades:
                        grade.auto_score, grade.needs_manual_grade = 0, False
            gradebook.db.flush()
            remember(connection, *whose, answers, cells)
            show_in_nbgrader(connection, *whose)
            runs = [one.run for one in notebooks]
            save_run(connection, *whose, functools.reduce(Run.joined, runs))
            gradebook.db.commit()


def _digests_of(cells: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the digests of the answers that people grade, by grade id."""
    return {
        name: answer_digest(cell)
        for name, cell in cells.items()
        if (of := nbgrader_metadata(cell)).get("grade") and (of.get("solution") or of.get("task"))
    }


def _digest_of_all(one: GradedNotebook) -> str:
    """Return a digest of all that the student wrote in a notebook."""
    return hashlib.sha256(json.dumps(one.run.answers, sort_keys=True).encode()).hexdigest()


def _save_scores(
    gradebook: Gradebook, row: Any, one: GradedNotebook, same: Collection[str], *, is_same: bool
) -> None:
    """Write the scores of a notebook into the open transaction.

    `same` are the answers that have not changed since the last autograding. `is_same` says whether
    nothing has that the student wrote.
    """
    grades, comments = (_by_grade_id(gradebook, kind, row) for kind in (Grade, Comment))
    stubs = {cell.name: cell.source for cell in row.notebook.source_cells}
    answers = cells_by_id(one.notebook)
    scores = {score.cell: score.earned for score in one.outcome.scores}
    for cell in one.notebook.cells:
        name = grade_id_of(cell) or ""
        no_response = is_unanswered(cell, answers, stubs.get(name) or "")
        if is_grade(cell):
            grade, most = grades[name], float(cell.metadata.nbgrader["points"])
            # Without a score, a person has to look at it.
            score = scores[name] if is_test(cell) else 0.0 if no_response else None
            # A person's score of a test stays. The person looks at it again if the student has
            # changed anything, or if the test gives another score.
            is_old = name in same
            if is_test(cell):
                is_old = is_same and score == grade.auto_score
            is_settled = grade.manual_score is not None and not grade.needs_manual_grade
            by_hand = grade.manual_score is not None or score is None
            grade.auto_score = score
            grade.needs_manual_grade = by_hand and most > 0 and not (is_settled and is_old)
        if is_solution(cell) or is_task(cell):
            comments[name].auto_comment = "No response." if no_response else None


def is_unanswered(cell: NotebookNode, answers: Mapping[str, Any], stub: str) -> bool:
    """Return whether a cell is for an answer, and its answer is empty or the stub.

    White space does not count. `answers` are those of `cells_by_id`.
    """
    if not is_solution(cell) or is_task(cell):
        return False
    if cell.metadata.nbgrader.get("checksum") == compute_checksum(cell):
        return True  # nbgrader knows only the unchanged stub
    answer = answers[grade_id_of(cell) or ""]
    written = trimmed(text_of(answer.get("source")))
    return written in ("", trimmed(stub)) and not answer.get("attachments")


def _by_grade_id(gradebook: Gradebook, kind: Any, submission: Any) -> dict[str, Any]:
    """Return the scores of a submission, or the comments on it, by grade id."""
    found = gradebook.db.query(BaseCell.name, kind).join(BaseCell, BaseCell.id == kind.cell_id)
    return dict(found.filter(kind.notebook_id == submission.id).all())
