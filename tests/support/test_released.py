"""A homework's description in the students' package."""

import json

from tiny_homeworks import release_of, released_notebook

from hw_support.submission import released
from hw_support.submission.released import described, first_line, read_release


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
