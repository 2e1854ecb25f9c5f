"""Which cells get less time because a function that they call did not return."""

import tracemalloc

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from hw_grading.run.hangs import Hangs

CELLS = {
    "f": "def f(x):\n    while x: pass",
    "g": "def g(x):\n    return f(x)",
    "h": "h = lambda x: g(x)",
    "list": "functions = [h, abs]",
    "other": "def other(x, functions=()):\n    g = x\n    return g",
    "calls f": "value = f(1)",
    "calls list": "print(functions[0](1))",
    "calls other": "print(other(1), value)",
    "magic": "%time g(1)",
    "names it": "print_later = f",
}
CELL = {name: new_code_cell(source) for name, source in CELLS.items()}
CALLING_F = ["calls f", "calls list", "magic"]


@pytest.fixture
def hangs() -> Hangs:
    return Hangs(new_notebook(cells=list(CELL.values())))


def shortened(hangs: Hangs) -> list[str]:
    """The cells that get less than 60 s."""
    return [name for name, cell in CELL.items() if hangs.cpu_seconds(cell, 60) < 60]


def traceback(*functions: str) -> list[str]:
    """The kernel's traceback of an interrupt, with colours."""
    frames = [
        f"\x1b[0;36mCell\x1b[39m In[3], line 1, in \x1b[0;32m{f}(x)\x1b[0m" for f in functions
    ]
    return ["KeyboardInterrupt", "Cell In[4], line 1\n", *frames]


def test_as_long_as_nothing_hangs_every_cell_has_its_time(hangs: Hangs) -> None:
    assert shortened(hangs) == []


def test_only_cells_that_call_a_hanging_function_get_less_time(hangs: Hangs) -> None:
    hangs.hung(["f"], 5)
    assert shortened(hangs) == CALLING_F
    assert hangs.called_by(CELL["calls list"]) == ["f"]


def test_each_hang_leaves_less_and_all_of_them_together_less_than_a_minute(hangs: Hangs) -> None:
    hangs.hung(["f"], 5)
    given = []
    for _ in range(12):
        given.append(hangs.cpu_seconds(CELL["calls f"], 600))
        hangs.interrupted(traceback("f"), given[-1])
    assert given == sorted(given, reverse=True)
    assert given[0] == 7
    assert given[-1] == 1
    assert 30 < sum(given) < 40


def test_a_limit_is_never_raised(hangs: Hangs) -> None:
    hangs.hung(["f"], 5)
    assert hangs.cpu_seconds(CELL["calls f"], 2) == 2


def test_the_functions_that_ran_when_a_cell_was_interrupted_hang(hangs: Hangs) -> None:
    hangs.interrupted(traceback("g", "f", "wait"), 60)
    assert hangs.called_by(CELL["magic"]) == ["f", "g"]


def test_a_loop_in_the_cell_itself_shortens_no_other_cell(hangs: Hangs) -> None:
    hangs.interrupted(traceback(), 60)
    assert shortened(hangs) == []


def test_a_function_that_returned_before_is_blamed_when_it_is_seen_twice(hangs: Hangs) -> None:
    hangs.returned(CELL["calls f"])
    hangs.interrupted(traceback("f"), 60)
    assert shortened(hangs) == []
    hangs.interrupted(traceback("f"), 60)
    assert shortened(hangs) == CALLING_F


def test_a_function_that_returns_gets_its_time_back(hangs: Hangs) -> None:
    hangs.hung(["f"], 5)
    hangs.returned(CELL["names it"])
    assert shortened(hangs) == CALLING_F
    hangs.returned(CELL["calls f"])
    assert shortened(hangs) == []


@pytest.mark.parametrize(
    "source",
    [
        "if False:\n    y = " + "x+" * 1_500 + "x",
        "y = x" + ".a" * 1_500,
        "if x:\n    pass\n" + "elif x:\n    pass\n" * 900,
        "y = " + "-" * 50_000 + "x",
    ],
    ids=["sum", "attributes", "elif", "too deep for Python"],
)
def test_deeply_nested_code_is_read_like_any_other(source: str) -> None:
    cells = [CELL["f"], new_code_cell(source), new_code_cell(f"{source}\nf(1)")]
    hangs = Hangs(new_notebook(cells=cells))
    hangs.interrupted(traceback("f"), 60)
    assert hangs.cpu_seconds(cells[1], 60) == 60
    assert hangs.cpu_seconds(cells[2], 60) < 60


def test_a_cell_that_is_no_python_may_have_letters_that_are_in_no_name() -> None:
    cells = [CELL["f"], new_code_cell("%time f(1)  # ½ of the area in m², see ①")]
    hangs = Hangs(new_notebook(cells=cells))
    hangs.interrupted(traceback("f"), 60)
    assert hangs.cpu_seconds(cells[1], 60) < 60


MANY = range(4_000)


@pytest.mark.parametrize(
    "sources",
    [
        ["a\n" * 400_000],
        ["a a\n" + "a," * 400_000],
        ["".join(f"a{n}=" for n in MANY) + ",".join(f"b{n}" for n in MANY)],
    ],
    ids=["one cell", "no Python", "many names in one statement"],
)
def test_code_of_any_length_takes_little_time_and_memory(sources: list[str]) -> None:
    cells = [CELL["f"], *map(new_code_cell, sources), CELL["calls f"]]
    hangs = Hangs(new_notebook(cells=cells))
    tracemalloc.start()
    try:
        hangs.interrupted(traceback("f"), 60)
        assert hangs.cpu_seconds(cells[-1], 60) < 60
        assert tracemalloc.get_traced_memory()[1] < 250_000_000
    finally:
        tracemalloc.stop()


def test_the_longest_cells_are_not_read() -> None:
    cells = [new_code_cell(f"f(1) #{'-' * length}") for length in (110_000, 120_000, 10)]
    hangs = Hangs(new_notebook(cells=[*cells, CELL["f"]]))
    hangs.interrupted(traceback("f"), 60)
    assert [hangs.called_by(cell) for cell in cells] == [["f"], [], ["f"]]
