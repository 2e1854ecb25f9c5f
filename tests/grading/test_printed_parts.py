"""What `Checks` print in the examiner is read as the results of parts, for reports and feedback."""

import re
import sys
import types
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_output

from hw_grading.examiner.process import Fault, run_cell
from hw_grading.gradebook.graded_notebook import PartResult, faults_of, parts_of
from hw_grading.rendering.answers import Limits
from hw_grading.rendering.feedback.cells import outputs_in

REFERENCE = "def g(x):\n    return 2.0 * x\ndef f(x):\n    return g(x) + 1.0\n"
FRESH = "def f(draw):\n    return {'values': [(3.0, 7.0)], 'far': [(9.5, 20.0)]}\n"
SETUP = "from hw_support import Checks, assert_close\n"
STUDENT = "def g(x):\n    return 3.0 * x\ndef f(x):\n    return g(x) + (1.0 if x < 9 else 2.0)\n"
CELL = """
checks = Checks("f", inputs="x", returns="out")
checks.grade_with("staff.printed")
checks.table("values", 2, "out", cases=[(1.0, 3.0)])
checks.table("far", 1, "out", cases=[(2.0, 5.0)])
checks.note("Your two functions disagree.")
checks.score()"""


@pytest.fixture(autouse=True)
def staff(monkeypatch: pytest.MonkeyPatch) -> None:
    """The staff code of a homework."""
    for name, code in (("reference", REFERENCE), ("fresh", FRESH)):
        module = types.ModuleType(f"staff.printed.{name}")
        exec(code, vars(module))
        monkeypatch.setitem(sys.modules, module.__name__, module)


def graded(student: str, test: str = CELL) -> dict[str, Any]:
    """A test cell as it is in a graded notebook, below a student's cell."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(student, "<student>", "exec"), names)
    outputs = run_cell(SETUP + test, "test_f", names)
    marks = {"grade_id": "test_f", "grade": True, "solution": False, "points": 3}
    return {"cell_type": "code", "metadata": {"nbgrader": marks}, "outputs": outputs}


def test_parts_second_tries_and_fresh_inputs_are_read_from_the_output() -> None:
    cell = graded(STUDENT)
    printed, score = cell["outputs"]
    assert score["data"]["text/plain"] == "2.0"
    assert "note    Your two functions disagree.\n" in printed["text"]
    lines = printed["text"].splitlines()
    assert lines[0] == "passed  values [2 pt]"
    assert lines[1].startswith(" " * 8 + "with right functions in the place of")
    values, far = parts_of(cell)
    assert values == PartResult("values", 2.0, True)
    assert (far.name, far.passed) == ("far", False)
    assert far.message.startswith("out: expected 5, got 7")
    [fault] = faults_of("test_f", cell)
    assert fault.part == "far [1 pt]"
    assert fault.message == far.message
    cell = new_code_cell("", outputs=[new_output("stream", text=printed["text"])])
    shown = re.findall(r'<span class="failed">(.*)', outputs_in(cell, "test", Limits()))
    assert shown == ["FAILED  far [1 pt]"]


def test_the_input_at_the_end_of_a_long_message_is_kept() -> None:
    test = "checks = Checks('f')\n@checks.part('long', 3, cases=[(0.25,)])\ndef _(x):\n    f(x)\n"
    cell = graded("def f(x):\n    raise ValueError('y' * 400)", f"{test}checks.score()")
    [fault] = faults_of("test_f", cell)
    assert fault.message.endswith("Input: x = 0.25")


def test_a_function_without_an_answer_is_one_result() -> None:
    cell = graded("def f(x):\n    raise NotImplementedError")
    message = "f is not answered yet (NotImplementedError)"
    assert parts_of(cell) == [PartResult("all 2 parts", 3.0, False, message)]
    assert [fault.part for fault in faults_of("test_f", cell)] == ["all 2 parts [3 pt]"]


@pytest.mark.parametrize(
    ("cases", "said"),
    [
        ({"valus": []}, "f has no part 'valus', for which there are cases"),
        (None, "staff.printed has no cases for f: TypeError"),
    ],
)
def test_staff_code_that_fails_is_a_fault_and_no_zero(cases: Any, said: str) -> None:
    vars(sys.modules["staff.printed.fresh"])["f"] = lambda draw: cases
    with pytest.raises(Fault, match=f"test cell 'test_f': {said}"):
        graded(STUDENT)
