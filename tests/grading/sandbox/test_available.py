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


def programs(folder: Path, **scripts: str) -> str:
    """A PATH with only these programs."""
    folder.mkdir()
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return str(folder)


TO_INSTALL = ["'bwrap'", "apt-get install bubblewrap", "dnf install", "Nothing was graded"]
TO_ALLOW = ["AppArmor", "bwrap-userns-restrict", "Docker", "Fedora", "user."]
DENIED = "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1"


@pytest.mark.parametrize(
    ("scripts", "words"),
    [
        ({}, [*TO_INSTALL, 'c.ExecuteSubmission.sandbox = "none"']),
        ({"bwrap": DENIED, "setpriv": "exit 0"}, [*TO_ALLOW, "Permission denied"]),
        ({"bwrap": "echo out; exit 0", "setpriv": "exit 0"}, TO_ALLOW),
    ],
    ids=["missing", "denied", "broken"],
)
def test_a_sandbox_that_cannot_be_made_is_named_with_what_to_do(
    scripts: dict[str, str], words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", programs(tmp_path / "bin", **scripts))
    with pytest.raises(SandboxUnavailable) as raised:
        environment.check(environment.what_to_show(1, []), Limits())
    assert [word for word in words if word not in str(raised.value)] == []


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


@pytest.mark.parametrize("written", ["", '{"ttflist": [{"fname": "/usr/share/fon'])
def test_a_list_of_fonts_that_another_process_is_writing_is_not_read(
    written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "fontlist-v1.json").write_text(written)
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "cache"))
    monkeypatch.setattr(environment, "prepared_folder", environment.prepared_folder.__wrapped__)

    fonts = environment.prepared_folder() / "fonts"

    (list_of_fonts,) = fonts.iterdir()
    assert "DejaVuSans.ttf" in list_of_fonts.read_text()
