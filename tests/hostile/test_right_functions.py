"""What is right depends on nothing of the student's, also where a test uses their functions.

A test may call several functions of the notebook, have them in its cases, or draw inputs by them.
The solutions take their place where a fresh case is answered, and in a second try.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from right_functions import Cells, notebook, reference_of
from sessions import Children

from hw_grading.examiner.process import Examined
from hw_grading.homework.layout import LOCKED

SETUP = "import numpy as np\nfrom hw_support import Checks"
SOLUTIONS = "def g(x):\n    return 2.0 * x", "def f(x):\n    return g(x) + 1.0"
RIGHT = {"g": lambda x: 2 * x, "f": lambda x: 2 * x + 1}
# Right for the visible input 3 alone, and so is what calls them.
WRONG_G = {"g": lambda x: 6.0, "f": lambda x: 7.0}
Examine = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def examine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Examine:
    """Examine a test cell for a notebook with these values; return its parts."""

    def verdict(
        students: dict[str, Any], source: str, locked: str = "", cells: Cells = (), **earned: Any
    ) -> list[dict[str, Any]]:
        folder = tmp_path / str(len([*tmp_path.iterdir()]))
        reference = reference_of(folder, monkeypatch, cells or notebook(source, *SOLUTIONS))
        submission = Examined(Children(students), [("setup", SETUP)], [], reference)
        submission.points |= {(name, "", 0): points for name, points in earned.items()}
        found = submission.examine([("locked", locked)] if locked else [], "test", source)
        assert found["fault"] == ""
        before = {(name, "", 0): points for name, points in earned.items()}
        submission._tests.insert(0, Mock(sleeping=None, points=before))
        _, found = submission.try_again()
        return found["parts"]

    return verdict


TABLE = 'checks.table("values", 1, "y")\n'
# In each of these forms a test uses the notebook's `g` or `f`; the visible case is the input 3.
FORMS = {
    "by the name of the checks": 'checks = Checks("f", returns="y", cases=[(3.0, 7.0)])\n',
    "by a function of the test": (
        'checks = Checks("q", returns="y", cases=[(3.0, 7.0)], function=lambda x: g(x) + 1)\n'
    ),
    "by a function that calls another one": (
        "def _test_twice(x):\n    return g(x)\n"
        'checks = Checks("q", returns="y", cases=[(3.0, 6.0)], function=lambda x: _test_twice(x))\n'
    ),
    "as the function of a test with another name": (
        'checks = Checks("q", returns="y", cases=[(3.0, 7.0)], function=f)\n'
    ),
    "with names of the test's own": (
        "STEP = 2\n"
        'checks = Checks("q", returns="y", cases=[(3.0, 8.0)], function=lambda x: g(x) + STEP)\n'
    ),
    "by a function of the author's": (
        'checks = Checks("f", returns="y", cases=[(3.0, 7.0)])\n'
        "checks.fresh(lambda draw: [(x,) for x in draw.uniform(1, 2, 3)])\n"
    ),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_fresh_cases_are_answered_by_solutions_alone(examine: Examine, form: str) -> None:
    locked = "STEP = 10"
    cells = [(LOCKED, "locked", locked), *notebook(form, *SOLUTIONS)]
    [part] = examine(dict(RIGHT), form + TABLE, locked, cells)
    assert (part["message"], part["fresh"]) == ("", False)
    [part] = examine(dict(WRONG_G), form + TABLE, locked, cells)
    assert part["fresh"]
    assert part["message"].startswith("y: expected ")


def test_what_a_locked_cell_made_of_the_students_is_not_used(examine: Examine) -> None:
    locked = "both = [g, lambda x: g(x)]\ndef helper(x):\n    return g(x)"
    source = (
        "def _test_all(x):\n    return [*(one(x) for one in both), helper(x)]\n"
        'checks = Checks("q", returns="y", cases=[(3.0, [6.0, 6.0, 6.0])], function=_test_all)\n'
    )
    answer, test = notebook(source, SOLUTIONS[0])
    cells = [answer, (LOCKED, "locked", locked), test]
    for students, message in ((RIGHT, ""), (WRONG_G, "y[0]: expected ")):
        names = dict(students)
        exec(locked, names)  # the kernel has run it too
        [part] = examine(names, source + TABLE, locked, cells)
        assert part["message"].startswith(message)
        assert part["fresh"] == bool(message) == bool(part["message"])


IN_A_CASE = """_test_cases = [(g, [3.0], [6.0]), (lambda x: g(x), [3.0], [6.0])]
checks = Checks("apply", returns="y", cases=_test_cases)
"""
APPLY = "def apply(h, x):\n    return h(x)"


@pytest.mark.parametrize("apply", [lambda h, x: h(x), lambda h, x: [6.0]])
def test_a_function_of_the_notebook_in_a_case_is_the_right_one(
    examine: Examine, apply: Callable[..., Any]
) -> None:
    """A mistake in it costs points in its own test only; a copied value passes no fresh case."""
    cells = notebook(IN_A_CASE, SOLUTIONS[0], APPLY)
    is_right = apply(lambda x: 5.0, 3.0) == 5.0
    [part] = examine({"g": RIGHT["g"], "apply": apply}, IN_A_CASE + TABLE, cells=cells)
    assert (part["message"] == "", part["fresh"]) == (is_right, not is_right)
    wrong = {"g": lambda x: 0 * x, "apply": apply}
    [part] = examine(wrong, IN_A_CASE + TABLE, cells=cells, g=(0.0, 1.0))
    assert (part["second_try"], part["message"] == "") == (is_right, is_right)


@pytest.mark.parametrize("held", ["{'h': g}", "[g]", "(1, [{'h': g}])"])
def test_right_functions_are_found_in_what_holds_them(examine: Examine, held: str) -> None:
    take = "def take(held):\n    while not callable(held):\n"
    take += "        held = [*(held.values() if isinstance(held, dict) else held)][-1]\n"
    apply = f"{take}    return held\ndef apply(held, x):\n    return take(held)(x)"
    source = f'checks = Checks("apply", returns="y", cases=[({held}, 3.0, 6.0)])\n{TABLE}'
    students = {"g": lambda x: 0 * x}
    exec(apply, students)
    cells = notebook(source, SOLUTIONS[0], apply)
    [part] = examine(students, source, cells=cells, g=(0.0, 1.0))
    assert (part["message"] == "", part["second_try"]) == (True, True)


def test_an_object_of_the_notebook_in_a_case_has_no_fresh_cases(examine: Examine) -> None:
    source = 'checks = Checks("f", returns="y", cases=[(thing, 1.0), (3.0, 7.0)])\n'
    students = {"thing": object(), "f": lambda x: 1.0 if type(x) is object else 2 * x + 1}
    assert examine(students, source + TABLE)[0]["message"] == ""
    students["f"] = lambda x: 7.0 if x == 3 else 1.0
    assert examine(students, source + TABLE)[0]["fresh"]


def test_a_generator_of_inputs_calls_right_functions(examine: Examine) -> None:
    source = (
        'checks = Checks("f", returns="y", cases=[(3.0, 7.0)])\n'
        "@checks.fresh\ndef _(draw):\n    yield from ((g(x),) for x in (1.0, 2.0))\n"
    )
    students = {"g": lambda x: 1 / 0, "f": lambda x: {2: 5, 4: 9}.get(x, 7)}
    assert examine(students, source + TABLE)[0]["message"] == ""
    students["f"] = lambda x: {2: 5}.get(x, 7)
    assert "expected 9" in examine(students, source + TABLE)[0]["message"]


# -- values of any kind come from the notebook as they are here

FROM_NOTEBOOK = {
    "a dictionary of another type": ("defaultdict(int, {'a': 1})", "{'a': 1}"),
    "a named tuple": ("namedtuple('P', 'x y')(1, 'b')", "(1, 'b')"),
    "a set": ("{'b', 'a'}", "{'a', 'b'}"),
    "a text of NumPy": ("np.str_('a')", "'a'"),
    "texts of NumPy": ("np.array(['a', 'b'])", "('a', 'b')"),
    "an iterator": ("zip('ab', [1, 2])", "(('a', 1), ('b', 2))"),
    "rows of different lengths": ("[np.ones(1), [1, 1]]", "([1.0], [1.0, 1.0])"),
    "bytes of NumPy": ("np.bytes_(b'a')", "b'a'"),
    "a number with a name": ("IntEnum('Colour', 'red blue').blue", "2"),
    "a text with a name": ("StrEnum('Colour', 'red blue').blue", "'blue'"),
    "nothing": ("None", "None"),
}


@pytest.mark.parametrize(("came", "due"), FROM_NOTEBOOK.values(), ids=FROM_NOTEBOOK)
def test_a_value_from_the_notebook_is_compared_as_it_is(
    examine: Examine, came: str, due: str
) -> None:
    names: dict[str, Any] = {}
    imports = "import numpy as np\nfrom collections import *\nfrom enum import IntEnum, StrEnum\n"
    exec(f"{imports}def f(x):\n    return {came}", names)
    solution = f"{imports}def f(x):\n    return {due}"
    for right, message in ((due, ""), (f"{{'other': {due}}}", "y: expected ")):
        source = f"checks = Checks('f', returns='y', cases=[('any', {right})])\n{TABLE}"
        cells = notebook(source, solution)
        [part] = examine(dict(names), source, cells=cells)
        assert part["message"].startswith(message)
        assert bool(part["message"]) == bool(message)
