"""Saves the scores of a submission into nbgrader's gradebook, all together."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.api import BaseCell, Comment, Grade, Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades


class SaveScores(SaveAutoGrades):
    """Saves what nbgrader's `SaveAutoGrades` saves, at once or, if it is killed, not at all.

    That one asks for each score by itself and commits each, which takes most of the time of a
    submission whose result is there.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Save the scores of one submission."""
        ids = resources["nbgrader"]
        self.notebook_id, self.assignment_id = ids["notebook"], ids["assignment"]
        self.student_id, self.db_url = ids["student"], ids["db_url"]
        with _OneSubmission(self.db_url) as self.gradebook:
            self.gradebook.read(self.notebook_id, self.assignment_id, self.student_id)
            session = self.gradebook.db
            commit, session.commit = session.commit, session.flush
            done: tuple[NotebookNode, Any] = NbGraderPreprocessor.preprocess(self, nb, resources)
            commit()
        return done


class _OneSubmission(Gradebook):
    """A gradebook that knows the scores and comments of one submission."""

    def read(self, notebook: str, assignment: str, student: str) -> None:
        submission = self.find_submission_notebook(notebook, assignment, student)
        self._of = (notebook, assignment, student)
        self._found: dict[type, dict[str, Any]] = {}
        for kind in (Grade, Comment):
            found = self.db.query(BaseCell.name, kind).join(kind.cell)
            self._found[kind] = dict(found.filter(kind.notebook_id == submission.id).all())

    def find_grade(self, cell: str, *of: str) -> Any:
        """Return the score of a cell, as nbgrader's gradebook does."""
        return self._known(Grade, cell, of) or super().find_grade(cell, *of)

    def find_comment(self, cell: str, *of: str) -> Any:
        """Return the comment to a cell, as nbgrader's gradebook does."""
        return self._known(Comment, cell, of) or super().find_comment(cell, *of)

    def _known(self, kind: type, cell: str, of: tuple[str, ...]) -> Any:
        return self._found[kind].get(cell) if of == self._of else None
