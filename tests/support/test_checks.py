"""A part is a function of a case: how it is run, tried again, charged and reported."""

import builtins
import os
import sys
from types import ModuleType

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import hw_support
from hw_support import checks as language
from hw_support.checks import COUNTS_ONLY, Checks, StaffError, results
from hw_support.compare import Mismatch

OPEN = 'checks = Checks("double", inputs="x", returns="out", cases=[([1.0, 2.0], [2.0, 4.0])])\n'
GRADED = OPEN + 'checks.grade_with("toy_staff")\n'
TABLE = 'checks.table("values", 2, "out")\n'
SCORE = "score = checks.score()\n"


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """No result of another test counts, and no validation is going on."""
    monkeypatch.setattr(language, "earned", {})
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


@pytest.fixture
def run():
    """Run cells of a notebook; return its checks after the last one."""

    def cells(*sources, **names):
        space = {"hw_support": hw_support, "np": np, "Checks": Checks, **names}
        for source in sources:
            exec(compile(source, f"<{source[:9]}>", "exec"), space)
        checks = space["checks"]
        checks.score_came = space.get("score")
        return checks

    return cells


@pytest.fixture
def staff(monkeypatch):
    """Make a staff package with these sources importable as `toy_staff`."""

    def make(reference="def double(x): return 2.0 * x\n", fresh=""):
        for name, source in (("", ""), (".reference", reference), (".fresh", fresh)):
            module = ModuleType(f"toy_staff{name}")
            monkeypatch.setitem(sys.modules, module.__name__, module)
            exec(source, vars(module))

    return make


def messages(checks):
    return [part.message for part in checks.parts]


RIGHT = "def double(x): return 2 * x\n"
FRESH = "import numpy as np\ndef double(draw): return [(np.array([3.5]), np.array([7.0]))]\n"


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
        ("def double(x): return helper(x)", "line 1 of double: NameError: name 'helper' is not "
         "defined. Input: x = [1., 2.]", False),
        ("", "double is not defined. Did its cell end in an error?", False),
    ],
)  # fmt: skip
def test_visible_cases_first_with_input_and_values(run, staff, function, message, fresh):
    staff(fresh=FRESH)
    (part,) = run(function, GRADED + TABLE).parts
    assert (part.message, part.fresh) == (message, fresh)
    assert part.passed == (not message)


def test_fresh_cases_may_be_given_by_part(run, staff):
    staff(fresh='def double(draw): return {"": [], "more": [(2.0, 5.0)], "values": [(1.0, 2.0)]}')
    own = 'checks.table("more", 1, "out", cases=[(1.0, 2.0)])\n'
    assert [p.passed for p in run(RIGHT, GRADED + TABLE + own + SCORE).parts] == [True, False]
    with pytest.raises(StaffError, match="has no part 'more', for which there are cases"):
        run(RIGHT, GRADED + TABLE + SCORE)


@pytest.mark.parametrize("package", ["toy_staff", "no_such_staff"])
def test_staff_code_that_fails_is_no_mistake_of_the_student(run, staff, package):
    staff(fresh="def double(draw): 1 / 0")
    with pytest.raises(StaffError, match=f"{package} has no cases for double: "):
        run(RIGHT, GRADED.replace("toy_staff", package))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return x @ np.ones((4, 2))", ". Input: x = an array of shape (3, 2)"),
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


SHOWN = """checks = Checks("shown")
checks.shows("what double returns", 2, "a", lambda: double(np.array([1.0])), of=["double"])
score = checks.score()
"""


@pytest.mark.parametrize(
    ("answer", "shown", "message", "excused"),
    [
        (RIGHT, "a = [2.0]", "", False),
        ("def double(x): return x", "a = [1.0]", "", False),  # it costs points in its own test
        (RIGHT, "a = [3.0]", "a[0]: expected 2, got 3", False),
        (RIGHT, "", "a is not defined. Did its cell end in an error?", False),
        ("def double(x): 1 / 0", "", "", True),
        ("def double(x): raise NotImplementedError", "", "double is not answered yet "
         "(NotImplementedError)", False),
    ],
)  # fmt: skip
def test_a_deliverable_shows_what_the_own_functions_return(run, answer, shown, message, excused):
    (part,) = run(answer, shown, SHOWN).parts
    assert (part.message, part.excused) == (message, excused)


@pytest.mark.parametrize(
    ("poor", "shown", "passed", "told"),
    [
        (["double"], "a = [1.0]", True, ""),
        (["double", "other"], "a = [1.0]", False, "double and other have less than half"),
        (["double", "other"], "a = [2.0]", True, ""),  # the reference's
        (["one", "other"], "a = [1.0]", True, ""),
    ],
)
def test_of_two_poor_functions_only_right_results_count(run, staff, poor, shown, passed, told):
    staff()
    language.earned.update(dict.fromkeys(poor, (1.0, 3.0)))
    cell = SHOWN.replace('"shown")', '"shown")\nchecks.grade_with("toy_staff")')
    (part,) = run("def double(x): return x", shown, cell).parts
    assert part.passed == passed
    assert part.message.startswith(told)


def test_a_deliverable_of_poor_functions_is_told_what_counts(run):
    language.earned.update(dict.fromkeys(("double", "other"), (1.0, 3.0)))
    (part,) = run("def double(x): return x", "a = [1.0]", SHOWN).parts
    assert part.message.endswith("When you are graded, the right value counts")


def test_points_of_functions_alone_are_remembered(run):
    run(RIGHT, "a = [2.0]", OPEN + TABLE + SCORE, SHOWN)
    assert language.earned == {"double": (2.0, 2)}


# -- the second try

CHAIN = """def first(x): return x + 1
def second(x): return first(x)
def third(x): return second(x)
def _hidden(x): return 0
"""


@pytest.mark.parametrize(
    ("own", "second_try", "passed"),
    [
        ("def first(x): return 0\ndef second(x): return first(x)", "", True),
        ("def first(x): return x + 1\ndef second(x): return 0", "", False),  # itself is not helped
        ("def first(x): return x + 1\ndef second(x): return third(x)\ndef third(x): return 0",
         "", False),  # nor what stands below it
        ("def first(x): return 0\ndef second(x): return first(x)",
         "def second_try(own): return {'first': own('first')}", False),
        ("def first(x): return 0\ndef second(x): return first(x)",
         "def second_try(own): return {'first': lambda x, f=own('first'): f(x) + x + 1}", True),
    ],
)  # fmt: skip
def test_a_failed_part_runs_again_with_right_functions_above(run, staff, own, second_try, passed):
    staff(CHAIN + second_try)
    cell = GRADED.replace("double", "second").replace("[2.0, 4.0]", "[2.0, 3.0]")
    checks = run(own, "before = first", cell + TABLE + SCORE, "assert first is before")
    assert [part.passed for part in checks.parts] == [passed]
    assert checks.parts[0].second_try == passed
    assert not checks.second_try


def test_the_message_is_that_of_the_first_try(run, staff):
    staff("def helper(x): return 5.0\ndef double(x): return 2 * x")
    answer = "def helper(x): return [][0]\ndef double(x): return helper(x)"
    checks = run(answer, GRADED + TABLE)
    assert messages(checks)[0].startswith("line 1 of helper: IndexError")
    checks = run("def helper(x): return x\ndef double(x): return helper(x)", GRADED + TABLE)
    assert (checks.got.tolist(), checks.expected.tolist()) == ([1, 2], [2, 4])
    assert checks.case == ([1.0, 2.0], [2.0, 4.0])


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


def test_an_interrupt_ends_the_cell_and_restores_names(run, staff):
    staff("def helper(x): return 5.0\ndef double(x): return 2 * x")
    answer = (
        "def helper(x): return 0.0\ndef double(x):\n"
        "    if helper(x): raise KeyboardInterrupt\n    return x\n"
    )
    space = {"Checks": Checks, "np": np}
    exec(answer, space)
    helper = space["helper"]
    with pytest.raises(KeyboardInterrupt):
        exec(GRADED + TABLE, space)
    assert space["helper"] is helper


@pytest.mark.parametrize(
    "endless",
    [
        "\n  while True: pass",
        "import time; time.sleep(3600)",
        "\n  while True:\n    try:\n      while True: pass\n    except BaseException: pass",
    ],
)
def test_an_endless_function_fails_its_part_within_the_limit(run, monkeypatch, endless):
    monkeypatch.setattr(language, "CPU_SECONDS", 0.2)
    monkeypatch.setattr(language, "WALL_SECONDS", 1.0)
    answer = f"def helper(x): {endless}\ndef double(x): return helper(x)\n"
    (message,) = messages(run(answer, OPEN + TABLE + SCORE))
    assert message.startswith("did not return within 0.2 s (an endless loop?)")


class OddError(BaseException):
    pass


@pytest.mark.parametrize("error", [ValueError("odd"), SystemExit(0), OddError(), StopIteration()])
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


def test_each_part_is_printed_on_a_line_and_the_points_below(run, capsys):
    run(RIGHT, OPEN + TABLE + "checks.note(' Look\\n here. ')\n" * 2 + "checks.note(' ')\n" + SCORE)
    assert capsys.readouterr().out.splitlines() == [
        "passed  values [2 pt]",
        "note    Look here.",
        "double: 2 of 2 points",
    ]


def test_nothing_is_printed_for_fresh_cases(run, staff, capsys):
    staff(fresh=FRESH)
    answer = "import sys\ndef double(x):\n    print('on', x, file=sys.stderr)\n    return 2 * x\n"
    run(answer, GRADED + TABLE)
    assert capsys.readouterr() == ("on [1. 2.]\npassed  values [2 pt]\n", "")


def test_validation_of_nbgrader_reports_failed_parts_as_an_error(run, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    assert run(RIGHT, OPEN + TABLE + SCORE).score_came == 2.0
    with pytest.raises(AssertionError, match=r"parts that failed:\nvalues: out\[0\]: expected"):
        run("def double(x): return x", OPEN + TABLE + SCORE)


def test_parts_without_points_have_no_score(run):
    assert run(RIGHT, OPEN + TABLE.replace("2", "0") + SCORE).score_came is None


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
    ("came", "got"),
    [
        ((1, 2), [1, 2]),
        (iter([1, 2, 3]), [1, 2]),
        (None, "got None. Is a `return` missing?"),
        (np.ones((2, 2)), "got [[1., 1.], [1., 1.]]"),
        ("ab", "got 'ab'"),
        ({1: 2, 3: 4}, "got an object of type dict"),
        ([1], "got [1]"),
    ],
)
def test_results_are_as_many_as_names(came, got):
    if isinstance(got, list):
        assert results(came, "out, grad") == got
        assert results(came, "out") == [came]
    else:
        with pytest.raises(Mismatch) as caught:
            results(came, "out, grad")
        assert str(caught.value) == f"expected 2 results (out, grad), {got}"
