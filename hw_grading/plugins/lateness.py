"""What autograding stores about lateness: no penalty, but the extension that was granted."""

from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor

from hw_grading.final_scores.granting import mirror


class LeaveLateness(NbGraderPreprocessor):
    """Leaves lateness to `hw_grading.final_scores`; replaces nbgrader's `AssignLatePenalties`.

    nbgrader's preprocessor stores a penalty before people have graded by hand, and does not update
    it when the score grows. This one removes such a penalty, which nbgrader's pages would take off
    once more. It writes an extension, granted before the student handed in, for these pages.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Process one submission."""
        ids = resources["nbgrader"]
        assignment, student = ids["assignment"], ids["student"]
        with Gradebook(ids["db_url"]) as gradebook:
            found = gradebook.find_submission_notebook(ids["notebook"], assignment, student)
            found.late_submission_penalty = None
            gradebook.db.flush()
            mirror(gradebook.db.connection(), assignment, student)
            gradebook.db.commit()
        return nb, resources
