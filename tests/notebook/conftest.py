"""The source notebook, and the released one."""

import nbformat
import pytest

from hw_grading.homework.course import REPOSITORY


@pytest.fixture(scope="session")
def source():
    return nbformat.read(REPOSITORY / "source" / "hw2" / "hw2.ipynb", as_version=4)


@pytest.fixture(scope="session")
def released():
    return nbformat.read(REPOSITORY / "release" / "hw2" / "hw2.ipynb", as_version=4)
