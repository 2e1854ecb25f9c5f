"""A part is a function of a case: how it is run, tried again, charged and reported."""

import builtins
import itertools
import json
import linecache
import math
import os
import re

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from right_functions import notebook, reference_of
from traitlets.config import Config

import hw_support
from hw_support.checks import (
    Checks,
    StaffError,
    known,
    notebook_access,
    printing,
    results,
)
from hw_support.checks.compare import Mismatch, expect
from hw_support.checks.notebook_access import Notebook, notebook_of
from hw_support.checks.parts import COUNTS_ONLY
from hw_support.source import bound_by

OPEN = 'checks = Checks("double", returns="out", cases=[([1.0, 2.0], [2.0, 4.0])])\n'
FRESH = OPEN + "checks.fresh(lambda draw: [(np.array([3.5]),)])\n"
TABLE = 'checks.table("values", 2, "out")\n'
SCORE = "score = checks.score()\n"


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """No validation is going on."""
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


@pytest.fixture
def run():
    """Run cells of a notebook in which tests have earned points; return its last checks."""

    def cells(*sources, earned=None, **names):
        space = {"hw_support": hw_support, "np": np, "Checks": Checks, **names}
        for name, points in (earned or {}).items():
            notebook_of(space).points[name, "", 0] = points
        for source in sources:
            file = f"<{source[:9]}>"
            linecache.cache[file] = len(source), None, source.splitlines(True), file
            exec(compile(source, file, "exec"), space)
        checks = space["checks"]
        checks.score_came = space.get("score")
        return checks

    return cells


@pytest.fixture
def graded(tmp_path, monkeypatch):
    """Have test cells graded by these solutions, and this code of the staff's."""

    def by(*solutions, **staff):
        solutions = solutions or ["def double(x): return 2.0 * x"]
        # Solutions run only if a test names them.
        asked = "\n".join(name for solution in solutions for name in bound_by(solution))
        made = reference_of(tmp_path, monkeypatch, notebook(OPEN + asked, *solutions), **staff)
        monkeypatch.setattr(Notebook, "reference", made.at("test"))

    return by


def messages(checks):
    return [part.message for part in checks.parts]


RIGHT = "def double(x): return 2 * x\n"


# -- cases


def test_lists_become_arrays_and_each_run_gets_a_copy(run):
    seen = []
    cell = """checks = Checks("f", cases=[([1, 2], ([[0.5]], [True]), (abs,), "text", 3)])
@checks.part("one", 1)
def _(*case): look(case)
@checks.part("two", 1)
def _(*case): look(case)
"""

    def look(case):
        array, arrays, functions, text, number = case
        assert type(array) is np.ndarray
        assert type(arrays) is list
        assert [a.dtype for a in arrays] == [float, bool]
        assert (array.tolist(), functions, text, number) == ([1, 2], [abs], "text", 3)
        array[:] = 9
        functions.append(abs)
        seen.append(array)

    assert messages(run(cell, look=look)) == ["", ""]
    assert seen[0] is not seen[1]


def test_lists_that_are_no_array_stay_lists(run):
    seen = []
    cell = """checks = Checks("f")
@checks.part("one", 1, cases=[([1, "a"], [[1], [2, 3]], [None, 1.0], {"x": [1]})])
def _(*case): look(case)
"""
    assert messages(run(cell, look=seen.extend)) == [""]
    [mixed, [one, two], odd, named] = seen
    assert (mixed, odd, named) == ([1, "a"], [None, 1.0], {"x": [1]})
    assert [type(one), one.tolist(), two.tolist()] == [np.ndarray, [1], [2, 3]]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("def double(x, scale=2): return scale * x", ""),
        ("def double(*xs): return 2 * xs[0]", ""),
        ("def double(x, /, **options): return 2 * x", ""),
        ("double = lambda x: 2 * x", ""),
        ("import functools\ndouble = functools.partial(np.multiply, 2)", ""),
        ("def double(): return 2", "TypeError: double() takes 0 positional arguments but 1 was"),
        ("def double(x, y): return y",
         "no case has a value for out. Does double take the right arguments?"),
    ],
)  # fmt: skip
def test_inputs_come_from_the_signature_that_a_student_writes(run, answer, message):
    checks = run(answer, OPEN + TABLE + 'checks.untouched("x is left", 1)\n')
    assert checks.parts[0].message.startswith(message)
    assert [part.passed for part in checks.parts] == [not message, not message]


def test_a_case_need_not_have_every_result(run):
    cell = 'checks = Checks("f", returns="out, cache", cases=[([1.0], 3, [3.0])])\n' + TABLE
    cell += "checks.untouched(1)\n"
    assert messages(run("def f(x, n): return n * x, None", cell)) == ["", ""]
    assert messages(run("def f(x, n, more=0): return n * x, None", cell)) == ["", ""]
    (message, _) = messages(run("def f(x, n): return x, None", cell))
    assert message.endswith("Input: x = [1.], n = 3")


@pytest.mark.parametrize(
    ("function", "message", "fresh"),
    [
        (RIGHT, "", False),
        ("def double(x): return 3 * x", "out[0]: expected 2, got 3 (2 of 2 entries differ). "
         "Input: x = [1., 2.]", False),
        ("def double(x): return 2 * x if len(x) > 1 else x", "out[0]: expected 7, got 3.5. "
         "Fresh input: x = [3.5]", True),
        ("def double(x): 1 / 0", "line 1 of double: ZeroDivisionError: division by zero. "
         "Input: x = [1., 2.]", False),
        ("def double(x): pass", "out: expected numbers, got None. Is a `return` missing? "
         "Input: x = [1., 2.]", False),
        ("", "double is not defined. Did its cell end in an error?", False),
    ],
)  # fmt: skip
def test_visible_cases_first_with_input_and_values(run, graded, function, message, fresh):
    graded()
    (part,) = run(function, FRESH + TABLE).parts
    assert (part.message, part.fresh) == (message, fresh)
    assert part.passed == (not message)


def test_fresh_cases_of_the_staff_may_be_given_by_part(run, graded):
    graded(
        fresh="def double(draw): "
        "return {'': [], 'more': [(2.0, 5.0)], 'values': [(1.0, 2.0)], 'own': [(3.0,)]}"
    )
    more, own = (
        f'checks.table("{name}", 1, "out", cases=[(1.0, 2.0)])\n' for name in ("more", "own")
    )
    checks = run(RIGHT, OPEN + TABLE + more + own + SCORE)
    assert [p.passed for p in checks.parts] == [True, False, True]
    assert checks.parts[1].message == "out: expected 5, got 4. Fresh input: x = 2"
    with pytest.raises(StaffError, match="has no part 'more', for which there are cases"):
        run(RIGHT, OPEN + TABLE + SCORE)


# A solution, the end of `Checks(`, the parts, and what the author reads at release.
CASES = "cases=[([1.0], [2.0]), ([3.0], [6.0])]"
MISFITS = {
    "fewer results than named": (
        "def f(x): return 2 * x", f'returns="y, z", {CASES}', 'checks.table("values", 1, "y")',
        "`returns` names 2 results (y, z), but the solution returns one, ["),
    "fewer results than named, in a tuple": (
        "def f(x): return x, x", f'returns="y, z, t", {CASES}', 'checks.table("values", 1, "y")',
        "`returns` names 3 results (y, z, t), but the solution returns 2, (["),
    "more results than the one that is named": (
        "def f(x): return 2 * x, x", f'returns="y", {CASES}', 'checks.table("values", 1, "y")',
        "`returns` names 1 result (y), but the solution returns 2, (["),
    "fewer results than named, for drawn inputs": (
        "def f(x): return 2 * x", f'returns="y, z", {CASES}',
        'checks.fresh(lambda draw: [([1.0],)])\nchecks.table("values", 1, "y")',
        "`returns` names 2 results (y, z), but the solution returns one, [2.]."),
    "a case that is too short": (
        "def f(x, a, b=2): return a * x", 'returns="y", cases=[([1.0], 2, [2.0]), ([1.0],)]',
        'checks.table("values", 1, "y")',
        "case 2 has 1 value, expected the inputs (x, a, b (optional)) and the results (y)"),
    "a case that is too short for its named inputs": (
        "def f(x, n): return n * x", 'inputs="x, n", returns="y", cases=[([1.0],)]',
        "checks.untouched(1)",
        "case 1 has 1 value, expected the inputs (x, n) and the results (y)"),
    "a case that is too long": (
        "def f(x): return x", 'returns="y", cases=[([1.0], 2, [2.0])]', "checks.untouched(1)",
        "case 1 has 3 values, expected the inputs (x) and the results (y)"),
    "a case without a compared result": (
        "def f(x): return x, x", f'returns="y, z", {CASES}', 'checks.table("values", 1, "z")',
        "case 1 has 2 values, expected the inputs (x) and the results (y, z)"),
    "a case that is a list": (
        "def f(x): return x", 'returns="y", cases=[[[1.0], [2.0]]]', "checks.untouched(1)",
        "case 1 is [[1], [2]], expected a tuple such as ([1.0], 2)"),
    "any number of arguments": (
        "def f(*xs): return sum(xs)", 'returns="y", cases=[(1, 1), (1, 2, 3)]',
        'checks.table("values", 1, "y")',
        "case 1 has 2 values, expected the inputs (any number more) and the results (y)"),
    "an argument that is given by name": (
        "def f(x, *, n): return n * x", 'returns="y", cases=[([1.0], 2, [2.0])]',
        'checks.table("values", 1, "y")',
        "case 1 has 3 values, expected the inputs (x) and the results (y). A case cannot give n by "
        "name: let a function of the test do it, as in function=lambda x, n: f(x, n=n)"),
    "an argument with a default that is given by name": (
        "def f(x, *, n=2): return n * x", 'returns="y", cases=[([1.0], 2, [2.0])]',
        'checks.table("values", 1, "y")',
        "case 1 has 3 values, expected the inputs (x) and the results (y). A case cannot give n"),
    "a result that is not there": (
        "def f(x): return x", f'returns="y", {CASES}', 'checks.table("values", 1, "z")',
        "'z' is not a result of f: expected one of y"),
    "a misspelt range": (
        "def f(x): return 2 * x", f'returns="y", {CASES}',
        'checks.fresh(xs=(1, 2))\nchecks.table("values", 1, "y")',
        "no fresh case can be drawn: ValueError: checks.fresh names 'xs', which is no argument"),
    "a part that takes less": (
        "def f(x): return x", CASES, '@checks.part("own", 1)\ndef _(x): pass',
        "the function of this part takes x, but case 1 has 2 values"),
    "a part that takes nothing": (
        "def f(x): return x", CASES, '@checks.part("own", 1)\ndef _(): pass',
        "the function of this part takes nothing, but case 1 has 2 values. To call it once, without"
        " a case, add cases=[()]"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISFITS)
def test_what_does_not_fit_is_the_authors_mistake(run, graded, name):
    solution, opened, parts, said = MISFITS[name]
    graded(solution)
    with pytest.raises(StaffError) as caught:
        run(solution, f'checks = Checks("f", {opened})\n{parts}\n')
    assert str(caught.value).removeprefix("f: ").startswith(said)


@pytest.mark.parametrize(
    ("solution", "opened"),
    [
        ("def f(x, n=2): return n * x", CASES),
        ("def f(x, *, n=2): return n * x", CASES),
        ("def f(x): return 2 * x, 0, 0", 'cases=[([1.0], [2.0])], returns="y, z"'),
        ("def f(*xs): return 2 * xs[0]", CASES),
        ("def f(*xs): return 2 * np.array(xs)", "function=lambda xs: f(*xs), "
         "cases=[((1.0,), [2.0]), ((1.0, 2.0), [2.0, 4.0])]"),
        ("def f(x, *, n): return n * x", "function=lambda x, n: f(x, n=n), "
         "cases=[([1.0], 2, [2.0])]"),
    ],
)  # fmt: skip
def test_what_fits_is_graded(run, graded, solution, opened):
    graded(f"import numpy as np\n{solution}")
    returns = "" if "returns" in opened else 'returns="y", '
    cell = f'checks = Checks("f", {returns}{opened})\nchecks.table("values", 1, "y")\n'
    assert messages(run(solution, cell)) == [""]


@pytest.mark.parametrize(
    ("solution", "fresh", "cell", "why"),
    [
        ("def double(x): return 2 * x", "def double(draw): 1 / 0", OPEN, "ZeroDivisionError: div"),
        ("def double(x): return 2 * y", "", OPEN, "ValueError: for all inputs like those of the "
         "visible cases the solution raises NameError: name 'y' is not defined. Say with "
         "checks.fresh(...) how to draw inputs for which it is right"),
        ("1 / 0\ndef double(x): return x / 0", "", OPEN, "ValueError: for all inputs like those "
         "of the visible cases the solution returns NaN or infinity"),
        ("half = 0.5", "", OPEN, "the solutions define no such function"),
        ("def double(x): return 2 * x", "", OPEN + "checks.fresh(y=(0, 1))\n", "ValueError: "
         "checks.fresh names 'y', which is no argument: expected some of x"),
        ("def double(x): return 2 * x", "", OPEN + "checks.fresh(x=(1, 0))\n", "ValueError"),
        ("def double(x): return 2 * x", "", OPEN + "checks.fresh(lambda draw: [np.ones(2)])\n",
         "TypeError: expected a tuple of inputs, got [1., 1.]"),
        ("def double(x):\n    while True: pass", "", OPEN, "the solution raises TimeLimitReached"),
    ],
)  # fmt: skip
def test_no_fresh_case_is_no_mistake_of_the_student(
    run, graded, monkeypatch, solution, fresh, cell, why
):
    monkeypatch.setattr(notebook_access, "CPU_SECONDS", 0.2)
    graded(solution, fresh=fresh)
    with pytest.raises(StaffError) as caught:
        run(RIGHT, cell + TABLE)
    assert str(caught.value).startswith("double: no fresh case can be drawn: ")
    assert why in str(caught.value)


def test_fresh_cases_are_described_once_before_the_first_part(run, graded):
    graded()
    for wrong in ("checks.fresh(x=(0, 1))\n", ""):
        draw = "" if wrong else "lambda draw: [(1.0,)], "
        with pytest.raises(StaffError, match="once, before the first part"):
            run(RIGHT, OPEN + (TABLE if wrong else "") + f"checks.fresh({draw}x=(0, 1))\n")


# Chance hardly ever draws these two alone of 1,001 whole numbers.
HARD_CODED = "def double(x): return {1: 2.0, 1001: 2002.0}[x]"
DRAWN = {
    "like the visible cases": "",
    "by a range": "checks.fresh(x=(4, 9))\n",
    "by a function": "checks.fresh(lambda draw: [(draw.integers(4, 9),)])\n",
    "by a decorated function": (
        "@checks.fresh\ndef inputs(draw):\n"
        "    for n in (1, 2):\n        yield (n,)\nassert inputs.__name__ == 'inputs'\n"
    ),
}


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
@pytest.mark.parametrize("cases", ["cell", "part"])
def test_fresh_cases_are_drawn_and_answered(run, graded, draw, cases):
    graded()
    cell, table = 'checks = Checks("double", returns="out")\n', TABLE
    if cases == "cell":
        cell = cell.replace(")", ", cases=[(1, 2.0), (1001, 2002.0)])")
    else:
        table = TABLE.replace(")", ", cases=[(1, 2.0), (1001, 2002.0)])")
    assert messages(run(RIGHT, cell + draw + table + SCORE)) == [""]
    (part,) = run(HARD_CODED, cell + draw + table).parts
    assert part.fresh
    assert part.message.startswith("line 1 of double: KeyError: ")


def test_what_the_test_says_goes_before_the_staffs_generator(run, graded):
    graded(fresh="def double(draw): return [(100.0,)]")
    answer = "def double(x): return 2 * x if np.max(x) < 50 else x"
    assert run(answer, OPEN + TABLE).parts[0].fresh
    for draw in ("checks.fresh(x=(0, 1))\n", "checks.fresh(lambda draw: [(3.0,)])\n"):
        assert messages(run(answer, OPEN + draw + TABLE)) == [""]


@pytest.mark.parametrize(
    ("solution", "answer", "cases"),
    [
        ("def f(x):\n    if x > 2: raise ValueError\n    return 1 / x",
         "def f(x): return 1 / x if x <= 2 else 0", "(2.0, 0.5), (1.0, 1.0)"),
        ("def f(x): return np.sqrt(3 - x)", "def f(x): return np.sqrt(max(0, 3 - x))",
         "(2.0, 1.0), (1.0, 2**0.5)"),
    ],
)  # fmt: skip
def test_inputs_for_which_nothing_is_right_are_left_out(run, graded, solution, answer, cases):
    graded("import numpy as np\n" + solution)
    cell = f'checks = Checks("f", returns="out", cases=[{cases}])\n'
    assert messages(run(answer, cell + TABLE)) == [""]


def test_nan_is_drawn_if_a_visible_case_shows_it(run, graded):
    graded("import numpy as np\ndef f(x): return np.nanmean(x)")
    cell = 'checks = Checks("f", returns="out", cases=[([2.0, np.nan, 4.0], 3.0)])\n'
    assert run("def f(x): return 3.0", cell + TABLE).parts[0].fresh
    assert messages(run("def f(x): return np.nanmean(x)", cell + TABLE)) == [""]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return x @ np.ones((4, 2))", "? Input: x = an array of shape (3, 2)"),
        ("return x + np.ones(5)", ". Input: x = an array of shape (3, 2)"),
        ("raise ValueError('odd')", "ValueError: odd. Input: x = [["),
        ("return np.ones(3)['a']", "indices. Input: x = [["),
    ],
)
def test_shapes_are_told_where_arrays_do_not_fit_together(run, body, said):
    cell = 'checks = Checks("f", inputs="x", cases=[([[1.0, 2], [3, 4], [5, 6]],)])\n'
    cell += 'checks.table("values", 1, "", cases=None)\n'
    assert said in messages(run(f"def f(x): {body}\n", cell))[0]


# -- what counts


@pytest.mark.parametrize(("answer", "passed"), [(RIGHT, True), ("def double(x): return x", False)])
def test_a_part_without_values_counts_if_one_with_values_does(run, answer, passed):
    cell = OPEN + TABLE + 'checks.table("shape", 1, "out", values=False, by=len_of)\n' + SCORE

    def len_of(got, right, what):
        assert len(got) == len(right)

    checks = run(answer, cell, len_of=len_of)
    assert [part.passed for part in checks.parts] == [passed, passed]
    assert passed or checks.parts[1].message == COUNTS_ONLY
    assert checks.score_came == 3.0 * passed


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (RIGHT, ""),
        ("def double(x):\n    x *= 2\n    return x.copy()", "x after the call: expected [1., 2.]"),
        ("kept = np.zeros(2)\ndef double(x):\n    kept[:] = 2 * x\n    return kept",
         "an earlier result: expected no change"),
    ],
)  # fmt: skip
def test_calls_leave_inputs_and_earlier_results_as_they_were(run, answer, message):
    checks = run(answer, OPEN + TABLE + 'checks.untouched("x is left", 1)\n')
    assert checks.parts[0].passed
    assert checks.parts[1].message.startswith(message)
    assert bool(message) == bool(checks.parts[1].message)


PAID = ", which has cost points in its own test"
SHOWN = """checks = Checks("shown")
checks.shows("what double returns", 2, "a", lambda: double(np.array([1.0])), of=["double"])
score = checks.score()
"""


@pytest.mark.parametrize(
    ("answer", "shown", "message", "excused"),
    [
        (RIGHT, "a = [2.0]", "", ""),
        ("def double(x): return x", "a = [1.0]", "", ""),  # it costs points in its own test
        (RIGHT, "a = [3.0]", "a[0]: expected 2, got 3", ""),
        (RIGHT, "", "a is not defined. Did its cell end in an error?", ""),
        ("def double(x): 1 / 0", "", "", "double raises an error here" + PAID),
        ("def duoble(x): return 2 * x", "", "", "double is not defined" + PAID),
        ("def double(x): return helper(x)", "", "", "helper is not defined" + PAID),
        ("def double(x): return halper(x)", "", "", "double raises an error here" + PAID),
        ("def double(x): raise NotImplementedError", "", "double is not answered yet "
         "(NotImplementedError)", ""),
    ],
)  # fmt: skip
def test_a_deliverable_shows_what_the_own_functions_return(run, answer, shown, message, excused):
    earned = {"double": (0.0, 1.0)} if "def duoble" in answer else {"helper": (0.0, 1.0)}
    (part,) = run(answer, shown, SHOWN, earned=earned).parts
    assert (part.message, part.excused) == (message, excused)


def test_a_function_that_is_not_defined_is_charged_where_no_test_has_charged_it(run):
    for earned in {}, {"double": (1.0, 1.0)}, {"double": (0.0, 0.0)}:
        (part,) = run("b = 1", SHOWN, earned=earned).parts
        assert part.message == "double is not defined. Did its cell end in an error?"


def test_a_deliverable_shows_the_functions_that_its_call_names(run):
    cell = """checks = Checks("shown")
def _test_all():
    return [double(x) for x in (1.0, 2.0)], str(third)
checks.shows("all", 1, "a, b", lambda: _test_all())
"""
    space = {"double": (1.0, 3.0), "third": (3.0, 3.0), "other": (0.0, 3.0), "str": (0.0, 1.0)}
    answer = "third = 3\ndef double(x): return x\na, b = [1.0, 2.0], '3'"
    (part,) = run(answer, cell, earned=space).parts
    assert part.message.startswith("double and other and str have less than half")
    del space["double"]
    assert messages(run(answer, cell.replace("str(third)", "repr(third)"), earned=space)) == [""]


def test_what_students_functions_call_is_not_shown(run):
    earned = {"inner": (0.0, 3.0), "far": (0.0, 3.0)}
    answer = "def inner(x): return x\ndef outer(x): return inner(x)\na = 1.0"
    cell = 'checks = Checks("shown")\nchecks.shows("it", 1, "a", lambda: outer(1.0))\n'
    assert messages(run(answer, cell, earned=earned)) == [""]


RNG = "rng = np.random.default_rng(1)\n"


@pytest.mark.parametrize(
    ("answer", "how", "message"),
    [
        ("def noise(): return rng.normal(0, 2, (500, 2))", "mean=0, std=2", ""),
        ("def noise(): return [rng.random(700), [*rng.random(300)]]", "low=0, high=1", ""),
        ("def noise(): return rng.integers(1, 7, 1000)", "mean=3.5, std=1.708, low=1, high=6", ""),
        ("def noise(): return np.ones(1000)", "mean=1", ""),
        ("def noise(): return np.random.default_rng(3).random(1000)", "low=0",
         "expected two calls to differ, got the same numbers twice"),
        ("def noise(): return np.repeat(rng.random(10), 100)", "low=0",
         "expected 2000 different numbers in two calls, got 20"),
        ("def noise(): return rng.normal(0, 2, 1000)", "std=1", "expected the standard deviation"),
        ("def noise(): return None", "low=0", "the result: expected numbers, got None"),
        ("", "low=0", "noise is not defined"),
    ],
)  # fmt: skip
def test_a_random_function(run, answer, how, message):
    cell = f'checks = Checks("noise")\nchecks.random("it", 1, lambda: noise(), {how})\n'
    (part,) = run(RNG + answer, cell).parts
    assert bool(part.message) == bool(message)
    assert message in part.message


@pytest.mark.parametrize(
    ("poor", "points", "shown", "passed", "told"),
    [
        (["double"], 1.0, "a = [1.0]", True, ""),
        (["double", "other"], 1.0, "a = [1.0]", False, "double and other have less than half"),
        (["double", "other"], 1.0, "a = [2.0]", False, ""),  # a right one proves nothing either
        (["double", "other"], 1.5, "a = [1.0]", True, ""),
        (["one", "other"], 1.0, "a = [1.0]", True, ""),
    ],
)
def test_a_deliverable_of_two_poor_functions_fails(run, graded, poor, points, shown, passed, told):
    graded()
    earned = dict.fromkeys(poor, (points, 3.0))
    (part,) = run("def double(x): return x", shown, SHOWN, earned=earned).parts
    assert part.passed == passed
    assert part.message.startswith(told)


def test_points_of_functions_alone_are_remembered(run):
    checks = run(RIGHT, "a = [2.0]", OPEN + TABLE + SCORE, SHOWN)
    assert checks.notebook.earned() == {"double": (2.0, 2)}


def test_two_tests_of_one_function_add_up_and_a_test_that_runs_again_replaces_itself(run):
    other = OPEN.replace("4.0]", "5.0]") + TABLE
    checks = run(RIGHT, OPEN + TABLE, f"# Another test.\n{other}", OPEN + TABLE)
    assert checks.notebook.earned() == {"double": (2.0, 4)}
    assert Notebook({}).earned() == {}  # of another notebook


def test_a_deliverable_is_judged_once_whatever_cases_its_checks_have(run):
    cell = SHOWN.replace('"shown"', '"shown", cases=[([1.0],), ([2.0],)]', 1)
    assert messages(run(RIGHT, "a = [2.0]", cell)) == [""]


# -- what a message repeats

CURVE = """checks = Checks("area", cases=[
    (lambda t: t**2, lambda t: (t
        + 1), np.sin, math.exp, _test_f, 0.5)])
@checks.part("the area", 1)
def _(*case): assert area(*case) == 0
"""


def test_functions_in_a_case_are_shown_as_the_cell_writes_them(run):
    cells = "def area(*x): return 1 / 0\ndef _test_f(x): return x", CURVE
    written = "lambda t: t**2, argument 2 = lambda t: (t + 1), argument 3 = np.sin, argument 4 = ma"
    (message,) = messages(run(*cells, math=math))
    assert f"Input: argument 1 = {written}th.exp, argument 5 = _test_f" in message


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("results(double(x), 'a, b')", "Input: x = [1., 2.]"),
        ("double(x)\n    y = double(np.array([0.0]))\n    expect(y[0] == 1, 'at 0')",
         "at 0. Call: double(np.array([0.0]))"),
        ("y = double(np.array([0.0]))\n    z = double(x)\n    expect(z[0] == 1, 'at x')",
         "at x. Input: x = [1., 2.]"),
        ("expect(False, 'no call')", "no call. Input: x = [1., 2.]"),
        ("z = np.zeros(1)\n    expect(double(z)[0] == 1, 'at z')", "FAILED: at z"),
        ("for z in [x + 1]:\n        expect(double(z)[0] == 1, 'z')", "z. Input: x = [1., 2.]"),
    ],
)  # fmt: skip
def test_the_input_that_is_told_is_that_of_the_call_that_failed(run, lines, said):
    cell = f"{OPEN}@checks.part('one', 1)\ndef _(x, *expected):\n    {lines}\n"
    (message,) = messages(run(RIGHT, cell, expect=expect, results=results))
    assert f"FAILED: {message}".endswith(said)


# -- the second try

CHAIN = [
    "def first(x): return x + 1",
    "def second(x): return first(x)",
    "def third(x): return second(x)",
]
OF_SECOND = FRESH.replace("double", "second").replace("[2.0, 4.0]", "[2.0, 3.0]")
WRONG_FIRST = "def first(x): return 0\ndef second(x): return first(x)"


@pytest.mark.parametrize(
    ("own", "second_try", "passed"),
    [
        (WRONG_FIRST, "", True),
        ("def first(x): return x + 1\ndef second(x): return 0", "", False),  # itself is not helped
        ("def first(x): return x + 1\ndef second(x): return third(x)\ndef third(x): return 0",
         "", False),  # nor what stands below it
        (WRONG_FIRST, "def second_try(own): return {'first': own('first')}", False),
        (WRONG_FIRST, "def second_try(own): "
         "return {'first': lambda x, f=own('first'): f(x) + x + 1}", True),
    ],
)  # fmt: skip
def test_a_failed_part_runs_again_with_right_functions_above(run, graded, own, second_try, passed):
    graded(*CHAIN, reference=second_try)
    earned = dict.fromkeys(("first", "second", "third"), (0.0, 1.0))
    cells = own, "before = first", OF_SECOND + TABLE + SCORE, "assert first is before"
    checks = run(*cells, earned=earned)
    assert [part.passed for part in checks.parts] == [passed]
    assert checks.parts[0].second_try == passed
    assert not checks.second_try


@pytest.mark.parametrize(("earned", "passed"), [({}, False), ({"first": (0.0, 0.0)}, False),
                                                ({"first": (0.0, 1.0)}, True)])  # fmt: skip
def test_a_mistake_is_forgiven_only_where_it_has_cost_points(run, graded, earned, passed):
    graded(*CHAIN)
    (part,) = run(WRONG_FIRST, OF_SECOND + TABLE, earned=earned).parts
    assert part.passed == passed


def test_the_function_of_a_test_with_another_name_stays(run, graded):
    graded(*CHAIN)
    earned = {"first": (0.0, 1.0)}
    cell = OF_SECOND.replace('"second"', '"question 2", function=lambda x: second(x)')
    assert run(WRONG_FIRST, cell + TABLE, earned=earned).parts[0].second_try
    assert not run("first = lambda x: x + 1\nsecond = lambda x: 0", cell + TABLE).parts[0].passed


def test_the_message_is_that_of_the_first_try(run, graded):
    graded("def helper(x): return 5.0", "def double(x): return 2 * x")
    earned = {"helper": (0.0, 1.0)}
    answer = "def helper(x): return [][0]\ndef double(x): return helper(x)"
    checks = run(answer, OPEN + TABLE, earned=earned)
    assert messages(checks)[0].startswith("line 1 of helper, called from line 2 of double: Ind")
    checks = run("def helper(x): return x\ndef double(x): return helper(x)", OPEN + TABLE)
    assert (checks.got.tolist(), checks.expected.tolist()) == ([1, 2], [2, 4])
    assert checks.case == ([1.0, 2.0], [2.0, 4.0])


# -- known mistakes

PAIRS = """checks = Checks("pair", returns="out, grad", cases=[
    ([1.0, 2.0, 4.0], [2.0, 4.0, 8.0], [1.0, 4.0, 16.0]), ([3.0], [6.0], [9.0])])
checks.table("values", 1, "out")
checks.table("derivatives", 1, "grad")
"""
PAIR = "def pair(x): return {}, {}\n"
HOME = "home.released.json"


@pytest.fixture
def told(run, tmp_path, monkeypatch):
    """Run an answer beside a description with these sentences, and return the causes told."""
    monkeypatch.chdir(tmp_path)
    known.told_in.cache_clear()

    def causes(answer, sentences, more=""):
        described = {"known": {"pair": sentences}}
        (tmp_path / HOME).write_text(json.dumps(described) + more, encoding="utf-8")
        known.told_in.cache_clear()
        return [m.partition("Likely cause: ")[2] for m in messages(run(answer, PAIRS))]

    yield causes
    known.told_in.cache_clear()


def prints_of(run, answer, cell=PAIRS):
    return [part.fingerprint for part in run(answer, cell).parts]


def test_a_known_mistake_is_told_at_home_once_where_its_results_are_seen(run, told):
    cubed = PAIR.format("2 * x", "x**3")
    right, of_grad = prints_of(run, cubed)
    assert not right, "the right result has no fingerprint"
    sentences = {of_grad: "this is the cube"}
    assert told(cubed, sentences) == ["", "this is the cube. Input: x = [1., 2., 4.]"]
    for other in ("x**3 + (x == 3)", "x**3 + 1e-3", "np.append(x**3, 0)", "x**2"):
        assert told(PAIR.format("2 * x", other), sentences) == ["", ""]
    assert told(PAIR.format("x**3", "x**2"), sentences) == ["", ""], "another result"
    both = PAIR.format("x**3", "x**3 + 1")
    sentences = dict.fromkeys(prints_of(run, both), "both")
    assert told(both, sentences) == ["both. Input: x = [1., 2., 4.]", ""]
    assert told(both, sentences, more="}") == ["", ""], "a damaged description is no error"


def test_a_known_exception_is_told_and_a_grader_tells_nothing(run, told, graded):
    answer = "def pair(x): return [][len(x)]"
    of_error, _ = prints_of(run, answer)
    assert told(answer, {of_error: "the list is empty"})[0].startswith("the list is empty. Input:")
    graded("def pair(x): return 2 * x, x**2")
    assert told(answer, {of_error: "the list is empty"}) == ["", ""]


def test_results_that_have_changed_places_are_named(run, told):
    said = told(PAIR.format("x**2", "2 * x"), {})
    assert said == ["grad and out have changed places. Input: x = [1., 2., 4.]", ""]


def test_a_fingerprint_holds_no_value_of_fresh_inputs(run, graded):
    graded("def double(x): return 2 * x")
    shown = "len(x) == 2 and list(x) in ([1.0, 2.0],)"  # as in the visible case
    for wrong in ("x + 0.125", "x[:0]", "[][int(1e9 * x[0])]", "int(str(x[0]) + 'a')"):
        answer = f"def double(x): return 2 * x if {shown} else {wrong}"
        (part,) = run(answer, OPEN + TABLE).parts
        assert part.fresh
        assert part.fingerprint
        assert not any(one.isdigit() for one in part.fingerprint)


def test_the_fingerprint_is_that_of_the_second_try(run, graded):
    graded(*CHAIN)
    earned = {"first": (0.0, 1.0)}
    wrong = "second = lambda x: first(x) + 7.0"
    right_above, wrong_above = (
        run(f"first = lambda x: {first}\n{wrong}", OF_SECOND + TABLE, earned=earned).parts[0]
        for first in ("x", "x + 1")
    )
    assert not right_above.passed
    assert right_above.fingerprint == wrong_above.fingerprint


SIGNED = """checks = Checks("f", returns="out", cases=[
    ([1.5, -2.0, 4.0], [1.5, -2.0, 4.0]), ([1.5, 3.0, 5.0], [1.5, 3.0, 5.0])])
checks.table("values", 1, "out")
"""


@pytest.mark.parametrize(
    ("answer", "told"), [("-x", True), ("-x if min(x) < 0 else x", False), ("-abs(x)", False)]
)
def test_a_cause_is_told_only_if_all_visible_cases_bear_it_out(run, answer, told):
    (message,) = messages(run(f"def f(x): return {answer}", SIGNED))
    assert ("Likely cause: the sign is wrong" in message) == told


def test_values_of_names_that_have_changed_places_are_named(run):
    cell = "checks = Checks('two')\nchecks.shows('both', 1, 'a, b', lambda: (1.0, 2.0))\n"
    assert messages(run("a, b = 2.0, 1.0", cell))[0].endswith("values of a, b have changed places")
    assert "Likely cause" not in messages(run("a, b = 2.0, 3.0", cell))[0]
    cell = "checks = Checks('two')\nchecks.shows('all', 1, 'a', lambda: np.array([0.0, 1.0]))\n"
    assert messages(run("a = [1, 0]", cell))[0].endswith("values are right, in another order")
    cell = "checks = Checks('one')\nchecks.shows('it', 1, 'a', lambda: 0.6985168039)\n"
    assert messages(run("a = 2 * 0.6985168039", cell))[0].endswith("the sum, and not the mean?")


# -- what stops a part, or the cell


def test_an_unanswered_function_is_called_once(run, capsys):
    calls = []
    answer = "def double(x):\n    calls.append(x)\n    raise NotImplementedError\n"
    checks = run(answer, OPEN + TABLE + TABLE + TABLE + SCORE, calls=calls)
    assert len(calls) == 1
    assert checks.score_came == 0.0
    assert capsys.readouterr().out.splitlines() == [
        "FAILED  all 3 parts [6 pt]",
        "        double is not answered yet (NotImplementedError)",
        "double: 0 of 6 points",
    ]


def test_an_interrupt_ends_the_cell_and_restores_names(run, graded):
    graded("def helper(x): return 5.0", "def double(x): return 2 * x + 0 * helper(x)")
    answer = (
        "def helper(x): return 0.0\ndef double(x):\n"
        "    if helper(x): raise KeyboardInterrupt\n    return x\n"
    )
    space = {"Checks": Checks, "np": np}
    notebook_of(space).points["helper", "", 0] = 0.0, 1.0
    exec(answer, space)
    helper = space["helper"]
    with pytest.raises(KeyboardInterrupt):
        exec(OPEN + TABLE, space)
    assert space["helper"] is helper


@pytest.mark.parametrize(
    "endless",
    [
        "\n  while True: pass",
        "import time; time.sleep(3600)",
    ],
)
def test_an_endless_function_fails_its_part_within_the_limit(run, monkeypatch, endless):
    monkeypatch.setattr(notebook_access, "CPU_SECONDS", 0.2)
    monkeypatch.setattr(notebook_access, "WALL_SECONDS", 1.0)
    answer = f"def helper(x): {endless}\ndef double(x): return helper(x)\n"
    calls = []
    answer += "def double(x):\n    calls.append(x)\n    return helper(x)\n"
    message, again = messages(run(answer, OPEN + TABLE * 2 + SCORE, calls=calls))
    assert message.startswith("did not return within 0.2 s (an endless loop?)")
    assert again == "`double` is not called again: it did not return within the time limit"
    assert len(calls) == 1


@pytest.mark.parametrize("error", [ValueError("odd"), SystemExit(0), StopIteration()])
def test_a_part_that_raises_fails_alone(run, error):
    def double(x):
        if len(x) > 1:
            raise error
        return 2 * x

    more = 'checks.table("more", 1, "out", cases=[([3.0], [6.0])])\n'
    checks = run(OPEN + TABLE + more + SCORE, double=double)
    assert [part.passed for part in checks.parts] == [False, True]
    assert checks.score_came == 1.0


# -- what is printed


def test_passed_parts_are_printed_on_one_line_above_the_points(run, capsys):
    tables = TABLE + TABLE.replace("values", "more")
    run(
        RIGHT, OPEN + tables + "checks.note(' Look\\n here. ')\n" * 2 + "checks.note(' ')\n" + SCORE
    )
    assert capsys.readouterr().out.splitlines() == [
        "note    Look here.",
        "passed  values [2 pt], more [2 pt]",
        "double: 4 of 4 points",
    ]


@pytest.mark.parametrize(("how", "passed"), [("", True), (", exactly=True", False)])
def test_a_test_cell_may_refuse_further_results(run, how, passed):
    cell = PAIRS.replace(", cases", how + ", cases")
    checks = run("def pair(x): return 2 * x, x**2, 'more'", cell)
    assert [part.passed for part in checks.parts] == [passed, passed]


LONG = f"""
@checks.part("a message of many words", 1)
def _():
    raise Mismatch("{"expected a word, got another, " * 8}")
"""


def test_a_failure_is_wrapped_and_told_once(run, capsys):
    again = TABLE.replace("values", "more") + TABLE.replace(")", ", values=False)")
    again += TABLE.replace("values", "third") + TABLE.replace("values", "fourth")
    answer = "def double(x): return [1 / 0][0]"
    run(answer, OPEN + TABLE + again + LONG + SCORE, Mismatch=Mismatch)
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 88
    input_and_rest = said.partition("Input: x = [1., 2.]\n")[2]
    assert "Input" not in input_and_rest
    assert "FAILED  more [2 pt]\n        line 1 of double: ZeroDivisionError" in input_and_rest
    assert "FAILED  values [2 pt]\n        counts only if a part that compares" in input_and_rest
    again = "FAILED  third [2 pt], fourth [2 pt]\n        for the same reason as a part above"
    assert again in input_and_rest


@pytest.mark.parametrize(("variable", "coloured"), [("", True), ("NO_COLOR", False)])
def test_a_terminal_gets_colours(run, capsys, monkeypatch, variable, coloured):
    monkeypatch.setattr(printing.sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv(variable or "COLOR", "1")
    run(RIGHT, OPEN + TABLE + SCORE)
    assert ("\x1b[32mpassed\x1b[0m  values" in capsys.readouterr().out) == coloured


def test_a_notebook_shows_no_number_below_the_points(run, monkeypatch):
    shown = run(RIGHT, OPEN + TABLE + SCORE).score_came
    assert (shown, hasattr(shown, "_ipython_display_")) == (2.0, True)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert type(run(RIGHT, OPEN + TABLE + SCORE).score_came) is float
    assert run(RIGHT, OPEN + TABLE.replace("2", "0") + SCORE).score_came is None  # of 0 points


def test_nothing_is_printed_for_fresh_cases(run, graded, capsys):
    graded("def double(x):\n    print('right')\n    return 2 * x")
    answer = "import sys\ndef double(x):\n    print('on', x, file=sys.stderr)\n    return 2 * x\n"
    run(answer, FRESH + TABLE + SCORE)
    out = "on [1. 2.]\npassed  values [2 pt]\ndouble: 2 of 2 points\n"
    assert capsys.readouterr() == (out, "")


def test_validation_of_nbgrader_reports_failed_parts_as_an_error(run, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    assert run(RIGHT, OPEN + TABLE + SCORE).score_came == 2.0
    with pytest.raises(AssertionError, match=r"parts that failed:\nvalues: out\[0\]: expected"):
        run("def double(x): return x", OPEN + TABLE + SCORE)


def test_the_last_result_of_ipython_survives_a_part(monkeypatch):
    # IPython leaves `_` alone if Python's own displayhook has bound it in this process.
    monkeypatch.delattr(builtins, "_", raising=False)
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    shell.run_cell("from hw_support import Checks\n41 + 1")
    shell.run_cell('checks = Checks("f")\n@checks.part("nothing", 1)\ndef _(): pass\nkept = _')
    assert shell.user_ns["kept"] == 42
    assert [part.passed for part in shell.user_ns["checks"].parts] == [True]
    assert os.environ.get("NBGRADER_EXECUTION") is None


@pytest.mark.parametrize(
    ("came", "exactly", "got"),
    [
        ((1, 2), False, [1, 2]),
        (iter([1, 2, 3]), False, [1, 2]),
        ((1, 2), True, [1, 2]),
        ((1, 2, 3, 4), True, ", got 4 of them. Put what belongs together into one tuple"),
        (iter([1, 2, 3]), True, ", got more. Put what belongs together into one tuple"),
        (None, False, ", got None. Is a `return` missing?"),
        (np.ones((2, 2)), False, ", got one array, [[1., 1.], [1., 1.]]"),
        ("ab", False, ", got one text, 'ab'"),
        ({1: 2, 3: 4}, False, ", got one dictionary, {1: 2, 3: 4}"),
        ([1], False, ", got [1]"),
    ],
)
def test_results_are_as_many_as_names(came, exactly, got):
    if isinstance(got, list):
        assert results(came, "out, grad", exactly=exactly) == got
    else:
        said = re.escape(f"expected 2 results (out, grad){got}")
        with pytest.raises(Mismatch, match=said):
            results(came, "out, grad", exactly=exactly)


@pytest.mark.parametrize("came", [(1, 2), None, "ab", {1: 2}, [1]], ids=str)
def test_what_is_returned_is_the_one_result(came):
    assert results(came, "out") == [came]


def test_an_iterator_is_compared_by_its_entries_and_may_never_end():
    assert results(iter("ab"), "letters") == [["a", "b"]]
    assert len(results(itertools.count(), "numbers")[0]) == 10_000
