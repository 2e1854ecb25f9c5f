"""Attacks by writing, with checks from outside the sandbox; see `attacks/writing/`.

They write to every place of the file system, and to the folder of the sockets. That folder is the
only one that the grader shares. It is removed before the first cell.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from arena import Arena
from carrying_out import carry_out

pytestmark = pytest.mark.slow


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield the folder in which the folders of the sockets are made; nothing may be left in it."""
    with tempfile.TemporaryDirectory(prefix="hw-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)
        assert [name for name in os.listdir(folder) if "kernel" in name] == []


def test_links_to_the_course_in_the_working_folder(arena: Arena) -> None:
    carry_out(arena, "writing/links", COURSE=str(arena.course))


def test_removing_everything_that_can_be_removed(arena: Arena, runs: Path) -> None:
    carry_out(arena, "writing/everything_removed")


def test_things_left_for_the_next_student(arena: Arena) -> None:
    carry_out(arena, "writing/things_left")
    carry_out(arena, "writing/things_of_another")


def test_files_named_like_modules_hide_none_of_them(arena: Arena) -> None:
    outcome = carry_out(arena, "patching/files_named_like_modules")
    assert "json is /usr/" in outcome.printed or "json is /opt/" in outcome.printed
