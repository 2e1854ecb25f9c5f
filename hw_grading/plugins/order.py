"""Stores the order of the instructor's cells when a notebook is generated."""

from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_locked, is_solution, is_task

from hw_grading.homework.order import store_order


def is_saved(cell: NotebookNode) -> bool:
    """Return whether nbgrader's `SaveCells` saves a cell in the gradebook."""
    return any(is_so(cell) for is_so in (is_grade, is_solution, is_locked, is_task))


class SaveOrder(NbGraderPreprocessor):
    """Stores the order of the cells that `SaveCells` of ``generate_assignment`` has just saved."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Process one notebook."""
        if not self.parent.parent.no_database:  # the parents are the exporter and the converter
            names = resources["nbgrader"]
            cells = [c.metadata.nbgrader["grade_id"] for c in nb.cells if is_saved(c)]
            with Gradebook(names["db_url"]) as gradebook:
                store_order(gradebook, names["assignment"], names["notebook"], cells)
        return nb, resources
