"""A preprocessor of nbgrader that runs one submission. It can replace `Execute`.

The name of the class is the name of the settings in ``nbgrader_config.py``.
"""

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Instance, Integer

from hw_grading.homework.homework import Homework
from hw_grading.run.settings import RunSettings
from hw_grading.run.submission import Submission


class ExecuteSubmission(RunSettings, NbGraderPreprocessor):
    """Runs the cells of one submission."""

    seed = Integer(0, help="the seed of the inputs of hidden tests")
    homework = Instance(Homework, args=("",), help="the homework, with the limits of single cells")

    def preprocess(self, nb: NotebookNode, resources: Any = None) -> tuple[NotebookNode, Any]:
        """Run all cells, in place; an exception means that the grader failed: there is no score."""
        Submission(nb, self.seed, self, self.homework).run()
        return nb, resources
