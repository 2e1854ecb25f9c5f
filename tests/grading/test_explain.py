"""A disputed point: what a test found, as it was graded, with the test and the answers."""

import zlib
from pathlib import Path

import class_of_ps1 as ps1
import nbformat
import numpy as np
import pytest
from sqlalchemy import text
from tiny_homeworks import manifest_of

from hw_grading.__main__ import main
from hw_grading.commands.sample import cell_of
from hw_grading.gradebook.database import Database
from hw_grading.homework.course import Course
from hw_support.compare import shown

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("explain")]

BARE = """assert half(1.0) == 1.0
### BEGIN HIDDEN TESTS
assert half(3.0) == 3.0
### END HIDDEN TESTS"""
LATE = "import time\nwhile True:\n    pass\ndef double(x):\n    return 2 * x"
LOUD = "def double(x):\n    y = x\n    raise ValueError('\\x1b[31mred\\x1b[0m' if y is x else '')"


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A few students, graded with the wrong fresh cases; `half` has a test without parts."""
    course = ps1.make_course(tmp_path_factory.mktemp("few") / "course")
    notebook = ps1.source()
    cell_of(notebook, "test_half").source = BARE
    cell_of(notebook, "setup").source += "\n\n\ndef checks():\n    pass"
    manifest = manifest_of("ps1") + "[limits.double]\ncpu_seconds = 0.5\n"
    ps1.write_homework(course.folder, "ps1", notebook, manifest, ps1.fresh(ps1.WRONG_TEST))
    assert course.nbgrader("generate_assignment", "ps1", "--force") == 0
    answers = {
        "ada": ps1.RIGHT,
        "bob": ps1.SIZE,
        "eve": LOUD,
        "kay": LATE,
        "lea": "def double(x):\n    return 2x",
    }
    for student, answer in answers.items():
        ps1.submit(course, student, answer)
    path = course.submitted("bob", "ps1") / "ps1.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cell_of(notebook, "half").source = "def half(x):\n    return min(x, 2.0)"
    nbformat.write(notebook, path)
    assert course.nbgrader("autograde", "ps1") == 0
    return course


def explain(course: Course, student: str, test: str = "") -> int:
    words = ["explain", "ps1", "--student", student, *(["--test", test] if test else [])]
    return main(["--course", str(course.folder), *words])


def state(course: Course) -> dict[str, tuple[bytes, int]]:
    files = [p for p in course.folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    return {str(p): (p.read_bytes(), p.stat().st_mtime_ns) for p in files}


def test_a_fresh_case_of_grading_is_shown_and_nothing_is_written(
    graded: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state(graded)
    assert explain(graded, "ada") == 0
    said = capsys.readouterr().out
    assert state(graded) == before
    notebook = nbformat.read(graded.autograded("ada", "ps1") / "ps1.ipynb", as_version=4)
    seed = int(notebook.metadata["hw_grading"]["seed"])
    x = -np.random.default_rng([seed, zlib.crc32(b"double")]).uniform(1, 2, 3)
    assert (
        f"FAILED  elsewhere [1 pt]\n        double(x)[0]: expected {-2 * x[0]:.10g}, got " in said
    )
    assert f"Fresh input: x = {shown(x)}\n" in said
    assert cell_of(notebook, "test_double").outputs[0]["text"].splitlines()[2] in said
    assert "== The function `double`: test_double, 1 of 2 points by tests" in said
    assert "passed  of one [1 pt]\nFAILED" in said
    assert "the answer double:\n     1  def double(x):\n     2      return 2 * x" in said
    assert "test_half" not in said
    assert "the answer setup" not in said  # the instructor's, with a name that the test uses too


def test_each_cause_of_a_lost_point_is_told(
    graded: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = {
        ("eve", "the function Double"): ["ValueError: ", "red", " >   3      raise ValueError("],
        ("lea",): ["The cell double ended in an error: SyntaxError: invalid decimal literal"],
        ("kay", "double"): ["'double' did not end within 0.5 s", "FAILED  of one [1 pt]"],
        ("bob", "test_half"): [
            "  the test ended with:",
            "    AssertionError\nthe test test_half:\n     1  assert half(1.0) == 1.0\nthe",
            "the answer half:\n     1  def half(x):",
        ],
        ("bob", "negative"): ["2 of 2 points", "passed  it returns elsewhere [1 pt]"],
    }
    for words, texts in expected.items():
        assert explain(graded, *words) == 0
        said = capsys.readouterr().out
        assert "\x1b" not in said
        for words_said in texts:
            assert words_said in said


def test_a_test_that_was_changed_after_grading_is_reported(
    graded: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    course = ps1.copied(graded, tmp_path / "course")
    ps1.edit(course, ps1.RIGHT_TEST, ps1.OTHER)
    assert course.nbgrader("generate_assignment", "ps1", "--force") == 0
    assert explain(course, "ada") == 0
    said = capsys.readouterr().out
    assert "The instructor changed this test after the grading. To grade with the new one: " in said
    assert ps1.VISIBLE in said
    assert "FAILED  elsewhere [1 pt]" in said


def test_unknown_students_and_tests_are_named_with_the_known_ones(
    graded: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    course = ps1.copied(graded, tmp_path / "course")
    ps1.submit(course, "new")
    for words, expected in {
        ("ada", "test_7"): "the question of one of these: test_double (The function",
        ("Ad",): "'Ad' has submitted nothing for ps1: did you mean ada?",
        ("adda",): "'adda' has submitted nothing for ps1: did you mean ada?",
        ("nobody",): "'nobody' has submitted nothing for ps1",
        ("new",): "new is not graded yet: run `nbgrader autograde ps1`",
    }.items():
        assert explain(course, *words) == 2
        captured = capsys.readouterr()
        assert expected in captured.err
        assert captured.out == ""


@pytest.mark.parametrize("content", [None, '{"cells": [', '{"cells": [{"metadata": 7}]}'])
def test_rows_are_shown_without_the_graded_notebook(
    graded: Course, tmp_path: Path, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    course = ps1.copied(graded, tmp_path / "course")
    path = course.autograded("bob", "ps1") / "ps1.ipynb"
    path.unlink()
    if content:
        path.write_text(content)
    assert explain(course, "bob") == 0
    said = capsys.readouterr().out
    assert ("The texts of the graded notebook are not shown" in said) == (
        content != '{"cells": [{"metadata": 7}]}'
    )
    assert "FAILED  the whole test [2 pt]\n        AssertionError" in said
    assert "the answer" not in said


def test_a_submission_that_this_version_never_graded_has_nothing_to_show(
    graded: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    course = ps1.copied(graded, tmp_path / "course")
    with Database(course.db_url).writing() as connection:
        connection.execute(text("delete from hw_grading_run"))
    assert explain(course, "ada") == 2
    assert "hw-grading regrade ps1 --student ada" in capsys.readouterr().err
