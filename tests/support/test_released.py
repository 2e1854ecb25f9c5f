"""A homework's description in the students' package."""

import json

import pytest
from tiny_homeworks import answered_notebook, release_of, released_notebook

from hw_support.submission import released
from hw_support.submission.released import (
    closest,
    described,
    first_line,
    grade_ids_in,
    mistaken_for,
    read_release,
)

OWN = {"setup", "signed", *(f"own{i}" for i in range(20))}
OTHER = {"setup", "signed", "a", "b", "c", "d"}
THIRD = {"setup", "signed", "a", "b", "x", "y"}


def test_an_answer_without_points_is_optional():
    release = release_of("ps1")
    optional = [cell.grade_id for cell in release.cells if release.is_optional(cell)]
    assert optional == ["try_it"]


def test_a_certification_without_points_is_not_optional():
    notebook = released_notebook("ps1")
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "certification":
            del cell.metadata.nbgrader["points"]
    release = release_of("ps1")
    cells = described(notebook)["cells"]
    changed = json.loads(json.dumps({**_content("ps1"), "cells": cells}))
    without_points = released.as_release(changed)
    assert without_points.cell("certification").points is None
    assert not without_points.is_optional(without_points.cell("certification"))
    assert release.grade_ids == without_points.grade_ids


def _content(name):
    release = release_of(name)
    content = {key: getattr(release, key) for key in release.__dataclass_fields__}
    return {**content, "packages": sorted(release.packages), "cells": []}


def test_the_first_line_comes_from_the_first_nonempty_cell():
    notebook = released_notebook("ps1")
    assert first_line(notebook) == "# Problems ps1"
    notebook.cells[0].source = " \n\n"
    assert first_line(notebook) == "## Certification (1 point)"
    notebook.cells = []
    assert first_line(notebook) == ""


def test_every_file_of_the_package_is_read_by_name(tmp_path, monkeypatch):
    for name in ("ps2", "ps1"):
        content = _content(name) | {"cells": described(released_notebook(name))["cells"]}
        (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    monkeypatch.setattr(released, "FOLDER", tmp_path)
    found = released.releases.__wrapped__()
    assert [release.assignment for release in found] == ["ps1", "ps2"]
    assert found[0] == read_release(tmp_path / "ps1.json") == release_of("ps1")


@pytest.mark.parametrize(
    ("found", "homework"),
    [
        (OTHER, "other"),
        (OTHER - {"a"}, "other"),
        (OTHER | {"own0", "own1"}, "other"),  # a tenth of the right one
        (OTHER | {"own0", "own1", "own2"}, None),
        ({"setup", "signed", "a", "b"}, None),  # no more than half of the other
        (set(), None),
        (OWN, None),
        (OWN | OTHER, None),  # both in one file: it is graded as the submitted homework
        ({"p", "q", "r"}, None),
    ],
)
def test_only_a_clear_case_counts_as_another_homework(found, homework):
    mistaken = mistaken_for(found, OWN, {"third": THIRD, "other": OTHER})
    assert (mistaken.homework if mistaken else None) == homework


def test_a_homework_whose_cells_are_all_in_another_is_not_mistaken_for_it():
    small = {"setup", "a"}
    assert mistaken_for(small, OTHER, {"small": small}) is None
    assert mistaken_for(OTHER, small, {"other": OTHER}).homework == "other"


def test_several_homeworks_can_be_closest_by_common_ids():
    known = {"own": OWN, "other": OTHER}
    assert closest({"setup", "a"}, known) == ["other"]
    assert closest({"setup"}, known) == ["own", "other"]
    assert closest({"q"}, known) == []
    assert grade_ids_in(answered_notebook("ps1")) == release_of("ps1").grade_ids
