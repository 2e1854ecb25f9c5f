"""The autograder for Classroom 50 writes what its collector takes, and shows no hidden line."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from toy_course import FULL_MARKS, ToyCourse, environment

from hw_grading.homework.course import REPOSITORY

pytestmark = pytest.mark.slow
DEPLOY = REPOSITORY / "deploy" / "github"
# What its runner gives. wiki/Advanced-Autograding.md of foundation50/classroom50 has the contract.
GIVEN = {
    "CLASSROOM": "intro-ml",
    "ASSIGNMENT": "hw2",
    "ASSIGNMENT_TYPE": "individual",
    "OWNER": "ada",
    "SUBMISSION_TAG": "submit/2026-10-01T10-00-00Z-abc1234",
    "COMMIT_URL": "https://github.com/o/r/commit/abc1234",
    "RELEASE_URL": "https://github.com/o/r/releases/tag/submit",
    "REVIEW_URL": "",
}
TEXTS = {"submission", "commit", "release", "review", "datetime", "owner"}


def graded(course: ToyCourse, checkout: Path) -> "subprocess.CompletedProcess[str]":
    """Run the autograder in a student's files, as the runner does."""
    command = course.root / ".venv" / "bin" / "hw-grading"
    command.parent.mkdir(parents=True, exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m hw_grading "$@"\n')
    command.chmod(0o755)
    text = (DEPLOY / "hw-grade").read_text().replace("/srv/course", str(course.root))
    grade = course.root / "hw-grade"
    grade.write_text(text)
    given = GIVEN | {"HW_GRADE": f"sh {grade}"}
    return subprocess.run(
        [sys.executable, DEPLOY / "autograder.py"],
        cwd=checkout,
        env=environment() | given,
        capture_output=True,
        text=True,
    )


def test_the_result_is_what_the_collector_takes(course: ToyCourse, tmp_path: Path) -> None:
    hidden = course.answer(triple="def triple(x):\n    return 6 if x == 2 else 0")
    nbformat.write(hidden, tmp_path / "hw2.ipynb")
    done = graded(course, tmp_path)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "result.json").read_text()
    assert "triple(5)" not in text + done.stdout + done.stderr  # a hidden line
    result = json.loads(text)
    assert result["schema"] == "classroom50/result/v1"
    assert (result["classroom"], result["assignment"]) == ("intro-ml", "hw2")
    assert result["assignment_type"] == "individual"
    assert all(isinstance(result[name], str) and result[name] for name in TEXTS)
    more = {"schema", "classroom", "assignment", "assignment_type", "score", "max-score", "tests"}
    assert {*result} == TEXTS | more  # the contract has no others, but for the runner's own
    tests = result["tests"]
    for one in (result, *tests):
        assert type(one["score"]) is type(one["max-score"]) is int
        assert 0 <= one["score"] <= one["max-score"]
    assert result["score"] == sum(test["score"] for test in tests) == 200
    assert result["max-score"] == sum(test["max-score"] for test in tests) == 100 * FULL_MARKS
    assert [test["passed"] for test in tests] == [True, False, False]
    assert all(test["test-name"] for test in tests)


def test_what_cannot_be_graded_is_a_failure_with_its_reason(
    course: ToyCourse, tmp_path: Path
) -> None:
    (tmp_path / "hw2.ipynb").write_text("no notebook")
    done = graded(course, tmp_path)
    assert done.returncode == 1
    assert "expected JSON" in done.stderr
    assert not (tmp_path / "result.json").exists()
