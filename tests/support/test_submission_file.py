"""A notebook file is read, or one sentence says why it cannot be read."""

import json
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbformat.v4 import new_output

from hw_support.submission.file import UserError, read_submission

MARKS = {"grade_id": "x", "grade": True, "solution": False, "locked": True, "points": 2}


def notebook(*cells: Any, **top: Any) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells), **top}


def code(source: Any = "x = 1", **metadata: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": [], "id": "i"}


def markdown(source: Any = "x", **more: Any) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": source, "metadata": {}, **more}


def read(folder: Path, content: Any, **options: Any) -> NotebookNode:
    path = folder / "hw2.ipynb"
    if isinstance(content, dict):
        content = json.dumps(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    nb = read_submission(path, **options)
    nbformat.validate(nb)
    nbformat.writes(nb).encode()
    ids = [cell.id for cell in nb.cells]
    assert len(ids) == len(set(ids))
    return nb


UNREADABLE = {
    "empty": (b"", "empty file"),
    "UTF-16": (json.dumps(notebook(code())).encode("utf-16"), "UTF-8"),
    "a web page": ("<!doctype html><title>Sign in</title>", "begins with '<!doctype html>"),
    "a comma too many": ('{"cells": [],}', "expected JSON"),
    "a list": ("[]", "found a list"),
    "too deep": ("[" * 200_000, "too deeply"),
    "a number of many digits": ('{"a": ' + "9" * 5_000 + "}", "5000 digits"),
    "many values": ("[" + "[]," * 1_100_000 + "1]", "at most 2,000,000 values"),
    "no cells": (notebook(), "expected 1 to 1,000 cells, found 0"),
    "many cells": (notebook(*[code()] * 1_001), "expected 1 to 1,000 cells, found 1,001"),
    "no list of cells": (notebook() | {"cells": {"0": code()}}, "list of cells"),
    "a text of two megabytes": (notebook(markdown("x" * 2_000_001)), "2,000,000 characters"),
    "201 empty attachments": (
        notebook(
            *(markdown(attachments={f"{n}-{m}": {} for m in range(100)}) for n in range(2)),
            markdown(attachments={"a": {"image/png": ""}}),
        ),
        "at most 200 attached pictures, found 201",
    ),
    "a picture in 201 types": (
        notebook(markdown(attachments={"a": {f"image/{n}": "aaaa" for n in range(201)}})),
        "found 201",
    ),
    "format 3": (
        {"nbformat": 3, "metadata": {}, "worksheets": [{"cells": [code()]}]},
        "found format '3'. Open it in Jupyter, save it",
    ),
    "no format": ({"cells": [code()]}, "found no format"),
    "a cell that is no object": (notebook(code(), "code"), "cell 2 from the top damaged"),
    "a cell of another type": (notebook(code() | {"cell_type": "heading"}), "damaged ('heading')"),
    "a cell with a number in its text": (notebook(code(["x", 2])), "damaged"),
}


@pytest.mark.parametrize(("content", "reason"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_file_is_named_with_the_reason(
    content: Any, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as raised:
        read(tmp_path, content)
    said = str(raised.value)
    assert said.startswith("the notebook 'hw2.ipynb' cannot be read: expected ") or "JSON" in said
    assert reason in said
    assert "\n" not in said
    assert len(said) < 400


def test_an_empty_picture_and_one_with_an_endless_name_are_left_out(tmp_path: Path) -> None:
    files = {"a": "aaaa", "b": "", "c": " \n", "d" * 1_001: "aaaa", "e" * 1_000: ["aa", "aa"]}
    pictures = {name: {"image/png": data} for name, data in files.items()}
    kept = read(tmp_path, notebook(markdown(attachments=pictures))).cells[0].attachments
    assert {*kept} == {"a", "e" * 1_000}


def test_a_file_that_is_cut_off_is_called_so(tmp_path: Path) -> None:
    whole = json.dumps(notebook(code('print("x")\n', execution_count=None), markdown("a")))
    for size in (2, 20, 100, len(whole) - 1):
        with pytest.raises(UserError, match="may have been cut off: submit the whole file again"):
            read(tmp_path, whole[:size])


def colab(number: int) -> dict[str, Any]:
    return code([f"x = {number}\n", "y"], id=f"a_B-{number}", executionInfo={"user": {"n": [{}]}})


READABLE = {
    "Colab": (
        notebook(colab(0), colab(1), metadata={"colab": {"provenance": []}, "accelerator": "GPU"}),
        ["x = 0\ny", "x = 1\ny"],
    ),
    "all ids the same": (notebook(code(), code(), markdown(id="i")), ["x = 1", "x = 1", "x"]),
    "4.2 without ids": (notebook(markdown(), nbformat_minor=2), ["x"]),
    "numbers outside of JSON": (
        notebook(code(a=float("nan"), nbgrader=MARKS | {"points": float("inf")}), b=float("-inf")),
        ["x = 1"],
    ),
    "lone surrogates": (
        notebook(code("s = '\ud800 \N{GRINNING FACE}'", nbgrader={"grade_id": "\udc00"})),
        ["s = '? \N{GRINNING FACE}'"],
    ),
    "a byte order mark": (json.dumps(notebook(code("π"))).encode("utf-8-sig"), ["π"]),
    "odd values that nobody uses": (
        notebook(code(["a", ""], collapsed={}) | {"outputs": 7, "execution_count": "x", "id": []}),
        ["a"],
    ),
}


@pytest.mark.parametrize("keep_outputs", [False, True])
@pytest.mark.parametrize(("content", "sources"), READABLE.values(), ids=READABLE.keys())
def test_a_notebook_of_any_program_is_read(
    content: Any, sources: list[str], keep_outputs: bool, tmp_path: Path
) -> None:
    nb = read(tmp_path, content, keep_outputs=keep_outputs)
    assert [cell.source for cell in nb.cells] == sources


def test_a_larger_file_is_not_read(tmp_path: Path) -> None:
    content = json.dumps(notebook(code("#" * 5_000)))
    assert read(tmp_path, content, max_bytes=len(content))
    with pytest.raises(UserError, match=rf"at most 5,000 bytes, found {len(content):,}"):
        read(tmp_path, content, max_bytes=5_000)
    os.truncate(tmp_path / "hw2.ipynb", 10**12)
    with pytest.raises(UserError, match="1,000,000,000,000"):
        read_submission(tmp_path / "hw2.ipynb")


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "secret.ipynb").write_text(json.dumps(notebook(code("secret"))))
    (tmp_path / "link").symlink_to(tmp_path / "secret.ipynb")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    found = {"link": "a symbolic link", "folder": "a folder", "pipe": "a pipe"}
    for name, what in {**found, "/dev/null": "a device or socket"}.items():
        with pytest.raises(UserError, match=f"expected a regular file, found {what}"):
            read_submission(tmp_path / name)


def test_a_missing_file_is_named_with_the_other_notebooks(tmp_path: Path) -> None:
    with pytest.raises(UserError) as raised:
        read_submission(tmp_path / "hw2.ipynb")
    assert str(raised.value).endswith("there is no such file")
    (tmp_path / "hw2 (1).ipynb").touch()
    with pytest.raises(UserError, match=r"but there is 'hw2 \(1\).ipynb': rename"):
        read_submission(tmp_path / "hw2.ipynb")
    with pytest.raises(UserError, match="there is no such file"):
        read_submission(tmp_path / "hw2 (1).ipynb" / "hw2.ipynb")


def test_only_source_pictures_and_flat_marks_are_kept(tmp_path: Path) -> None:
    marks = {**MARKS, "checksum": ["x"], "cell_type": None, "more": 1}
    first = code(["a\n", "b"], nbgrader=marks, collapsed=True, tags=["skip-execution"])
    first |= {"outputs": [{"output_type": "stream", "name": "stdout", "text": "kept?"}]}
    attachments = {
        "photo.png": {"image/png": ["iVBOR", "w0KGgo="], "text/html": "<script>1</script>"},
        "broken": {"image/png": '" onerror="x'},
        "c.js": {"application/javascript": "alert(1)"},
        "e.png": {"image/png\"onerror='alert(1)'": "QUJD"},
        "odd": 3,
    }
    second = markdown(attachments=attachments, metadata={"nbgrader": ["grade"], "tags": 7})
    top = {"kernelspec": {"name": "R"}, "hw_grading": {"finished": True}}
    nb = read(tmp_path, notebook(first, second, metadata=top))
    assert nb.metadata == {}
    assert nb.cells[0].metadata == {"nbgrader": MARKS}
    assert (nb.cells[0].outputs, nb.cells[0].execution_count) == ([], None)
    assert nb.cells[1].metadata == {}
    assert nb.cells[1].attachments == {"photo.png": {"image/png": "iVBORw0KGgo="}}


def test_well_formed_outputs_are_kept_if_asked_for(tmp_path: Path) -> None:
    good = new_output("stream", text="out")
    outputs = [{**good, "text": ["o", "ut"]}, {"output_type": "error"}, 7]
    kept = read(tmp_path, notebook(code() | {"outputs": outputs}), keep_outputs=True)
    assert kept.cells[0].outputs == [good]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
ODD_CELL = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown", "raw"])},
    optional={
        "source": st.text(max_size=5) | JSON,
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
        {"cells": st.lists(ODD_CELL | JSON, max_size=3) | JSON, "nbformat": st.just(4) | JSON},
        optional={"metadata": JSON, "nbformat_minor": JSON},
    ),
    keep=st.booleans(),
)
def test_any_json_is_a_valid_notebook_or_refused(
    top: dict[str, Any], keep: bool, tmp_path: Path
) -> None:
    try:
        nb = read(tmp_path, top, keep_outputs=keep)
    except UserError:
        return
    assert nb.cells
