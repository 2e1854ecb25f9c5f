"""The command line: the list of commands, the only notebook of a folder, words for students."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from small import RELEASE, answered

import hw_support
from hw_grading.homework.course import REPOSITORY
from hw_support import __main__ as program
from hw_support.__main__ import main
from hw_support.submission import released


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder in which commands are typed, of a small homework."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(released, "releases", lambda: (RELEASE,))
    return tmp_path


def test_without_a_command_each_is_listed_on_a_line(here, capsys):
    assert main([]) == 0
    said = capsys.readouterr().out
    for name in ("doctor", "check", "pdf", "zip"):
        (line,) = [line for line in said.splitlines() if f"hw_support {name} " in line]
        assert len(line) < 100


def test_the_only_notebook_of_the_folder_is_taken_and_named(here, capsys):
    nbformat.write(answered(), here / "small.ipynb")
    assert main(["zip", "--no-check"]) == 0
    assert capsys.readouterr().out.startswith("small.ipynb is the only notebook in this folder.\n")
    assert (here / "30312345_small.zip").exists()


@pytest.mark.parametrize("command", ["check", "pdf", "zip"])
def test_with_several_notebooks_the_command_asks_for_a_name(command, here, capsys):
    for name in ("small.ipynb", "my notes.ipynb"):
        nbformat.write(answered(), here / name)
    assert main([command]) == 2
    said = capsys.readouterr().err
    assert "There are 2 notebooks in this folder. Type one of:" in said
    assert f'\n  python -m hw_support {command} "my notes.ipynb"\n' in said


def test_output_that_nobody_reads_gives_no_traceback(here):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "hw_support", "doctor"],
        stdout=writing,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        text=True,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (130, "")


def test_doctor_has_status_1_if_something_is_to_do(monkeypatch):
    for is_fine, status in ((True, 0), (False, 1)):
        monkeypatch.setattr(program, "doctor", lambda is_fine=is_fine: is_fine)
        assert main(["doctor"]) == status


def test_a_folder_without_a_notebook_is_reported(here, capsys):
    assert main(["check"]) == 2
    said = capsys.readouterr().err
    assert f"There is no notebook in {here}" in said


def test_a_missing_file_is_reported_in_words_for_students(here, capsys):
    nbformat.write(answered(), here / "small.ipynb")
    assert main(["check", "smal.ipynb"]) == 2
    said = capsys.readouterr().err
    assert "There is no notebook smal.ipynb. Did you mean small.ipynb?" in said
    assert "grade" not in said


def test_no_message_of_the_desk_speaks_of_grading():
    folder = Path(hw_support.__file__).parent
    phrases = re.compile(r"grade again|autograded?[ .]|gradebook|formgrader|submission(?= )", re.I)
    texts = [
        text
        for path in sorted((folder / "desk").rglob("*.py"))
        for text in re.findall(r'f?"([^"\n]+)"', path.read_text(encoding="utf-8"))
    ]
    assert len(texts) > 100
    assert [text for text in texts if phrases.search(text)] == []
