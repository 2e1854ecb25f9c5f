"""Any file gives a valid notebook, and a reason where nothing could be read."""

import json
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from hw_support.submission.file import read_submission
from hw_support.submission.problems import Kind, Problem, Severity, add_problems, read_problems

MARKS = {"grade_id": "x", "grade": True, "solution": False, "locked": True, "points": 2}


def notebook(*cells: Any, **top: Any) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells), **top}


def code(source: Any = "x = 1", **metadata: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": [], "id": "i"}


def read(path: Path, content: Any, **options: Any) -> tuple[NotebookNode, list[Problem]]:
    path = path / "hw2.ipynb"
    if isinstance(content, dict):
        content = json.dumps(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return checked(path, **options)


def checked(path: Path, **options: Any) -> tuple[NotebookNode, list[Problem]]:
    nb, problems = read_submission(path, **options)
    nbformat.validate(nb)
    nbformat.writes(nb).encode()
    ids = [cell.id for cell in nb.cells]
    assert len(ids) == len(set(ids))
    return nb, problems


UNREADABLE = {
    "empty": (b"", "empty file"),
    "only white space": (b" \n\n ", "empty file"),
    "UTF-16": (json.dumps(notebook(code())).encode("utf-16"), "UTF-8"),
    "binary": (bytes(range(256)), "UTF-8"),
    "a web page": ("<!doctype html><title>Sign in</title>", "begins with '<!doctype html>"),
    "cut off": (json.dumps(notebook(code()))[:-9], "the file ends in the middle ("),
    "cut off in a letter": ('{"cells": "ä'.encode()[:-1], "the file ends in the middle (12 bytes)"),
    "a comma too many": ('{"cells": [],}', "expected JSON"),
    "a merge conflict": ("<<<<<<< HEAD\n{}\n=======\n", "begins with '<<<<<<< HEAD"),
    "a list": ("[]", "found a list"),
    "null": ("null", "found a NoneType"),
    "too deep": ("[" * 200_000, "too deeply"),
    "too deep in a cell": (
        '{"nbformat": 4, "cells": [' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "]}",
        "too deeply",
    ),
    "no cells": (notebook(), "no cells"),
    "no list of cells": ({"nbformat": 4, "metadata": {}}, "list of cells"),
    "cells are an object": (notebook() | {"cells": {"0": code()}}, "list of cells"),
    "cells are text": (notebook(*["code", "markdown"]), "none of its cells"),
    "version 3 without cells": (
        {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": []},
        "no cells",
    ),
    "version 3 with broken worksheets": (
        {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [7]},
        "format 3 to 4 failed",
    ),
    "version 2 of something else": ({"nbformat": 2, "worksheets": "x"}, "format 2 to 4 failed"),
}


def test_a_file_may_be_cut_off_anywhere(tmp_path: Path) -> None:
    whole = json.dumps(notebook(code("é ä\n"), a=[True, False, None, -1.5e-3]))
    for size in range(1, len(whole)):
        _, [problem] = read(tmp_path, whole[:size])
        assert f"the file ends in the middle ({size} bytes): an upload or" in problem.message


@pytest.mark.parametrize(("content", "reason"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_file_gives_an_empty_notebook_and_the_reason(
    content: Any, reason: str, tmp_path: Path
) -> None:
    nb, problems = read(tmp_path, content)
    assert nb.cells == []
    problem = problems[-1]
    assert (problem.kind, problem.severity) == (Kind.FILE, Severity.FAILED)
    assert reason in problem.message
    assert "hw2.ipynb" in problem.message
    assert "\n" not in problem.message
    assert len(problem.message) < 400


def test_a_larger_file_is_not_read(tmp_path: Path) -> None:
    content = json.dumps(notebook(code("#" * 5_000)))
    _, problems = read(tmp_path, content, max_bytes=5_000)
    assert f"expected at most 5,000 bytes, found {len(content):,}" in problems[0].message
    assert read(tmp_path, content, max_bytes=len(content))[1] == []


def test_a_huge_sparse_file_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "hw2.ipynb"
    with path.open("wb") as file:
        file.truncate(10**12)
    assert "1,000,000,000,000" in checked(path)[1][0].message


def test_too_many_cells_are_refused(tmp_path: Path) -> None:
    _, problems = read(tmp_path, notebook(*[code()] * 5_001))
    assert "at most 5,000 cells, found 5,001" in problems[0].message


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret.ipynb"
    secret.write_text(json.dumps(notebook(code("secret"))))
    places = {
        name: tmp_path / name / "hw2.ipynb" for name in ("link", "dangling", "folder", "pipe")
    }
    for place in places.values():
        place.parent.mkdir()
    places["link"].symlink_to(secret)
    places["dangling"].symlink_to(tmp_path / "nothing")
    places["folder"].mkdir()
    os.mkfifo(places["pipe"])
    for name, found in {
        "link": "a symbolic link",
        "dangling": "a symbolic link",
        "folder": "a folder",
        "pipe": "a pipe",
    }.items():
        nb, problems = checked(places[name])
        assert nb.cells == []
        assert f"expected a regular file, found {found}" in problems[0].message
    assert "device" in checked(Path("/dev/null"))[1][0].message


def test_a_missing_file_is_reported_with_the_notebooks_that_are_there(tmp_path: Path) -> None:
    assert "no such file." in checked(tmp_path / "hw2.ipynb")[1][0].message
    (tmp_path / "hw2 (1).ipynb").touch()
    assert "but there is 'hw2 (1).ipynb'" in checked(tmp_path / "hw2.ipynb")[1][0].message
    assert checked(tmp_path / "hw2 (1).ipynb" / "hw2.ipynb")[1][0].severity is Severity.FAILED


def test_only_type_source_and_nbgrader_metadata_of_a_cell_are_kept(tmp_path: Path) -> None:
    cell = code(["a = 1\n", "b = 2"], nbgrader=MARKS, collapsed=True, tags=["hide"], editable=False)
    cell |= {
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "kept?"}],
        "execution_count": 7,
    }
    nb, problems = read(
        tmp_path,
        notebook(cell, metadata={"kernelspec": {"name": "R"}, "hw_grading": {"finished": True}}),
    )
    assert problems == []
    assert nb.metadata == {}
    [kept] = nb.cells
    assert kept.source == "a = 1\nb = 2"
    assert kept.metadata == {"nbgrader": MARKS}
    assert (kept.outputs, kept.execution_count) == ([], None)


def test_tags_that_change_the_run_are_removed_and_reported(tmp_path: Path) -> None:
    tags = ["raises-exception", "fine", "skip-execution", 3]
    nb, problems = read(tmp_path, notebook(code(nbgrader=MARKS, tags=tags), code(tags=7)))
    assert all("tags" not in cell.metadata for cell in nb.cells)
    assert [p.cell for p in problems] == ["x", "x"]
    assert "skip-execution" in problems[1].message


def test_marks_are_reduced_to_flat_values_of_known_names(tmp_path: Path) -> None:
    odd = {"grade_id": ["x"], "points": {"a": 1}, "grade": None, "locked": True, "more": 1}
    nb, problems = read(tmp_path, notebook(code(nbgrader=odd), code(nbgrader=["grade"])))
    assert nb.cells[0].metadata == {"nbgrader": {"locked": True}}
    assert nb.cells[1].metadata == {}
    assert [p.kind for p in problems] == [Kind.METADATA]


def test_readable_parts_of_odd_cells_are_kept(tmp_path: Path) -> None:
    odd: list[Any] = [
        None,
        {"cell_type": "heading", "source": "Title", "level": 1},
        {"cell_type": "code", "source": None},
        {"cell_type": "code", "source": ["x = 1", 2]},
        {"cell_type": ["code"], "source": "y", "metadata": "none"},
        {},
    ]
    nb, [problem] = read(tmp_path, notebook(*odd, code("last = 1")))
    assert [c.source for c in nb.cells] == ["Title", "", "x = 1", "y", "", "last = 1"]
    assert [c.cell_type for c in nb.cells] == ["raw", "code", "code", "raw", "raw", "code"]
    assert problem.severity is Severity.MENDED
    assert "6 cell(s)" in problem.message


def test_numbers_outside_of_json_are_accepted(tmp_path: Path) -> None:
    text = json.dumps(notebook(code(nbgrader=MARKS)))
    for number in ("NaN", "-Infinity", "1e999", "9" * 100_000):
        nb, problems = read(tmp_path, text.replace('"points": 2', f'"points": {number}'))
        assert problems == []
        assert nb.cells[0].source == "x = 1"


def test_lone_surrogates_become_question_marks(tmp_path: Path) -> None:
    nb, problems = read(tmp_path, notebook(code("s = '\ud800 and \N{GRINNING FACE}'")))
    assert nb.cells[0].source == "s = '? and \N{GRINNING FACE}'"
    assert [p.severity for p in problems] == [Severity.MENDED]


def test_a_byte_order_mark_is_fine(tmp_path: Path) -> None:
    content = json.dumps(notebook(code("π = 3"))).encode("utf-8-sig")
    nb, problems = read(tmp_path, content)
    assert (nb.cells[0].source, problems) == ("π = 3", [])


def test_format_3_is_converted_with_its_marks(tmp_path: Path) -> None:
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": "old"},
        "worksheets": [
            {
                "cells": [
                    {
                        "cell_type": "code",
                        "input": "x = 1",
                        "language": "python",
                        "outputs": [],
                        "metadata": {"nbgrader": MARKS},
                    },
                    {"cell_type": "heading", "level": 2, "source": "Part", "metadata": {}},
                ],
                "metadata": {},
            }
        ],
    }
    nb, [problem] = read(tmp_path, old)
    assert [c.source for c in nb.cells] == ["x = 1", "## Part"]
    assert nb.cells[0].metadata.nbgrader == MARKS
    assert (problem.kind, problem.severity) == (Kind.FORMAT, Severity.MENDED)


@pytest.mark.parametrize("version", [5, 99, "4", None, True, [4]])
def test_another_format_is_read_as_4_if_it_has_cells(version: Any, tmp_path: Path) -> None:
    nb, problems = read(tmp_path, notebook(code()) | {"nbformat": version})
    assert nb.cells[0].source == "x = 1"
    assert all(p.severity is Severity.MENDED for p in problems)


def test_attached_pictures_stay_and_other_attachments_go(tmp_path: Path) -> None:
    attachments = {
        "photo.png": {"image/png": "iVBORw0KGgo=", "text/html": "<script>1</script>"},
        "broken": {"image/png": '" onerror="x'},
        "odd": 3,
    }
    cell = {"cell_type": "markdown", "source": "", "metadata": {}, "attachments": attachments}
    nb, _ = read(tmp_path, notebook(cell))
    assert nb.cells[0].attachments == {"photo.png": {"image/png": "iVBORw0KGgo="}}


def test_outputs_and_problems_of_a_graded_file_are_kept(tmp_path: Path) -> None:
    good = new_output("stream", text="out")
    nb = new_notebook(cells=[new_code_cell("1", outputs=[good], execution_count=3)])
    nb.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    problem = Problem(Kind.KERNEL, Severity.FAILED, "It died.", "x")
    add_problems(nb, [problem])
    document = json.loads(nbformat.writes(nb))
    document["cells"][0]["outputs"] += [{"output_type": "error"}, 7]
    kept, problems = read(tmp_path, document, keep_outputs=True)
    assert problems == []
    assert kept.cells[0].outputs == [good]
    assert kept.cells[0].execution_count == 3
    assert kept.metadata.kernelspec.name == "python3"
    assert read_problems(kept) == [problem]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
ODD_CELL = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "markdown", "raw"]) | JSON,
        "source": JSON,
        "metadata": JSON | st.fixed_dictionaries({"nbgrader": JSON, "tags": JSON}),
        "attachments": JSON | st.dictionaries(st.text(max_size=2), JSON, max_size=2),
        "outputs": JSON,
        "execution_count": JSON,
        "id": JSON,
    },
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    top=st.fixed_dictionaries(
        {"cells": st.lists(ODD_CELL | JSON, max_size=3) | JSON},
        optional={"nbformat": st.integers(0, 5) | JSON, "metadata": JSON, "worksheets": JSON},
    ),
    keep=st.booleans(),
)
def test_any_json_gives_a_valid_notebook(top: dict[str, Any], keep: bool, tmp_path: Path) -> None:
    nb, problems = read(tmp_path, top, keep_outputs=keep)
    assert nb.cells or problems[-1].severity is Severity.FAILED
