"""A folder that a student can change is copied without following links out of it."""

import os
from pathlib import Path

import pytest

from hw_grading.plugins.strange_folder import copy_strange_folder
from hw_support.submission.file import Unreadable


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "s" / "inner").mkdir(parents=True)
    (tmp_path / "s" / "inner" / "a").write_bytes(b"12345")
    (tmp_path / "s" / "b").write_bytes(b"678")
    return tmp_path / "s"


def test_files_are_copied_with_their_folders(source: Path, tmp_path: Path) -> None:
    assert copy_strange_folder(source, tmp_path / "t", 8, 5) == []
    assert (tmp_path / "t" / "inner" / "a").read_bytes() == b"12345"
    assert (tmp_path / "t" / "b").read_bytes() == b"678"


def test_too_large_files_are_left_out_or_refused(source: Path, tmp_path: Path) -> None:
    (left,) = copy_strange_folder(source, tmp_path / "t", 8, 4)
    assert left == "'inner/a' (expected at most 4 bytes, found 5)"
    with pytest.raises(Unreadable, match="more than 7 bytes together"):
        copy_strange_folder(source, tmp_path / "u", 7, 5)


def test_no_link_is_followed(source: Path, tmp_path: Path) -> None:
    (source / "up").symlink_to(tmp_path)
    (source / "of a file").symlink_to(source / "b")
    left = copy_strange_folder(source, tmp_path / "t", 100, 100)
    assert sorted(left) == [
        "'of a file' (a symbolic link)",
        "'up' (a symbolic link)",
    ]
    assert sorted(os.listdir(tmp_path / "t")) == ["b", "inner"]
    (tmp_path / "link").symlink_to(source)
    with pytest.raises(Unreadable, match="not a folder"):
        copy_strange_folder(tmp_path / "link", tmp_path / "u", 100, 100)


def test_too_deeply_nested_folders_are_refused(source: Path, tmp_path: Path) -> None:
    (source / "/".join("d" * 120)).mkdir(parents=True)
    with pytest.raises(Unreadable, match="more than 100 nested folders"):
        copy_strange_folder(source, tmp_path / "t", 100, 100)
