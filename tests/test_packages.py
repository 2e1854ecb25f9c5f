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
MAX_LETTERS_OF_A_NAME = 60  # of a test
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


def files_in(*places, ending):
    """The files of the project with this ending, without generated ones and students' answers."""
    others = {"node_modules", "answers", "dist", "demo"}
    for place in places:
        for path in [ROOT / place, *(ROOT / place).rglob(f"*{ending}")]:
            inner = path.relative_to(ROOT)
            hidden = any(part.startswith(".") for part in inner.parts)
            if path.suffix == ending and not hidden and others.isdisjoint(inner.parts):
                yield path


def test_no_name_of_a_test_is_too_long_to_read():
    """A name says subject, condition and result."""
    names = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in files_in("tests", ending=".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        if len(node.name) > MAX_LETTERS_OF_A_NAME
    ]
    assert names == []


def test_each_package_imports_only_those_below_it():
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_picture_in_the_design_shows_what_the_contracts_hold():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {c["name"]: c for c in settings["tool"]["importlinter"]["contracts"]}
    short = {name: [layer.replace("hw_grading.", "") for layer in c.get("source_modules", ())]
             for name, c in contracts.items()}  # fmt: skip
    layers = contracts["The packages of the grader"]["layers"]
    order = [layer.replace("hw_grading.", "").split(" | ") for layer in layers]
    height = {name: -place for place, names in enumerate(order) for name in names}
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    [picture] = re.findall(r"^```mermaid\nflowchart TB\n(.*?)^```$", page, re.M | re.S)
    lines = [line.strip().split(" --> ") for line in picture.splitlines()]
    arrows = [(a, b) for up, low in lines for a in up.split(" & ") for b in low.split(" & ")]
    assert {name for arrow in arrows for name in arrow} == set(height)
    assert [(a, b) for a, b in arrows if height[a] <= height[b]] == []
    grading, marks = short["Grading knows nothing of marks"], short["Marks know nothing of grading"]
    assert grading
    assert marks
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
