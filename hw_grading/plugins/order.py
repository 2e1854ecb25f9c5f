"""Stores the order of the instructor's cells when a notebook is generated."""

from typing import Any

from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor

from hw_grading.homework.order import store_order

_SAVED = (utils.is_grade, utils.is_solution, utils.is_locked, utils.is_task)


class SaveOrder(NbGraderPreprocessor):
    """Stores the order of the cells that `SaveCells` of ``generate_assignment`` has just saved."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Process one notebook."""
        if not self.parent.parent.no_database:  # the parents are the exporter and the converter
            names = resources["nbgrader"]
            cells = [
                cell.metadata.nbgrader["grade_id"]
                for cell in nb.cells
                if any(is_so(cell) for is_so in _SAVED)
            ]
            with Gradebook(names["db_url"]) as gradebook:
                store_order(gradebook, names["assignment"], names["notebook"], cells)
        return nb, resources
