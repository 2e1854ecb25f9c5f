"""Attacks by writing, with checks from outside the sandbox; see `attacks/writing/`.

They write to every place of the file system, and to the folder of the sockets. That folder is the
only one that the grader shares. It is removed before the first cell.
"""

import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from arena import Arena
from carrying_out import carry_out

import hw_grading.inside
import hw_support

pytestmark = pytest.mark.slow


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield the folder in which the folders of the sockets are made; nothing may be left in it."""
    with tempfile.TemporaryDirectory(prefix="hw-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)
        assert [name for name in os.listdir(folder) if "kernel" in name] == []


def own_files() -> dict[Path, str]:
    """Digests of what the sandbox shows of this project and of the environment."""
    paths = [*Path(hw_support.__file__).parent.glob("*.py")]
    paths += Path(hw_grading.inside.__file__).parent.glob("*.py")
    paths += [Path(os.__file__), Path(np.__file__), Path(sys.executable).resolve()]
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_overwriting_the_environment_and_the_homework(arena: Arena) -> None:
    before = own_files()
    carry_out(arena, "writing/environment")
    assert own_files() == before


def test_links_to_the_course_in_the_working_folder(arena: Arena) -> None:
    carry_out(arena, "writing/links", COURSE=str(arena.course))


def test_devices_old_and_new(arena: Arena) -> None:
    outcome = carry_out(arena, "writing/devices")
    found = set(re.findall(r"there is /dev/([\w/]+)", outcome.printed))
    assert found <= {"null", "zero", "full", "random", "urandom", "tty", "pts/ptmx"}


def test_removing_everything_that_can_be_removed(arena: Arena, runs: Path) -> None:
    carry_out(arena, "writing/everything_removed")


def test_things_left_for_the_next_student(arena: Arena) -> None:
    carry_out(arena, "writing/things_left")
    carry_out(arena, "writing/things_of_another")


def test_files_named_like_modules_hide_none_of_them(arena: Arena) -> None:
    outcome = carry_out(arena, "patching/files_named_like_modules")
    assert "json is /usr/" in outcome.printed or "json is /opt/" in outcome.printed
