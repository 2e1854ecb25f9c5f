"""Without a sandbox nothing is graded, and the message says what to do."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from toy_course import FULL_MARKS, ToyCourse

from hw_grading.answering.isolation import Limits
from hw_grading.sandbox import environment
from hw_grading.sandbox.environment import SandboxUnavailable


def check() -> None:
    environment.check(environment.what_to_show(1, []), Limits())


def programs(folder: Path, **scripts: str) -> str:
    """A PATH with only these programs."""
    folder.mkdir()
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def test_without_bubblewrap_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", programs(tmp_path / "bin"))
    with pytest.raises(SandboxUnavailable) as raised:
        check()
    said = str(raised.value)
    for words in ("'bwrap'", "apt-get install bubblewrap", "dnf install", "Nothing was graded"):
        assert words in said
    assert 'c.ExecuteSubmission.sandbox = "none"' in said


@pytest.mark.parametrize(
    "script",
    [
        "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1",
        "echo out; exit 0",
    ],
)
def test_a_forbidden_bubblewrap_is_named_with_what_to_allow(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", programs(tmp_path / "bin", bwrap=script, setpriv="exit 0"))
    with pytest.raises(SandboxUnavailable) as raised:
        check()
    said = str(raised.value)
    for words in ("AppArmor", "bwrap-userns-restrict", "Docker", "Fedora", "user."):
        assert words in said
    assert "Permission denied" in said or "Permission" not in script


@pytest.mark.slow
def test_nbgrader_grades_nobody_without_a_sandbox_by_default(
    course: ToyCourse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course.submit("ada", course.answered)
    path = programs(tmp_path / "bin")
    for name in ("alembic", "sh", "env"):
        os.symlink(shutil.which(name) or sys.executable, f"{path}/{name}")
    monkeypatch.setattr("toy_course.environment", lambda: {**os.environ, "PATH": path})
    done = course.grade()
    assert done.returncode != 0
    assert "apt-get install bubblewrap" in done.stderr
    assert course.scores("ada") == {}
    assert not (course.root / "autograded" / "ada").exists()

    done = course.grade("--ExecuteSubmission.sandbox=none")
    assert done.returncode == 0, done.stderr
    assert sum(course.test_scores("ada").values()) == FULL_MARKS  # type: ignore[arg-type]
