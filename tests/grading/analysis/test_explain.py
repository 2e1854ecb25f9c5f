"""A disputed point: what a test found, as it was graded."""

import pytest
from graded_course import FAILED, PASSED, course, error, notebook, problem
from sqlalchemy import text

from hw_grading.__main__ import main
from hw_grading.gradebook.database import Database

__all__ = ["course"]  # used by pytest, by name


def explain(course, student, test="", more=()):
    words = ["explain", "hw2", "--student", student, *(["--test", test] if test else []), *more]
    return main(["--course", str(course.root), *words])


@pytest.fixture
def graded(course):
    course.grade("ada", notebook(), auto=1.0, parts=[PASSED, FAILED])
    course.grade("bob", notebook(), auto=3.0, parts=[PASSED])
    broken = notebook(test=[error("ValueError", "\x1b[31mred")], problems=[problem("It looped.")])
    course.grade("eve", broken, auto=0.0)
    course.hand_in("new")
    course.grade("cut", None, auto=None)
    course.write(course.root / "submitted" / "cut" / "hw2", '{"cells": [')
    return course


@pytest.mark.parametrize(
    "words", [(), ("test_double",), ("1.1A",), ("q1.1a",), ("double",)], ids=str
)
def test_each_part_of_a_test_is_shown_with_its_message(graded, words, capsys):
    assert explain(graded, "ada", *words) == 0
    said = capsys.readouterr().out
    assert said.startswith("ada, hw2, graded 20")
    assert said.splitlines()[0].endswith(" UTC")
    assert explain(graded, "ada", *words, more=["--verbose"]) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith(" UTC, seed 7")
    assert ": test_double, 1 of 3 points by tests\npassed  values at 0 [1 pt]\nFAILED" in said
    assert f"FAILED  values at 1 [2 pt]\n        {FAILED.message}\n" in said


def test_the_cause_for_a_whole_submission_or_test_is_told(graded, capsys):
    assert explain(graded, "eve") == 0
    said = capsys.readouterr().out
    assert "PROBLEM: It looped." in said
    assert "FAILED  the whole test\n        ValueError: red" in said
    assert "\x1b" not in said


def test_who_lost_no_points_sees_tests_and_corrections(graded, capsys):
    assert explain(graded, "bob") == 0
    assert "lost no points in tests" in capsys.readouterr().out
    words = ["correct", "hw2", "test_double", "--add", "-1", "--reason", "It was given away"]
    assert main(["--course", str(graded.root), *words]) == 0
    capsys.readouterr()
    assert explain(graded, "bob", "test_double") == 0
    assert "Correction 1: corrected by −1 for everybody: It was given away" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ada", "test_7"), "the question of one of these: test_double ("),
        (("Ad",), "'Ad' has submitted nothing for hw2: did you mean ada?"),
        (("nobody",), "'nobody' has submitted nothing for hw2"),
        (("new",), "new is not graded yet: run `nbgrader autograde hw2`"),
        (("cut",), "cut is not graded. The notebook 'hw2.ipynb' cannot be read: expected JSON"),
    ],
)
def test_unknown_students_and_tests_get_the_known_ones(graded, words, said, capsys):
    assert explain(graded, *words) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


def test_a_submission_without_a_run_has_nothing_to_show(graded, capsys):
    with Database(f"sqlite:///{graded.root}/gradebook.db").writing() as connection:
        connection.execute(text("delete from hw_grading_run"))
    assert explain(graded, "ada") == 2
    assert "hw-grading regrade hw2 --student ada" in capsys.readouterr().err
