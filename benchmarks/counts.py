"""Count what grading one submission takes: numbers that do not depend on a clock.

A class of one is graded from the beginning, with the same fresh cases each time. ``counts.toml``
has the numbers that are expected, and a test compares them.
"""

import collections
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from benchmarks.classes import answers
from benchmarks.counted import COUNTED, FILE
from hw_grading.homework.course import REPOSITORY, Course, scratch_course
from hw_grading.homework.source_notebook import solved

EXPECTED = Path(__file__).with_name("counts.toml")
SEED = "counts"
PLAIN = "plain"  # a homework with a test in nbgrader's own way
SETTINGS = "from hw_grading import configure\nc = get_config()\nconfigure(c)\n"
_NBGRADER = {"schema_version": 3, "locked": False, "task": False}


def run() -> None:
    """Print the counts as they stand in ``counts.toml``, and what is expected where they differ."""
    expected = tomllib.loads(EXPECTED.read_text(encoding="utf-8"))
    for name in COURSES:
        print(f"\n[{name}]")
        for what, number in counts_of(name).items():
            before = expected.get(name, {}).get(what)
            print(f'"{what}" = {number}', "" if number == before else f"  # expected {before}")


def counts_of(name: str) -> dict[str, int]:
    """Return the counts of grading one submission of a homework, in the order of their names."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "course")
        course = COURSES[name](folder)
        settings = f"\nc.WholeClass.seed = {SEED!r}\n"
        with (folder / "nbgrader_config.py").open("a", encoding="utf-8") as opened:
            opened.write(settings)
        _command(folder, "hw_grading", "release", name)
        notebook = _answered(course, name)
        submission = course.submitted("ada", name)
        submission.mkdir(parents=True)
        nbformat.write(notebook, submission / f"{name}.ipynb")
        file = Path(place, "counts")
        _command(folder, *COUNTED[1:], "nbgrader", "autograde", name, counts=file)
        lines = map(json.loads, file.read_text(encoding="utf-8").splitlines())
        found = sum(map(collections.Counter, lines), collections.Counter[str]())
    return dict(sorted(found.items()))


def _command(folder: Path, *line: str, counts: Path = Path()) -> None:
    variables = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(REPOSITORY), FILE: str(counts)}
    done = subprocess.run(
        [sys.executable, "-m", *line],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(line)}:\n{done.stdout}{done.stderr}")


def _answered(course: Course, name: str) -> Any:
    """Return a right notebook, which trains no network."""
    if name == "hw2":
        return answers()
    source, released = (
        nbformat.read(folder / f"{name}.ipynb", as_version=4)
        for folder in (course.source(name), course.release(name))
    )
    return solved(released, source)


def _plain(folder: Path) -> Course:
    """Make a course whose homework has one answer and one test, as nbgrader's documents show it."""
    answer = new_code_cell(
        "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION",
        id="answer",
    )
    test = new_code_cell("assert double(2) == 4", id="test")
    answer.metadata["nbgrader"] = {**_NBGRADER, "grade_id": "double", "grade": False}
    test.metadata["nbgrader"] = {**_NBGRADER, "grade_id": "test_double", "grade": True}
    answer.metadata.nbgrader["solution"] = True
    test.metadata.nbgrader |= {"solution": False, "points": 1, "locked": True}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (folder / "source" / PLAIN).mkdir(parents=True)
    notebook = new_notebook(cells=[answer, test], metadata={"kernelspec": kernel})
    nbformat.write(notebook, folder / "source" / PLAIN / f"{PLAIN}.ipynb")
    (folder / "nbgrader_config.py").write_text(SETTINGS, encoding="utf-8")
    return Course(folder)


COURSES: dict[str, Callable[[Path], Course]] = {
    "hw2": scratch_course,
    "hw0": scratch_course,
    PLAIN: _plain,
}
