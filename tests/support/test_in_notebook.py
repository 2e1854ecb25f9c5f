"""The commands as functions: a notebook's cells call them, on its file as it was last saved."""

import re
import sys

import nbformat
import pytest
from small import answered, small_notebook

import hw_support
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


def test_the_notebook_that_vs_code_names_is_taken(desk, tmp_path, capsys, monkeypatch):
    desk("doctor", notebook=small_notebook())
    (tmp_path / "mine.ipynb").write_text("{}")
    main, file = sys.modules["__main__"], str(tmp_path / "mine.ipynb")
    monkeypatch.setattr(main, "__vsc_ipynb_file__", file, raising=False)
    assert said_by(capsys, hw_support.check).startswith("mine.ipynb as it was saved at ")


def test_the_notebook_that_jupyter_names_is_taken(desk, tmp_path, capsys, monkeypatch):
    (tmp_path / "mine.ipynb").write_text("{}")
    monkeypatch.setenv("JPY_SESSION_NAME", "some/folder/mine.ipynb")
    hw_support.check()
    said = capsys.readouterr().out
    assert said.startswith("mine.ipynb as it was saved at ")
    assert "mine.ipynb" in said.partition("just now")[2]


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
