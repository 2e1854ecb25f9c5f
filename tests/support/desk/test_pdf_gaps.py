import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from hw_support.desk.pdf import gaps

PRINTED = [new_output("stream", name="stdout", text="1\n")]


def notebook_of(*cells):
    return new_notebook(cells=[new_markdown_cell("# T"), *cells])


def cell(source, count, outputs=(), **marks):
    metadata = {"nbgrader": marks} if marks else {}
    return new_code_cell(source, execution_count=count, outputs=list(outputs), metadata=metadata)


def counted(*counts):
    return notebook_of(*[cell(f"x{i} = 1", count) for i, count in enumerate(counts)])


@pytest.mark.parametrize("counts", [(1, 2, 3), (4, 9, 30), ()])
def test_a_notebook_run_from_top_to_bottom_has_no_gaps(counts):
    assert gaps(counted(*counts)) == []


@pytest.mark.parametrize(
    ("counts", "named"),
    [
        ((50, 2, 3, 4), ["x0"]),  # the first cell was run again at the end
        ((1, 2, 30, 3, 4), ["x2"]),
        ((10, 11, 12, 1, 2), ["x3", "x4"]),  # run from the middle after a restart
        ((1, 2, 2, 3), ["x1"]),  # two sessions
        ((3, 2, 1), ["x0", "x1"]),
    ],
)
def test_the_fewest_cells_that_are_out_of_order_are_named(counts, named):
    (sentence,) = gaps(counted(*counts))
    assert sentence.startswith("Not run in order")
    for i in range(len(counts)):
        assert (f"(x{i} = 1)" in sentence) == (f"x{i}" in named)


def test_cells_that_were_not_run_are_named():
    (sentence,) = gaps(counted(1, None, 2, None))
    assert "cell 3 (x1 = 1), cell 5 (x3 = 1)" in sentence
    assert "x0" not in sentence


def test_many_cells_are_counted():
    (sentence,) = gaps(counted(1, *[None] * 9))
    assert sentence.count("(x") == 5
    assert "and 4 more" in sentence


def test_cleared_outputs_and_an_unrun_notebook_give_one_sentence():
    (sentence,) = gaps(counted(None, None, None))
    assert "No cell was run" in sentence


def test_empty_cells_need_not_be_run():
    assert gaps(notebook_of(cell("x = 1", 1), cell(" \n", None))) == []


@pytest.mark.parametrize(
    "silent",
    [
        cell("print('x')", 2),
        cell("x = 1\nprint(x, sep='')", 2),
        cell("checks.score()", 2, grade_id="test_relu", grade=True, locked=True),
        cell("draw()", 2, grade_id="q1_3e_i", grade=True, solution=True),
    ],
)
def test_a_cell_that_shows_something_and_has_no_output_is_named(silent):
    (sentence,) = gaps(notebook_of(cell("x = 1", 1), silent))
    assert "the expected output is missing" in sentence
    silent.outputs = PRINTED
    assert gaps(notebook_of(cell("x = 1", 1), silent)) == []


@pytest.mark.parametrize(
    "quiet",
    ["def f():\n    print(1)", "print()", "print(1, file=log)", "%%capture\nprint(1)", "x = 1"],
)
def test_a_cell_that_may_show_nothing_is_no_gap(quiet):
    assert gaps(notebook_of(cell(quiet, 1))) == []


def test_an_error_is_no_gap():
    error = new_output("error", ename="E", evalue="", traceback=["E"])
    assert gaps(notebook_of(cell("print(1 / 0)", 1, [error]))) == []


def test_a_notebook_without_cells_is_named():
    assert gaps(new_notebook()) == ["The notebook has no cells."]
