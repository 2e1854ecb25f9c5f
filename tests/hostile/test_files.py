"""Attacks by files: invalid notebooks, and folders that lead elsewhere.

Files are read in the grader's own process, outside of any sandbox. So tests also check the memory
that reading takes.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from toy_course import FULL_MARKS, ToyCourse

from hw_support.submission.file import UserError, read_submission

pytestmark = pytest.mark.slow

MAX_MB = 900  # that reading one file may take: nine bytes for each of 90 million characters


def expect_unreadable(path: Path, memory: Any, why: str) -> None:
    """Expect that a file is refused with this reason, in little memory."""
    memory.begin()
    with pytest.raises(UserError) as raised:
        read_submission(path)
    memory.end()
    assert memory.grader_mb < MAX_MB, memory
    assert why in str(raised.value)
    assert len(str(raised.value)) < 500


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hw2.ipynb"


# -- one file


def cells_of(item: str, size: int = 40_000_000) -> bytes:
    """A file of many small values in the place of cells."""
    items = ",".join([item] * (size // (len(item) + 1)))
    return f'{{"nbformat": 4, "cells": [{items}]}}'.encode()


def with_text(text: str) -> bytes:
    cells = [{"cell_type": "markdown", "source": text, "metadata": {}}]
    notebook = {"nbformat": 4, "metadata": {}, "cells": cells}
    return json.dumps(notebook, ensure_ascii=False).encode()


LARGE: dict[str, tuple[Callable[[], bytes], str]] = {
    "a million cells": (lambda: cells_of('{"cell_type": "code", "source": ""}'), "values"),
    "a wide text": (
        lambda: with_text("\N{GRINNING FACE}" + "x" * 90_000_000),
        "characters of text",
    ),
    "objects in a cell": (lambda: cells_of('{"a":' * 900_000, 5_000_000), "nested too deeply"),
}


@pytest.mark.parametrize("what", LARGE)
def test_a_large_or_hostile_file_is_refused(path: Path, memory: Any, what: str) -> None:
    content, why = LARGE[what]
    path.write_bytes(content())
    expect_unreadable(path, memory, why)


# -- not regular files


def test_a_file_replaced_by_a_link_during_reading_is_not_read(
    path: Path, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(with_text("x"))
    look = os.lstat

    def look_and_exchange(*arguments: Any, **named: Any) -> os.stat_result:
        found = look(*arguments, **named)
        if os.fspath(arguments[0]) == str(path) and path.exists() and not path.is_symlink():
            path.unlink()
            path.symlink_to("/etc/passwd")
        return found

    monkeypatch.setattr(os, "lstat", look_and_exchange)
    expect_unreadable(path, memory, "opening it failed")


# -- folders


def test_folders_that_are_links_or_very_deep_are_not_graded(course: ToyCourse) -> None:
    course.submit("honest", course.answered)
    before = contents(course.root / "source")
    why = {}
    for target in ("submitted/honest", "source", "release"):
        for inner in ("", "hw2"):
            link = course.root / "submitted" / f"thief-{len(why)}" / inner
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(course.root / target / inner)
            why[f"thief-{len(why)}"] = "it is a symbolic link"
    course.submit("deep", course.answered)
    (course.folder("deep") / "/".join("d" * 101)).mkdir(parents=True)
    why["deep"] = "it has more than 100 folders within 'd'"
    done = course.grade()
    assert done.returncode == 1
    assert done.stderr.count("NOT GRADED: ") == len(why)
    for student, reason in why.items():
        assert f"/submitted/{student}/hw2: {reason}" in done.stderr
        assert course.test_scores(student) == {}
        assert not (course.root / "autograded" / student).exists()
    assert sum(score or 0 for score in course.test_scores("honest").values()) == FULL_MARKS
    assert contents(course.root / "source") == before


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
