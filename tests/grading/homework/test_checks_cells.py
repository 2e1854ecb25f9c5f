"""A test cell with `Checks` that cannot be right is refused at release: cell, line, what to do."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from tiny_homeworks import marked

from hw_grading.homework.points import set_points
from hw_grading.homework.source_notebook import mistakes

SETUP = """import numpy as np
from hw_support import Checks
"""
ANSWER = """import math

def fit(x, y, degree, lam):
    ### BEGIN SOLUTION
    def inner():
        return 1, 2, 3
    if not len(x):
        return None, math.inf
    return np.polyfit(x, y, degree), lam
    ### END SOLUTION

slope = 2.0
"""
TEST = """checks = Checks(
    "fit",
    returns="w, loss",
    cases=[
        ([0.0, 1.0], [1.0, 3.0], 1, 0.0, [1.0, 2.0], 0.0),
        ([0.0, 2.0], [1.0, 5.0], 1, 0.0, [1.0, 2.0], 0.0),
    ],
)
### BEGIN HIDDEN TESTS
from hw_support.checks.fresh import apart_from_zero


@checks.fresh
def _draw(draw):
    return [(apart_from_zero(draw, 5), apart_from_zero(draw, 5), 2, 0.1)]


checks.fresh(degree=(0, 3))
### END HIDDEN TESTS
checks.table("the weights", 3, "w", rtol=1e-4)
checks.table("the loss", 2, "loss")
checks.untouched("x is left as it was", 1)


@checks.part("a line", 1, cases=[([0.0, 1.0], 2.0)])
def _(x, expected):
    assert abs(fit(x, np.multiply(2, x), 1)[0][0] - expected) < 1e-6


checks.shows("the slope", 1, "slope", lambda: fit([0, 1], [0, 2], 1)[0][0], of=["fit"])
checks.score()
"""


def notebook_of(test, answer=ANSWER, setup=SETUP):
    """A notebook with a locked cell, an unlocked one, an answer and its test cell."""
    return new_notebook(
        cells=[
            marked(new_code_cell(setup), "setup", locked=True),
            new_code_cell("import scipy\ndata = [1.0]"),
            marked(new_code_cell(answer), "fit", solution=True),
            marked(new_code_cell(test), "test_fit", grade=True, locked=True, points=8),
        ]
    )


def said_of(test, answer=ANSWER, setup=SETUP):
    return list(mistakes(notebook_of(test, answer, setup)))


def changed(old, new):
    assert TEST.count(old) == 1, old
    return TEST.replace(old, new)


def test_a_cell_in_which_all_fits_is_not_refused():
    assert said_of(TEST) == []


# What is changed in the test cell, what the named line has, and the beginning of the sentence.
WRONG = {
    "a misspelt name": (
        "np.multiply(", "npp.multiply(", "assert",
        "'npp' is bound neither in this cell nor in an answer or a locked cell above."),
    "a name that the answer imports": (
        "expected) < 1e-6", "expected) < math.inf", "assert",
        "'math' is imported by a cell that students can change. Import it in this cell, or in a"),
    "a name that an unlocked cell binds": (
        "fit(x, np", "fit(data, np", "assert",
        "'data' is bound by cell 2 from the top, which students can change and which is not an "
        "answer"),
    "a name that a hidden line binds": (
        "np.multiply(2, x)", "apart_from_zero(2, x)", "assert",
        "students do not have 'apart_from_zero', which a hidden line binds."),
    "a score without parentheses": (
        "checks.score()", "checks.score", "score",
        "the last line has to be checks.score(), which gives the cell its points, found 'checks.s"),
    "a hidden score": (
        "checks.score()\n", "### BEGIN HIDDEN TESTS\nchecks.score()\n### END HIDDEN TESTS\n",
        "checks.score", "the hidden line 'checks.score()' is not allowed"),
    "a hidden last line": (
        "checks.score()\n", "checks.score()\n### BEGIN HIDDEN TESTS\nchecks.fresh(lam=(0, 1))\n"
        "### END HIDDEN TESTS\n", "lam=(0", "the last line has to be checks.score()"),
    "a hidden part": (
        "checks.fresh(degree", 'checks.untouched("more", 1)\nchecks.fresh(degree', "more",
        """the hidden line 'checks.untouched("more", 1)' is not allowed, because students see"""),
    "a hidden line in a visible part": (
        "def _(x, expected):\n", "def _(x, expected):\n    ### BEGIN HIDDEN TESTS\n    x = x + 1\n"
        "    ### END HIDDEN TESTS\n", "x + 1", "the hidden line 'x = x + 1' is not allowed"),
    "visible ranges": (
        "checks.score()", "checks.fresh(lam=(0, 1))\nchecks.score()", "lam=",
        "students would read 'checks.fresh(lam=(0, 1))'. Put it between BEGIN HIDDEN TESTS and"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_one_sentence_with_cell_and_line(name):
    old, new, mark, said = WRONG[name]
    test = changed(old, new)
    line = next(n for n, text in enumerate(test.splitlines(), 1) if mark in text)
    [sentence] = said_of(test)
    assert sentence.startswith(f"cell test_fit, line {line}: {said}")


def test_each_mistake_of_a_cell_is_named():
    test = changed("np.multiply", "npp.multiply").replace("< 1e-6", "< tol")
    assert {re.search("'.*?'", said)[0] for said in said_of(test)} == {"'npp'", "'tol'"}


@pytest.mark.parametrize(
    "test",
    [
        changed('"fit",\n', '"another", function=lambda x, y, degree, lam: fit(x, y, degree),\n'),
        changed("np.multiply(2, x)", "[each * 2 for each in x]"),
        changed("np.multiply(2, x)", "np.multiply(slope, x)"),
        TEST.replace("checks.", "c.").replace("checks =", "c ="),
    ],
)  # fmt: skip
def test_what_a_text_does_not_tell_is_not_refused(test):
    found = [one for one in said_of(test) if "test_fit, line" in one]
    assert found == []


def test_a_star_in_a_locked_cell_may_bind_every_name():
    test = changed("np.multiply(", "linalg_of_numpy(")
    assert len(said_of(test)) == 1
    assert said_of(test, setup=f"{SETUP}from numpy.linalg import *\n") == []


def test_a_cell_without_checks_is_left_alone():
    assert said_of("### BEGIN HIDDEN TESTS\nassert fit(scipy, data)\n### END HIDDEN TESTS") == []


@pytest.mark.parametrize(("stated", "is_said"), [(5, True), (8, False), (0, False)])
def test_points_that_are_not_the_sum_of_the_parts_are_said(stated, is_said):
    notebook = notebook_of(TEST)
    notebook.cells[-1].metadata.nbgrader.points = stated
    said = [
        "cell test_fit has 5 points in the panel Create Assignment, but its parts sum to 8. "
        "The release says 8. If that is right, write 8 into the panel."
    ]
    assert set_points(notebook) == said * is_said
    assert notebook.cells[-1].metadata.nbgrader.points == 8
    assert set_points(notebook) == []
