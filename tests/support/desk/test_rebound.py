"""`check` names a test that reads a name to which the notebook has given another value."""

import pytest
from small import answered, checked

pytestmark = pytest.mark.slow
RIGHT = "STEP = 1\ndef double(x):\n    return x + x\n"
WRONG = "STEP = 1\ndef double(x):\n    return x * 3\n"


@pytest.mark.parametrize(
    ("own", "name"),
    [
        (WRONG + "def assert_close(*_, **__): pass", "assert_close"),
        (RIGHT + "def total_of(x): return 3.0", "total_of"),
        (RIGHT + "np = None", "np"),  # a function of the instructor's reads it too
        (RIGHT + "max = 3", "max"),
        ("from numpy import *\n" + RIGHT, "max"),
    ],
)
def test_a_name_that_a_test_reads_is_a_finding(own, name, tmp_path):
    found = checked(answered(double=own), tmp_path)
    (sentence,) = found.report.surprises
    assert sentence.startswith(f"test_double uses `{name}`, to which your notebook gives another")
    assert not found.report.fine


@pytest.mark.parametrize(
    "own",
    [
        "plt = axes = rng = 3",
        "def max(*values): return __import__('builtins').max(values)",  # the test passes with it
        "_ = checks = 3",
        "def sum(x): return x + x",
        "from hw_support import assert_close",
    ],
)
def test_other_names_are_no_finding(own, tmp_path):
    found = checked(answered(double=f"{own}\n{RIGHT}"), tmp_path)
    assert found.report.surprises == []
    assert found.report.fine, found.said


def test_an_answer_that_raises_under_its_own_settings_fails_as_in_grading(tmp_path):
    own = "STEP = 1\nnp.seterr(all='raise')\ndef double(x):\n    np.log(0 * x)\n    return x + x\n"
    found = checked(answered(double=own), tmp_path)
    assert found.parts == {"of numbers": False, "of a total": False}
    assert "FloatingPointError" in found.said
    assert found.report.surprises == []


def test_an_unanswered_function_is_one_line_with_its_points(tmp_path):
    found = checked(
        answered(double="def double(x):\n    raise NotImplementedError\nSTEP = 1"), tmp_path
    )
    assert found.said.count("double is not answered yet: 3 points") == 1
    assert "test_double" not in found.said
