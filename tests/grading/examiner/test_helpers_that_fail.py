"""If staff code cannot be imported, that is the grader's fault: no student gets a zero."""

import nbformat
import pytest
from toy_course import FULL_MARKS, TESTS, run

from hw_grading.commands.sample import cell_of
from hw_grading.examiner.process import Fault, run_cell
from hw_grading.grade.workers import LocalProcesses
from hw_grading.homework.homework import Homework
from hw_grading.outcome import GraderFault
from hw_support.checks import Checks

pytestmark = pytest.mark.slow

WHERE = "staff.hw2.fresh cannot be imported: staff/hw2/fresh.py, line"
# The content of staff/hw2/fresh.py, and the message.
BROKEN = {
    "import math\nimport no_such_module\n": f"{WHERE} 2: ModuleNotFoundError: No module",
    "raise SystemExit": f"{WHERE} 1: SystemExit",
    "import os\nos._exit(0)": "the examiner has ended",
}

WITH_CHECKS = """from hw_support import Checks

checks = Checks("triple", inputs="x", returns="tripled")
checks.table("of 2", 1, "tripled", cases=[(2, 6)])
checks.score()"""


@pytest.mark.parametrize(("text", "said"), BROKEN.items())
def test_no_submission_is_graded_if_a_helper_cannot_be_imported(text, said):
    code = {"staff/hw2/__init__.py": b"", "staff/hw2/fresh.py": text.encode()}
    with LocalProcesses(1, Homework("hw2", code=code)) as pool, pytest.raises(GraderFault) as fault:
        pool.expect_imports()
    assert said in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_fault_is_named_and_gives_nobody_a_zero(course):
    course.submit("early", course.answered)
    assert course.grade().returncode == 0

    folder = course.root / "staff" / "hw2"
    (folder / "__init__.py").touch()
    (folder / "reference.py").write_text("def triple(x):\n    return 3 * x\n")
    path = course.root / "source" / "hw2" / "hw2.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cell_of(notebook, "test_triple").source = WITH_CHECKS
    nbformat.write(notebook, path)
    assert run(course.root, "generate_assignment", "hw2", "--force").returncode == 0
    (folder / "fresh.py").write_text("x = 1\n\ndef f(:\n")
    course.submit("late", course.answered)
    done = course.grade()
    assert done.returncode == 1
    assert f"{WHERE} 3: SyntaxError" in done.stderr
    assert set(course.scores("late").values()) <= {None}
    assert course.test_scores("early") == TESTS

    (folder / "fresh.py").write_text("x = y = 1\n")
    assert course.grade().returncode == 0
    assert sum(course.test_scores("late").values()) == FULL_MARKS


@pytest.mark.parametrize("where", ["", "@checks.part('it', 1)\ndef _():\n    "])
def test_an_import_of_the_test_that_fails_is_the_tests_fault(where):
    source = f"checks = Checks('f')\n{where}from json import no_such"
    with pytest.raises(
        Fault, match="test cell 'test_q1': cannot import name 'no_such' from 'json'"
    ):
        run_cell(source, "test_q1", {"Checks": Checks})
