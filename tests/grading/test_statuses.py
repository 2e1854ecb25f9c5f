"""`python -m hw_grading` ends with 0 if all is fine, 1 if something is to do, 2 on failure."""

import os
import subprocess
import sys

import pytest
from tiny_homeworks import manifest_of, source_of, write_homework

from hw_grading import __main__ as program
from hw_grading.commands import demo
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.verbs import VERBS


@pytest.mark.parametrize("command", ["report", "statistics"])
def test_without_scores_there_is_nothing_to_show_and_the_status_is_2(command, tmp_path, capsys):
    assert program.main(["--course", str(tmp_path), command, "ps1"]) == 2
    said = capsys.readouterr()
    assert said.err.strip()
    assert "Traceback" not in said.err


COMMANDS = {
    "backup": [], "collect": ["ps1", "x.zip"], "correct": ["ps1", "--list"], "desk": ["ps1"],
    "explain": ["ps1", "ada"], "export": ["ps1", "--as", "questions"], "extend": ["ps1", "ada"],
    "regrade": ["ps1"], "release": [], "report": ["ps1"],
    "similarity": ["ps1"], "statistics": ["ps1"],
}  # fmt: skip


@pytest.mark.parametrize("command", sorted({*VERBS} - {"demo", "doctor", "new"}))
def test_in_a_wrong_folder_each_command_says_how_to_name_the_course(command, tmp_path, capsys):
    assert program.main(["--course", str(tmp_path), command, *COMMANDS[command]]) == 2
    assert capsys.readouterr().err == (
        f"There is no nbgrader_config.py in {tmp_path}. Go to the course's folder, or type: "
        f"python -m hw_grading --course FOLDER {command}\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_command_has_status_2(capsys):
    with pytest.raises(SystemExit) as end:
        program.main(["grade-it"])
    assert end.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["99999", "0", "-1", "http"])
def test_a_port_that_does_not_exist_is_refused(port, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        program.main(["--course", str(tmp_path), "desk", "ps1", "--port", port])
    assert end.value.code == 2
    assert f"expected a number from 1 to 65535, found '{port}'" in capsys.readouterr().err


def test_output_that_nobody_reads_gives_no_message():
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "hw_grading", "--course", str(REPOSITORY), "doctor"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (130, "")


def test_the_program_itself_ends_with_that_status(tmp_path):
    manifest = manifest_of("ps1").replace("points = 7", 'points = "seven"')
    write_homework(tmp_path, "ps1", source_of("ps1"), manifest)
    command = [sys.executable, "-m", "hw_grading", "--course", tmp_path, "release"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    [sentence] = done.stderr.strip().split("\n")
    assert "points is 'seven'. Allowed: a number, without quotes." in sentence


@pytest.mark.parametrize(("nbgraders", "ours"), [(0, 0), (1, 1), (255, 1), (-9, 1)])
def test_an_incompletely_graded_class_has_status_1(nbgraders, ours, tmp_path, monkeypatch):
    write_homework(tmp_path, "ps1", source_of("ps1"), manifest_of("ps1"))

    def nbgrader(self, *words, log=None):
        return nbgraders if words[0] == "autograde" else 0

    monkeypatch.setattr(demo, "scratch_course", lambda folder: Course(folder))
    monkeypatch.setattr(Course, "nbgrader", nbgrader)
    monkeypatch.setattr(demo, "sandbox_or_none", list)
    monkeypatch.setattr(demo, "write_class", lambda *_: [type("S", (), {"student": "ada"})])
    monkeypatch.setattr(demo, "grid_of", lambda _: "ps1")
    monkeypatch.setattr(demo, "report", lambda *_: "")
    assert program.main(["demo", "--folder", str(tmp_path)]) == ours
