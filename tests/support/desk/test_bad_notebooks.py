"""Notebooks as students write them in practice: findings are true, and none is superfluous."""

import copy
import json
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from small import ANSWERS, RELEASE, STUB, answered, checked

from hw_grading.commands.sample import cell_of
from hw_support.desk import check
from hw_support.desk.errors import DeskError
from hw_support.desk.opening import open_notebook

pytestmark = pytest.mark.slow
DOUBLE = "STEP = 1\ndef double(x):\n    return x + x"
PLOT = ANSWERS["sketch"]


@pytest.mark.parametrize("left", ["", " \n", "# in another cell", STUB + "\n"])
def test_a_function_defined_in_another_cell_is_an_answer(left, tmp_path):
    notebook = answered(double=left)
    place = notebook.cells.index(cell_of(notebook, "double"))
    notebook.cells.insert(place + 1, new_code_cell(DOUBLE, id="mine"))
    found = checked(notebook, tmp_path)
    assert all(found.parts.values())
    assert found.to_do == {}
    assert not [text for text in found.report.surprises if "NotImplementedError" not in text]
    assert "is not answered yet" not in found.said


def test_an_emptied_answer_with_a_failing_test_is_to_do(tmp_path):
    found = checked(answered(double="STEP = 1"), tmp_path)
    assert not found.report.fine
    assert "test_double, of numbers (and 1 more): double is not defined. Did its" in found.said
    assert "of a total" not in found.said
    found = checked(answered(double=""), tmp_path)
    assert found.to_do == {"double": "answer double"}


def test_a_name_that_only_a_released_cell_needs_is_no_finding(tmp_path):
    found = checked(answered(double=ANSWERS["double"]), tmp_path)
    assert found.report.surprises == []
    assert found.report.fine, found.said


def test_a_name_that_a_students_own_cell_needs_is_a_finding(tmp_path):
    notebook = answered()
    notebook.cells.append(new_code_cell("print(my_rate)", id="mine"))
    found = checked(notebook, tmp_path)
    assert "uses `my_rate`, which no cell defines" in found.said


def test_cells_with_a_changed_type_are_restored_and_named(tmp_path):
    notebook = answered()
    for name, new in (("double", new_markdown_cell), ("why", new_code_cell)):
        place = notebook.cells.index(cell_of(notebook, name))
        old = notebook.cells[place]
        notebook.cells[place] = new(old.source, id=old.id, metadata=old.metadata)
    found = checked(notebook, tmp_path)
    assert all(found.parts.values())
    assert found.to_do == {}
    assert "Cell 'double' was changed from a code cell to a markdown cell" in found.said
    assert "Cell 'why' was changed from a markdown cell to a code cell" in found.said


def elsewhere(notebook, kind):
    """The same notebook as other programs save it."""
    content = json.loads(nbformat.writes(notebook))
    if kind == "colab":
        content["metadata"]["colab"] = {"provenance": [], "toc_visible": True}
        content["nbformat_minor"] = 0
        for cell in content["cells"]:
            cell["metadata"]["id"] = cell.pop("id")
            cell["metadata"]["outputId"] = "0-0"
    elif kind == "vscode":
        content["metadata"]["language_info"] = {"name": "python", "version": "3.12.1"}
        content["metadata"]["kernelspec"] = {"name": ".venv", "display_name": ".venv (3.12)"}
        for cell in content["cells"]:
            cell["metadata"]["vscode"] = {"languageId": "python"}
            cell["source"] = "".join(cell["source"])
    else:
        content["metadata"]["kaggle"] = {"accelerator": "none", "isGpuEnabled": False}
        content["nbformat_minor"] = 4
        for cell in content["cells"]:
            del cell["id"]
            cell["metadata"] |= {"trusted": True, "_uuid": "8f2839f25d", "_cell_guid": "b1"}
    return content


@pytest.mark.parametrize("kind", ["colab", "vscode", "kaggle"])
def test_notebooks_saved_by_other_programs_are_accepted(kind, tmp_path):
    path = tmp_path / "small.ipynb"
    path.write_text(json.dumps(elsewhere(answered(), kind)))
    report = check.check(open_notebook(path, [RELEASE]))
    assert report.fine, list(check.in_words(report))


def test_magics_and_shell_commands_are_accepted(tmp_path):
    own = "%matplotlib inline\n!true\nget_ipython().run_line_magic('time', '1')\n" + DOUBLE
    found = checked(answered(double=own), tmp_path)
    assert found.report.fine, found.said


@pytest.mark.skipif(sys.platform == "win32", reason="the kernel's command is a shell's")
def test_a_kernel_that_ends_at_its_start_is_started_again(tmp_path, monkeypatch):
    real = [sys.executable, "-m", "ipykernel_launcher", "-f"]
    once = f"test -e {tmp_path}/tried || {{ touch {tmp_path}/tried; exit 1; }}; exec"
    for command, starts in ((f'{once} {" ".join(real)} "$0"', True), ("exit 1", False)):
        spec = {"argv": ["sh", "-c", command, "{connection_file}"], "display_name": "Python 3"}
        folder = tmp_path / "kernels" / "python3"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "kernel.json").write_text(json.dumps({**spec, "language": "python"}))
        monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
        if starts:
            found = checked(answered(), tmp_path)
            assert found.report.fine, found.said
            assert (tmp_path / "tried").exists()
        else:
            with pytest.raises(DeskError, match="No kernel can be started"):
                checked(answered(), tmp_path)


def test_a_failed_plot_is_reported_with_its_error(tmp_path):
    found = checked(answered(sketch="import matplotlib.pyplot as plt\nplt.plot(history)"), tmp_path)
    assert found.to_do == {"sketch": "no plot in sketch"}
    assert "sketch raises NameError: name 'history' is not defined" in found.said
    assert not found.report.fine


def test_an_error_is_shown_with_the_line_of_a_cell_that_is_no_python(tmp_path):
    notebook = answered(sketch="plt.plot([1, 2]]", double="STEP = 1\n" + DOUBLE)
    cell_of(notebook, "double").source += "\nif STEP\n    pass"
    notebook.cells.append(new_code_cell("x = 'abc"))
    found = checked(notebook, tmp_path)
    assert "not match opening parenthesis '('; line 1: plt.plot([1, 2]]" in found.said
    assert "double raises SyntaxError: expected ':'; line 5: if STEP" in found.said
    assert "(detected at line 1); line 1: x = 'abc. When JupyterLab" in found.said


def test_a_function_without_an_answer_is_named_where_it_is_called(tmp_path):
    later = "def later(x):\n    raise NotImplementedError()\n"
    notebook = answered(double=f"STEP = 1\n{DOUBLE}\n{later}", sketch="print(later(1))")
    found = checked(notebook, tmp_path)
    assert "later has no answer yet; sketch calls it" in found.said
    found = checked(answered(sketch="x = 1\nraise NotImplementedError"), tmp_path)
    assert "sketch raises NotImplementedError" in found.said
    assert "NotImplementedError:" not in found.said


def test_the_test_of_a_cell_that_did_not_run_says_so_once(tmp_path):
    found = checked(answered(double="STEP = 1\n" + DOUBLE + ")"), tmp_path)
    assert found.parts == {"of numbers": False, "of a total": False}
    assert "test_double cannot pass: double did not run (see its error above)" in found.said
    assert "double raises SyntaxError: unmatched ')'; line 4: return x + x)" in found.said
    assert found.said.count("test_double") == 1


@pytest.mark.parametrize(
    "own",
    [
        "import sys\nsys.stdout = None",
        "%reset -f",
        "import os\nos.kill(os.getpid(), 9)",
        "import threading, os\nthreading.Timer(0.3, os._exit, [1]).start()",
        "get_ipython().user_ns.clear()",
        "import time\ntime.process_time = None",
        "checks = 3\nclass Checks: parts = [1]\nchecks = Checks()",
        "raise SystemExit",
        "def f(:\n",
        "import builtins\ndel builtins.len",
        "import hw_support.desk.inside as inside\ninside.outcome = None",
    ],
)
def test_no_answer_makes_check_end_in_a_traceback(own, tmp_path):
    found = checked(answered(double=own), tmp_path)
    assert not found.report.fine
    assert found.said


def test_a_certification_in_the_students_own_form_is_no_finding(tmp_path):
    table = "| Name | 王小明 |\n|---|---|\n| Student ID | 30312345 |\n| Place | 上海 |"
    notebook = copy.deepcopy(answered(certification=table))
    assert checked(notebook, tmp_path).report.fine
