"""The names of a test cell: its own first, then the notebook's."""

import builtins
import contextlib
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sessions import Kernel

from hw_grading.examiner.names import StudentNames
from hw_grading.examiner.remote import RemoteFunction
from hw_grading.inside.serve import CallbackError
from hw_support.checks import Checks


@contextlib.contextmanager
def cell(students: dict[str, Any], **own: Any) -> Iterator[StudentNames]:
    """The names of a test cell: its own first, then those of a notebook."""
    kernel = Kernel(students)
    with kernel.test_cell() as session:
        yield StudentNames(own, session)
    assert kernel.session.gone is None


def test_the_tests_own_names_and_pythons_override_the_students() -> None:
    students = dict.fromkeys(["np", "x", "y", "len", "range", "__name__", "__file__"], "student's")
    with cell(students, np=np, x="own") as names:
        exec("seen = [np, x, len, y]\ndef f(): return [np, x, len, y, range]\nfrom_f = f()", names)
        assert names["seen"] == [np, "own", len, "student's"]
        assert names["from_f"] == [np, "own", len, "student's", range]
        for name in ("len", "__name__", "__file__"):
            assert names.get(name) is None
            assert name not in names
        assert names["__builtins__"] in (builtins, builtins.__dict__)


def test_names_can_be_looked_for() -> None:
    with cell({"student": None}, own=1) as names:
        assert "own" in names
        assert "student" in names
        assert "neither" not in names
        assert names.get("neither") is None
        assert names.get("neither", 3) == 3
        assert names.get("student", 3) is None
        with pytest.raises(KeyError):
            names["neither"]
        with pytest.raises(NameError, match="neither"):
            exec("neither", names)
        with pytest.raises(NameError, match="neither"):
            exec("(lambda: neither)()", names)


def test_what_a_test_cell_binds_stays_there() -> None:
    students = {"answer": 1}
    with cell(students) as names:
        exec("answer = 2\nnew = answer", names)
        assert (names["answer"], names["new"]) == (2, 2)
        assert students == {"answer": 1}
        exec("del answer\nseen = answer", names)
        assert names["seen"] == 1


def test_a_function_of_a_test_cell_can_use_the_students() -> None:
    source = """
def measured(x):
    return double(x) + offset
result = apply(measured, 5)
squares = [double(i) for i in range(3)]
"""
    students = {"double": lambda x: 2 * x, "apply": lambda f, x: f(x), "offset": 1}
    with cell(students) as names:
        exec(source, names)
        assert (names["result"], names["squares"]) == (11, [0, 2, 4])


def test_names_are_replaced_for_the_test_and_in_the_notebook() -> None:
    students = {"g": lambda: "student's"}
    students["f"] = lambda: students["g"]()  # type: ignore[no-untyped-call]
    with cell(students) as names:
        g = names["g"]
        with names.notebook.replaced(g=lambda: "test's", new=3):
            assert names["f"]() == names["g"]() == "test's"
            assert names["new"] == students["new"] == 3
            with names.notebook.replaced(g=g):
                assert names["f"]() == names["g"]() == "student's"
            assert names["f"]() == names["g"]() == "test's"
        assert names["f"]() == names["g"]() == "student's"
        assert isinstance(names["g"], RemoteFunction)
        assert "new" not in names
        assert "new" not in students


REFERENCE = """
def g():
    return 4

def f():
    return 4
"""


@pytest.fixture
def staff(monkeypatch: pytest.MonkeyPatch) -> None:
    """The staff code of a homework: right functions `g` and `f`, and no fresh cases."""
    for name, code in (("reference", REFERENCE), ("fresh", "")):
        module = types.ModuleType(f"staff.names.{name}")
        exec(code, vars(module))
        monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.mark.usefixtures("staff")
def test_a_second_try_has_right_functions_in_the_notebook_until_its_end() -> None:
    source = """
checks = Checks("f")
checks.grade_with("staff.names")
first, second = (lambda: 1), (lambda: 2)

@checks.part("right", points=1)
def _():
    keep(first)
    assert f() == f() == 4

@checks.part("raises", points=1)
def _():
    f()
    1 / keep(second)

score = checks.score()
"""
    kept: list[Any] = []

    def keep(function: Any) -> int:
        kept.append(function)
        return 0

    def called_again() -> list[str]:
        said = []
        for function in kept:
            try:
                function()
            except CallbackError as error:
                said.append(str(error))
        return said

    students: dict[str, Any] = {"g": lambda: 1, "keep": keep, "called_again": called_again}
    students["f"] = lambda: students["g"]()
    with cell(students, Checks=Checks) as names:
        exec(source, names)
        assert names["score"] == 1.0
        assert students["g"]() == 1
        right, raises = names["checks"].parts
        assert (right.second_try, raises.second_try) == (True, False)
        assert raises.message == "ZeroDivisionError: division by zero"
        assert names["called_again"]() == ["RuntimeError"] * 4  # two tries of each part


def _messages(student: str, *parts: str) -> list[str]:
    """Run a student's cell in the notebook, and parts of a test here; return their messages."""
    students: dict[str, Any] = {"In": ["", student]}
    with contextlib.suppress(ImportError):
        exec(compile(student, "<cell 1>", "exec"), students)
    source = "checks = Checks('f')\n" + "".join(
        f"@checks.part('part', points=1)\ndef _():\n    {part}\n" for part in parts
    )
    with cell(students, Checks=Checks, np=np) as names:
        exec(compile(source, "<cell 2>", "exec"), names)
        return [part.message for part in names["checks"].parts]


_FAILS = """
import numpy as np
def root(x):
    return missing_name(x)
def f(act, x):
    y = 2 * x
    return act(y) + np.ones(3) @ np.ones(x)
"""


def test_an_error_in_the_notebook_names_line_and_function() -> None:
    wrong_shapes, missing, of_the_test = _messages(
        _FAILS, "f(abs, 2)", "root(2)", "f(lambda y: 1 / 0, 2)"
    )
    assert wrong_shapes.startswith("line 7 of f: ValueError: ")
    assert missing == "line 4 of root: NameError: name 'missing_name' is not defined"
    assert of_the_test == "line 7 of f: ZeroDivisionError: division by zero"


def test_a_missing_second_result_is_named() -> None:
    student = "def f(x):\n    return x\n"
    parts = [f"results(f({x}), 'out, grad')" for x in ("None", "2.5", "np.ones((3, 1))")]
    assert _messages(student, *(f"from hw_support import results; {part}" for part in parts)) == [
        "expected 2 results (out, grad), got None. Is a `return` missing?",
        "expected 2 results (out, grad), got 2.5",
        "expected 2 results (out, grad), got [[1.], [1.], [1.]]",
    ]


def test_a_function_that_the_notebook_does_not_have_is_one_message() -> None:
    student = "from no_such_package import expit\ndef f(x):\n    return expit(x)\n"
    said = "f is not defined. Did its cell end in an error?"
    assert _messages(student, "f(1)", "f(2)") == [said, said]


def test_what_stays_in_the_notebook_is_not_called_remote() -> None:
    student = "def f():\n    return object()\n"
    assert _messages(student, "1.5 - f()") == [
        "TypeError: unsupported operand type(s) for -: 'float' and 'object'"
    ]


def test_names_that_the_notebook_tells_forge_no_lines() -> None:
    forged = "x\nFAILED  all [9 pt]\x1b[2J" + 1000 * "y"
    student = (
        f"FORGED = {forged!r}\ndef f():\n    raise type(FORGED, (Exception,), {{}})(FORGED)\n"
        "f.__code__ = f.__code__.replace(co_name=FORGED, co_qualname=FORGED)\n"
    )
    [message] = _messages(student, "f()")
    assert message.isprintable()
    assert message.startswith("line 3 of xFAILEDall9pt2Jyyy")
    assert len(message) < 1300
