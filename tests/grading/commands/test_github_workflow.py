"""The step of the workflow for GitHub grades what was pushed, and writes a safe summary."""

import os
import subprocess
from pathlib import Path

import nbformat
import pytest
import yaml
from toy_course import ASSIGNMENT, ToyCourse, environment

from hw_grading.homework.course import REPOSITORY

pytestmark = pytest.mark.slow


def test_the_step_grades_what_was_pushed_and_names_what_cannot_be_graded(
    course: ToyCourse, tmp_path: Path
) -> None:
    workflow = yaml.safe_load((REPOSITORY / "deploy/github/grade.yml").read_text())
    (step,) = [one for one in workflow["jobs"]["grade"]["steps"] if one.get("name") == "Grade"]

    def git(*words: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        done = subprocess.run(
            ["git", *who, *words], cwd=course.root, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    git("init", "-q")
    course.submit("old", course.answered)
    git("add", "submitted")
    git("commit", "-qm", "old")
    before = git("rev-parse", "HEAD")
    wrong = course.answer(double="def double(x):\n    raise ValueError('<script>')")
    course.submit("ada", wrong)
    course.submit("$(touch owned) <b>", nbformat.writes(course.answered)[:900])
    git("add", "submitted")
    git("commit", "-qm", "new")
    summary = tmp_path / "summary.md"
    done = subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        cwd=course.root,
        env=environment() | {"BEFORE": before, "GITHUB_STEP_SUMMARY": str(summary)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr  # one was not graded
    text = summary.read_text()
    assert f"submitted/ada/{ASSIGNMENT}/hw2.ipynb</h3>\n<p>4 of 15 points" in text
    assert "&lt;b&gt;" in text
    assert "Not graded: The notebook" in text
    assert "<script>" not in text
    assert "old" not in text
    assert len(os.listdir(course.root / "results")) == 2
    assert not (course.root / "owned").exists()
