"""Saves the scores of a submission and the row of its run into the gradebook in one transaction.

It also replaces nbgrader's `AssignLatePenalties`, which stores a penalty before people have graded
by hand, and does not update it when the score grows. `hw_grading.gradebook` computes penalties.
So a stored penalty is removed: nbgrader's pages would subtract it as well. If an extension was
granted before the student submitted, it is now stored for these pages.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy
from nbformat import NotebookNode
from nbgrader.api import BaseCell, Comment, Grade, Gradebook, GradeCell
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import compute_checksum, determine_grade, is_grade, is_solution, is_task
from sqlalchemy import select, update

from hw_grading.gradebook.extensions import show_in_nbgrader
from hw_grading.gradebook.graded_notebook import answer_digest, cells_by_id
from hw_grading.gradebook.runs import digests_before, remember, save_run
from hw_support.submission.cells import marks_of
from hw_support.submission.problems import METADATA_KEY

# Keys in a preprocessor's resources; they are missing if nbgrader ran the notebook.
RUN = "hw_grading_run"  # of the `Run`, which gets its number here
UNSCORED = "hw_grading_unscored"  # of the grade ids of tests without a score

# The columns that nbgrader searches without an index. It would read whole tables of a large class.
_LOOKED_UP = {
    "grade": "notebook_id",
    "comment": "notebook_id",
    "submitted_notebook": "assignment_id",
    "submitted_assignment": "student_id",
}


def add_indexes(db_url: str) -> None:
    """Add missing indexes to a gradebook, so that a large class is not slower."""
    with Gradebook(db_url) as gradebook:
        inspector = sqlalchemy.inspect(gradebook.engine)
        for table, column in _LOOKED_UP.items():
            name = f"hw_grading_{table}_{column}"
            if all(index["name"] != name for index in inspector.get_indexes(table)):
                command = f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({column})"
                with gradebook.engine.begin() as connection:
                    connection.execute(sqlalchemy.text(command))


class SaveScores(NbGraderPreprocessor):
    """Saves what `SaveAutoGrades` saves, but in one transaction, and in a fraction of the time.

    nbgrader's own preprocessor commits each score by itself, and reads whole tables for it.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Save the scores of one submission; after an error nothing is saved."""
        ids = resources["nbgrader"]
        whose = ids["assignment"], ids["student"]
        marks = {name: (cell, marks_of(cell)) for name, cell in cells_by_id(nb).items()}
        answers = {
            name: answer_digest(cell)
            for name, (cell, of) in marks.items()
            if of.get("grade") and (of.get("solution") or of.get("task"))
        }
        # The seed of hidden inputs changes with anything that the student writes.
        whole = "" if ids["notebook"] == ids["assignment"] else f"/{ids['notebook']}"
        answers[whole] = str(nb.metadata.get(METADATA_KEY, {}).get("seed", ""))
        with Gradebook(ids["db_url"]) as gradebook:
            submission = gradebook.find_submission_notebook(ids["notebook"], *whose)
            # This locks the submission's scores until the end of the transaction.
            mine = update(Grade).where(Grade.notebook_id == submission.id)
            gradebook.db.execute(mine.values(needs_manual_grade=Grade.needs_manual_grade))
            connection = gradebook.db.connection()
            grades, comments = _by_grade_id(gradebook, submission)
            settled = _settled(grades, digests_before(connection, *whose), answers, whole)
            for cell in nb.cells:
                if is_grade(cell):
                    grade = grades[cell.metadata.nbgrader["grade_id"]]
                    grade.auto_score, _ = determine_grade(cell, self.log)
                    by_hand = grade.manual_score is not None or grade.auto_score is None
                    grade.needs_manual_grade = by_hand
                if is_solution(cell) or is_task(cell):
                    same = cell.metadata.nbgrader.get("checksum") == compute_checksum(cell)
                    comment = comments[cell.metadata.nbgrader["grade_id"]]
                    comment.auto_comment = "No response." if same and not is_task(cell) else None
            for name in resources.get(UNSCORED, ()):  # a person has to look at these tests
                grades[name].auto_score, grades[name].needs_manual_grade = None, True
            _unqueue(gradebook, grades, settled, answers)
            submission.late_submission_penalty = None
            gradebook.db.flush()
            remember(connection, *whose, answers, set(marks))
            show_in_nbgrader(connection, *whose)
            if run := resources.get(RUN):
                resources[RUN] = replace(run, number=save_run(connection, *whose, run))
            gradebook.db.commit()
        return nb, resources


def _by_grade_id(gradebook: Gradebook, submission: Any) -> list[dict[str, Any]]:
    """Return the scores of a submission, and the comments on it, by grade id."""
    cells = gradebook.db.query(BaseCell.id, BaseCell.name)
    names = dict(cells.filter(BaseCell.notebook_id == submission.notebook_id).all())
    db, whose = gradebook.db, submission.id
    found = (db.query(kind).filter(kind.notebook_id == whose) for kind in (Grade, Comment))
    return [{names[one.cell_id]: one for one in rows} for rows in found]


def _settled(
    grades: Mapping[str, Any], before: Mapping[str, str], answers: Mapping[str, str], whole: str
) -> dict[str, float | None]:
    """Return the manually scored cells whose answers have not changed since.

    `answers` are digests, by grade id, of the answers that people grade, and at the key `whole` of
    everything that the student wrote in this notebook. The values are the earlier scores by tests;
    a person's score may count instead.
    """
    return {
        name: grade.auto_score
        for name, grade in grades.items()
        if grade.manual_score is not None
        and not grade.needs_manual_grade
        and before.get(key := name if name in answers else whole) == answers[key]
    }


def _unqueue(
    gradebook: Gradebook,
    grades: Mapping[str, Any],
    settled: Mapping[str, float | None],
    answers: Mapping[str, str],
) -> None:
    """Take cells out of the queue for manual grading: settled ones, and those of 0 points.

    If a person's score counts instead of a test's, the test must give the same score as before.
    """
    without = set(gradebook.db.scalars(select(GradeCell.id).where(GradeCell.max_score == 0)))
    for name, grade in grades.items():
        is_settled = name in settled and (name in answers or grade.auto_score == settled[name])
        if is_settled or grade.cell_id in without:
            grade.needs_manual_grade = False
