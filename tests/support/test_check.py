"""`check` runs a copy as the grader does; its findings are true, and none is superfluous."""

import json
import tempfile
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from small import ANSWERS, RELEASE, STUB, TEST, answered, checked, small_description

from hw_grading.commands.sample import cell_of
from hw_support.submission.released import ENDING, as_release

RIGHT = f"STEP = 1\n{ANSWERS['double']}"
NOTHING = "This command found nothing left to do."

PLOT = ANSWERS["sketch"]
# By cell: wrong answers, and what is said of each. What ends the kernel comes last.
MISTAKES = {
    "double": [
        ("STEP = 1\ndef double(x): return 3 * x", "test_double, of numbers: out[0]: expected 2, "
         "got 3", "You have 0 of the 3 points"),
        ("STEP = 1\ndef double(x): return x / y", "test_double, of numbers: line 2 of double: "
         "NameError: name 'y' is not def"),
        (STUB, "answer double", "0 of 3"),
        ("", "answer double"),
        (f"{RIGHT}\n\ndef double(x): return 2.0 * x + (x == 0.5)", "test_double: double(0.5) is 2, "
         "and the text announces 1."),
        (f"def assert_close(*_, **__): pass\n{RIGHT}", "test_double uses `assert_close`, to which "
         "your notebook gives another value"),
        (f"import pytest\n{RIGHT}", "Cell double imports pytest, which the grader does not have. "
         "It has matplotlib, numpy. Write the answer without pytest"),
        (f"print('x' * 3_000_000)\n{RIGHT}", "Cell double has 3.0 MB of output. The grader keeps 2 "
         "MB of it"),
        ("checks = 3\nclass Checks: parts = [1]\nchecks = Checks()",),
        ("%reset -f",),
        ("import threading, os\nthreading.Timer(0.3, os._exit, [1]).start()",),
    ],
    "sketch": [
        ("plt.plot([1, 2]]", "sketch raises SyntaxError: ", "no plot in sketch"),
        (PLOT.replace("ts)", "ts[:2])"), "people grade them) - sketch: not 3 points, no curve of "
         "heights. It shows: 1 curve of 2 points · title"),
        ("%config InlineBackend.figure_formats = ['svg']\n" + PLOT.replace("plt.title", "str"),
         "sketch: no title. It shows: 1 curve"),
        ("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.savefig('a.png')\nplt.close()",
         "no plot in sketch", "sketch: not shown, no title, not 3 po"),
        ("figure = 1", "no plot in sketch"),
        (f"{PLOT}\nif 0: {STUB[-27:]}", "delete `raise NotImplementedError()` in sketch"),
        ("open('small.ipynb')", "sketch raises FileNotFoundError"),
        ("exit()", "exit() or quit() ended the kernel in cell sketch."),
        ("import os\nos.kill(os.getpid(), 9)", "The kernel died in cell sketch. The cells below it "
         "were not run."),
    ],
    "why": [
        ("YOUR ANSWER HERE", "write why"),
        ("So. YOUR ANSWER HERE", "delete `YOUR ANSWER HERE` in"),
    ],
    "certification": [(ANSWERS["certification"].replace("Ada", ""), "fill in: Name")],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("mistakes", [*zip_longest(*MISTAKES.values())], ids=range(11))
def test_the_mistakes_in_the_cells_of_a_notebook_are_named(mistakes, tmp_path):
    made = {name: one for name, one in zip(MISTAKES, mistakes, strict=True) if one}
    found = checked(answered(**{name: source for name, (source, *_) in made.items()}), tmp_path)
    said = [words for _, *all_ in made.values() for words in all_]
    assert [words for words in said if words not in found.said] == [], found.said
    assert not found.report.fine
    assert NOTHING not in found.said


# Only cells without a grade id, and `double`, have to return soon.
SOON = replace(
    RELEASE,
    cpu_seconds_per_cell=0.7,
    cpu_seconds_for_cell=dict.fromkeys(RELEASE.grade_ids - {"double"}, 60.0),
)


@pytest.mark.slow
def test_a_given_cell_is_not_to_blame_for_an_endless_loop(tmp_path):
    endless = "class Step:\n    def __str__(self):\n        while True: pass\nSTEP = Step()\n"
    found = checked(answered(double=endless + ANSWERS["double"]), tmp_path, SOON)
    blame = found.said.partition("The cell that begins with 'print(STEP)")[2]
    assert "A function of yours that it calls is slow, or does not return." in blame
    assert "Make the cell faster" not in blame


@pytest.mark.slow
def test_a_function_that_does_not_return_is_called_once(tmp_path):
    loop = "STEP = 1\ndef loop(x):\n    while True: pass\n"
    own = loop + "def double(x):\n    return loop(x)\nloop(1)"
    said = checked(answered(double=own, sketch="loop(1)"), tmp_path, SOON).said
    assert "of numbers: line 5 of double: DidNotReturn: `loop` is not called again" in said, said
    assert "sketch raises DidNotReturn: `loop` is not called again: it did not return" in said, said


@pytest.mark.slow
def test_the_parts_of_all_checks_of_a_cell_are_found_whatever_their_names(tmp_path):
    test = TEST.replace("checks", "mine").replace("mine.score()", "") + (
        'other = Checks("double")\nother.part("third", 1)(lambda: double(1))\n'
        "mine.score() + other.score()"
    )
    notebook = answered()
    cell_of(notebook, "test_double").source = test
    about = small_description()
    (cell,) = [one for one in about["cells"] if one["grade_id"] == "test_double"]
    cell["source"] = test
    found = checked(notebook, tmp_path, as_release(about))
    assert [*found.parts] == ["of numbers", "of a total", "third"]
    assert "You have 4 of the 4 points of the tests." in found.said


FINE = {
    "all right": {},
    "another form": {"double": "STEP = 1\ndouble = lambda x: 2 * np.asarray(x)"},
    "magics, imports of the setup again, names of Python, a stub that is never reached": {
        "double": "%matplotlib inline\n!true\n%time x = 1\nimport numpy as np\n"
        "from hw_support import assert_close\nlist = sum = None\n"
        f"{RIGHT}\nif 0:\n    {STUB[-27:]}"
    },
}


@pytest.mark.slow
@pytest.mark.smoke
@pytest.mark.parametrize("answers", FINE.values(), ids=FINE.keys())
def test_nothing_is_said_of_a_right_notebook(answers, tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")  # as a student may have set it: plots are found
    found = checked(answered(**answers), tmp_path)
    assert found.report.fine, found.said
    assert "You have 3 of the 3 points of the tests." in found.said
    assert "People grade plots and written answers, for up to 5 points." in found.said


@pytest.mark.slow
def test_changed_cells_are_restored_and_named(tmp_path):
    notebook = answered()
    notebook.cells.insert(0, new_code_cell("print(later)"))
    notebook.cells.append(new_code_cell("later = 1"))
    place = notebook.cells.index(old := cell_of(notebook, "double"))
    notebook.cells[place] = new_markdown_cell(old.source, id=old.id, metadata=old.metadata)
    cell_of(notebook, "test_double").source = "checks.score = 3"
    notebook.cells.remove(cell_of(notebook, "why"))
    found = checked(notebook, tmp_path)
    for said in (
        "raises NameError: name 'later' is not defined. The grader runs the cells from top to "
        "bottom, without the other files of your folder.",
        "Cell 'double' was changed from a code cell to a markdown cell: it was changed back",
        "Cell 'test_double' is locked, but its text was edited: the instructor",
        "Cell 'why' was deleted: it was restored, empty.",
    ):
        assert said in found.said
    assert all(found.parts.values())
    assert not found.report.fine


@pytest.mark.slow
def test_an_answer_may_be_in_another_cell(tmp_path):
    notebook = answered(double="STEP = 1")
    notebook.cells.insert(5, new_code_cell(ANSWERS["double"]))
    assert checked(notebook, tmp_path).report.fine


@pytest.mark.slow
def test_the_instructors_files_are_there_and_none_from_elsewhere(desk, tmp_path):
    outside = f"{tmp_path.name}.py"
    files = ["data/numbers.csv", "helper.py", "missing.csv", f"../{outside}", "/etc/hostname"]
    description = json.dumps({**small_description(), "files": files})
    (tmp_path / f"small{ENDING}").write_text(description, encoding="utf-8")
    (tmp_path / "data").mkdir()
    for path in (tmp_path / files[0], tmp_path / files[1], tmp_path.with_name(outside)):
        path.write_text("x = 1")
    own = f"import helper\nassert open('data/numbers.csv').read()\n{RIGHT}"
    done = desk("check", "small.ipynb", notebook=answered(double=own))
    assert (done.status, NOTHING in done.said) == (0, True), done.said
    assert not Path(tempfile.gettempdir(), outside).exists()


@pytest.mark.slow
def test_a_known_mistake_of_the_description_is_told(desk, tmp_path):
    known = {"double": {"raises ValueError in double: no": "take x itself"}}
    description = json.dumps({**small_description(), "known": known})
    (tmp_path / f"small{ENDING}").write_text(description, encoding="utf-8")
    wrong = answered(double="STEP = 1\ndef double(x):\n    raise ValueError('no')")
    done = desk("check", "small.ipynb", notebook=wrong)
    assert "Likely cause: take x itself" in " ".join(done.said.split())


@pytest.mark.slow
def test_a_wrong_file_name_is_a_finding(desk, tmp_path):
    nbformat.write(answered(), tmp_path / "small-final.ipynb")
    done = desk("check", "small-final.ipynb")
    assert done.status == 1
    assert "This file is called small-final.ipynb. Submit it as small.ipynb" in done.said
