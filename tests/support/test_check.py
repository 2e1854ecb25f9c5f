"""`check` runs a copy as the grader does; its findings are true, and none is superfluous."""

import copy
import json

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell
from small import ANSWERS, STUB, answered, checked, small_notebook

from hw_grading.commands.sample import cell_of
from hw_support.desk import check
from hw_support.desk.running import CellRun, Ran

RIGHT = f"STEP = 1\n{ANSWERS['double']}"
NOTHING = "This command found nothing left to do."

FINDINGS = {
    "a wrong result": ({"double": "STEP = 1\ndef double(x): return 3 * x"}, [
        "test_double, of numbers: out[0]: expected 2, got 3",
        "You have 0 of the 3 points"]),
    "an error of a function": ({"double": "STEP = 1\ndef double(x): return x / y"}, [
        "test_double, of numbers: line 2 of double: NameError: name 'y' is not def"]),
    "an error of a cell": ({"sketch": "plt.plot([1, 2]]"}, [
        "sketch raises SyntaxError: ", "no plot in sketch"]),
    "no plot": ({"sketch": "figure = 1"}, ["no plot in sketch"]),
    "an unanswered function": ({"double": STUB}, ["answer double", "0 of 3"]),
    "an emptied function": ({"double": ""}, ["answer double"]),
    "a stub left in an answer": ({"sketch": f"{ANSWERS['sketch']}\nif 0: {STUB[-27:]}"}, [
        "delete `raise", "NotImplementedError()` in sketch"]),
    "no text": ({"why": "YOUR ANSWER HERE"}, ["write why"]),
    "a text with the blank": ({"why": "So. YOUR ANSWER HERE"}, ["delete `YOUR ANSWER HERE` in"]),
    "no signature": ({"certification": ANSWERS["certification"].replace("Ada", "")}, [
        "fill in: Name"]),
    "a remark of a test": ({"double": f"{RIGHT}\n\ndef double(x): return 2.0 * x + (x == 0.5)"}, [
        "test_double: double(0.5) is 2, and the text announces 1."]),
    "a name of the instructor's": ({"double": f"def assert_close(*_, **__): pass\n{RIGHT}"}, [
        "test_double uses `assert_close`, to which your notebook gives another value"]),
    "an import": ({"double": f"import pytest\n{RIGHT}"}, [
        "Cell double imports pytest, which the grader does not have"]),
    "much output": ({"double": f"print('x' * 3_000_000)\n{RIGHT}"}, [
        "Cell double has 3.0 MB of output. The grader keeps 2 MB of it"]),
    "a kernel that dies": ({"sketch": "import os\nos.kill(os.getpid(), 9)"}, [
        "The kernel died in cell sketch. The cells below it were not run."]),
    "exit": ({"sketch": "exit()"}, ["exit() or quit() ended the kernel in cell sketch."]),
    "a file beside the notebook": ({"sketch": "open('small.ipynb')"}, [
        "sketch raises FileNotFoundError"]),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("answers", "said"), FINDINGS.values(), ids=FINDINGS.keys())
def test_what_is_wrong_is_named(answers, said, tmp_path):
    found = checked(answered(**answers), tmp_path)
    assert [words for words in said if words not in found.said] == [], found.said
    assert found.report.fine == (NOTHING in found.said) == (not said)


FINE = {
    "all right": {},
    "another form": {"double": "STEP = 1\ndouble = lambda x: 2 * np.asarray(x)"},
    "magics": {"double": f"%matplotlib inline\n!true\n%time x = 1\n{RIGHT}"},
    "a stub that is never reached": {"double": f"{RIGHT}\nif 0:\n    {STUB[-27:]}"},
    "names of Python": {"double": f"list = sum = None\n{RIGHT}"},
}


@pytest.mark.slow
@pytest.mark.smoke
@pytest.mark.parametrize("answers", FINE.values(), ids=FINE.keys())
def test_nothing_is_said_of_a_right_notebook(answers, tmp_path):
    found = checked(answered(**answers), tmp_path)
    assert found.report.fine, found.said
    assert "You have 3 of the 3 points of the tests." in found.said
    assert "People grade plots and written answers, for up to 5 points." in found.said


def elsewhere(kind):
    """A right notebook as other programs save it."""
    content = json.loads(nbformat.writes(answered()))
    for cell in content["cells"]:
        if kind == "colab":
            cell["metadata"] |= {"id": cell.pop("id"), "outputId": "0-0"}
        elif kind == "vscode":
            cell["metadata"]["vscode"] = {"languageId": "python"}
            cell["source"] = "".join(cell["source"])
        else:
            del cell["id"]
            cell["metadata"] |= {"trusted": True, "_uuid": "8f2839f25d"}
    content["nbformat_minor"] = 0 if kind == "colab" else 4
    content["metadata"]["kernelspec"] = {"name": ".venv", "display_name": ".venv (3.12)"}
    return json.dumps(content)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["colab", "vscode", "without ids"])
def test_a_notebook_of_another_program_is_fine(kind, desk, tmp_path):
    (tmp_path / "small.ipynb").write_text(elsewhere(kind))
    done = desk("check", "small.ipynb")
    assert (done.status, NOTHING in done.said) == (0, True), done.said


def moved_up(notebook):
    notebook.cells.insert(0, new_code_cell("print(later)"))
    notebook.cells.append(new_code_cell("later = 1"))


def in_another_cell(notebook):
    cell_of(notebook, "double").source = "STEP = 1"
    notebook.cells.insert(5, new_code_cell(ANSWERS["double"]))


def retyped(notebook):
    for name, new in (("double", new_markdown_cell), ("why", new_code_cell)):
        place = notebook.cells.index(old := cell_of(notebook, name))
        notebook.cells[place] = new(old.source, id=old.id, metadata=old.metadata)


def with_another_test(notebook):
    cell_of(notebook, "test_double").source = "checks.score = 3"


def deleted(notebook):
    notebook.cells.remove(cell_of(notebook, "why"))


CHANGES = [
    (moved_up, "raises NameError: name 'later' is not defined. The grader runs the cells from top "
     "to bottom, in an empty folder. The cell that begins with 'later = 1' defines it: move that"),
    (in_another_cell, ""),
    (retyped, "Cell 'double' was changed from a code cell to a markdown cell: it was changed back"),
    (with_another_test, "The line 'checks.score = 3' is now 'checks = Checks("),
    (deleted, "Cell 'why' was deleted: it was restored, empty."),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("change", "said"), CHANGES, ids=[c.__name__ for c, _ in CHANGES])
def test_changed_cells_are_restored_and_named(change, said, tmp_path):
    notebook = answered()
    change(notebook)
    found = checked(notebook, tmp_path)
    assert said in found.said, found.said
    assert found.report.fine == (not said), found.said
    assert all(found.parts.values())


@pytest.mark.slow
def test_a_wrong_file_name_is_a_finding(desk, tmp_path):
    nbformat.write(answered(), tmp_path / "small-final.ipynb")
    done = desk("check", "small-final.ipynb")
    assert done.status == 1
    assert "This file is called small-final.ipynb. Submit it as small.ipynb" in done.said


@pytest.mark.slow
@pytest.mark.parametrize(
    "own",
    [
        "%reset -f",
        "import threading, os\nthreading.Timer(0.3, os._exit, [1]).start()",
        "checks = 3\nclass Checks: parts = [1]\nchecks = Checks()",
        "raise SystemExit",
        "import IPython.display\nIPython.display.display = None",
    ],
)
def test_no_answer_makes_check_end_in_a_traceback(own, tmp_path):
    found = checked(answered(double=own), tmp_path)
    assert not found.report.fine
    assert found.said


# -- any notebook, without a kernel

WORDS = (
    "",
    " ",
    "x = (",
    "**Name:**",
    "YOUR ANSWER HERE",
    "\ud800",
    "\x00",
    "```",
    *ANSWERS.values(),
)
texts = st.lists(st.sampled_from(WORDS), max_size=3).map("".join)
errors = st.builds(
    lambda kind, text: {"output_type": "error", "ename": kind, "evalue": text, "traceback": []},
    st.sampled_from(["NameError", "", "NotImplementedError"]),
    texts | st.just("name 'double' is not defined"),
)
changes = st.fixed_dictionaries(
    {
        "source": st.none() | texts | st.lists(texts, max_size=2),
        "cell_type": st.sampled_from([None] * 4 + ["code", "markdown", "raw", "heading"]),
        "metadata": st.sampled_from([None] * 4 + [{}, {"nbgrader": 3}]),
        "outputs": st.lists(errors, max_size=1),
        "copies": st.sampled_from([0, 1, 1, 1, 1, 2]),
    }
)


@pytest.mark.parametrize("command", [["check"], ["pdf", "--run"], ["zip", "--student", "7"]])
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(every=st.lists(changes, min_size=10, max_size=10), backwards=st.booleans())
def test_any_notebook_ends_in_sentences(command, every, backwards, desk, tmp_path, monkeypatch):
    content, cells = json.loads(nbformat.writes(small_notebook())), []
    for cell, change in zip(content["cells"], every, strict=True):
        cell |= {k: change[k] for k in ("source", "cell_type", "metadata") if change[k] is not None}
        if cell["cell_type"] == "code":
            cell["outputs"] = change["outputs"]
        cells += [cell] * change["copies"]
    content["cells"] = cells[::-1] if backwards else cells
    (tmp_path / "small.ipynb").write_text(json.dumps(content))

    def ran(opened, **_):
        notebook = copy.deepcopy(opened.notebook)
        return Ran(notebook, {i: CellRun() for i, c in enumerate(notebook.cells) if c.source})

    monkeypatch.setattr(check, "run_copy", ran)
    done = desk(*command, "small.ipynb")
    assert done.status in (0, 1, 2)
    assert done.said or done.error
    assert "Traceback" not in done.said + done.error
