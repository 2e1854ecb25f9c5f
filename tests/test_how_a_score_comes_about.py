"""docs/how-a-score-comes-about.md: its example is graded, and prints what the page shows."""

import csv
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from tiny_homeworks import marked

from hw_grading.commands.sample import cell_of
from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.model import Mark
from hw_grading.homework.course import REPOSITORY, Course

pytestmark = pytest.mark.slow

PAGE = (REPOSITORY / "docs" / "how-a-score-comes-about.md").read_text(encoding="utf-8")
MANIFEST = 'due = "2026-11-20 23:59:59"\ntime_zone = "America/Los_Angeles"\n'
TEST = """checks = Checks(
    "deviation", returns="distances", cases=[([2.0, 4.0, -3.0, 5.0], [0.0, 1.0, -4.0, 3.0])]
)
checks.table("values", 3, "distances")
checks.score()
"""
BODY = "    ### BEGIN SOLUTION\n    return x - running_mean(x)\n    ### END SOLUTION"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)


def run(course: Path, *words: str) -> str:
    """Type a command of hw-grading; return what it printed."""
    command = [sys.executable, "-m", "hw_grading", *words]
    wide = os.environ | {"COLUMNS": "120"}
    done = subprocess.run(command, cwd=course, env=wide, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def release(course: Path) -> None:
    """Begin a course with the skeleton, add the page's second function, and release it."""
    run(course, "new", "hw1")
    path = course / "source" / "hw1" / "hw1.ipynb"
    source = nbformat.read(path, as_version=4)
    place = source.cells.index(cell_of(source, "test_running_mean")) + 1
    answer = marked(new_code_cell(f"def deviation(x):\n{BODY}"), "deviation", solution=True)
    test = marked(new_code_cell(TEST), "test_deviation", grade=True, locked=True, points=0)
    source.cells[place:place] = [answer, test]
    nbformat.write(source, path)
    (course / "staff" / "hw1").mkdir(parents=True)
    (course / "staff" / "hw1" / "homework.toml").write_text(MANIFEST)
    with (course / "nbgrader_config.py").open("a") as settings:
        settings.write("c.LatePolicy.percent = 10\n")
    run(course, "release", "hw1")


def hand_in(course: Path) -> None:
    """Hand in what Ann answered."""
    notebook = nbformat.read(course / "release" / "hw1" / "hw1.ipynb", as_version=4)
    [functions] = blocks("python")
    for function in functions.split("\n\n\n"):
        [name] = re.findall(r"def (\w+)", function)
        cell_of(notebook, name).source = function
    cell_of(notebook, "plot").source = "plt.plot(running_mean(samples))\nplt.show()"
    cell_of(notebook, "meaning").source = "More samples change little. The mean may be wrong."
    folder = course / "submitted" / "ann" / "hw1"
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / "hw1.ipynb")
    (folder / "timestamp.txt").write_text("2026-11-22 04:00:00 UTC")


def grade_by_hand(course: Path) -> None:
    """Give the first two items of the plot and of the text, as Kim does."""
    book = ManualGrading(Course(course), "hw1")
    for cell in ("plot", "meaning"):
        rubric = book.rubric(cell)
        mark = Mark(chosen=frozenset(item.id for item in rubric.items[:2]), done=True)
        saved = book.save(cell, {"ann": "0"}, mark, grader="kim", rubric_revision=rubric.revision)
        assert [one.score for one in saved.values()] == [2.0]
    book.close()


def test_the_example_prints_what_the_page_shows(tmp_path):
    release(tmp_path)
    hand_in(tmp_path)
    run(tmp_path, "grade", "hw1")
    grade_by_hand(tmp_path)
    explained, reported, correction, corrected = blocks("text")
    assert explained in run(tmp_path, "explain", "hw1", "--student", "ann")
    assert reported in run(tmp_path, "report", "hw1")
    run(tmp_path, *shlex.split(correction)[1:])
    lines = run(tmp_path, "report", "hw1").splitlines()
    assert [line for line in corrected.splitlines() if line not in lines] == []
    run(tmp_path, "export", "hw1", "--format", "questions")
    with (tmp_path / "hw1_questions.csv").open(newline="") as table:
        [row] = csv.DictReader(table)
    titles, shown = (
        [text.strip() for text in line.strip("|").split("|")]
        for line in re.findall(r"^\|.*raw_score.*\|$|^\| \d.*\|$", PAGE, re.M)
    )
    assert [row[title] for title in titles] == shown
