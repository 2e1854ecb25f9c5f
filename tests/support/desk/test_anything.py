"""Whatever the cells of a notebook hold, no command of the desk ends in a traceback."""

import contextlib
import copy
import io
import json

import nbformat
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from small import ANSWERS, RELEASE, SETUP, TEST, small_notebook

from hw_support.__main__ import main
from hw_support.checks import Part
from hw_support.desk import check, pdf
from hw_support.desk.certification import certification_of
from hw_support.desk.running import CellRun, Ran
from hw_support.submission import released

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking an example takes minutes
COMMANDS = [["check"], ["check", "--repair"], ["pdf"], ["pdf", "--run"], ["zip"]]
PIECES = [
    *("**Name:**", "**Student id**", "Name", "student ID：", "**", "|", "|---|", "(", ")", "\n"),
    *("YOUR ANSWER HERE", "raise NotImplementedError()", "王小明", "30312345", "Ada", ",", "\x00"),
    *("\ud800", "\x0c", "\r", "﻿", "%pip install x", "!ls", "import ", "from . import *", "def f("),
    *(" " * 50, "\t", "```", "<b>", "name 'x' is not defined", *ANSWERS.values(), SETUP, TEST),
]  # fmt: skip
sources = st.one_of(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.text())
outputs = st.lists(
    st.one_of(
        st.builds(lambda t: {"output_type": "stream", "name": "stdout", "text": t}, sources),
        st.builds(
            lambda kind, text: {
                "output_type": "error",
                "ename": kind,
                "evalue": text,
                "traceback": [text],
            },
            st.sampled_from(["NameError", "OSError", "", "NotImplementedError"]),
            sources,
        ),
        st.builds(
            lambda kind, text: {
                "output_type": "display_data",
                "metadata": {},
                "data": {kind: text},
            },
            st.sampled_from(["image/png", "text/html", "application/json"]),
            sources,
        ),
    ),
    max_size=2,
)
parts = st.builds(
    Part, sources, st.floats(0, 9), st.sampled_from(["", "f is not answered yet", "x"])
)
runs = st.builds(
    CellRun,
    seconds=st.floats(0, 1e6),
    cpu_seconds=st.floats(0, 1e6),
    parts=st.lists(parts, max_size=2),
    notes=st.lists(sources, max_size=2),
    opened=st.lists(sources, max_size=2),
    raised=sources,
    rebound=st.lists(sources, max_size=1),
    shadowed=st.lists(sources, max_size=1),
)
KINDS = ("code", "markdown", "raw", "heading", None)
cells = st.fixed_dictionaries(
    {
        "source": st.one_of(st.none(), st.none(), sources, st.lists(sources, max_size=2)),
        "cell_type": st.one_of(st.none(), st.none(), st.none(), st.sampled_from(KINDS)),
        "outputs": outputs,
        "metadata": st.one_of(st.none(), st.none(), st.just({}), st.just({"nbgrader": 3})),
        "copies": st.sampled_from([0, 1, 1, 1, 1, 2]),
    }
)


def file_of(changes, order):
    """The JSON of a small notebook with random changes of its cells."""
    content = json.loads(nbformat.writes(small_notebook()))
    found = []
    for cell, change in zip(content["cells"], changes, strict=True):
        for key in ("source", "cell_type", "metadata"):
            if change[key] is not None:
                cell[key] = change[key]
        if cell.get("cell_type") == "code":
            cell["outputs"] = change["outputs"]
        found += [copy.deepcopy(cell) for _ in range(change["copies"])]
    if order:
        found.reverse()
    return json.dumps({**content, "cells": found})


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_ends_in_a_traceback(command, tmp_path, monkeypatch):
    count = len(small_notebook().cells)
    monkeypatch.setattr(released, "releases", lambda: (RELEASE,))
    monkeypatch.setattr(pdf, "write_pdf", lambda *_: [])

    @given(
        st.lists(cells, min_size=count, max_size=count),
        st.booleans(),
        st.lists(runs, min_size=1, max_size=3),
        st.sampled_from([None, "The kernel died"]),
    )
    @settings(
        max_examples=60,
        phases=PHASES,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    def any_notebook(changes, order, became, stopped):
        def ran(opened, **_):
            notebook = copy.deepcopy(opened.notebook)
            places = [i for i, c in enumerate(notebook.cells) if c.cell_type == "code"]
            return Ran(notebook, {i: became[i % len(became)] for i in places}, stopped)

        monkeypatch.setattr(check, "run_copy", ran)
        path = tmp_path / "small.ipynb"
        path.write_text(file_of(changes, order))
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            status = main([*command, str(path)])
        assert status in (0, 1, 2)
        assert "Traceback" not in said.getvalue()
        for made in tmp_path.glob("small-repaired*"):
            made.unlink()

    any_notebook()


@given(sources, sources, st.sampled_from(["Name", "Student id", "x"]))
@settings(max_examples=300, phases=PHASES)
def test_any_certification_can_be_read(asks, written, label):
    for text in (asks, RELEASE.cell("certification").source):
        certification = certification_of(text)
        assert set(certification.empty(written)) <= set(certification.asked)
        assert "\n" not in certification.written(written, label)


@pytest.mark.parametrize(
    "text",
    [
        "Name: 王小明\nStudent id: 30312345\nPlace: 上海",
        "Name: Ada, Student id: 30312345, Place: Turin",
        "姓名：王小明\n学号：30312345",
        "| Name | Student id | Place |\n|---|---|---|\n| Ada | 30312345 | Turin |",
        "| Name | Ada |\n|---|---|\n| Student id | 30312345 |\n| Place | Turin |",
        "| Name | Ada | Student id | 30312345 |\n|---|---|---|---|",
        "Ada, 30312345, Turin",
        "## Name\nAda\n## Student ID (eight digits)\n30312345",
        "__Name：__ Ada\n\n__Student id__ 30312345",
        "**Name：**Ada\n\n**Student id**：30312345\n\n**Place**：Turin",
    ],
)
def test_a_certification_in_a_students_own_form_is_filled_in(text):
    certification = certification_of(RELEASE.cell("certification").source)
    assert certification.empty(text) == []
    if "Ada, 30312345" not in text and "姓名" not in text and "__" not in text:
        assert certification.written(text, "Student id") == "30312345"


@pytest.mark.parametrize(
    ("text", "empty"),
    [
        ("Name: Ada\nStudent id:\nPlace: Turin", ["Student id"]),
        ("| Name | Student id | Place |\n|---|---|---|\n| Ada | | Turin |", ["Student id"]),
        ("Name: YOUR ANSWER HERE\nStudent id: 30312345", ["Name"]),
        ("Name:\n\nStudent id (eight digits):\n", ["Name", "Student id", "Place"]),
    ],
)
def test_empty_fields_of_another_form_are_named(text, empty):
    certification = certification_of(RELEASE.cell("certification").source)
    assert certification.empty(text) == empty
