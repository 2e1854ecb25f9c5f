"""Saves the scores of a submission and the row of its run into the gradebook in one transaction.

It also replaces nbgrader's `AssignLatePenalties`, which stores a penalty before people have graded
by hand, and does not update it when the score grows. `hw_grading.gradebook` computes penalties.
So a stored penalty is removed: nbgrader's pages would subtract it as well. If an extension was
granted before the student submitted, it is now stored for these pages.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy
from nbformat import NotebookNode
from nbgrader.api import BaseCell, Comment, Grade, Gradebook, GradeCell
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from nbgrader.utils import is_locked, is_solution
from sqlalchemy import select, update

from hw_grading.batch.grading import OUTCOME, TURN, Turn
from hw_grading.gradebook.extensions import show_in_nbgrader
from hw_grading.gradebook.graded_notebook import answer_digest, cells_by_id
from hw_grading.gradebook.runs import Run, digest_of, digests_before, remember, save_run
from hw_grading.homework.notes import is_notes, read_problems
from hw_grading.outcome import WithScores
from hw_grading.plugins.hooks import one_transaction
from hw_support.submission.cells import grade_id_of, marks_of
from hw_support.submission.problems import METADATA_KEY

# The columns that nbgrader searches without an index. It would read whole tables of a large class.
_LOOKED_UP = {
    "grade": "notebook_id",
    "comment": "notebook_id",
    "submitted_notebook": "assignment_id",
    "submitted_assignment": "student_id",
}


def add_indexes(db_url: str) -> None:
    """Add missing indexes to a gradebook, so that a large class is not slower.

    Creating an index waits for other writers of the table, so each has its own transaction.
    """
    with Gradebook(db_url) as gradebook:
        for table, column in _LOOKED_UP.items():
            name = f"hw_grading_{table}_{column}"
            if _has_index(gradebook.engine, table, name):
                continue
            try:
                with gradebook.engine.begin() as connection:
                    connection.execute(
                        sqlalchemy.text(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({column})")
                    )
            except sqlalchemy.exc.DBAPIError:
                if not _has_index(gradebook.engine, table, name):  # another run made it
                    raise


def _has_index(engine: sqlalchemy.Engine, table: str, name: str) -> bool:
    return any(index["name"] == name for index in sqlalchemy.inspect(engine).get_indexes(table))


class SaveScores(SaveAutoGrades):
    """Saves what `SaveAutoGrades` saves, but in one transaction, and in a fraction of the time."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Save the scores of one submission."""
        ids = resources["nbgrader"]
        self.notebook_id, self.assignment_id = ids["notebook"], ids["assignment"]
        self.student_id, self.db_url = ids["student"], ids["db_url"]
        with _OneSubmission(self.db_url) as self.gradebook:
            answers = {
                name: answer_digest(cell)
                for name, cell in cells_by_id(nb).items()
                if (marks := marks_of(cell)).get("grade")
                and (marks.get("solution") or marks.get("task"))
            }
            # The seed of hidden inputs changes with anything that the student writes.
            whole = "" if self.notebook_id == self.assignment_id else f"/{self.notebook_id}"
            seed = answers[whole] = str(nb.metadata.get(METADATA_KEY, {}).get("seed", ""))
            self.gradebook.read(self.notebook_id, self.assignment_id, self.student_id)
            settled = self.gradebook.settled(answers, whole)
            with one_transaction(self.gradebook):
                NbGraderPreprocessor.preprocess(self, nb, resources)
                self.gradebook.take_scores(getattr(resources.get(OUTCOME), "unscored", ()))
                self.gradebook.unqueue_cells_without_points()
                self.gradebook.keep(settled, answers, set(cells_by_id(nb)))
                self.gradebook.update_lateness()
                if outcome := resources.get(OUTCOME):  # it is missing if nbgrader ran the notebook
                    turn: Turn = resources[TURN]
                    run = _run(nb, turn, outcome, seed)
                    if before := turn.saved_runs.get(self.student_id):  # of another notebook
                        run = before.joined(run)
                    connection = self.gradebook.db.connection()
                    number = save_run(connection, self.assignment_id, self.student_id, run)
                    turn.saved_runs[self.student_id] = replace(run, number=number)
        return nb, resources


def _run(nb: NotebookNode, turn: Turn, outcome: WithScores, seed: str) -> Run:
    instructors: dict[str, str] = {}
    answers: dict[str, str] = {}
    others = ""  # the cells without a grade id
    for cell in turn.notebook.cells:  # with their hidden tests
        name = grade_id_of(cell)
        if name is not None:
            of_instructor = is_locked(cell) and not is_solution(cell)
            (instructors if of_instructor else answers)[name] = digest_of(cell.source)
        elif not is_notes(cell):
            others += digest_of(cell.source)
    return Run(
        turn.digest,
        {**answers, "": digest_of(others)},
        {"cells": instructors, **turn.graded_with},
        seed,
        outcome.status,
        " ".join(outcome.reasons),
        tuple(read_problems(nb)),
        outcome.spent.cpu_seconds,
        outcome.spent.seconds,
        outcome.parts,
    )


class _OneSubmission(Gradebook):
    """A gradebook that knows the scores and comments of one submission."""

    def read(self, notebook: str, assignment: str, student: str) -> None:
        submission = self.find_submission_notebook(notebook, assignment, student)
        # This locks the submission's scores until the end of the transaction.
        mine = update(Grade).where(Grade.notebook_id == submission.id)
        self.db.execute(mine.values(needs_manual_grade=Grade.needs_manual_grade))
        self._submission, self._of = submission, (notebook, assignment, student)
        self._found: dict[type, dict[str, Any]] = {}
        cells = self.db.query(BaseCell.id, BaseCell.name)
        names = dict(cells.filter(BaseCell.notebook_id == submission.notebook_id).all())
        for kind in (Grade, Comment):
            found = self.db.query(kind).filter(kind.notebook_id == submission.id)
            self._found[kind] = {names[one.cell_id]: one for one in found}

    def take_scores(self, unscored: Iterable[str]) -> None:
        """Leave these tests without a score: a person has to look at them."""
        for name in unscored:
            grade = self._found[Grade][name]
            grade.auto_score, grade.needs_manual_grade = None, True

    def unqueue_cells_without_points(self) -> None:
        """Take cells of 0 points, such as a certification, out of the queue for manual grading."""
        without = set(self.db.scalars(select(GradeCell.id).where(GradeCell.max_score == 0)))
        for grade in self._found[Grade].values():
            if grade.cell_id in without:
                grade.needs_manual_grade = False

    def settled(self, answers: Mapping[str, str], whole: str) -> dict[str, float | None]:
        """Return the manually scored cells whose answers have not changed since.

        `answers` are digests, by grade id, of the answers that people grade, and at the key `whole`
        of everything that the student wrote in this notebook. The values are the earlier scores by
        tests; a person's score may count instead.
        """
        _, assignment, student = self._of
        before = digests_before(self.db.connection(), assignment, student)
        return {
            name: grade.auto_score
            for name, grade in self._found[Grade].items()
            if grade.manual_score is not None
            and not grade.needs_manual_grade
            and before.get(key := name if name in answers else whole) == answers[key]
        }

    def keep(
        self, settled: Mapping[str, float | None], answers: Mapping[str, str], cells: set[str]
    ) -> None:
        """Take settled cells out of the queue for manual grading, and store the digests.

        `cells` are all cells of the notebook: their earlier digests are removed.

        If a person's score counts instead of a test's, the test must give the same score as before.
        """
        for name, given in settled.items():
            grade = self._found[Grade][name]
            if name in answers or grade.auto_score == given:
                grade.needs_manual_grade = False
        self.db.flush()
        _, assignment, student = self._of
        remember(self.db.connection(), assignment, student, answers, cells)

    def update_lateness(self) -> None:
        """Remove a penalty that nbgrader has stored; store a granted extension for its pages."""
        _, assignment, student = self._of
        self._submission.late_submission_penalty = None
        show_in_nbgrader(self.db.connection(), assignment, student)

    def find_grade(self, cell: str, *of: str) -> Any:
        """Return the score of a cell, like nbgrader's gradebook."""
        return self._known(Grade, cell, of) or super().find_grade(cell, *of)

    def find_comment(self, cell: str, *of: str) -> Any:
        """Return the comment on a cell, like nbgrader's gradebook."""
        return self._known(Comment, cell, of) or super().find_comment(cell, *of)

    def _known(self, kind: type, cell: str, of: tuple[str, ...]) -> Any:
        return self._found[kind].get(cell) if of == self._of else None
