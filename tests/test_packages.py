"""Which packages of the grader may import which; it names no homework."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hw_grading.homework.homework import Manifest

ROOT = Path(__file__).resolve().parents[1]
# What students' notebooks import from hw_support itself may be one homework's.
GRADER = [
    path
    for folder in ("hw_grading", "hw_support/student", "hw_support/submission")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".py", ".css", ".html", ".toml")
]
NOTEBOOKS = sorted((ROOT / "source").glob("*/*.ipynb"))


def grade_ids(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    marks = [cell["metadata"].get("nbgrader", {}) for cell in cells]
    return {mark["grade_id"] for mark in marks if "grade_id" in mark}


def texts_of(path):
    """The texts in quotes of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.suffix == ".py" else ast.Module([])
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_each_package_imports_only_those_below_it():
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_picture_in_the_design_shows_what_the_contracts_hold():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers, grading, marks, _ = [
        [name.replace("hw_grading.", "") for name in c.get("layers") or c["source_modules"]]
        for c in settings["tool"]["importlinter"]["contracts"]
    ]
    height = {name: -place for place, row in enumerate(layers) for name in row.split(" | ")}
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    [picture] = re.findall(r"^```mermaid\nflowchart TB\n(.*?)^```$", page, re.M | re.S)
    lines = [line.strip().split(" --> ") for line in picture.splitlines()]
    arrows = [(a, b) for up, low in lines for a in up.split(" & ") for b in low.split(" & ")]
    assert {name for arrow in arrows for name in arrow} == set(height)
    assert [(a, b) for a, b in arrows if height[a] <= height[b]] == []
    assert [(a, b) for a, b in arrows if {a, b} & {*grading} and {a, b} & {*marks}] == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_grader_names_no_homework_and_none_of_its_cells(notebook):
    """A grade id that is an ordinary word, such as "train", counts as a text of its own only."""
    ids = grade_ids(notebook)
    assert ids
    ids -= {Manifest().certification}  # of any homework
    special = {i for i in ids if "_" in i or any(c.isdigit() for c in i)}
    words = "|".join(map(re.escape, {notebook.stem, *special}))
    named = re.compile(rf"\b(?:{words})\b|mnist|\b605\b", re.IGNORECASE)
    found = []
    for path in GRADER:
        place = path.relative_to(ROOT)
        found += [f"{place}: {word}" for word in named.findall(path.read_text(encoding="utf-8"))]
        found += [f"{place}: {text!r}" for text in texts_of(path) if text in ids - special]
    assert found == []
