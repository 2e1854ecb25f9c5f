"""The source notebook, the released one, and both executed."""

import os
from unittest.mock import patch

import nbformat
import pytest
from nbgrader.preprocessors import Execute

from hw_grading.homework.course import REPOSITORY
from hw_grading.homework.source_notebook import solved


@pytest.fixture(scope="session")
def source():
    return nbformat.read(REPOSITORY / "source" / "hw2" / "hw2.ipynb", as_version=4)


@pytest.fixture(scope="session")
def released():
    return nbformat.read(REPOSITORY / "release" / "hw2" / "hw2.ipynb", as_version=4)


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """Run a notebook by nbgrader's own preprocessor, as stock autograding does."""

    def execute(notebook):
        folder = tmp_path_factory.mktemp("run")
        with patch.dict(os.environ, NBGRADER_EXECUTION="autograde"):
            executor = Execute(timeout=300)
            executed, _ = executor.preprocess(notebook, {"metadata": {"path": str(folder)}})
        return executed

    return execute


@pytest.fixture(scope="session")
def perfect(run, source):
    """The instructor's version, run as a perfect submission, with all hidden tests."""
    return run(solved(source, source))
