"""Refuses to generate an assignment that shows students solutions or hidden tests."""

from pathlib import Path
from typing import Any

from nbgrader.preprocessors import NbGraderPreprocessor

from hw_grading.homework.regions import check_regions


class CheckRegions(NbGraderPreprocessor):
    """Runs before the preprocessors of ``nbgrader generate_assignment`` that remove solutions."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Check one notebook, and return it unchanged; a `RuntimeError` names the wrong cells."""
        check_regions(nb, Path(resources["nbgrader"]["notebook"] + ".ipynb"))
        return nb, resources
