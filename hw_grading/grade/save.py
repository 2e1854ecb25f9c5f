"""Saves the scores of a submission and the row of its run into the gradebook in one transaction.

It also replaces nbgrader's `AssignLatePenalties`, which stores a penalty before people have graded
by hand, and does not update it when the score grows. `hw_grading.gradebook` computes penalties.
So a stored penalty is removed: nbgrader's pages would subtract it as well. If an extension was
granted before the student submitted, it is now stored for these pages.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import BaseCell, Comment, Grade, Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import compute_checksum, determine_grade, is_grade, is_solution, is_task
from sqlalchemy import inspect, text, update

from hw_grading.gradebook.extensions import show_in_nbgrader
from hw_grading.gradebook.runs import digests_before, remember, save_run
from hw_grading.notebooks import answer_digest, cells_by_id
from hw_support.submission.cells import grade_id_of, marks_of, text_of, trimmed

# Keys in a preprocessor's resources; they are missing if nbgrader ran the notebook.
RUN = "hw_grading_run"  # of the `Run`, which gets its number here
UNSCORED = "hw_grading_unscored"  # of the grade ids of tests without a score
WRITTEN = "hw_grading_written"  # of a digest of all that the student wrote

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
        inspector = inspect(gradebook.engine)
        for table, column in _LOOKED_UP.items():
            name = f"hw_grading_{table}_{column}"
            if not inspector.has_index(table, name):  # making one needs a lock of the table
                with gradebook.engine.begin() as connection:
                    command = f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({column})"
                    connection.execute(text(command))


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
        whole = "" if ids["notebook"] == ids["assignment"] else f"/{ids['notebook']}"
        answers[whole] = resources.get(WRITTEN, "")
        with Gradebook(ids["db_url"]) as gradebook:
            submission = gradebook.find_submission_notebook(ids["notebook"], *whose)
            # This locks the submission's scores until the end of the transaction.
            mine = update(Grade).where(Grade.notebook_id == submission.id)
            gradebook.db.execute(mine.values(needs_manual_grade=Grade.needs_manual_grade))
            connection = gradebook.db.connection()
            before = digests_before(connection, *whose)
            grades = _by_grade_id(gradebook, Grade, submission)
            comments = _by_grade_id(gradebook, Comment, submission)
            stubs = {cell.name: cell.source for cell in submission.notebook.source_cells}
            for cell in nb.cells:
                name = grade_id_of(cell) or ""
                # nbgrader knows only the unchanged stub.
                is_empty = is_solution(cell) and _is_empty(marks[name][0], stubs.get(name) or "")
                if is_grade(cell):
                    grade = grades[name]
                    score, most = determine_grade(cell, self.log)
                    if score is None and is_empty:
                        score = 0.0
                    if name in resources.get(UNSCORED, ()):  # a person has to look at this test
                        score = None
                    # A person's score of a test stays. The person looks at it again if the student
                    # has changed anything, or if the test gives another score.
                    key = name if name in answers else whole
                    is_same = before.get(key) == answers[key]
                    is_same = is_same and (key == name or score == grade.auto_score)
                    is_settled = grade.manual_score is not None and not grade.needs_manual_grade
                    by_hand = grade.manual_score is not None or score is None
                    grade.auto_score = score
                    grade.needs_manual_grade = by_hand and most > 0 and not (is_settled and is_same)
                if is_solution(cell) or is_task(cell):
                    same = cell.metadata.nbgrader.get("checksum") == compute_checksum(cell)
                    no_response = (same or is_empty) and not is_task(cell)
                    comments[name].auto_comment = "No response." if no_response else None
            submission.late_submission_penalty = None
            gradebook.db.flush()
            remember(connection, *whose, answers, set(marks))
            show_in_nbgrader(connection, *whose)
            if run := resources.get(RUN):
                resources[RUN] = replace(run, number=save_run(connection, *whose, run))
            gradebook.db.commit()
        return nb, resources


def _is_empty(answer: Mapping[str, Any], stub: str) -> bool:
    """Return whether an answer has nothing but white space, or equals its stub but for that."""
    written = trimmed(text_of(answer.get("source")))
    return written in ("", trimmed(stub)) and not answer.get("attachments")


def _by_grade_id(gradebook: Gradebook, kind: Any, submission: Any) -> dict[str, Any]:
    """Return the scores of a submission, or the comments on it, by grade id."""
    found = gradebook.db.query(BaseCell.name, kind).join(BaseCell, BaseCell.id == kind.cell_id)
    return dict(found.filter(kind.notebook_id == submission.id).all())
