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


@pytest.mark.parametrize(
    "cell",
    [
        "b = train(f)",
        "%%time\nb = train(f)",
        "def g(x):\n    return x\nb = f(1)",
        "checks = Checks('b', points=1)\nb = f(1)",
    ],
)
def test_trainings_functions_and_tests_do_not_run_again(cell):
    assert again(FUNCTION, cell, "a = f(b)", b=5) == [50]


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
