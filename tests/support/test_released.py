"""A homework's description in the students' package."""

import json

from tiny_homeworks import release_of, released_notebook

from hw_grading.homework.cells import described
from hw_support.submission import released
from hw_support.submission.released import first_line


def content(name, notebook):
    """A homework's description, with the cells of this notebook."""
    release = release_of(name)
    fields = {key: getattr(release, key) for key in release.__dataclass_fields__}
    return fields | {"packages": sorted(release.packages), "cells": described(notebook)["cells"]}


def test_an_answer_without_points_is_optional():
    notebook = released_notebook("ps1")
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "certification":
            del cell.metadata.nbgrader["points"]
    release = released.as_release(content("ps1", notebook))
    assert release.cell("certification").points is None
    assert [cell.grade_id for cell in release.cells if release.is_optional(cell)] == ["try_it"]


def test_the_first_line_comes_from_the_first_nonempty_cell():
    notebook = released_notebook("ps1")
    assert first_line(notebook) == "# Problems ps1"
    notebook.cells[0].source = " \n\n"
    assert first_line(notebook) == "## Certification (1 point)"
    notebook.cells = []
    assert first_line(notebook) == ""


def test_every_file_of_the_package_is_read_by_name(tmp_path, monkeypatch):
    for name in ("ps2", "ps1"):
        text = json.dumps(content(name, released_notebook(name)))
        (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
    monkeypatch.setattr(released, "FOLDER", tmp_path)
    found = released.releases.__wrapped__()
    assert [release.assignment for release in found] == ["ps1", "ps2"]
    assert found[0] == release_of("ps1")
