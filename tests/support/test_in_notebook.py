"""The commands as functions: a notebook's cells call them, on its file as it was last saved."""

import pytest
from small import answered

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


def test_a_folder_with_no_homework_asks_for_the_name(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hw_support.check()
    said = capsys.readouterr().out
    assert "Expected one notebook of a homework in this folder, found none." in said
    assert 'hw_support.check("notebook.ipynb")' in said


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
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("small.ipynb as it was saved at ")
    assert "test_double, of numbers: out[0]: expected 2, got 3" in said
    hw_support.zip(student="30312345")
    said = capsys.readouterr().out
    assert "expected 2" not in said, "the same file was checked above"
    assert (tmp_path / "30312345_small.zip").is_file()
    assert "30312345_small.zip" in said.splitlines()[-1], "a link"
