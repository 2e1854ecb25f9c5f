"""A homework's description, and where the students' commands find it."""

import json
from pathlib import Path

import pytest
from small import small_notebook
from tiny_homeworks import tiny_description

from hw_support.submission.released import ENDING, as_release, releases_for


def test_an_answer_without_points_is_optional():
    description = tiny_description("ps1")
    for cell in description["cells"]:
        cell["points"] = None if cell["grade_id"] == "certification" else cell["points"]
    release = as_release(description)
    assert release.cell("certification").points is None
    assert [cell.grade_id for cell in release.cells if release.is_optional(cell)] == ["try_it"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder in which a command is typed; descriptions are written below it."""
    monkeypatch.chdir(tmp_path)

    def write(*paths):
        for path in map(Path, paths):
            path.parent.mkdir(parents=True, exist_ok=True)
            description = tiny_description(path.name.removesuffix(ENDING))
            path.write_text(json.dumps(description), encoding="utf-8")

    return write


@pytest.mark.parametrize(
    ("descriptions", "found"),
    [
        (["mine/ps1.released.json", "ps2.released.json"], ["ps1"]),
        (["mine/ps1.released.json", "mine/ps2.released.json"], ["ps1", "ps2"]),
        (["ps2.released.json", "release/ps1/ps1.released.json"], ["ps2"]),
        (["release/ps1/ps1.released.json", "release/ps2/ps2.released.json"], ["ps1", "ps2"]),
        (["other/ps1.released.json"], []),
    ],
)
def test_descriptions_beside_a_notebook_count_first(descriptions, found, folder):
    folder(*descriptions)
    releases = releases_for(Path("mine/ps1.ipynb"))
    assert [release.assignment for release in releases] == found
    for release in releases:
        assert release == as_release(tiny_description(release.assignment))
        assert (release.folder / f"{release.notebook}{ENDING}").is_file()


@pytest.mark.parametrize("text", ["", "{}", '{"cells": [1]}'])
def test_a_damaged_description_is_named_with_what_to_do(text, desk, tmp_path):
    (tmp_path / "small.released.json").write_text(text)
    done = desk("check", "small.ipynb", notebook=small_notebook())
    assert done.status == 2
    assert "The description small.released.json cannot be read (" in done.error
    assert "Take the file again from the folder or the zip that you were given." in done.error
