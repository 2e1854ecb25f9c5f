"""What is right comes from the solutions of the source notebook, with the staff's functions."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from right_functions import reference_of
from toy_course import code, text

from hw_grading.examiner.reference import CellReference, Reference
from hw_grading.homework.course import REPOSITORY
from hw_grading.homework.layout import ANSWER, LOCKED, PLAIN, SOLUTIONS, TEST
from hw_grading.homework.notebook import Notebook, solutions_of
from hw_support.source import bound_by

SETUP = (LOCKED, "setup", "import math\nSTEP = 0.5")
Made = Callable[..., Reference]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """Return the reference of notebooks, each a list of cells."""
    return lambda *notebooks, **staff: reference_of(tmp_path, monkeypatch, *notebooks, **staff)


def checked(name: str, *, results: bool = True) -> tuple[str, str, str]:
    """A test cell for a function."""
    returns = ', returns="y"' if results else ""
    return TEST, f"test_{name}", f'checks = Checks("{name}"{returns})\nchecks.score()'


def answer(source: str, name: str = "answer") -> tuple[str, str, str]:
    return ANSWER, name, source


def at(made: Made, *cells: tuple[str, str, str], test: str = "test_f", **staff: str) -> Any:
    return made([SETUP, *cells], **staff).at(test)


def value(right: CellReference, name: str, *inputs: Any) -> Any:
    function = right.function(name)
    assert function, right.why_not(name)
    return function(*inputs)


# -- which statements are run


@pytest.mark.parametrize(
    ("source", "due"),
    [
        ("def f(x): return 2 * x", 6),
        ("f = lambda x: 2 * x", 6),
        ("from functools import partial\nf = partial(max, 5)", 5),
        ("SCALE = STEP * 4\ndef f(x): return SCALE * x", 6),
        ("SCALE: float = math.sqrt(4)\ndef f(x): return SCALE * x", 6),
        ("TABLE = [0] * 4\nfor n in range(4):\n    TABLE[n] = 2 * n\ndef f(x): return TABLE[x]", 6),
        ("class Twice:\n    def __call__(self, x): return 2 * x\nf = Twice()", 6),
        ("try:\n    from nowhere import twice\nexcept ImportError:\n    twice = lambda x: 2 * x\n"
         "def f(x): return twice(x)", 6),
        ("def f(x, steps=[STEP]): return x / steps[0]", 6),
        ("cached = lambda g: g\n@cached\ndef f(x): return 2 * x", 6),
        ("%matplotlib inline\ndef f(x): return 2 * x\n%time print(f(2))", 6),
    ],
)  # fmt: skip
def test_what_a_function_needs_is_run(made: Made, source: str, due: int) -> None:
    right = at(made, answer(source), checked("f"))
    assert value(right, "f", 3) == due


@pytest.mark.parametrize(
    "source",
    [
        "history = train(10**9)",
        "losses = []\nfor epoch in range(3):\n    losses.append(1 / 0)",
        "import matplotlib.pyplot as plt\nfig, ax = plt.subplots(1 / 0)",
        "%timeit f(1 / 0)",
        "W = 1 / 0\nW -= 1 / 0",
    ],
)
def test_what_no_function_needs_is_not_run(made: Made, source: str) -> None:
    """Such as a training of minutes, a plot or what is printed."""
    functions = "def train(n): raise AssertionError\ndef f(x): return 2 * x\n"
    answers = answer(functions + source), answer(source, "run")
    right = at(made, *answers, checked("f"), checked("history", results=False))
    assert value(right, "f", 3) == 6
    assert right.why_not("history") == ""


@pytest.mark.parametrize(
    "test",
    [
        'checks = Checks("question")\nchecks.part("twice", 1)(lambda: g(3))',
        'checks = Checks("question")\nchecks.shows("y", 1, "y", measured, of=["g"])',
        "for function in [g]:\n    assert function(3) == 6",
        "def _test_cases(function=g):\n    yield function, 6",
        'with_helper = getattr(notebook, "beside")',
    ],
)
def test_a_test_asks_for_the_functions_that_it_names(made: Made, test: str) -> None:
    answers = answer("def g(x): return SIZE * x\ndef beside(x): return g(x)"), answer("SIZE = 2")
    others = (PLAIN, "", "def shown(x): return history\nhistory = 1 / 0"), answer("history")
    right = at(made, *answers, *others, (TEST, "test_f", test))
    assert value(right, "g", 3) == 6
    assert bool(right.function("beside")) == ("beside" in test)
    assert right.function("shown") is None
    assert right.why_not("history") == ""


HW0 = {
    "as_column": ["as_column"],
    "squared_errors": ["squared_errors"],
    "standardize": ["standardize"],
    "squared_distances": ["squared_distances"],
    "central_difference": ["central_difference"],
}
HW2 = {
    "": ["hw_support"],
    "finite_difference_checker": ["finite_difference_checker"],
    "sigmoid_activation": ["sigmoid_activation"],
    "logistic_loss": ["logistic_loss"],
    "relu_activation": ["relu_activation"],
    "layer_forward": ["layer_forward"],
    "create_weight_matrices": ["create_weight_matrices"],
    "create_bias_vectors": ["create_bias_vectors"],
    "forward_pass": ["forward_pass"],
    "backward_pass": ["backward_pass"],
    "train": ["BATCH_SIZE", "EPOCHS", "STEP_SIZE", "train"],
    "my_nn_finite_difference_checker": ["my_nn_finite_difference_checker"],
}


@pytest.mark.parametrize(("homework", "expected"), [("hw0", HW0), ("hw2", HW2)])
def test_a_start_runs_the_tested_functions_and_no_training_and_no_plot(
    made: Made, monkeypatch: pytest.MonkeyPatch, homework: str, expected: dict[str, list[str]]
) -> None:
    """Of the solutions; the instructor's locked cells run whole."""
    path = REPOSITORY / "source" / homework / f"{homework}.ipynb"
    cells = [(cell.kind, cell.grade_id, cell.source) for cell in Notebook.read(path).code]
    ran = list[tuple[str, str]]()

    def note(source: str, name: str, names: object, *, locked: bool) -> list[Any]:
        ran.append((name, source))
        return []

    monkeypatch.setattr("hw_grading.examiner.reference.run_cell", note)
    made(cells)
    locked = [(name, source) for kind, name, source in cells if kind == LOCKED]
    assert [one for one in ran if one in locked] == locked
    own = {name: bound_by(source) for name, source in ran if (name, source) not in locked}
    assert own == expected
    assert len(ran) == len(locked) + len(own)


@pytest.mark.parametrize("kind", [LOCKED, PLAIN])
def test_a_solution_uses_what_stands_between_the_answers(made: Made, kind: str) -> None:
    cells = [
        (PLAIN, "", "import os.path as imported\nprint(1 / 0)"),
        answer("def g(x): return 2 * x"),
        (kind, "", "def helper(x): return g(x) + STEP"),
        answer("def f(x): return imported and helper(x)"),
        checked("f"),
    ]
    assert value(at(made, *cells), "f", 3) == 6.5


def test_a_function_of_the_first_cells_calls_a_later_answer(made: Made) -> None:
    first = (LOCKED, "first", "def twice(function, x): return f(f(x))")
    right = at(made, first, answer("def f(x): return 2 * x"), checked("f"))
    assert value(right, "twice", None, 3) == 12


def test_a_solution_that_raises_leaves_the_others(made: Made) -> None:
    cells = [
        answer("def f(x, y=[][0]): return x\ndef h(x): return x"),
        (LOCKED, "locked", "numbers = [1, f(2)]"),
        answer("def g(x): return 2 * x"),
        checked("f"),
        checked("g"),
    ]
    right = at(made, *cells)
    assert value(right, "g", 3) == 6
    assert right.function("f") is right.function("h") is None
    assert right.why_not("f") == right.why_not("h") == "IndexError: list index out of range"
    assert right.why_not("numbers") == "NameError: name 'f' is not defined"
    assert right.why_not("nobody") == ""


def test_a_cell_without_python_or_a_module_leaves_the_others(made: Made) -> None:
    cells = [
        (LOCKED, "magic", "%matplotlib inline\nONE = 1"),
        (LOCKED, "missing", "import no_such_module\nTWO = 2"),
        answer("x = = 1"),
        answer("def f(x): return x + ONE"),
        checked("f"),
    ]
    right = at(made, *cells)
    assert value(right, "f", 3) == 4
    assert right.why_not("TWO").startswith("locked cell 'missing': No module named 'no_such")


def test_a_start_has_one_limit_and_names_the_cell_that_reached_it(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hw_grading.examiner.reference._CPU_SECONDS", 0.2)
    endless = answer("def f(x): return SIZE\nSIZE = 1\nwhile SIZE:\n    SIZE += 1", "endless")
    before = answer("def e(x): return x"), checked("e")
    right = at(made, *before, endless, answer("def g(x): return x"), checked("f"), checked("g"))
    assert right.function("e")
    assert value(right, "g", 3) == 3
    said = "cell 'endless' was still running when the solutions that tests need had taken 0.2 s"
    assert right.why_not("SIZE").startswith(said)


def test_variables_are_no_functions_and_classes_replace_none(made: Made) -> None:
    right = at(made, answer("class f:\n    pass\ng = 3"), checked("f"), checked("g"))
    assert isinstance(right.function("f"), type)  # it is called as a function
    assert right.function("g") is right.function("h") is None
    assert right.above("g", ["f"], lambda name: None) == {}
    assert right.has_solutions


# -- the staff's functions


STAFF = "def g(x): return 10 * x\ndef _hidden(x): return 0\ndef other(x): return 0\n"


def test_functions_of_the_staff_replace_solutions_by_name(made: Made) -> None:
    cells = answer("def g(x): return 2 * x"), answer("def f(x): return g(x) + 1"), checked("f")
    right = at(made, *cells, reference=STAFF)
    assert value(right, "g", 3) == 30
    assert value(right, "f", 3) == 31  # a solution calls it too
    assert right.function("_hidden") is None
    above = right.above("f", ["g", "f"], {}.get)
    assert {name: function(1) for name, function in above.items()} == {"g": 10}


def test_staff_code_answers_also_for_a_test_that_is_not_in_the_source(made: Made) -> None:
    right = made(reference="def g(x): return 2 * x\ndef f(x): return g(x)").at("test_f")
    assert value(right, "f", 3) == 6
    assert right.above("f", ["f", "g"], {}.get) == {}


def test_the_staffs_second_try_has_the_notebooks_own_functions(made: Made) -> None:
    staff = "def second_try(own):\n    return {'g': lambda x: own('g')(x) + 1, 'new': own}\n"
    cells = answer("def g(x): return 2 * x"), answer("def f(x): return g(x)"), checked("f")
    right = at(made, *cells, reference=staff)
    above = right.above("f", ["g"], {"g": lambda x: 100}.get)
    assert {name: function(1) for name, function in above.items()} == {"g": 101}
    assert right.function("second_try") is None


def test_fresh_py_draws_by_the_name_of_the_checks(made: Made) -> None:
    right = at(made, answer("def f(x): return x"), checked("f"), fresh="def f(draw): return [(1,)]")
    draw = right.generator_of("f")
    assert draw
    assert draw(np.random.default_rng(0)) == [(1,)]
    assert right.generator_of("g") is None


def test_staff_code_that_misses_a_module_is_not_overlooked(made: Made) -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        made(reference="import no_such_module")


# -- what a second try replaces


CHAIN = [
    answer("def first(x): return x\ndef helper(x): return first(x)\nfrom math import sqrt", "one"),
    checked("first"),
    answer("def second(x): return helper(x)", "two"),
    answer("def alone(x): return x", "untested"),
    checked("second"),
    answer("def third(x): return SIZE * x\nSIZE = second(alone(1))", "three"),
    checked("third"),
    answer("shown = second(1)", "four"),
    (TEST, "test_shown", "checks = Checks('shown')\nchecks.shows('all', 1, 'shown', lambda: 1)"),
    (TEST, "test_other", "checks = Checks('other')\n@checks.part('one', 1)\ndef _(): helper(3)"),
]
GRADED = ["first", "second", "third"]


@pytest.mark.parametrize(
    ("test", "name", "graded", "above"),
    [
        ("test_first", "first", [], []),
        ("test_second", "second", GRADED, ["first", "helper"]),
        # By way of values and of functions; `alone` has no points, so a mistake in it has no price.
        ("test_third", "third", GRADED, ["first", "helper", "second"]),
        ("test_third", "third", ["second"], ["second"]),
        ("test_third", "third", ["alone"], ["alone"]),
        # Of a deliverable: by the value that it shows, and by the test. `third` is not called.
        ("test_shown", "shown", GRADED, ["first", "helper", "second"]),
        ("test_other", "other", GRADED, ["first", "helper"]),
    ],
)
def test_right_functions_are_those_that_the_tested_solution_calls(
    made: Made, test: str, name: str, graded: list[str], above: list[str]
) -> None:
    right = at(made, *CHAIN, test=test)
    assert [*right.above(name, graded, {}.get)] == above


@pytest.mark.parametrize(("place", "above"), [(1, ["first", "helper"]), (3, [])])
def test_a_plain_test_further_up_grades_its_answers_too(
    made: Made, place: int, above: list[str]
) -> None:
    cells = [CHAIN[0], answer("def second(x): return helper(x)", "two"), checked("second")]
    cells.insert(place, (TEST, "plain", "assert first(2) == 2"))
    right = at(made, *cells, test="test_second")
    assert [*right.above("second", [], {}.get)] == above


# -- several notebooks


def test_each_notebook_has_its_own_solutions(made: Made) -> None:
    one = [answer("def f(x): return 1"), checked("f")]
    two = [answer("def f(x): return 2"), (TEST, "test_f", "f(1)  # another text"), checked("g")]
    both = made(one, two)
    assert value(both.at("test_f", one[1][2]), "f", 0) == 1
    assert value(both.at("test_f", "f(1)  # another text"), "f", 0) == 2
    assert value(both.at("test_f", "edited since"), "f", 0) == 1
    assert value(both.at("test_g"), "f", 0) == 2
    assert not both.at("unknown").has_solutions


def test_solutions_are_the_code_cells_of_notebooks_with_checks(tmp_path: Path) -> None:
    marks = {"locked": True, "grade": True, "points": 1}
    cells = [
        text("# Title", "title", locked=True),
        new_code_cell("import math"),
        code("x = 1", "setup", locked=True),
        code("def f(x): return x", "f", solution=True),
        code("print(f)", "plot", solution=True, grade=True, points=1),
        code('Checks("f")', "test_f", **marks),
    ]
    for name, last in (("checked", cells[-1]), ("plain", code("assert f", "test_f", **marks))):
        nbformat.write(new_notebook(cells=[*cells[:-1], last]), tmp_path / f"{name}.ipynb")
    (tmp_path / "damaged.ipynb").write_text("{")
    found = solutions_of(sorted(tmp_path.glob("*.ipynb")))
    assert [*found] == [f"{SOLUTIONS}/checked.json"]
    assert [(kind, name) for kind, name, _ in json.loads(found[f"{SOLUTIONS}/checked.json"])] == [
        (PLAIN, ""), (LOCKED, "setup"), (ANSWER, "f"), (ANSWER, "plot"), (TEST, "test_f"),
    ]  # fmt: skip
