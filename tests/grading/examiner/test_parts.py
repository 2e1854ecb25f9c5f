"""What a test cell finds in the examiner becomes parts, whose points sum to nbgrader's score."""

import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output
from right_functions import notebook, reference_of

from hw_grading.examiner.cells import Fault, run_test
from hw_grading.outcome import PartResult
from hw_grading.rendering.feedback.cells import outputs_in
from hw_grading.rendering.limits import PageLimits
from hw_grading.run.scores import fingerprint_of, parts_of_answer, parts_of_test, what_it_says
from hw_support.checks import Checks
from hw_support.checks.notebook_access import Notebook, notebook_of
from hw_support.checks.parts import Part as CheckedPart

SOLUTIONS = "def g(x):\n    return 2.0 * x\n", "def f(x):\n    return g(x) + 1.0\n"
FRESH = "def f(draw):\n    return {'values': [(3.0, 7.0)], 'far': [(9.5, 20.0)]}\n"
SETUP = "from hw_support import Checks, assert_close\n"
STUDENT = "def g(x):\n    return 3.0 * x\ndef f(x):\n    return g(x) + (1.0 if x < 9 else 2.0)\n"
CELL = """
checks = Checks("f", inputs="x", returns="out")
checks.table("values", 2, "out", cases=[(1.0, 3.0)])
checks.table("far", 1, "out", cases=[(2.0, 5.0)])
checks.note("Your two functions disagree.")
checks.score()"""


@pytest.fixture(autouse=True)
def reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The solutions and the staff code of a homework, in which `g` has lost its points."""
    made = reference_of(tmp_path, monkeypatch, notebook(CELL, *SOLUTIONS), fresh=FRESH)
    monkeypatch.setattr(Notebook, "reference", made.at("test"))


def graded(student: str, test: str = CELL) -> tuple[str, list[PartResult]]:
    """Run a test cell below a student's cell; return what it printed, and its parts."""
    names: dict[str, Any] = {"__name__": "__main__"}
    notebook_of(names).points["g", "", 0] = 0.0, 1.0
    exec(compile(student, "<student>", "exec"), names)
    outputs, score = run_test(SETUP + test, "test_f", names)
    found = [asdict(p) for one in names.values() if isinstance(one, Checks) for p in one.parts]
    return outputs[0].get("text", ""), [
        *parts_of_test(cell_with(outputs), score or 0.0, found, "", "")
    ]


def cell_with(outputs: list[dict[str, Any]], **marks: Any) -> NotebookNode:
    """A test cell of 3 points with outputs; or another cell, by its marks."""
    marks = {"grade_id": "test_f", "grade": True, "solution": False, "points": 3} | marks
    nodes = nbformat.from_dict(outputs)
    return new_code_cell(metadata={"nbgrader": marks}, outputs=nodes)


def result(text: str) -> dict[str, Any]:
    data = {"text/plain": text}
    return {"output_type": "execute_result", "execution_count": None, "metadata": {}, "data": data}


def test_parts_and_second_tries_are_rows_and_printed() -> None:
    printed, parts = graded(STUDENT)
    values, far = parts
    remark = "passed with correct versions of your earlier functions"
    assert values == PartResult("test_f", "values", 2.0, 2.0, passed=True, message=remark)
    assert (far.name, far.points, far.earned, far.passed, far.fresh) == ("far", 1, 0, False, False)
    assert far.message.startswith("out: expected 5, got 7")
    assert "note    Your two functions disagree.\n" in printed
    assert printed.splitlines()[:2] == ["passed  values [2 pt]", " " * 8 + remark]
    cell = cell_with([new_output("stream", name="stdout", text=printed)])
    html = outputs_in(cell, "test", PageLimits())
    assert re.findall(r'<span class="failed">([^\n<]*)', html) == ["FAILED  far [1 pt]"]


def test_a_part_that_fails_on_a_fresh_case_says_so() -> None:
    _, [values, far] = graded("def f(x):\n    return 3.0 if x < 2 else 5.0")
    assert (values.passed, values.fresh) == (False, True)
    assert values.message.startswith("out: expected 7, got 5")
    assert "Fresh input: x = 3" in values.message
    assert far.fresh


def test_names_of_parts_differ_and_messages_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Notebook, "reference", None)
    test = "checks = Checks('f')\nfor n in range(3):\n    checks.part('same', 1)(lambda: f(1))\n"
    _, parts = graded(
        "def f(x):\n    raise ValueError('a\\x00\\n\\ud800b')", f"{test}checks.score()"
    )
    assert [part.name for part in parts] == ["same", "same (2)", "same (3)"]
    assert parts[0].message.isprintable()


ERROR = {"output_type": "error", "ename": "NameError", "evalue": "x", "traceback": []}
NAME_ERROR: Any = {"message": "NameError: x", "fingerprint": "raises NameError: x"}
FOUND = asdict(CheckedPart("values", 3.0))
PASSED = PartResult("test_f", "values", 3.0, 0.0, passed=True)
WHOLE = PartResult("test_f", "test_f", 3.0, 0.0, passed=False)


@pytest.mark.parametrize(
    ("outputs", "score", "found", "expected"),
    [
        ([], 3, [], [replace(WHOLE, earned=3.0, passed=True)]),
        ([result("1.5")], 1.5, [], [replace(WHOLE, earned=1.5)]),
        ([ERROR], 0, [], [replace(WHOLE, **NAME_ERROR)]),
        (  # it stopped after a part
            [ERROR],
            0,
            [FOUND],
            [PASSED, replace(WHOLE, points=0.0, **NAME_ERROR)],
        ),
        (  # the cell returns another score than its parts have
            [result("1.0")],
            1,
            [FOUND],
            [PASSED, replace(WHOLE, points=0.0, earned=1.0, passed=True)],
        ),
    ],
)
def test_a_test_without_parts_has_a_part_for_the_whole(
    outputs: Any, score: float, found: Any, expected: list[PartResult]
) -> None:
    cell = cell_with(outputs)
    assert [
        *parts_of_test(cell, score, found, what_it_says(cell), fingerprint_of(cell))
    ] == expected


@pytest.mark.parametrize(("name", "count"), [("NameError", 1), ("NotImplementedError", 0)])
def test_an_answer_with_an_error_is_a_part_without_points(name: str, count: int) -> None:
    cell = cell_with([{**ERROR, "ename": name}], grade=False, solution=True)
    expected = [replace(WHOLE, points=0.0, **NAME_ERROR)]
    assert list(parts_of_answer(cell)) == expected[:count]


@pytest.mark.parametrize(
    ("cases", "said"),
    [
        ({"valus": []}, "f has no part 'valus', for which there are cases"),
        (None, "f: no fresh case can be drawn: TypeError"),
    ],
)
def test_staff_code_that_fails_is_a_fault_and_no_zero(cases: Any, said: str) -> None:
    Notebook.reference._draws["f"] = lambda draw: cases
    with pytest.raises(Fault, match=f"test cell 'test_f': {said}"):
        graded(STUDENT)
