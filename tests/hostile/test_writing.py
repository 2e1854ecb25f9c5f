"""Attacks by writing, with checks from outside the sandbox; see `attacks/writing/`.

They write to every place of the file system, and to the folder of the sockets. That folder is the
only one that the grader shares. It is removed before the first cell.
"""

import contextlib
import hashlib
import os
import re
import shutil
import stat
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from arena import STUDENT, Arena
from carrying_out import carry_out, tried

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


def test_the_course_by_its_real_paths(arena: Arena) -> None:
    carry_out(arena, "writing/course", COURSE=str(arena.course), STUDENT=STUDENT)


@pytest.mark.smoke
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


# -- the folder of the sockets


def test_hard_links_of_the_graders_files_beside_the_sockets(arena: Arena, runs: Path) -> None:
    outcome = carry_out(arena, "writing/hard_links")
    worked, refused = tried(outcome)
    assert {"read_key", "write_key"} <= refused or "No such file" in outcome.printed
    assert "link" not in worked


def test_the_folder_of_a_run_is_for_nobody_else_and_gone_afterwards(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    over = threading.Event()
    # A folder for this test alone, because others are running; its path is short, for sockets.
    place = Path(tempfile.mkdtemp(prefix="w-"))
    place.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(place))

    def look() -> None:
        while not over.wait(0.01):
            for path in place.glob("hw-kernel-*"):
                with contextlib.suppress(OSError):
                    seen.append(stat.S_IMODE(path.stat().st_mode))

    thread = threading.Thread(target=look)
    thread.start()
    carry_out(arena, "writing/open_folder")
    over.set()
    thread.join()
    assert seen
    assert not any(mode & 0o077 for mode in seen)
    assert not list(place.glob("hw-kernel-*"))
    shutil.rmtree(place)
