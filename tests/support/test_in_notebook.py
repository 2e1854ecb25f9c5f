"""The commands as functions: a notebook's cells call them, on its file as it was last saved."""

import os
import re
import zipfile

import nbformat
import pytest
from front_ends import as_colab_has_it, install_colab, kernel, vs_code
from nbformat.v4 import new_output
from small import answered, small_notebook

import hw_support
from hw_support.student.finding import find
from hw_support.student.in_notebook import COPY_VARIABLE

BAD = answered(double="STEP = 1\ndef double(x): return 3 * x")


@pytest.fixture(autouse=True)
def no_name(monkeypatch):
    """Jupyter does not say which notebook is open."""
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)


@pytest.mark.parametrize("variable", ["NBGRADER_EXECUTION", COPY_VARIABLE])
@pytest.mark.parametrize("command", ["check", "zip", "pdf"])
def test_nothing_is_done_while_a_notebook_is_graded(command, variable, capsys, monkeypatch):
    monkeypatch.setenv(variable, "1")
    getattr(hw_support, command)("no such file")
    assert capsys.readouterr().out.startswith(f"{command}: nothing is done while")


def said_by(capsys, call, *words):
    call(*words)
    return capsys.readouterr().out


def test_a_folder_with_no_homework_is_named_and_what_to_do(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.ipynb").write_text("{}")
    said = said_by(capsys, hw_support.check)
    assert f"No notebook of a homework is in the folder {tmp_path}." in said
    assert 'type its path: hw_support.check("/the/folder/homework.ipynb")' in said
    said = said_by(capsys, hw_support.check, "hw2.ipynb")
    assert f"There is no file hw2.ipynb in the folder {tmp_path}." in said
    assert "beside the file that ends in\n.released.json" in said


def test_of_several_notebooks_that_may_be_meant_none_is_chosen(desk, tmp_path, capsys):
    desk("doctor", notebook=small_notebook())
    nbformat.write(answered(), tmp_path / "small (1).ipynb")
    (tmp_path / "notes.ipynb").write_text("{}")
    said = said_by(capsys, hw_support.zip)
    lines = [line.partition("   saved at ")[0] for line in said.splitlines()]
    assert lines[1:3] == ['  hw_support.zip("small (1).ipynb")', '  hw_support.zip("small.ipynb")']
    assert "notes" not in said
    assert [*tmp_path.glob("*.zip")] == []
    assert said_by(capsys, hw_support.zip, "smal.ipynb").splitlines()[1:] == said.splitlines()


@pytest.mark.parametrize(
    ("named", "here"),
    [
        ("{}/course/hw/small.ipynb", "course/hw"),
        ("hw/small.ipynb", "course"),  # below the server's folder, which the kernel is in
        ("course/hw/small.ipynb", "course/other"),
        ("RTC:hw/small.ipynb", "course/hw"),
        ("C:\\\\hw\\\\gone.ipynb", "course/hw"),  # of another machine
    ],
)
def test_the_file_that_jupyter_names_is_found(named, here, tmp_path, capsys, monkeypatch):
    for folder in ("hw", "other"):
        (tmp_path / "course" / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / here)
    monkeypatch.setenv("JPY_SESSION_NAME", named.format(tmp_path))
    file = tmp_path / "course" / "hw" / "small.ipynb"
    nbformat.write(small_notebook(), file)
    file.with_name("small.released.json").touch()
    os.utime(file, (0, 0))
    found = find("", "check")
    assert (found.path, found.folder) == (file, file.parent)
    assert found.state.startswith("as it was saved on 01 January at ")


@pytest.mark.slow
def test_vs_code_names_a_notebook_outside_of_the_kernels_folder(desk, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    desk("doctor", notebook=answered(setup="np = 1\nx = 2"))
    with kernel(tmp_path / "elsewhere", vs_code(tmp_path / "small.ipynb")) as run:
        said = run("import hw_support\nhw_support.doctor(); hw_support.check()")
    said = " ".join(said.split())
    assert said.startswith("fine notebook small.ipynb as it was saved at ")
    edited = "Cell 'setup' is locked, but its text was edited: the instructor's text was restored."
    assert f"{edited} Before grading it is put back too." in said


@pytest.fixture
def colab(desk, tmp_path):
    """Run a cell in Colab, beside the files of the homework."""
    install_colab(tmp_path / "lib")
    desk("doctor", notebook=answered())  # in the students' zip; nobody works in it
    path = os.pathsep.join([str(tmp_path / "lib"), os.environ["PYTHONPATH"]])
    with kernel(tmp_path, "import google.colab, hw_support", PYTHONPATH=path) as run:
        yield run


@pytest.mark.slow
def test_colab_hands_out_what_is_on_the_screen(colab, tmp_path):
    before = (tmp_path / "small.ipynb").read_bytes()
    screen = as_colab_has_it(BAD, "../Copy of small.ipynb")
    page = {"data": {"ipynb": screen}}
    said = " ".join(colab("hw_support.check()", page).split())
    assert said.startswith(".._Copy of small.ipynb as it is on your screen")
    assert "test_double, of numbers: out[0]: expected 2, got 3" in said
    screen["cells"][-4]["outputs"] = [new_output("stream", text="said since")]
    said = colab("hw_support.zip(student='30312345')", page)
    assert "expected 2" not in said, "the same code was checked above"
    made = tmp_path / "30312345_small.zip"
    assert f"The browser downloads {made}" in said
    with zipfile.ZipFile(made) as archive:
        assert b"said since" in archive.read("30312345_small.ipynb")
    assert (tmp_path / "small.ipynb").read_bytes() == before


@pytest.mark.slow
def test_what_colab_does_not_hand_out_is_named_otherwise(colab, tmp_path):
    colab("hw_support.student.finding._SECONDS = 1")
    no = "Colab did not hand out this notebook"
    rows = [
        (None, f"{no} within 1 s. Run this cell again."),
        ({"data": None}, f"{no} within 1 s. Run this cell again."),
        ({"error": "not now"}, f"{no} (MessageError). Run"),
        ({"data": "text"}, f"{no} as one. Run"),
        ({"data": {"ipynb": None}}, f"{no} as one. Run"),
        ({"data": {"ipynb": {"cells": 3}}}, f"{no} as one. Run"),
        (
            {"data": {"ipynb": {"cells": [], "metadata": 3}}},
            "The notebook 'notebook.ipynb' cannot be",
        ),
    ]
    for page, expected in rows:
        assert expected in colab("hw_support.check()", page), page
    assert "FIX   notebook    not found" in colab("hw_support.doctor();")
    assert "small.ipynb as it was saved at " in colab("hw_support.check('small.ipynb')")


@pytest.mark.slow
def test_check_and_zip_use_the_saved_file(desk, tmp_path, capsys):
    desk("doctor", notebook=BAD)
    hw_support.check()
    printed = capsys.readouterr().out
    bars = [line for line in printed.split("\r") if re.search(r"Cell sketch .*\d/5 ", line)]
    assert bars, "the progress is shown"
    said = " ".join(printed.split())
    assert said.startswith("small.ipynb as it was saved at ")
    assert said.endswith("save, and check again. Then submit small.ipynb.")
    assert "test_double, of numbers: out[0]: expected 2, got 3" in said
    hw_support.zip(student="30312345")
    said = capsys.readouterr().out
    assert "expected 2" not in said, "the same file was checked above"
    assert (tmp_path / "30312345_small.zip").is_file()
    assert "30312345_small.zip" in said.splitlines()[-1], "a link"
    hw_support.pdf()
    assert "Or type hw_support.pdf(run=True): then a copy" in capsys.readouterr().out
