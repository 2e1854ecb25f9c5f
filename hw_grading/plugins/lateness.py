"""What autograding writes about lateness: no penalty, and the extension that was granted."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor

from hw_grading.final_scores.granting import mirror


class LeaveLateness(NbGraderPreprocessor):
    """Leaves lateness to `hw_grading.final_scores`; stands for nbgrader's `AssignLatePenalties`.

    nbgrader's preprocessor stores a penalty before people have graded by hand, and it stays when
    the score grows. So none is stored here, and one of an earlier grading is removed: otherwise
    nbgrader's pages would take off points that count elsewhere already. An extension that was
    granted before the student handed in is written into nbgrader's own table, for its pages.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Write both for one submission; the notebook stays as it is."""
        ids = resources["nbgrader"]
        assignment, student = ids["assignment"], ids["student"]
        with Gradebook(ids["db_url"]) as gradebook:
            found = gradebook.find_submission_notebook(ids["notebook"], assignment, student)
            found.late_submission_penalty = None
            gradebook.db.flush()
            mirror(gradebook.db.connection(), assignment, student)
            gradebook.db.commit()
        return nb, resources
