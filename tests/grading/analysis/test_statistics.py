"""The statistics of a class: the page by question, and the table of parts."""

import csv
import re
from dataclasses import replace

import numpy as np
import pytest
from at_the_desk import grade as grade_at_the_desk
from graded_course import FAILED, PASSED, course, error, notebook
from html_pages import Page

from hw_grading.__main__ import main
from hw_grading.analysis.statistics import bars, page_of, statistics_of
from hw_grading.homework.course import Course

__all__ = ["course"]  # used by pytest, by name

TWICE = replace(FAILED, message="out: wrong. Likely cause: every entry is 2 times")
MARKUP = "<script>alert(1)</script>"


def questions(course):
    return {q.cell.name: q for q in statistics_of(course.root, "hw2").questions}


def text_of(course):
    """The text of the page, with single spaces."""
    return " ".join(" ".join(Page(page_of(statistics_of(course.root, "hw2"))).text).split())


@pytest.mark.parametrize(
    ("most", "points", "expected"),
    [
        (3, [0, 0.5, 2.9, 3, 3.5], {0: 1, 0.5: 1, 2.5: 1, 3: 2}),  # full marks, and a bonus
        (73, [0, 9.9, 10, 72.99, 73], {0: 2, 10: 1, 70: 1, 73: 1}),
        (1, [-0.5, 0.1 + 0.1, 1], {0: 1, 0.2: 1, 1: 1}),
        (0, [0, 1], {0: 2}),
    ],
)
def test_a_bar_has_points_up_to_the_next_and_the_last_all(most, points, expected):
    found = bars(points, most)
    assert {round(low, 9): count for low, count in found if count} == expected
    lows = [low for low, _ in found]
    assert lows[-1] == most
    assert len(found) <= 10
    assert np.ptp(np.diff(lows[:-1])) < 1e-9 if len(lows) > 2 else True


def test_before_people_have_graded_the_total_is_that_of_tests(course):
    """Two empty answers, which autograde gives 0, are not the mean of the class."""
    for n in range(4):
        course.grade(f"s{n}", notebook(), auto=float(n), manual=0.0 if n < 2 else None)
    said = text_of(course)
    assert "Total of the tests Mean 1.50, median 1.50 of 3, from 0.00 to 3.00." in said
    assert "of which 2 still wait for points by a person" in said
    plot = questions(course)["plot"]
    assert (plot.waiting, plot.points) == (2, [0.0, 0.0])
    assert "over the 2 answers that people have graded; 2 wait." in said


def test_zeros_of_empty_answers_count_only_when_no_answer_waits(course):
    for student in ("ada", "bob"):
        course.grade(student, notebook(), manual=4.0)
    with course.gradebook() as book:  # Ada's written answer waits; Bob's is empty
        book.find_grade("answer", "hw2", "hw2", "ada").needs_manual_grade = True
        book.db.commit()
    assert questions(course)["answer"].points == []
    assert "1 answer waits for a person. Nobody has given points yet." in text_of(course)
    with course.gradebook() as book:
        grade = book.find_grade("answer", "hw2", "hw2", "ada")
        grade.needs_manual_grade, grade.manual_score = False, 1.0
        book.db.commit()
    assert questions(course)["answer"].points == [1.0, 0.0]
    assert "Total Mean 7.50, median 7.50 of 9" in text_of(course)


def test_a_part_is_counted_once_for_each_submission(course):
    course.grade("ada", notebook(), parts=[TWICE])
    course.grade("bob", notebook(), parts=[TWICE])
    course.grade("kim", notebook(test=[error("NameError", "name 'x1' is not defined")]))
    assert questions(course)["test_double"].failed == [
        ("values at 1", 2, 2),
        ("the whole test", 0, 1),
    ]


def test_the_items_of_a_rubric_are_counted(course):
    for student in ("ada", "bob"):
        course.grade(student, notebook())
    grade_at_the_desk(Course(course.root), "hw2", "plot", "ada")
    [*_, last] = questions(course)["plot"].items
    assert last == ("half of it", 1.0, 1)
    assert "half of it 1 1 of 1" in text_of(course)


def test_the_command_writes_a_table_whose_lines_sum_to_a_students_points(course, capsys):
    course.grade("ada", notebook(), 1.0, 3.5, [PASSED, TWICE])
    course.grade("bob", notebook(), auto=1.5, parts=[PASSED])
    assert main(["--course", str(course.root), "statistics", "hw2"]) == 0
    page, table = (course.root / f"statistics_hw2.{end}" for end in ("html", "csv"))
    assert capsys.readouterr().out.split() == [str(page), str(table)]
    assert page.is_file()
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [(row["student"], row["cell"], row["part"], row["kind"], row["points"]) for row in rows]
    assert lines == [
        ("ada", "test_double", "values at 0", "test", "1.0"),
        ("ada", "test_double", "values at 1", "test", "0.0"),
        ("ada", "plot", "", "person", "3.5"),
        ("ada", "answer", "", "person", "0.0"),
        ("bob", "test_double", "values at 0", "test", "1.0"),
        ("bob", "test_double", "", "other", "0.5"),  # a person changed the score of the test
        ("bob", "plot", "", "person", ""),
        ("bob", "answer", "", "person", "0.0"),
    ]
    assert [row["of"] for row in rows][:4] == ["1.0", "2.0", "4.0", "2.0"]
    assert "every entry is 2 times" in rows[1]["message"]


def test_the_page_has_no_script_no_address_and_no_student(course):
    source = notebook()
    source["cells"][0]["source"] = f"## Part\n### 1.1a $x$ {MARKUP} (3 points)"
    course.write(course.root / "source" / "hw2", source)
    for n in range(12):
        parts = [replace(FAILED, name=f"{MARKUP} $", message=MARKUP)]
        course.grade(f"student{n:03d}", notebook(), n % 4, n % 5, parts)
    html = page_of(statistics_of(course.root, "hw2"))
    assert "script" not in Page(html).tags
    assert MARKUP not in html
    assert "default-src 'none'" in html
    assert not re.search(r"https?://|student0|(?:src|href)=[\"'](?!#)", html)
    assert html.count("<svg") == html.count('role="img" aria-label=') == 4
