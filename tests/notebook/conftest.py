"""The source notebook, the released one, and both executed."""

import os
from pathlib import Path

import nbformat
import pytest
from nbgrader.preprocessors import Execute

from hw_grading.homework.source_notebook import solved

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def source():
    return nbformat.read(ROOT / "source" / "hw2" / "hw2.ipynb", as_version=4)


@pytest.fixture(scope="session")
def released():
    return nbformat.read(ROOT / "release" / "hw2" / "hw2.ipynb", as_version=4)


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """Run a notebook by nbgrader's own preprocessor, as stock autograding does."""

    def execute(notebook):
        folder = tmp_path_factory.mktemp("run")
        before = dict(os.environ)
        os.environ["NBGRADER_EXECUTION"] = "autograde"
        try:
            executor = Execute(timeout=300)
            executed, _ = executor.preprocess(notebook, {"metadata": {"path": str(folder)}})
        finally:
            os.environ.clear()
            os.environ.update(before)
        return executed

    return execute


@pytest.fixture(scope="session")
def instructors(source):
    """The instructor's version as the grader runs a perfect submission, with all hidden tests."""
    return solved(source, source)
