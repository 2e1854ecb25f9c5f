"""After fresh cases were corrected, a regrade shows whose score changed, and why.

The test of `double` in the homework ps1 has two parts of a point each. The second one has fresh
cases, with negative inputs. The wrong ones expect twice the absolute value, so right answers fail
it. The written answer is the certification.
"""

import csv
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from graded_course import FAILED, PASSED, TEST, WITH, ToyCourse, notebook, run_of
from graded_course import course as toys
from nbformat import NotebookNode
from tiny_homeworks import (
    answered_notebook,
    manifest_of,
    source_of,
    write_course,
    write_homework,
)

from hw_grading.__main__ import main
from hw_grading.analysis.changes import Comparison, as_text, compare
from hw_grading.analysis.regrade import Regrade
from hw_grading.commands.sample import cell_of
from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.model import Mark
from hw_grading.gradebook.results import read_results
from hw_grading.gradebook.runs import Run
from hw_grading.homework.course import Course

__all__ = ["toys"]  # a fixture

RIGHT = "def double(x):\n    return 2 * x"
SIZE = "def double(x):\n    return 2 * abs(x)"
WRONG_TEST, RIGHT_TEST = "2 * abs(x)", "2 * x"
VISIBLE, OTHER = "(2.0, 4.0)", "(-2.0, -4.0)"  # cases in the cell
_TEST = """checks = Checks("double", returns="double(x)")
checks.table("of one", 1, "double(x)", cases=[(1.0, 2.0)])
checks.table("elsewhere", 1, "double(x)", cases=[(2.0, 4.0)])
checks.score()"""
_FRESH = """def double(draw):
    x = -draw.uniform(1, 2, 3)
    return {"elsewhere": [(x, EXPECTED)]}
"""
MORE_SETTINGS = """
c.ExecuteSubmission.iopub_timeout = 10
c.ExecuteSubmission.wall_seconds_per_cell = 40
"""


def source() -> NotebookNode:
    """The instructor's notebook."""
    notebook = source_of("ps1")
    cell_of(notebook, "test_double").source = _TEST
    return notebook


def make_course(folder: Path) -> Course:
    """Write the course with the wrong test, and release the homework."""
    write_course(folder)
    with (folder / "nbgrader_config.py").open("a") as settings:
        settings.write(MORE_SETTINGS)
    course = Course(folder)
    edit(course, WRONG_TEST)
    assert course.nbgrader("generate_assignment", "ps1") == 0
    return course


def edit(course: Course, expected: str, case: str = VISIBLE) -> None:
    """Write the homework: staff code that expects this expression, and this visible case."""
    notebook = source()
    test = cell_of(notebook, "test_double")
    test.source = test.source.replace(VISIBLE, case)
    fresh = _FRESH.replace("EXPECTED", expected)
    write_homework(course.folder, "ps1", notebook, manifest_of("ps1"), fresh)


def submit(course: Course, student: str, answer: str = RIGHT, place: str = "Turin") -> None:
    """Hand in an answer to `double`, and a certification from some place."""
    notebook = answered_notebook("ps1")
    cell_of(notebook, "double").source = answer
    cell = cell_of(notebook, "certification")
    cell.source = cell.source.replace("Turin", place)
    folder = course.submitted(student, "ps1")
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / "ps1.ipynb")


def grade_by_hand(course: Course, points: float) -> None:
    """Give everybody points as formgrader does."""
    with sqlite3.connect(course.folder / "gradebook.db") as gradebook:
        gradebook.execute(
            "update grade set manual_score = ?, needs_manual_grade = 0 "
            "where cell_id in (select id from base_cell where name = ?)",
            [points, "certification"],
        )


def by_hand(course: Course) -> dict[str, tuple[float | None, bool]]:
    """The scores that people gave, and whether they wait again, by student."""
    found = {}
    for student, result in read_results(course, "ps1").students.items():
        [score] = [one for one in result.known.scores if one.cell.name == "certification"]
        found[student] = score.manual, score.waits
    return found


# -- a class

RIGHTS, SIZES, BROKEN = ["right00", "right01"], ["size00"], ["wrong00"]
WRONG = "def double(x):\n    return 3 * x"


def together(test: Any) -> Any:
    """One graded class serves these tests, so they are for one worker."""
    return pytest.mark.slow(pytest.mark.xdist_group("regrade")(test))


@pytest.fixture(scope="module")
def graded_class(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Four students, graded with the wrong test and by hand."""
    course = make_course(tmp_path_factory.mktemp("class") / "course")
    answers = dict.fromkeys(RIGHTS, RIGHT) | dict.fromkeys(SIZES, SIZE)
    for student, answer in (answers | dict.fromkeys(BROKEN, WRONG)).items():
        submit(course, student, answer)
    assert course.nbgrader("autograde", "ps1") == 0
    grade_by_hand(course, 0.5)
    return course


@pytest.fixture
def course(graded_class: Course, tmp_path: Path) -> Course:
    return Course(shutil.copytree(graded_class.folder, tmp_path / "course"))


def regrade(course: Course, *words: str) -> int:
    return main(["--course", str(course.folder), "regrade", "ps1", *words])


def table(course: Course) -> list[dict[str, str]]:
    """The lines of the newest CSV."""
    newest = max((course.folder / "grading" / "regrades").glob("ps1-*.csv"))
    return list(csv.DictReader(io.StringIO(newest.read_text(encoding="utf-8"))))


def changes(course: Course) -> dict[str, tuple[str, str, str]]:
    return {r["student"]: (r["points_before"], r["points_after"], r["why"]) for r in table(course)}


WHY = "staff code changed: staff/ps1/fresh.py"
EXPECTED = dict.fromkeys(RIGHTS, ("1.0", "2.0", WHY)) | dict.fromkeys(SIZES, ("2.0", "1.0", WHY))


@together
def test_only_an_answer_that_was_submitted_again_waits_again(course, capsys):
    submit(course, "right00", SIZE, place="Rome")
    assert regrade(course, "--student", "right00") == 0
    assert changes(course) == {"right00": ("1.0", "2.0", "answer changed: certification, double")}
    said = capsys.readouterr().out
    assert "A person has to look at 1 answer again:" in said
    assert "  right00, Certification" in said
    others = dict.fromkeys(("right01", "size00", "wrong00"), (0.5, False))
    assert by_hand(course) == {"right00": (0.5, True), **others}


def written(path: Path) -> int | None:
    try:
        return os.lstat(path).st_ctime_ns
    except OSError:
        return None


@together
def test_a_killed_regrade_goes_on_and_keeps_scores_by_people(course, capsys):
    book = ManualGrading(course, "ps1")
    mark = Mark(adjustment=0.75, comment="Signed where?", done=True)
    versions = {"right00": book.grading("certification", "right00").version}
    revision = book.rubric("certification").revision
    book.save("certification", versions, mark, grader="kim", rubric_revision=revision)
    given = by_hand(course)
    assert given["right00"] == (0.75, False)
    edit(course, RIGHT_TEST)
    command = [sys.executable, "-m", "hw_grading", "--course", str(course.folder)]
    running = subprocess.Popen([*command, "regrade", "ps1"], start_new_session=True)
    first = course.autograded("right00", "ps1") / "ps1.ipynb"
    before = written(first)
    try:
        while written(first) in (before, None):
            assert running.poll() is None, "it ended before it could be killed"
            time.sleep(0.02)
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    assert not list((course.folder / "grading" / "regrades").glob("*.csv"))

    assert regrade(course) == 0
    said = capsys.readouterr().out
    assert "3 scores changed, of 3 students: 2 up, 1 down. 4 students compared." in said
    assert "Scores by people that are kept: 4." in said
    assert changes(course) == EXPECTED
    assert {r["part"] for r in table(course)} == {"elsewhere"}
    assert by_hand(course) == given
    assert book.grading("certification", "right00").mark.comment == "Signed where?"
    book.close()

    assert regrade(course) == 0  # shows the same again
    assert "3 scores changed, of 3 students: 2 up, 1 down." in capsys.readouterr().out
    assert changes(course) == EXPECTED


def state(course: Course) -> dict[str, bytes]:
    """The contents of what was graded."""
    folders = [course.folder / name for name in ("autograded", "grading", "release")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {str(p): p.read_bytes() for p in [*files, course.folder / "gradebook.db"]}


@together
def test_an_impossible_regrade_says_why_and_changes_nothing(course, capsys):
    before = state(course)
    assert regrade(course, "--student", "right00", "--student", "nobody") == 2
    said = capsys.readouterr().err
    assert "has no scores of 'nobody'" in said
    notebook = source()
    del notebook.cells[-1]
    write_homework(course.folder, "ps1", notebook, manifest_of("ps1"))
    assert regrade(course) == 2
    said = capsys.readouterr().err
    assert "(try_it)" in said
    assert "Undo these changes" in said
    assert state(course) == before


# -- two runs


def compared(course: ToyCourse, old: Run, new: Run, auto: float | None = 3.0) -> Comparison:
    """Grade Ada's submission twice, and compare; the second time her test has `auto` points."""
    course.grade("ada", notebook(), auto=sum(part.earned for part in old.parts))
    course.save("ada", old)
    before = {"ada": course.result("ada").run}
    course.save("ada", new)
    with course.gradebook() as book:
        book.find_grade(TEST, "hw2", "hw2", "ada").auto_score = auto
        book.db.commit()
    return compare(before, course.results, ["ada"], began={})


BEFORE = run_of(None, [PASSED, FAILED])
ALL = [PASSED, replace(FAILED, earned=2.0, passed=True, message="")]


def graded_with(**kinds: dict[str, str]) -> dict[str, Any]:
    return {"graded_with": WITH | kinds}


def reasons_between() -> Iterator[Any]:
    yield graded_with(cells={TEST: "u", "setup": "s"}), "test changed"
    yield graded_with(cells={TEST: "t", "setup": "u"}), "instructor's cells changed: setup"
    yield {"answers": {"double": "z", "": "y"}}, "answer changed: double"
    yield {"answers": {"double": "x", "": "z"}}, "answer changed"
    yield graded_with(code={"staff/hw2/fresh.py": "b"}), "staff code changed: staff/hw2/fresh.py"
    code = {"cell double": "b", f"cell {TEST}": "b", "cell setup": "b"}
    yield graded_with(code=WITH["code"] | code), "staff code changed: cell double, cell setup"
    yield (
        graded_with(code=WITH["code"] | code, cells={TEST: "u", "setup": "u"}),
        "test changed; instructor's cells changed: setup; staff code changed: cell double",
    )
    yield graded_with(packages={"numpy": "2.1"}), "packages changed: numpy 2.0 → 2.1"
    limits = {"cpu_seconds_per_cell": "90"}
    yield graded_with(limits=limits), "limit changed: cpu_seconds_per_cell 60 → 90"
    yield {}, "only the fresh inputs changed: the answer may be random, or right for some of them"


@pytest.mark.parametrize(("other", "why"), list(reasons_between()))
def test_the_reason_is_the_difference_between_the_runs(toys, other, why):
    found = compared(toys, BEFORE, run_of(None, **{"parts": ALL} | other))
    change = found.changes[0]
    assert change.why == why
    assert change[3:9] == (1.0, 3.0, 3.0, "values at 1", "failed", "passed")
    assert (found.compared, found.new, found.not_graded) == (1, [], [])


def test_a_test_without_parts_is_compared_as_a_whole(toys: ToyCourse) -> None:
    whole = replace(PASSED, name=TEST, points=3.0, earned=3.0)
    [changes] = compared(toys, BEFORE, run_of(None, [whole])).by_test
    assert [change[6:9] for change in changes] == [
        ("the whole test", "", "passed"),
        ("values at 0", "passed", ""),
        ("values at 1", "failed", ""),
    ]


def test_a_test_without_a_score_is_not_shown_as_zero(toys: ToyCourse) -> None:
    found = compared(toys, BEFORE, run_of(None, []), auto=None)
    [[change, *_]] = found.by_test
    assert (change.points_before, change.points_after) == (1.0, None)
    assert "1 → no score" in as_text(found, 100)
    assert "1 score changed, of 1 student: 0 up, 1 down." in as_text(found, 100)


def test_students_get_a_description_with_the_limits_of_now(generated_course, tmp_path):
    settings = "c.ExecuteSubmission.cpu_seconds_per_cell = 7\n"
    course = generated_course.copied(tmp_path / "course", settings)
    regrade = Regrade(course.root, "hw2", (), print)
    assert regrade.describe_anew()
    description = course.root / "release" / "hw2" / "hw2.released.json"
    assert json.loads(description.read_bytes())["cpu_seconds_per_cell"] == 7
    assert not regrade.describe_anew()
