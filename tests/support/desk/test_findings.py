"""What is missing in a notebook is named, and nothing else is."""

import nbformat
import pytest

from hw_grading.commands.sample import cell_of
from hw_support.checks import Part
from hw_support.desk.certification import certification_of
from hw_support.desk.findings import STUB, checked_cells, surprises
from hw_support.desk.running import CellRun, Ran
from hw_support.submission.mending import mend


def of_code(*sources, **more):
    cells = [nbformat.v4.new_code_cell(source, **more) for source in sources]
    return nbformat.v4.new_notebook(cells=cells)


def raised(cell, kind, text):
    cell.outputs = [nbformat.v4.new_output("error", ename=kind, evalue=text, traceback=[])]


@pytest.fixture
def to_do(release):
    """Return the findings for a notebook that was not run, by grade id."""

    def look(notebook):
        return {c.released.grade_id: c.to_do for c in checked_cells(Ran(notebook, {}), release)}

    return look


def test_an_untouched_notebook_has_everything_to_do(released, to_do, release):
    left = {name for name, what in to_do(released).items() if what}
    assert left == {cell.grade_id for cell in release.cells if cell.solution}


def test_an_answered_notebook_has_nothing_to_do(answered, to_do):
    assert {name: what for name, what in to_do(answered).items() if what} == {}


def test_a_stub_below_an_answer_is_found(answered, to_do):
    cell_of(answered, "relu_activation").source += f"\n    {STUB}"
    assert to_do(answered)["relu_activation"] == f"delete `{STUB}` in relu_activation"


def test_a_deleted_answer_is_found(answered, to_do):
    answered.cells.remove(cell_of(answered, "layer_forward"))
    assert to_do(answered)["layer_forward"] == "layer_forward was deleted"


def test_a_written_answer_of_spaces_is_not_written(answered, to_do):
    cell_of(answered, "q1_3b_iii").source = " \n\n"
    assert to_do(answered)["q1_3b_iii"] == "write q1_3b_iii"


def test_a_placeholder_above_a_written_answer_is_to_be_deleted(answered, to_do):
    cell_of(answered, "q1_3b_iii").source = "YOUR ANSWER HERE\n\nBy the chain rule."
    assert to_do(answered)["q1_3b_iii"] == "delete `YOUR ANSWER HERE` in q1_3b_iii"


def test_a_photo_is_a_written_answer(answered, to_do):
    cell = cell_of(answered, "q1_3b_iii")
    cell.source, cell["attachments"] = "", {"photo.png": {"image/png": "iVBORw0KGgo="}}
    assert to_do(answered)["q1_3b_iii"] is None


def test_a_plot_cell_that_shows_nothing_has_no_plot(answered, release):
    cell = cell_of(answered, "q1_3e_i")
    run = {answered.cells.index(cell): CellRun()}
    checked = {c.released.grade_id: c for c in checked_cells(Ran(answered, run), release)}
    assert checked["q1_3e_i"].to_do == "no plot in q1_3e_i"
    cell.outputs = [nbformat.v4.new_output("display_data", data={"image/png": "aaaa"})]
    checked = {c.released.grade_id: c for c in checked_cells(Ran(answered, run), release)}
    assert checked["q1_3e_i"].to_do is None


def test_a_plot_may_be_in_a_cell_that_was_added_below_the_answer(answered, release):
    answer = cell_of(answered, "q1_3e_i")
    place = answered.cells.index(answer)
    picture = nbformat.v4.new_output("display_data", data={"image/png": "iVBORw0KGgo="})
    below = nbformat.v4.new_code_cell("plt.plot(losses)", outputs=[picture])
    answered.cells.insert(place + 1, below)
    assert mend(answered, release.cells, release.plain) == []
    checked = checked_cells(Ran(answered, {place: CellRun()}), release)
    assert {c.released.grade_id: c for c in checked}["q1_3e_i"].to_do is None


@pytest.mark.parametrize("left", ["", "YOUR ANSWER HERE"])
def test_an_answer_in_a_cell_that_was_added_is_written(answered, to_do, release, left):
    answer = cell_of(answered, "q1_3b_iii")
    own = nbformat.v4.new_markdown_cell(answer.source)
    answered.cells.insert(answered.cells.index(answer) + 1, own)
    answer.source = left
    [change] = mend(answered, release.cells, release.plain)
    assert "was left empty: an added cell at its place is graded" in change.message
    assert to_do(answered)["q1_3b_iii"] is None


@pytest.fixture
def certification(released):
    return certification_of(cell_of(released, "certification").source)


def test_fields_of_the_certification_are_told_apart(released, answered, certification):
    empty = cell_of(released, "certification").source
    assert certification.empty(empty) == [
        "Name",
        "Student id",
        "I worked with",
        "Sources I used",
        "Signed",
    ]
    text = cell_of(answered, "certification").source
    assert certification.empty(text) == []
    assert certification.written(empty, "Student id") == ""
    assert certification.written(text, "Student id") == "3031234567"


def test_text_beside_a_label_or_in_bold_counts_too(answered, certification):
    text = cell_of(answered, "certification").source
    beside = text.replace("**Name:**\nAda Example", "**Name:** Ada Example")
    bold = text.replace("**Name:**\nAda Example", "**Name:**\n**Ada**")
    assert beside != text != bold
    assert certification.empty(beside) == certification.empty(bold) == []
    assert certification.empty(beside.replace("Ada Example\n", "\n", 1)) == ["Name"]
    assert "Signed" in certification.empty(text.partition("**Signed**")[0])


def found(notebook, release, tmp_path, *, saved=None, runs=None):
    return list(surprises(saved or notebook, Ran(notebook, runs or {}), release, tmp_path))


def test_a_name_that_is_defined_further_down_is_named(release, tmp_path):
    notebook = of_code("print(rate)", "rate = 0.1")
    raised(notebook.cells[0], "NameError", "name 'rate' is not defined")
    (sentence,) = found(notebook, release, tmp_path)
    assert "uses `rate`, which is defined further down" in sentence
    assert "(the cell that begins with 'rate = 0.1')" in sentence


def test_a_name_whose_definition_was_deleted_is_named(release, tmp_path):
    notebook = of_code("print(rate)")
    raised(notebook.cells[0], "NameError", "name 'rate' is not defined")
    (sentence,) = found(notebook, release, tmp_path)
    assert "uses `rate`, which no cell defines" in sentence


def test_a_name_whose_definition_failed_is_not_reported_again(release, tmp_path):
    notebook = of_code("rate = 1 / 0", "print(rate)")
    raised(notebook.cells[1], "NameError", "name 'rate' is not defined")
    assert found(notebook, release, tmp_path) == []


def test_an_error_in_a_cell_that_was_added_is_named(release, tmp_path):
    notebook = of_code("1 / 0")
    raised(notebook.cells[0], "ZeroDivisionError", "division by zero")
    (sentence,) = found(notebook, release, tmp_path)
    assert (
        "The cell that begins with '1 / 0' raises ZeroDivisionError: division by zero" in sentence
    )


def test_a_message_that_ends_with_a_full_stop_gets_no_second_one(release, tmp_path):
    notebook = of_code("input()")
    raised(notebook.cells[0], "StdinNotImplementedError", "no input here.")
    (sentence,) = found(notebook, release, tmp_path)
    assert "raises StdinNotImplementedError: no input here. When JupyterLab" in sentence


def test_files_beside_the_notebook_are_named_and_others_are_not(release, tmp_path):
    (tmp_path / "weights.npy").touch()
    notebook = of_code("np.load('weights.npy')")
    opened = ["weights.npy", "not_there.txt", "/etc/hostname"]
    (sentence,) = found(notebook, release, tmp_path, runs={0: CellRun(opened=opened)})
    assert "reads the file 'weights.npy', which the grader does not have" in sentence


def test_a_file_that_a_library_did_not_find_is_named_from_the_error(release, tmp_path):
    (tmp_path / "notes.txt").touch()
    notebook = of_code("np.loadtxt('notes.txt')")
    raised(notebook.cells[0], "FileNotFoundError", "notes.txt not found.")
    (sentence,) = found(notebook, release, tmp_path, runs={0: CellRun()})
    assert "reads the file 'notes.txt', which the grader does not have" in sentence


def test_modules_that_the_grader_lacks_are_named_and_others_are_not(release, tmp_path):
    (tmp_path / "helpers.py").touch()
    notebook = of_code("import os, numpy as np\nimport torch", "from helpers import f", "%pip list")
    with_torch, with_helpers = found(notebook, release, tmp_path)
    assert "imports torch, which the grader does not have" in with_torch
    assert "imports helpers, a file or folder beside your notebook" in with_helpers


def test_a_module_that_is_imported_beside_a_magic_is_named_too(release, tmp_path):
    notebook = of_code("!pip install torch\nimport torch", "%%time\nimport seaborn")
    with_torch, with_seaborn = found(notebook, release, tmp_path)
    assert "imports torch, which the grader does not have" in with_torch
    assert "imports seaborn, which the grader does not have" in with_seaborn


def test_a_cell_near_its_limit_is_named(release, tmp_path):
    notebook = of_code("slow()", "quick()")
    runs = {0: CellRun(cpu_seconds=40.0), 1: CellRun(cpu_seconds=20.0)}
    (sentence,) = found(notebook, release, tmp_path, runs=runs)
    assert "'slow()' took 40 s of CPU time here. The grader stops it after 60 s" in sentence


def test_a_cell_whose_output_the_grader_cuts_is_named(release, tmp_path):
    notebook = of_code("table()", "quick()")
    for cell, bytes_ in zip(notebook.cells, (2_100_000, 1_900_000), strict=True):
        cell.outputs = [nbformat.v4.new_output("stream", text="x" * bytes_)]
    (sentence,) = found(notebook, release, tmp_path, runs={0: CellRun(), 1: CellRun()})
    assert "'table()' has 2.1 MB of output. The grader keeps 2 MB of it" in sentence


def test_a_test_that_passed_when_saved_and_fails_now_is_named(answered, release, tmp_path):
    import copy

    cell = cell_of(answered, "test_relu_activation")
    saved = copy.deepcopy(answered)
    text = "passed  values on both sides of 0 [2 pt]\n"
    cell_of(saved, "test_relu_activation").outputs = [nbformat.v4.new_output("stream", text=text)]
    runs = {answered.cells.index(cell): CellRun(parts=[Part("values", 2, "out is wrong")])}
    (sentence,) = found(answered, release, tmp_path, saved=saved, runs=runs)
    assert "test_relu_activation passed when you saved the notebook, but fails" in sentence
    assert found(answered, release, tmp_path, saved=answered, runs=runs) == []


def test_imports_of_code_that_is_nested_too_deeply_are_not_looked_for(release, tmp_path):
    assert found(of_code("y = " + "x+" * 50_000 + "x"), release, tmp_path) == []
