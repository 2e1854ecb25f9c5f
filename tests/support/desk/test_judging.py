"""If a notebook changes what tests rely on, `check` reports the same as the grader."""

import pytest
from small import answered, checked

from hw_support import Checks
from hw_support.desk.judging import Judge

pytestmark = pytest.mark.slow
RIGHT = "STEP = 1\ndef double(x):\n    return x + x\n"
WRONG = "STEP = 1\ndef double(x):\n    return x * 3\n"


@pytest.mark.parametrize(
    "bend",
    [
        "max = 3",
        "from numpy import *",
        "np = None",
        "import numpy\nnp = numpy.random",
        "assert_close = None",
        "total_of = 3",
        "Checks = None",
        "import warnings\nwarnings.simplefilter('error')\nnp.seterr(all='raise')",
        "globals = __import__ = len = 3",
        "import builtins\nprint = builtins.id",
    ],
)
def test_code_that_grades_the_same_is_no_finding(bend, tmp_path):
    found = checked(answered(double=f"{bend}\n{RIGHT}"), tmp_path)
    assert found.parts == {"of numbers": True, "of a total": True}
    assert found.report.surprises == []
    assert found.report.fine, found.said


@pytest.mark.parametrize(
    ("bend", "named"),
    [
        ("def assert_close(*_, **__): pass", "`assert_close`"),
        ("def total_of(x): return 2\ndef double(x): return [2.0, 4.0] if np.ndim(x) else 3 * x",
         "`total_of`"),
    ],
)  # fmt: skip
def test_a_redefined_name_by_which_a_test_passes_only_here_gets_a_warning(bend, named, tmp_path):
    found = checked(answered(double=WRONG + bend), tmp_path)
    assert not found.parts["of a total"]
    (sentence,) = found.report.surprises
    assert sentence.startswith("test_double passes in your notebook and fails in grading")
    assert f"Your notebook redefines {named}; the graded test uses its own." in sentence
    assert not found.report.fine


def test_an_answer_that_needs_its_own_meaning_of_a_name_keeps_it(tmp_path):
    own = "STEP = 1\ndef max(x): return x + x\ndef double(x):\n    return max(x)\n"
    found = checked(answered(double=own), tmp_path)
    assert found.report.fine, found.said


def test_an_answer_that_raises_under_its_own_settings_fails_as_in_grading(tmp_path):
    own = "STEP = 1\nnp.seterr(all='raise')\ndef double(x):\n    np.log(0 * x)\n    return x + x\n"
    found = checked(answered(double=own), tmp_path)
    assert found.parts == {"of numbers": False, "of a total": False}
    assert "FloatingPointError" in found.said
    assert found.report.surprises == []


def test_the_second_run_leaves_names_and_random_numbers_unchanged(tmp_path):
    bend = RIGHT + "max = 3\nnp.random.seed(0)\nfirst = np.random.rand()\nnp.random.seed(0)"
    after = "assert max == 3\nassert np.random.rand() == first\n"
    after += "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
    found = checked(answered(double=bend, sketch=after), tmp_path)
    assert found.report.fine, found.said


def test_unused_names_are_not_rebound():
    names = {"_": 1, "helper": 2}
    judge = Judge(names)
    judge.keep(["_", "helper"])
    names.update(_=3, helper=4)
    assert judge.rebound() == ["helper"]


def test_a_test_that_writes_into_a_run_leaves_it_unchanged_in_the_second_run():
    history = [1, 2]
    names = {"history": history, "Checks": Checks, "max": 3}

    def spoil():
        names["history"].clear()
        names["history"] = []
        return 1

    names["spoil"] = spoil
    judge = Judge(names)
    judge.keep(["Checks"])
    cell = """
checks = Checks("run", points=1)
with checks("part", points=1):
    with checks.notebook.kept("history", "missing"):
        spoil()
    assert history == [1, 2], history
"""
    checks, raised = judge.examine(cell)
    assert not raised
    assert [part.message for part in checks.parts] == [""]
    assert names["history"] is history
    assert history == [1, 2]
