"""Refuses to generate an assignment of which students would get too much."""

from pathlib import Path
from typing import Any

from nbgrader.preprocessors import NbGraderPreprocessor

from hw_grading.homework.regions import check_regions


class CheckRegions(NbGraderPreprocessor):
    """Check what the preprocessors of ``nbgrader generate_assignment`` after this one remove."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Process one notebook, which is not changed; `RuntimeError` names its cells."""
        check_regions(nb, Path(resources["nbgrader"]["notebook"] + ".ipynb"))
        return nb, resources
