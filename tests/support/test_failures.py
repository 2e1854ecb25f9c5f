"""How an exception of a student's function is described: on one line, with its place."""

import math
import re

import numpy as np
import pytest

from hw_support.checks.failures import (
    error_message,
    one_line,
    place_of,
    plain_name,
    visible,
    without_its_file,
)

RAISES = "import math\ndef f(x):\n    y = 2 * x\n    return math.sqrt(y) + 1\n"
CLASS = "class C:\n    def __call__(self, x):\n        return 1 / x\nf = C()\n"


def message_of(cell, test="f(0)", **names):
    """Run a student's cell, then a test's line; describe the exception that it raises."""
    exec(compile(cell, "<cell>", "exec"), names)
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        exec(compile(test, "<test>", "exec"), names)
    return error_message(caught.value, place_of(caught.value, names, but="<test>"))


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (RAISES.replace("y)", "y - 1)"), "line 4 of f: ValueError: math domain error"),
        ("def g(x):\n    return 1 / x\ndef f(x):\n    return g(x)\n", "line 2 of g, called from l"),
        ("def f(x):\n    return (lambda y: 1 / y)(x)\n", "line 2 of f: ZeroDivision"),
        ("f = lambda x: 1 / x\n", "line 1 of a function: ZeroDivision"),
        (CLASS, "line 3 of C.__call__: ZeroDivision"),
        ("", "NameError: name 'f' is not defined"),
        ("class E(Exception): pass\ndef f(x):\n    raise E\n", "line 3 of f: E was raised"),
    ],
)  # fmt: skip
def test_an_error_names_the_last_line_of_the_students_code(cell, message):
    assert message_of(cell).startswith(message)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("np.ones((2, 3)) @ np.ones((4, 2))", "as rows on the right, and got 3 and 4. Is the"),
        ("np.dot(np.ones((2, 3)), np.ones((4, 2)))", "np.dot needs as many columns on the "
         "left as rows on the right, and got the shapes (2,3) and (4,2). Is"),
        ("np.ones((2, 3)) @ 2.0", "ValueError: `@` multiplies arrays, and one of these is a num"),
        ("max(0, np.ones(2))", "more than one element is ambiguous. `if`, `and`, `not`, `max`"),
        ("np.ones((3, 2)) + np.ones(3)", "with shapes (3,2) (3,). From the last axis on, both"),
        ("math.exp(np.ones(2))", "`math` and float() take one number; np.exp"),
        ("-(1.0, 2.0)", "returns a tuple: take it apart"),
        ("[1, 2] * 0.5", "A list does not compute: make an array of it"),
        ("None[0]", "Does a function without `return` give None?"),
        ("np.ones(2)(0)", "`x[0]` takes an entry, and x(0) calls x"),
        ("np.array([[1.0], [1.0, 2.0]])", "entries of different shapes make no array. If"),
        ("np.zeros(2).__setitem__(0, [1, 2])", "one entry of an array takes one number, and it"),
        ("np.array([1, 2]).__iadd__(0.5)", "an array of integers cannot hold fractions"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_errors_of_numpy_say_the_shapes_and_what_usually_helps(wrong, message):
    said = message_of(f"def f(x):\n    return {wrong}\n", np=np, math=math)
    assert message in said
    assert re.search("signature|a.any|core dimension|inhomogeneous|casting rule", said) is None


def test_a_function_of_the_test_is_not_named_as_the_students():
    message = message_of("def f(act):\n    return act(0)\n", "f(lambda x: 1 / x)")
    assert message == "line 2 of f: ZeroDivisionError: division by zero"


def test_an_exception_of_another_process_has_its_place_in_it():
    error = ValueError()
    error.raised_in = [("f\n", 7), ("g", 2)]
    assert str(place_of(error, {})) == "line 7 of f, called from line 2 of g"


def test_a_function_that_calls_itself_is_named_once():
    deep = "def f(x):\n    return 1 / x if x < 1 else f(x - 1)\ndef g(x):\n    return f(x)\n"
    assert message_of(deep, "g(9)").startswith("line 2 of f, called from line 4 of g: Zero")


def test_invisible_characters_are_shown_as_escapes_on_one_line():
    assert one_line("a\n b\x1b[2J\u202ec\u2028d") == r"a b\x1b[2J\u202ec d"
    assert one_line("\u3164\u2800\ud800 é 王") == r"\u3164\u2800\ud800 é 王"
    assert one_line("\x1b" * 900) == r"\x1b" * 250
    assert visible("a\n\tb\x9b1m\r") == "a\n\tb\\x9b1m\\r"
    assert plain_name("f\ng(x)") == "fgx"
    assert plain_name("\n") == plain_name(None) == "a function"


def test_code_that_is_no_python_is_named_by_its_line():
    assert without_its_file("invalid syntax (1589703292.py, line 1)") == "invalid syntax (line 1)"
    of_another = "invalid syntax (<unknown>, line 1)"
    assert without_its_file(of_another) == of_another
