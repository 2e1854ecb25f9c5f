"""Which rooms of the grader may import which, and how long each is; it names no homework."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# What students' notebooks import from hw_support itself may be one homework's.
GRADER = [
    path
    for folder in ("hw_grading", "hw_support/desk", "hw_support/submission")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".py", ".css", ".html", ".toml") and "skeleton" not in path.parts
]
# The most lines of each room, or of several together. A larger number needs a reason in the commit.
MAX_LINES = {
    "hw_support": 4182,
    "hw_grading/homework hw_grading/commands": 1720,
    "hw_grading/sandbox hw_grading/inside hw_grading/examiner": 3372,
    "hw_grading/batch hw_grading/run hw_grading/plugins hw_grading/outcome.py": 2861,
    "hw_grading/gradebook": 2980,
    "hw_grading/rendering": 1294,
    "hw_grading/desk": 1400,
    "hw_grading/desk/static": 2720,
    "hw_grading/lms": 1600,
    "hw_grading/analysis": 1020,
    "hw_grading/cli.py hw_grading/doctor.py hw_grading/backup.py": 757,
    "staff/hw2": 300,
    "tools benchmarks": 4000,
    "tests": 25800,
}
MAX_LETTERS_OF_A_NAME = 60  # of a test
MAX_WORDS = 19_470  # of all Markdown that people write
WRITTEN_BY_PROGRAMS = {"docs/reference.md", "docs/validity.md"}
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
    others = {"node_modules", "skeleton", "answers", "dist", "demo"}
    for place in places:
        for path in [ROOT / place, *(ROOT / place).rglob(f"*{ending}")]:
            inner = path.relative_to(ROOT)
            hidden = any(part.startswith(".") for part in inner.parts)
            if path.suffix == ending and not hidden and others.isdisjoint(inner.parts):
                yield path


@pytest.mark.parametrize(("places", "most"), MAX_LINES.items())
def test_a_room_stays_within_its_lines(places, most):
    ending = ".js" if places.endswith("static") else ".py"
    files = [*files_in(*places.split(), ending=ending)]
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)
    assert 0 < lines <= most


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


def test_every_room_has_a_budget():
    listed = {ROOT / place for places in MAX_LINES for place in places.split()}
    rooms = {path.parent for path in (ROOT / "hw_grading").glob("*/__init__.py")}
    assert rooms <= listed


def test_the_documents_stay_within_their_words():
    pages = list(files_in(".", ending=".md"))
    pages = [p for p in pages if p.relative_to(ROOT).as_posix() not in WRITTEN_BY_PROGRAMS]
    words = {str(p): len(p.read_text(encoding="utf-8").split()) for p in pages}
    assert 0 < sum(words.values()) <= MAX_WORDS, words


def test_each_room_imports_only_those_below_it():
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_picture_in_the_design_has_every_layer_in_its_order():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    [contract] = [c for c in settings["tool"]["importlinter"]["contracts"] if c["type"] == "layers"]
    layers = [layer.replace("hw_grading.", "").split(" | ") for layer in contract["layers"]]
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    [picture] = re.findall(r"^```mermaid\nflowchart TB\n(.*?)^```$", page, re.M | re.S)
    lines = [line.strip() for line in picture.splitlines()]
    arrows = [[end.split(" & ") for end in line.split(" --> ")] for line in lines]
    assert arrows == [[upper, lower] for upper, lower in pairwise(layers)]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_grader_names_no_homework_and_none_of_its_cells(notebook):
    """A grade id that is an ordinary word, such as "train", counts as a text of its own only."""
    ids = grade_ids(notebook)
    assert ids
    special = {i for i in ids if "_" in i or any(c.isdigit() for c in i)}
    words = "|".join(map(re.escape, {notebook.stem, *special}))
    named = re.compile(rf"\b(?:{words})\b|mnist|\b605\b", re.IGNORECASE)
    found = []
    for path in GRADER:
        place = path.relative_to(ROOT)
        found += [f"{place}: {word}" for word in named.findall(path.read_text(encoding="utf-8"))]
        found += [f"{place}: {text!r}" for text in texts_of(path) if text in ids - special]
    assert found == []
