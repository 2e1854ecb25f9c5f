"""Errors of a real kernel have fingerprints that tell mistakes apart, and no more."""

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.utils import is_grade

from hw_grading.run.scores import fingerprint_of
from hw_support.checks.fingerprint import LONGEST, is_of_results

# By name: an answer, the assertions of its test, and its fingerprint.
FAILURES = {
    "no message": (
        "def f(x): return 3 * x",
        "assert f(1) == 2",
        "AssertionError at assert f(1) == 2:",
    ),
    "another line": (
        "def f(x): return x * x",
        "assert f(1) == 1\nassert f(2) == 2",
        "AssertionError at assert f(2) == 2:",
    ),
    "below empty lines": (
        "def f(x): return 3 * x",
        "\n  \nassert f(0) == 0\nassert f(1) == 2",
        "AssertionError at assert f(1) == 2:",
    ),
    "values": (
        "def f(x): return x / 3",
        "y = f(1)\nassert y == 2, f'got {y}'",
        "AssertionError at assert y == 2, f'got {y}': got 0.333",
    ),
    "raised inside": (
        "def g(table): return table[5]\ndef f(x): return g([x])",
        "assert f(1) == 2",
        "raises IndexError in g: list index out of range",
    ),
    "other names": (
        "def f(x): return x + nothing_of_this_name",
        "assert f(1) == 2",
        "raises NameError in f: name '…' is not defined",
    ),
    "types stay": (
        "def f(x): return None\ndef g(x): return f(x) + 1",
        "assert g(1) == 2",
        "raises TypeError in g: unsupported operand type(s) for +: 'NoneType' and 'int'",
    ),
    "its own assertion": (
        "def f(x): assert x > 7, 'too small: 1'",
        "assert f(1) == 2",
        "raises AssertionError in f: too small: #",
    ),
    "a forged name": (
        "class results(Exception): pass\ndef f(x): raise results('out: 1 \\x1b[2J' + 'w' * 900)",
        "assert f(1) == 2",
        None,
    ),
    "nothing": ("def f(x): return 2 * x", "assert f(1) == 2", ""),
}


@pytest.fixture(scope="module")
def ran():
    marks = {"grade": True, "solution": False, "grade_id": "test", "points": 1}
    cells = []
    for answer, test, _ in FAILURES.values():
        cells += [new_code_cell(answer), new_code_cell(test, metadata={"nbgrader": marks})]
    notebook = new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name="python3", allow_errors=True).execute()
    return dict(zip(FAILURES, filter(is_grade, notebook.cells), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", FAILURES)
def test_the_error_of_a_plain_test_has_this_fingerprint(ran, name):
    found, expected = fingerprint_of(ran[name]), FAILURES[name][2]
    if expected is not None:
        assert found == expected
    assert len(found) <= LONGEST
    assert not found or found.isprintable()
    assert not is_of_results(found)
