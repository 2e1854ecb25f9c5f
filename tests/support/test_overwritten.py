"""Notes on names that a student's cell has redefined and that a test cell uses."""

import linecache

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import hw_support
from hw_support import Checks, assert_close, expect

TEST = """\
checks = Checks("f", points=1)

with checks("values", points=1):
    for value in list(range(2)):
        assert_close(np.array([value]), [value])
        expect(value < 2, "wrong")

checks.score()
"""
OF_SETUP = {
    "Checks": Checks,
    "assert_close": assert_close,
    "expect": expect,
    "hw_support": hw_support,
    "np": np,
}


@pytest.fixture
def notes(capsys, monkeypatch):
    """A function that runs a student's cell and a test cell, and returns the test's notes."""
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)

    def run(student, test=TEST):
        names = dict(OF_SETUP)
        exec(student, names)
        monkeypatch.setitem(
            linecache.cache, "<test>", (len(test), None, test.splitlines(True), "<test>")
        )
        exec(compile(test, "<test>", "exec"), names)
        lines = capsys.readouterr().out.splitlines()
        found = [line for line in lines if line.startswith("note ")]
        assert lines[: len(found)] == found  # above all parts
        return [line.removeprefix("note").strip() for line in found]

    return run


def test_a_builtin_that_a_cell_has_overwritten_is_named(notes):
    assert notes("list = [1e-5, 1e-6]") == [
        "One of your cells has given `list` another meaning. Run `del list`, and rename it there."
    ]


@pytest.mark.parametrize(
    "student",
    [
        "from numpy.testing import assert_allclose as assert_close",
        "def expect(x): return x",
        "np = [1, 2]",
    ],
)
def test_a_name_of_the_setup_cell_that_a_cell_has_overwritten_is_named(notes, student):
    (name,) = [name for name in ("assert_close", "expect", "np") if name in student]
    assert notes(student) == [
        f"One of your cells has given `{name}` another meaning. Rename it there, and run the cell "
        "that imports hw_support again."
    ]


@pytest.mark.parametrize(
    "student", ["x = 1", "sum = 3", "relative_error = 0.1", "list = list", "value = [3]"]
)
def test_names_that_are_right_or_that_the_test_does_not_use_are_not_named(notes, student):
    assert notes(student) == []


def test_a_test_cell_may_bind_such_names_itself(notes):
    assert notes("list = 3", 'list = [1]\nchecks = Checks("f", points=0)\nprint(list)') == []


def test_the_notes_come_first_in_a_notebook(capsys):
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    for name, value in OF_SETUP.items():
        shell.user_ns[name] = value
    shell.run_cell("list = [1e-5]", silent=True)
    shell.run_cell(TEST)
    said = capsys.readouterr().out
    assert said.startswith("note    One of your cells has given `list` another meaning. Run `del")
    assert "'list' object is not callable" in said
    shell.run_cell("del list\n", silent=True)
    shell.run_cell(TEST)
    assert capsys.readouterr().out.startswith("passed  values")


def test_a_variable_of_a_test_with_the_name_of_a_students_helper_is_named(capsys):
    student = "def loss(g):\n    return -g\n\ndef logistic_loss(g):\n    return loss(g)\n"
    test = """\
checks = Checks("logistic_loss", points=1)

with checks("twice", points=1):
    loss = np.array(logistic_loss(1.0))
    loss = np.array(logistic_loss(2.0))

checks.score()
"""
    exec(student, names := dict(OF_SETUP))
    exec(test, names)
    assert (
        "'numpy.ndarray' object is not callable. "
        "This test has a variable `loss` too. Give your function another name"
    ) in capsys.readouterr().out
    assert callable(names["loss"])


def test_a_students_helper_with_the_name_of_the_tests_checks_is_named(capsys):
    student = "def checks(x):\n    return 2 * x\n\ndef double(x):\n    return checks(x)\n"
    test = """\
checks = Checks("double", points=1)

with checks("twice", points=1):
    double(1.0)

checks.score()
"""
    exec(student, names := dict(OF_SETUP))
    exec(test, names)
    said = "This test has a variable `checks` too. Give your function another name"
    assert said in capsys.readouterr().out
