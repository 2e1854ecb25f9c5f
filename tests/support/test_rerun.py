"""Cells of the student's run again after functions were replaced."""

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from hw_support.rerun import bound_by, rerun

FUNCTION = "def f(x):\n    return x\n"


def again(*cells, names=("a",), fixed=(), **replaced):
    """Run cells as IPython keeps them, replace names, and return what a second run binds."""
    kept = [TransformerManager().transform_cell(cell) for cell in cells]
    namespace = {"In": kept, "f": lambda x: 10 * x, **replaced}
    return rerun(namespace, names, fixed=fixed)


@pytest.mark.parametrize(
    "cell",
    [
        "a = f(1)",
        "%%time\na = f(1)",
        "%time a = f(1)",
        "%%capture out\na = f(1)",
        "%%time\n%time a = f(1)\n!ls",
        "print(0)\nif True:\n    %time a = f(1)",
    ],
)
def test_the_cell_runs_again_whatever_magic_it_has(cell):
    assert again(FUNCTION, cell) == [10]
    assert again(FUNCTION, cell.replace("a =", "a, b ="), f=lambda x: (x, 2), names="ab") == [1, 2]


@pytest.mark.parametrize("cell", ["%%time\na = f(1)", "%time a = f(1)", "a = f(1)\n%matplotlib"])
def test_names_are_found_in_the_text_of_a_cell_too(cell):
    assert bound_by(cell) == ["a"]


def test_other_magics_are_left_as_they_are():
    assert bound_by(TransformerManager().transform_cell("%%timeit\na = f(1)")) == []


def test_cells_whose_values_the_answer_reads_run_again():
    assert again(FUNCTION, "b = f(1)", "c = b + 1", "d = f(b)", "a = d", b=1, c=2, d=3) == [100]


def test_earlier_values_that_no_function_of_the_notebook_computes_are_kept():
    assert again(FUNCTION, "b = 1", "a = f(b)", b=5) == [50]


def test_a_cell_that_gives_its_result_the_name_of_a_builtin_runs_again():
    assert again(FUNCTION, "max = max(f(1), 2)\na = max", max=2) == [10]
    assert again(FUNCTION, "sum = 5", "sum += f(1)\na = sum", sum=6) == [16]


@pytest.mark.parametrize(
    "cell",
    [
        "b = train(f)",
        "%%time\nb = train(f)",
        "def g():\n    return train(f)\nb = g()",
        "checks = Checks('b', points=1)\nb = f(1)",
    ],
)
def test_trainings_and_tests_do_not_run_again(cell):
    assert again(FUNCTION, cell, "a = f(b)", b=5) == [50]


@pytest.mark.parametrize(
    "cell",
    [
        FUNCTION + "b = [f]\nc = [f, f]",
        "def g():\n    return f\nb = [g()]",
        "def train():\n    return f(1)\nb = [f]\nc = train()",
        "print(0)\nb = [f]\nloss = train()",
    ],
)
def test_a_list_of_functions_in_a_cell_with_functions_or_a_training_is_made_again(cell):
    assert again(FUNCTION, cell, "a = b[0](1)", b=[None], fixed=["f"]) == [10]


def test_trials_in_the_cell_of_a_function_do_not_run_again():
    cell = "def g(x):\n    return f(x)\nb = g(1)\nc = trial()"
    assert again(FUNCTION, cell, "a = b", trial=lambda: pytest.fail("it was run")) == [10]


def test_an_answer_in_the_cell_of_a_function_is_found():
    assert again(FUNCTION + "a = f(1)", fixed=["f"]) == [10]


@pytest.mark.parametrize("cells", [["{}\ng()"], ["{}", "g()"]])
def test_an_answer_that_a_function_binds_is_found(cells):
    binder = "def g():\n    global a\n    a = f(1)"
    assert again(FUNCTION, *(cell.format(binder) for cell in cells)) == [10]


def test_a_training_does_not_run_again_even_if_it_binds_the_name():
    with pytest.raises(NameError):
        again(FUNCTION, "a = train()", train=lambda: pytest.fail("it was run"))


def test_what_is_computed_below_the_answer_is_no_part_of_it():
    assert again(FUNCTION, "a = f(b)", "b = f(3)", b=5) == [50]


def test_fixed_names_keep_their_values():
    assert again(FUNCTION, "b = f(1)", "a = f(b)", b=7, fixed=["b"]) == [70]


def test_no_python_binds_nothing():
    assert bound_by("a = = 1") == []
    assert bound_by("(" * 10_000) == []
