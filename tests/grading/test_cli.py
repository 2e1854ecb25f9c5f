"""The command line: which commands there are, and how each of them ends."""

import os
import subprocess
import sys
from unittest.mock import Mock, call

import pytest

from hw_grading.__main__ import main
from hw_grading.gradebook.database import Database
from hw_grading.homework.course import REPOSITORY, Course

ARGUMENTS = {
    "backup": [], "code": ["ps1", "code"], "collect": ["ps1", "x.zip"], "compare": ["ps1"],
    "correct": ["ps1", "--list"], "desk": ["ps1"],
    "explain": ["ps1", "--student", "ada"], "export": ["ps1", "--format", "questions"],
    "extend": ["ps1", "--list"], "feedback": ["ps1"], "grade": ["ps1"], "leave": [], "new": ["ps1"],
    "regrade": ["ps1"], "release": [], "report": ["ps1"],
    "mistakes": ["ps1"],
}  # fmt: skip


ADOPTED = "from hw_grading import configure\nconfigure(get_config())\n"


def write_course(folder, settings=ADOPTED):
    """Write a course with two homeworks that were never released."""
    (folder / "nbgrader_config.py").write_text(settings)
    for name in ("ps1", "ps2"):
        (folder / "source" / name).mkdir(parents=True)
        notebook = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
        (folder / "source" / name / f"{name}.ipynb").write_text(notebook)


@pytest.mark.parametrize("command", [one for one in ARGUMENTS if one != "new"])  # it makes one
def test_in_a_wrong_folder_each_command_asks_for_the_course(command, tmp_path, capsys):
    for words in (["--course", str(tmp_path), command], [command, "--course", str(tmp_path)]):
        assert main([*words, *ARGUMENTS[command]]) == 2
        assert capsys.readouterr().err == (
            f"There is no nbgrader_config.py in {tmp_path}. Go to the course's folder, or type: "
            f"hw-grading --course FOLDER {command}\n"
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["report", "ps1"], "gradebook"),
        (["mistakes", "ps1"], "gradebook"),
        (["grade", "ps1"], "does not use this grader. Without it, nbgrader runs student code"),
        (["grade", "ps11"], "has no homework 'ps11': expected one of ps1, ps2"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_status_2(words, said, tmp_path, capsys):
    write_course(tmp_path, "" if "use this grader" in said else ADOPTED)
    assert main(["--course", str(tmp_path), *words]) == 2
    [sentence] = capsys.readouterr().err.splitlines()
    assert said in sentence


@pytest.mark.parametrize(("nbgraders", "ours"), [(0, 0), (1, 1), (255, 1), (-9, 1)])
def test_grade_passes_students_and_options_on_to_nbgrader(
    nbgraders, ours, tmp_path, monkeypatch, capsys
):
    write_course(tmp_path)
    nbgrader = Mock(return_value=nbgraders)
    monkeypatch.setattr(Course, "nbgrader", nbgrader)
    monkeypatch.setattr(Database, "expect_homework", Mock())
    course = ["--course", str(tmp_path)]
    assert main([*course, "grade", "ps1", "--force", "--WholeClass.executor=serial"]) == ours
    assert main([*course, "grade", "ps1", "--student=ada", "--student", "ben", "--force"]) == ours
    assert nbgrader.call_args_list == [
        call("autograde", "ps1", "--force", "--WholeClass.executor=serial"),
        call("autograde", "ps1", "--student=ada", "--force"),
        call("autograde", "ps1", "--student=ben", "--force"),
    ]
    hint = "Nothing was submitted. Collect it first: hw-grading collect ps1 DOWNLOAD"
    assert (hint in capsys.readouterr().err) == (ours == 1)


def test_a_failed_run_over_a_class_does_not_ask_for_submissions(tmp_path, monkeypatch, capsys):
    root = tmp_path / "spring [2]"  # which is no pattern here
    (root / "submitted" / "ada" / "ps1").mkdir(parents=True)
    write_course(root)
    monkeypatch.setattr(Course, "nbgrader", Mock(return_value=1))
    monkeypatch.setattr(Database, "expect_homework", Mock())
    assert main(["--course", str(root), "grade", "ps1"]) == 1
    assert capsys.readouterr().err == ""


def test_feedback_of_a_collected_homework_is_released(tmp_path, monkeypatch):
    settings = f"c.Exchange.root = {str(tmp_path)!r}\nc.CourseDirectory.course_id = 'ml'\n"
    write_course(tmp_path, f"c = get_config()\n{settings}")
    inbound = tmp_path / "ml" / "inbound"
    (inbound / "ada+ps1+2030-01-01 00:00:00 UTC+x").mkdir(parents=True)
    nbgrader = Mock(return_value=0)
    monkeypatch.setattr(Course, "nbgrader", nbgrader)
    assert main(["--course", str(tmp_path), "feedback", "ps1", "--force"]) == 0
    assert main(["--course", str(tmp_path), "feedback", "ps2"]) == 0
    assert nbgrader.call_args_list == [
        call("generate_feedback", "ps1", "--force"),
        call("release_feedback", "ps1"),
        call("generate_feedback", "ps2"),
    ]


def test_output_that_nobody_reads_gives_no_message():
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "hw_grading", "--course", str(REPOSITORY), "doctor"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (130, "")


def test_a_bug_shows_its_traceback(monkeypatch):
    bug = RuntimeError("dictionary changed size during iteration")
    monkeypatch.setattr("hw_grading.doctor.doctor", Mock(side_effect=bug))
    with pytest.raises(RuntimeError, match="changed size"):
        main(["--course", str(REPOSITORY), "doctor"])


def without(package: str) -> subprocess.CompletedProcess[str]:
    """`code`, typed where a package is not installed."""
    program = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from hw_grading.cli import main\n"
        f"sys.exit(main(['--course', {str(REPOSITORY)!r}, 'code', 'hw2', 'code']))"
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_a_package_that_is_missing_is_named_with_what_to_type():
    done = without("nbgrader")
    assert done.returncode == 2
    assert done.stderr.startswith("FIX   packages    ")
    assert "nbgrader" in done.stderr
    assert f"-m pip install -r {REPOSITORY / 'requirements.lock'}" in done.stderr
    assert "Traceback" not in done.stderr
