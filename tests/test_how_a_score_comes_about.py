"""docs/how-a-score-comes-about.md: its example is graded, and prints what the page shows."""

import csv
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from terminal import Terminal, blocks
from tiny_homeworks import marked

from hw_grading.commands.sample import cell_of
from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.model import Mark
from hw_grading.homework.course import REPOSITORY, Course

pytestmark = pytest.mark.slow

PAGE = REPOSITORY / "docs" / "how-a-score-comes-about.md"
MANIFEST = 'due = "2026-11-20 23:59:59"\ntime_zone = "America/Los_Angeles"\n'
TEST = """checks = Checks(
    "deviation", returns="distances", cases=[([2.0, 4.0, -3.0, 5.0], [0.0, 1.0, -4.0, 3.0])]
)
checks.table("values", 3, "distances")
checks.score()
"""
BODY = "    ### BEGIN SOLUTION\n    return x - running_mean(x)\n    ### END SOLUTION"


def release(course: Terminal) -> None:
    """Begin a course with the skeleton, add the page's second function, and release it."""
    course.must("hw-grading new hw1")
    source = course.notebook("source", "hw1")
    place = source.cells.index(cell_of(source, "test_running_mean")) + 1
    answer = marked(new_code_cell(f"def deviation(x):\n{BODY}"), "deviation", solution=True)
    test = marked(new_code_cell(TEST), "test_deviation", grade=True, locked=True, points=0)
    source.cells[place:place] = [answer, test]
    nbformat.write(source, course.path("source", "hw1"))
    manifest = course.folder / "staff" / "hw1" / "homework.toml"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(MANIFEST)
    with (course.folder / "nbgrader_config.py").open("a") as settings:
        settings.write("c.LatePolicy.percent = 10\n")
    course.must("hw-grading release hw1")


def hand_in(course: Terminal) -> None:
    """Hand in what Ann answered."""
    [functions] = blocks(PAGE, "python")
    answers = {re.findall(r"def (\w+)", one)[0]: one for one in functions.split("\n\n\n")}
    answers["plot"] = "plt.plot(running_mean(samples))\nplt.show()"
    answers["meaning"] = "More samples change little. The mean may be wrong."
    course.hand_in("hw1", "ann", **answers)
    time = course.path("submitted/ann", "hw1").with_name("timestamp.txt")
    time.write_text("2026-11-22 04:00:00 UTC")


def grade_by_hand(course: Terminal) -> None:
    """Give the first two items of the plot and of the text, as Kim does."""
    book = ManualGrading(Course(course.folder), "hw1")
    for cell in ("plot", "meaning"):
        rubric = book.rubric(cell)
        mark = Mark(chosen=frozenset(item.id for item in rubric.items[:2]), done=True)
        saved = book.save(cell, {"ann": "0"}, mark, grader="kim", rubric_revision=rubric.revision)
        assert [one.score for one in saved.values()] == [2.0]
    book.close()


def test_the_example_prints_what_the_page_shows(tmp_path):
    course = Terminal(tmp_path)
    release(course)
    hand_in(course)
    course.must("hw-grading grade hw1")
    grade_by_hand(course)
    explained, reported, correction, corrected = blocks(PAGE, "text")
    assert explained in course.must("hw-grading explain hw1 --student ann", COLUMNS="120")
    assert reported in course.must("hw-grading report hw1", COLUMNS="120")
    course.must(correction)
    lines = course.must("hw-grading report hw1", COLUMNS="120").splitlines()
    assert [line for line in corrected.splitlines() if line not in lines] == []
    course.must("hw-grading export hw1 --format questions")
    with (tmp_path / "hw1_questions.csv").open(newline="") as table:
        [row] = csv.DictReader(table)
    titles, shown = (
        [text.strip() for text in line.strip("|").split("|")]
        for line in re.findall(r"^\|.*raw_score.*\|$|^\| \d.*\|$", PAGE.read_text("utf-8"), re.M)
    )
    assert [row[title] for title in titles] == shown
