"""Which functions, deliverables and test cells are found in a notebook."""

import pytest
from cells import Cell, Notebook, homeworks, notebook_of
from settings import Settings


def answer(name, source):
    return Cell(name, source, 0.0, is_answer=True)


def given(name, source):
    return Cell(name, source, 0.0)


def checking(name, source):
    return Cell(f"test_{name}", source, 1.0, is_test=True)


CELLS = (
    given("setup", "import numpy as np"),
    answer("helper", "def helper(x):\n    return x"),
    answer("double", "def double(x):\n    return 2 * x"),
    checking("double", "n = 1\ndouble(n)"),
    given("data", "n = 3"),
    answer("run", "history = [double(n) for n in range(9)]\nn = 5"),
    checking("run", "len(history)"),
    answer("first", "one = double(1)"),
    checking("first", "one == 2"),
    answer("second", "two = lambda: one + double(1)"),
    checking("second", "two() == 4"),
    answer("plot", "drawn = one"),
)


def toy(**settings):
    return Notebook("toy", CELLS, Settings(**settings))


def ids_run(*tests, **settings):
    return [cell.id for cell in toy(**settings).runs(tests)]


def test_an_answer_that_defines_its_name_is_a_function_and_other_tested_answers_are_deliverables():
    notebook = toy()
    assert notebook.functions == ("double",)
    assert notebook.delivered == ("run", "first", "second")
    assert notebook.tested == ("double", "run", "first", "second")


def test_slow_answers_and_their_tests_are_left_out():
    notebook = toy(slow=("run", "double"))
    assert notebook.functions == ()
    assert notebook.delivered == ("first", "second")
    assert notebook.slow == ("double", "run")
    assert notebook.quick_tests == ("test_first", "test_second")


def test_locked_cells_above_the_first_answer_are_shared_and_others_given():
    assert toy().shared == ("setup",)
    assert toy().given == ("data",)


def test_functions_and_given_cells_are_always_run_and_untested_answers_never():
    assert ids_run() == ["helper", "double", "data"]
    assert ids_run("test_double") == ["helper", "double", "data"]


def test_a_deliverable_runs_for_its_own_test_and_for_tests_that_read_its_names():
    assert ids_run("test_first") == ["helper", "double", "data", "first"]
    assert ids_run("test_second") == ["helper", "double", "data", "first", "second"]


def test_a_name_that_a_test_binds_itself_is_not_read_from_an_answer():
    assert "run" not in ids_run("test_double")


def test_test_cells_and_the_cells_that_they_need_keep_the_notebooks_order():
    cells = toy().in_order(["test_first", "test_double"])
    assert [cell.id for cell in cells] == [
        "helper", "double", "test_double", "data", "first", "test_first",
    ]  # fmt: skip


def test_settings_that_name_no_cell_are_refused():
    with pytest.raises(ValueError, match=r"toy/answers/validity\.toml names tran"):
        toy(slow=("tran",))


def test_the_cells_of_hw2_get_their_intended_kinds():
    notebook = notebook_of("hw2")
    assert len(notebook.functions) == 9
    assert notebook.delivered == ("q1_3a", "q1_3b_i", "q1_3b_ii", "q1_3c", "q1_3d")
    assert notebook.slow == ("train",)
    assert notebook.shared == ("setup", "load_data")
    again = tuple(f"reference_batch_{question}" for question in "acd")
    assert notebook.given == ("reference_batch", *again)
    needed = [cell.id for cell in notebook.runs(["test_q1_3d"]) if cell.id in notebook.delivered]
    assert needed == ["q1_3a", "q1_3d"]


def test_each_test_cell_charges_one_answer():
    notebook = notebook_of("hw2")
    assert notebook.charged("test_q1_3b_i") == "q1_3b_i"
    assert notebook.charged("test_q1_3b_ii") == "q1_3b_ii"
    assert notebook.charged("test_layer_forward_shapes") == "layer_forward"
    for name in (*notebook.functions, *notebook.delivered, "train"):
        assert notebook.tests_of(name)


@pytest.mark.parametrize("homework", homeworks())
def test_every_test_cell_with_points_charges_an_answer(homework):
    notebook = notebook_of(homework)
    tests = [cell.id for cell in notebook.cells.values() if cell.is_test and cell.points]
    assert tests
    assert all(notebook.charged(test) for test in tests)
