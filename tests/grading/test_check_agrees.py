"""`check` and the grader agree on notebooks that change what tests rely on."""

import sys
from pathlib import Path

import nbformat
import pytest
from toy_course import ASSIGNMENT, CONFIG, ToyCourse, run

from hw_grading.homework.course import Course

sys.path.append(str(Path(__file__).resolve().parents[1] / "support"))

from small import answered, checked, small_notebook  # beside the desk's tests

RIGHT = "STEP = 1\ndef double(x):\n    return x + x\n"
WRONG = "STEP = 1\ndef double(x):\n    return x * 3\n"
ANSWERS = {
    "right": RIGHT,
    "wrong": WRONG,
    "max": f"max = 3\n{RIGHT}",
    "raising": f"np.seterr(all='raise')\nimport warnings\nwarnings.simplefilter('error')\n{RIGHT}",
    "assert-close": f"def assert_close(*_, **__): pass\n{WRONG}",
    "total-of": "def total_of(x): return 2\ndef double(x):\n"
    "    return [2.0, 4.0] if np.ndim(x) else 3 * x\n",
    "magics": f"%matplotlib inline\n!true\n{RIGHT}",
}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_check_counts_the_points_that_the_grader_gives(tmp_path, monkeypatch):
    root = tmp_path / "course"
    root.mkdir()
    (root / "nbgrader_config.py").write_text(CONFIG.format(root=str(root)))
    folder = Course(root).source(ASSIGNMENT)
    folder.mkdir(parents=True)
    nbformat.write(answered(), folder / f"{ASSIGNMENT}.ipynb")
    assert run(root, "generate_assignment", "--create", ASSIGNMENT).returncode == 0
    course = ToyCourse(root, small_notebook(), answered())
    for name, source in ANSWERS.items():
        course.submit(name, answered(double=source))
    assert course.grade().returncode == 0
    graded = {name: course.scores(name)["test_double"] for name in ANSWERS}

    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    desk, told = {}, {}
    for name, source in ANSWERS.items():
        found = checked(answered(double=source), tmp_path)
        (cell,) = [c for c in found.report.checked if c.released.grade_id == "test_double"]
        passed = [part.points for part in cell.run.parts if part.passed and not cell.run.errors]
        desk[name] = sum(passed)
        told[name] = found.report.findings["What will be different in grading"]
    # Where grading gives less than the test gives here, `check` says that it will.
    assert [name for name in ANSWERS if desk[name] > graded[name] and not told[name]] == []
    assert {name for name in ANSWERS if desk[name] > graded[name]} == {"assert-close", "total-of"}
    assert not told["right"]
    assert {graded["right"], graded["max"], graded["raising"]} == {3.0}
    assert graded["assert-close"] < 3
