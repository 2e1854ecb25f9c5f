"""Names that locked cells define count by their values, or by their modules."""

import os

import pytest
from cells import Cell, Notebook, notebook_of
from givens import given_to
from harness import SEED_VARIABLE
from settings import ROOT, Settings

READING = "import os\nimport numpy as np\ndata = np.arange(int(os.environ['TOY_LENGTH']))"


def toy(setup=READING, given="n = len(data)"):
    cells = (
        Cell("setup", setup, 0.0),
        Cell("double", "def double(x):\n    return 2 * x", 0.0, is_answer=True),
        Cell("given", given, 0.0),
    )
    return Notebook("toy", cells, Settings())


@pytest.fixture(autouse=True)
def length(monkeypatch):
    monkeypatch.setenv("TOY_LENGTH", "3")


def test_other_values_change_the_digest_of_equal_cells(monkeypatch):
    first = given_to(toy())[0]
    assert given_to(toy())[0] == first
    monkeypatch.setenv("TOY_LENGTH", "4")
    assert given_to(toy())[0] != first


@pytest.mark.parametrize(
    "values",
    [
        ("data = 1", "data = 1.0"),
        ("data = [1, 2]", "data = [1, 3]"),
        ("data = {'a': np.ones(2)}", "data = {'a': np.zeros(2)}"),
        ("data = np.ones(2)", "data = np.ones((2, 1))"),
        ("data = np.ones(2)", "data = np.ones(2, dtype='float32')"),
    ],
)
def test_given_values_of_every_type_change_the_digest(values, monkeypatch):
    digests = set()
    for value in values:
        monkeypatch.setenv("TOY_DATA", value)
        setup = "import os\nimport numpy as np\nexec(os.environ['TOY_DATA'])"
        digests.add(given_to(toy(setup, "n = 1"))[0])
    assert len(digests) == 2


def test_code_of_a_cell_changes_the_digest_and_comments_do_not():
    first = given_to(toy())[0]
    assert given_to(toy(given="# how many\nn = len(data)"))[0] == first
    assert given_to(toy(given="n = data.size"))[0] != first


def test_a_module_counts_when_a_name_of_it_is_given_and_not_when_it_read_data():
    _, modules = given_to(notebook_of("hw2"))
    names = {str(path.relative_to(ROOT)) for path in modules}
    assert {"hw_support/checks.py", "hw_support/compare.py"} <= names
    assert not names & {"hw_support/mnist.py", "hw_support/reference_batch.py"}


def test_the_environment_is_unchanged(monkeypatch):
    monkeypatch.setenv(SEED_VARIABLE, "17")
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    given_to(toy())
    assert os.environ[SEED_VARIABLE] == "17"
    assert "NBGRADER_EXECUTION" not in os.environ
