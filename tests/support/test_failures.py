"""A message about an exception names the line and the function, and nothing that is hidden."""

import contextlib

import pytest

from hw_support import Checks, as_numbers
from hw_support.failures import one_line, place_of, plain_name, visible, with_its_line
from hw_support.missing_names import why_missing

SCIPY = "scipy_that_is_not_there"
FORGED = "x\nFAILED  all [9 pt]\x1b[2J\u202e"


def message_of(cell, test, *, hidden=False, names=None):
    """Run a student's cell and a test in one namespace; return the message of the test's part."""
    names = {"Checks": Checks} if names is None else names
    with contextlib.suppress(ImportError):
        exec(compile(cell, "<cell 1>", "exec"), names)
    part = f"checks = Checks('f', points=1)\nwith checks('part', points=1, hidden={hidden}):\n"
    exec(compile(part + f"    {test}\n", "<cell 2>", "exec"), names)
    return names["checks"].parts[0].message


RAISES = "import math\ndef f(x):\n    y = 2 * x\n    return math.sqrt(y) + {}\n"


def test_an_error_names_the_line_and_the_function():
    assert message_of(RAISES.format("1"), "f(-1)") == ("line 4 of f: ValueError: math domain error")


def test_a_hidden_part_names_line_function_and_type_and_no_text():
    assert message_of(RAISES.format("1"), "f(-0.375)", hidden=True) == (
        "line 4 of f: ValueError was raised"
    )
    cell = "def f(x):\n    raise KeyError(f'the hidden input is {x}')\n"
    assert message_of(cell, "f(0.375)", hidden=True) == "line 2 of f: KeyError was raised"


@pytest.mark.parametrize(
    ("cell", "place"),
    [
        ("def g(x):\n    return 1 / x\ndef f(x):\n    return g(x)\n", "line 2 of g"),
        ("def f(x):\n    return [1 / y for y in [x]]\n", "line 2 of f"),
        ("def f(x):\n    return (lambda y: 1 / y)(x)\n", "line 2 of f"),
        ("f = lambda x: 1 / x\n", "line 1 of a function"),
        (
            "class C:\n    def __call__(self, x):\n        return 1 / x\nf = C()\n",
            "line 3 of __call__",
        ),
    ],
)
def test_the_last_line_of_the_students_code_is_named(cell, place):
    assert message_of(cell, "f(0)") == f"{place}: ZeroDivisionError: division by zero"


def test_a_function_of_the_test_is_not_named_as_the_students():
    cell = "def f(act):\n    return act(0)\n"
    message = message_of(cell, "f(lambda x: 1 / x)")
    assert message == "line 2 of f: ZeroDivisionError: division by zero"


@pytest.mark.parametrize("hidden", [True, False])
def test_long_and_multiline_names_of_functions_and_types_are_cut_to_one_line(hidden):
    names = {"Checks": Checks, "FORGED": FORGED + 1000 * "y"}
    cell = (
        "def f():\n    raise type(FORGED, (Exception,), {})(FORGED)\n"
        "f.__code__ = f.__code__.replace(co_name=FORGED, co_qualname=FORGED)\n"
    )
    message = message_of(cell, "f()", hidden=hidden, names=names)
    assert message.startswith("line 2 of xFAILEDall9pt2Jyyy")
    assert message.isprintable()
    assert len(message) < 1300
    assert hidden == ("FAILED  " not in message and len(message) < 200)


def test_an_exception_whose_text_raises_is_still_named():
    cell = (
        "class E(Exception):\n    def __str__(self):\n        raise ValueError\n"
        "def f():\n    raise E\n"
    )
    assert message_of(cell, "f()") == "line 5 of f: E was raised"


@pytest.mark.parametrize("base", ["Exception", "NameError", "TypeError", "BaseException"])
def test_an_exception_whose_attributes_raise_fails_its_part_alone(base):
    cell = (
        f"class E({base}):\n    def __getattribute__(self, name):\n        raise SystemExit\n"
        "    def __str__(self):\n        raise SystemExit\n"
        "def f():\n    raise E\n"
    )
    assert message_of(cell, "f()") == "an exception was raised"


# -- results that are missing


@pytest.mark.parametrize(
    ("result", "what"),
    [
        ("None", "None"),
        ("1.5", "one number (float)"),
        ("np.float64(1.5)", "one number (float64)"),
        ("np.ones((3, 1))", "one array, or another number of results (it does not unpack)"),
        ("(1, 2, 3)", "one array, or another number of results (it does not unpack)"),
        ("np.ones(1)", "one array, or another number of results (it does not unpack)"),
        ("len", "one builtin_function_or_method"),
    ],
)
def test_a_missing_second_result_is_said_to_be_missing(result, what):
    cell = f"import numpy as np\ndef logistic_loss(g):\n    return {result}\n"
    message = message_of(cell, "loss, dL_dg = logistic_loss(1)")
    assert message.startswith(
        f"logistic_loss returned {what}; two results were expected: (loss, dL_dg)"
    )
    assert ("return" in message.partition(";")[2]) == (result == "None")


def test_in_a_hidden_part_names_of_the_test_are_not_told():
    cell = "def f():\n    return 1\n"
    message = message_of(cell, "a, b, c = f()", hidden=True)
    assert message == "f returned one number (int); three results were expected"


def test_in_a_hidden_part_the_type_that_came_is_not_told():
    cell = "def f(x):\n    return type(f'input_{x}', (), {})()\n"
    message = message_of(cell, "a, b = f(375)", hidden=True)
    assert message == "f returned something else; two results were expected"


@pytest.mark.parametrize(
    "cell",
    [
        "def f():\n    a, b = 1\n",
        "def f():\n    raise TypeError('cannot unpack')\n",
        "def f():\n    yield 1\n    int('x')\n",
    ],
)
def test_an_error_in_a_function_is_not_reported_as_a_missing_result(cell):
    message = message_of(cell, "a, b = f()")
    assert message.startswith("line ")
    assert "returned" not in message


def test_an_error_in_the_test_is_not_reported_as_a_missing_result():
    assert message_of("", "a, b = int('x'), 2").startswith("ValueError: invalid literal")


# -- names that are missing


def with_cells(*cells):
    return {"Checks": Checks, "In": ["", *cells]}


def test_a_missing_name_is_reported_with_its_line():
    cell = "def f(x):\n    return expit(x)\n"
    assert message_of(cell, "f(1)") == "name 'expit' is not defined: line 2 of f"


@pytest.mark.parametrize(
    "line",
    [
        f"from {SCIPY}.special import expit",
        f"from {SCIPY}.special import (\n    erf,\n    expit,\n)",
        f"import {SCIPY} as expit",
    ],
)
def test_a_name_from_a_missing_package_is_reported_with_the_installed_packages(line):
    cell = "def f(x):\n    return expit(x)\n"
    message = message_of(cell, "f(1)", names=with_cells(line, cell))
    assert message.startswith("name 'expit' is not defined: line 2 of f. expit comes from ")
    assert f"{SCIPY}, which is not installed here; matplotlib" in message
    assert "numpy" in message


def test_each_test_reports_that_its_functions_cell_failed_at_an_import():
    cell = f"from {SCIPY} import expit\ndef f(x):\n    return expit(x)\n"
    message = message_of(cell, "f(1)", names=with_cells(cell))
    assert message.startswith(
        f"NameError: name 'f' is not defined. Its cell imports {SCIPY}, which is not installed"
    )


def test_an_import_inside_a_function_reports_the_missing_package():
    cell = f"def f(x):\n    import {SCIPY}.special\n"
    message = message_of(cell, "f(1)")
    assert message.startswith(f"line 2 of f: ModuleNotFoundError: No module named '{SCIPY}'")
    assert f"{SCIPY} is not installed here; matplotlib" in message


def test_installed_packages_and_hidden_parts_get_no_message_about_packages():
    cell = "from numpy import expit\ndef f(x):\n    return expit(x)\n"
    assert why_missing("expit", with_cells(cell)) == ""
    cell = cell.replace("numpy", SCIPY)
    message = message_of(cell[cell.index("def") :], "f(1)", hidden=True, names=with_cells(cell))
    assert message == "line 2 of f: NameError was raised"


@pytest.mark.parametrize(
    "cells", [None, 7, [1, b"x", None], ["from x import ("], "from x import y"]
)
def test_any_value_in_place_of_the_list_of_cells_is_accepted(cells):
    assert why_missing("y", {"In": cells}) == ""


# -- artefacts


def test_numpys_type_of_text_is_called_text():
    cell = "import numpy as np\ndef f():\n    return np.array(['a']) * 2.0\n"
    message = message_of(cell, "f()")
    assert "<U" not in message
    assert "text" in message


def test_text_is_called_text():
    names = {"Checks": Checks, "as_numbers": as_numbers}
    message = message_of(
        "def f():\n    return 'hello'\n", "as_numbers(f(), what='out')", names=names
    )
    assert message == "out holds text (str); numbers were expected"


@pytest.mark.parametrize(
    ("hidden", "said"),
    [
        (False, "a function that it calls there cannot take these arguments (KeyError)"),
        (True, "KeyError was raised"),
    ],
)
def test_an_exception_of_a_stand_in_shows_nothing_of_the_stand_in(hidden, said):
    staff = {"__name__": "staff.hw.hidden"}
    exec(compile("def g(x):\n    return {}[x]\n", "hidden.py", "exec"), staff)
    names = {"Checks": Checks, "g": staff["g"]}
    cell = "def f(x):\n    y = 2 * x\n    return g(y)\n"
    assert message_of(cell, "f(1)", names=names, hidden=hidden) == f"line 3 of f: {said}"


def test_an_exception_of_a_students_function_in_a_stand_in_shows_its_text():
    staff = {"__name__": "staff.hw.hidden"}
    exec(compile("def g(act):\n    return act(0)\n", "hidden.py", "exec"), staff)
    names = {"Checks": Checks, "g": staff["g"]}
    cell = "def act(x):\n    return 1 / x\ndef f():\n    return g(act)\n"
    message = message_of(cell, "f()", names=names)
    assert message == "line 2 of act: ZeroDivisionError: division by zero"


def test_invisible_characters_are_shown_as_escapes_on_one_line():
    assert one_line("a\n b\x1b[2J\u202ec\u2028d") == r"a b\x1b[2J\u202ec d"
    assert one_line("\u3164\u2800\ud800 é 王") == r"\u3164\u2800\ud800 é 王"
    assert one_line("\x1b" * 900) == r"\x1b" * 250
    assert visible("a\n\tb\x9b1m\r") == "a\n\tb\\x9b1m\\r"
    assert plain_name("f\ng(x)") == "fgx"
    assert plain_name("\n") == plain_name(None) == "a function"


def test_an_invalid_place_is_not_shown():
    error = ValueError()
    for line in (-1, True, "7", 10**9, 1.5):
        error.raised_by, error.raised_in_line = "f", line
        assert place_of(error, {}) is None


TRACEBACK = [
    "\x1b[36m  Cell\x1b[39m \x1b[32mIn[1]\x1b[39m\x1b[32m, line 1\x1b[39m\n"
    "\x1b[31m    \x1b[39m\x1b[31mdef f(:\x1b[39m\n          ^\n"
    "\x1b[31mSyntaxError\x1b[39m\x1b[31m:\x1b[39m invalid syntax\n"
]


def test_code_that_is_no_python_is_named_by_its_line():
    message = "invalid syntax (1589703292.py, line 1)"
    assert with_its_line(message, TRACEBACK) == "invalid syntax; line 1: def f(:"
    assert with_its_line(message, []) == with_its_line(message, ["^", None]) == message
    of_another = "invalid syntax (<unknown>, line 1)"
    assert with_its_line(of_another, TRACEBACK) == of_another
