"""A disputed point: a test runs again with the same inputs as in grading, with all details."""

import zlib
from pathlib import Path

import class_of_ps1 as ps1
import nbformat
import numpy as np
import pytest
from tiny_homeworks import manifest_of

from hw_grading.__main__ import main
from hw_grading.commands.sample import cell_of
from hw_grading.examiner.examination import run_cell
from hw_grading.examiner.witness import Witness
from hw_grading.homework.course import Course
from hw_grading.regrading.explaining import each_once
from hw_support.attempts import Attempt
from hw_support.notebook_access import Notebook

BARE = """assert half(1.0) == 1.0
### BEGIN HIDDEN TESTS
assert half(3.0) == 3.0
### END HIDDEN TESTS"""
LATE = "import time\nwhile True:\n    pass\ndef double(x):\n    return 2 * x"
LOUD = "def double(x):\n    y = x\n    raise ValueError('\\x1b[31mred\\x1b[0m' if y is x else '')"


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A few students, graded with the wrong test; `half` has a test without named parts."""
    course = ps1.make_course(tmp_path_factory.mktemp("few") / "course")
    notebook = ps1.source(ps1.WRONG_TEST)
    cell_of(notebook, "test_half").source = BARE
    manifest = manifest_of("ps1") + "[limits.double]\ncpu_seconds = 0.5\n"
    ps1.write_homework(course.folder, "ps1", notebook, manifest)
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


def explain(course: Course, *words: str) -> int:
    return main(["--course", str(course.folder), "explain", "ps1", *words])


def hidden_input(course: Course, student: str) -> np.ndarray:
    """The input that the hidden part drew in grading, computed from the stored seed."""
    notebook = nbformat.read(course.autograded(student, "ps1") / "ps1.ipynb", as_version=4)
    seed = int(notebook.metadata["hw_grading"]["seed"])
    return -np.random.default_rng([seed, zlib.crc32(b"double")]).uniform(1, 2, 3)


def state(course: Course) -> dict[str, tuple[bytes, int]]:
    files = [p for p in course.folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    return {str(p): (p.read_bytes(), p.stat().st_mtime_ns) for p in files}


@pytest.mark.slow
@pytest.mark.xdist_group("explain")
def test_a_hidden_part_is_shown_with_the_inputs_of_grading_and_nothing_is_written(
    graded: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state(graded)
    assert explain(graded, "ada") == 0
    said = capsys.readouterr().out
    assert state(graded) == before
    x = hidden_input(graded, "ada")
    with np.printoptions(precision=10):
        assert f"x = {x!r}" in said
        assert f"double({x!r})\n      gave {2 * x!r}" in said
        assert f"expected:\n    {-2 * x!r}" in said
        assert f"got:\n    {2 * x!r}" in said
    assert "== The function `double`: test_double, 1 of 2 points by tests" in said
    assert "passed  of one [1 pt]\nFAILED" in said
    assert "double(1.0)\n" not in said
    assert explain(graded, "ada", "--all") == 0
    assert "double(1.0)\n      gave 2.0" in capsys.readouterr().out
    assert "FAILED  elsewhere [1 pt, hidden]" in said
    assert ' >   8      assert_close(double(x), 2 * abs(x), what="double(x)")' in said
    assert "the answer double:\n     1  def double(x):\n     2      return 2 * x" in said
    assert "test_half" not in said
    assert "DIFFERENT RESULT" not in said


@pytest.mark.slow
@pytest.mark.xdist_group("explain")
def test_an_exception_is_shown_with_the_students_line_and_without_control_codes(
    graded: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(graded, "eve", "the function Double") == 0
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "ValueError: " in said
    assert "red" in said
    assert "line 3 of double, called by line 3 of the test" in said
    assert " >   3      raise ValueError(" in said


@pytest.mark.slow
@pytest.mark.xdist_group("explain")
def test_the_error_is_shown_for_which_a_function_is_missing(
    graded: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(graded, "lea") == 0
    said = capsys.readouterr().out
    assert "The cell double ended in an error: SyntaxError: invalid decimal literal" in said


@pytest.mark.slow
@pytest.mark.xdist_group("explain")
def test_a_test_without_parts_is_shown_with_its_line_and_its_calls(
    graded: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(graded, "bob", "test_half") == 0
    said = capsys.readouterr().out
    assert "half(3.0)\n      gave 2.0" in said
    assert "AssertionError" in said
    assert " >   3  assert half(3.0) == 3.0" in said
    assert "the answer half:" in said
    assert explain(graded, "bob", "half") == 0
    assert capsys.readouterr().out == said
    assert explain(graded, "bob", "test_negative") == 0
    said = capsys.readouterr().out
    assert "2 of 2 points" in said
    assert "FAILED" not in said


@pytest.mark.slow
@pytest.mark.xdist_group("explain")
def test_the_limit_that_ended_a_cell_is_named(
    graded: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(graded, "kay", "double") == 0
    said = capsys.readouterr().out
    assert "Cell 'double' did not end within 0.5 s of CPU time" in said
    assert "name 'double' is not defined" in said


@pytest.mark.slow
@pytest.mark.xdist_group("explain")
def test_a_test_that_was_changed_after_grading_is_reported(
    graded: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    course = ps1.copied(graded, tmp_path / "course")
    ps1.edit(course, ps1.RIGHT_TEST)
    assert course.nbgrader("generate_assignment", "ps1", "--force") == 0
    assert explain(course, "ada") == 0
    said = capsys.readouterr().out
    assert "The instructor changed this test after the grading" in said
    assert "2 * abs(x)" in said


@pytest.mark.slow
@pytest.mark.xdist_group("explain")
def test_unknown_students_and_tests_are_named_with_the_known_ones(
    graded: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    course = ps1.copied(graded, tmp_path / "course")
    ps1.submit(course, "new")
    (course.autograded("bob", "ps1") / "ps1.ipynb").unlink()
    broken = course.autograded("eve", "ps1") / "ps1.ipynb"
    broken.chmod(0o644)
    broken.write_text('{"cells": [')
    for words, expected in {
        (
            "ada",
            "test_7",
        ): "the name or the question of one of these: test_double (The function",
        ("Ad",): "'Ad' has submitted nothing for ps1: did you mean ada?",
        ("adda",): "'adda' has submitted nothing for ps1: did you mean ada?",
        ("nobody",): "'nobody' has submitted nothing for ps1",
        ("new",): "new is not graded yet: run `nbgrader autograde ps1`",
        ("bob",): "grade it again: nbgrader autograde ps1 --force --student=bob",
        ("eve",): "it is not JSON",
    }.items():
        assert explain(course, *words) == 2
        captured = capsys.readouterr()
        assert expected in captured.err
        assert captured.out == ""


# -- the witness, without a kernel


class _Names(dict[str, object]):
    """A test cell's names; they report to a witness."""

    def __init__(self, witness: Witness) -> None:
        super().__init__()
        self.notebook = _Told(self, witness)


class _Told(Notebook):
    def __init__(self, names: dict[str, object], witness: Witness) -> None:
        super().__init__(names)
        self._witness = witness

    def tried(self, attempt: Attempt, error: BaseException | None) -> None:
        self._witness.tried(attempt, error, self.names)


def told(source: str) -> list[dict[str, object]]:
    witness = Witness()
    names = _Names(witness)
    witness.begin(names, "<test_f>")
    run_cell(f"from hw_support import Checks, assert_close, expect\n{source}", "test_f", names)
    return witness.records()


def test_equal_calls_are_shown_once() -> None:
    assert list(each_once(["f(1)", "f(1)", "f(1)", "f(2)", "f(1)", "f(1)"])) == [
        *("f(1)", "... and the same 2 more times", "f(2)"),
        *("f(1)", "... and the same 1 more time"),
    ]


def test_each_try_is_seen_and_names_of_hidden_parts_too() -> None:
    first, second = told(
        "def f(x):\n    return x\n"
        "checks = Checks('f', points=2)\n"
        "checks.stand_ins(9, f=lambda x: 2 * x)\n"
        "for attempt in checks.tries('doubles', points=1, hidden=True):\n"
        "    with attempt:\n"
        "        a = 3.0\n"
        "        assert_close(f(a), 6.0)\n"
        "checks.score()"
    )
    assert (first["stand_in"], second["stand_in"]) == (False, True)
    assert (first["inputs"], first["in_test"]) == ({"a": "3.0"}, 9)
    assert "is 3, expected 6" in str(first["error"])
    assert (first["got"], first["expected"]) == ("array(3.)", "array(6.)")
    assert second["error"] == ""


def test_large_values_are_cut_and_values_that_raise_are_named() -> None:
    (one,) = told(
        "import numpy as np\n"
        "class Odd:\n    def __repr__(self):\n        raise ValueError\n"
        "checks = Checks('f', points=1)\n"
        "with checks('a part', points=1, hidden=True):\n"
        "    large, many, odd = np.zeros((2000, 100)), [0] * 10_000, Odd()\n"
        "    text = 'x' * 100_000\n"
        "checks.score()"
    )
    inputs = one["inputs"]
    assert isinstance(inputs, dict)
    assert inputs["large"] == "<array of shape (2000, 100), float64, too large to be shown>"
    assert inputs["many"].endswith("... 9980 more]")
    assert inputs["odd"] == "<Odd>"
    assert len(inputs["text"]) == 4_000


def test_grading_itself_records_nothing_of_hidden_parts() -> None:
    cell = (
        "from hw_support import Checks, assert_close\nchecks = Checks('f', points=1)\n"
        "with checks('a part', points=1, hidden=True):\n    assert_close(4711.0, 815.0)\n"
        "checks.score()"
    )
    text = str(run_cell(cell, "test_f", {"__name__": "__main__"}))
    assert "FAILED" in text
    assert "4711" not in text
    assert "815" not in text
