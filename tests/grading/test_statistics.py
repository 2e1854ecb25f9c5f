"""The page of statistics, for instructors and for students."""

import csv
import math
import re
import statistics
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import insert
from test_plots_page import Page
from test_results import DUE, cell, course, error, notebook, problem, stream

from hw_grading.__main__ import main
from hw_grading.records.database import Database
from hw_grading.reports.statistics import for_students, numbers
from hw_grading.reports.statistics.gathering import (
    ClassData,
    Item,
    Part,
    cause_in,
    cpu_seconds_in,
    gather,
)
from hw_grading.reports.statistics.numbers import bands, groups, item_rest
from hw_grading.reports.statistics.page import page_of, write_statistics
from hw_grading.rubrics.tables import GRADINGS

__all__ = ["course"]  # used by pytest, by name

pytestmark = [
    # The later ones come first: an SAWarning, of nbgrader's own making, is a RuntimeWarning too.
    pytest.mark.filterwarnings("error::UserWarning:matplotlib"),
    pytest.mark.filterwarnings("error::RuntimeWarning"),  # NumPy's, of means of nothing
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]
TWICE = "FAILED  values at 1 [2 pt]\n        out: wrong. Likely cause: every entry is 2 times\n"
MARKUP = "<script>alert(1)</script>"


def write(course, *, students=False, name="page.html"):
    out = course.root / "out" / name
    written = write_statistics(course.root, "hw2", out, students=students)
    return Page(out), [path.read_text(encoding="utf-8") for path in written[1:]]


def release_of(course, *, test="with checks('values at 1', points=2): ..."):
    cells = [cell("code", test, "test_double", points=3)]
    course.write(course.root / "release" / "hw2", {"nbformat": 4, "metadata": {}, "cells": cells})


def hand_in_at(course, student, hours):
    with course.gradebook() as book:
        book.find_submission("hw2", student).timestamp = DUE + timedelta(hours=hours)
        book.db.commit()


def fill(course, count, *, auto=lambda n: n % 4, manual=lambda n: n % 5, **content):
    """Grade a class wholly."""
    for n in range(count):
        course.grade(f"student{n:03d}", notebook(**content), auto=auto(n), manual=manual(n))


# -- numbers


def test_item_rest_is_the_correlation_of_an_item_with_the_sum_of_the_others():
    points = np.random.default_rng(1).integers(0, 4, (30, 5)).astype(float)
    found = item_rest(points)
    for n in range(5):
        others = np.delete(points, n, axis=1).sum(axis=1)
        assert found[n] == pytest.approx(np.corrcoef(points[:, n], others)[0, 1])


@pytest.mark.parametrize("count", [0, 1, 2, 3, 9])
def test_equal_points_and_few_submissions_have_no_correlation(count):
    assert np.isnan(item_rest(np.full((count, 4), 2.0))).all()
    assert np.isnan(item_rest(np.arange(2.0 * 4).reshape(2, 4))).all()


def test_a_constant_item_leaves_the_others_their_correlation():
    points = np.array([[0.1, 1, 2], [0.1, 2, 3], [0.1, 3, 5]])
    found = item_rest(points)
    assert math.isnan(found[0])
    assert found[1] > 0.9


def test_bands_count_each_student_once():
    counts = bands(np.array([0, 0.1, 1, 1.9, 2, math.nan]), 2.0)
    assert counts.tolist() == [1, 1, 2, 1]


def test_groups_have_five_or_more_and_include_everybody():
    rng = np.random.default_rng(2)
    for _ in range(300):
        counts = rng.integers(0, 12, rng.integers(1, 9)).tolist()
        found = groups(counts)
        if not found:
            assert sum(counts) < 10 or sum(n >= 5 for n in counts) < 2
            continue
        assert min(count for _, _, count in found) >= 5
        assert sum(count for _, _, count in found) == sum(counts)
        assert [k for first, last, _ in found for k in range(first, last + 1)] == [
            *range(len(counts))
        ]


def test_small_counts_cannot_be_computed_by_subtraction():
    assert groups([1, 20, 19]) == [(0, 1, 21), (2, 2, 19)]
    assert groups([20, 19, 1]) == [(0, 0, 20), (1, 2, 20)]
    assert groups([0, 0, 0, 40]) == []  # a single group would show what everybody has
    assert groups([4, 0, 36]) == []


def test_graders_are_compared_on_the_questions_that_others_graded_too():
    given = [
        *(numbers.Given(0, "ada", points) for points in (4, 4)),
        *(numbers.Given(0, "bob", points) for points in (2, 2)),
        numbers.Given(1, "ada", 0),
    ]
    ada, bob = numbers.graders(given, [4, 2])
    assert (ada.answers, ada.difference, bob.difference) == (3, 0.5, -0.5)
    assert math.isnan(numbers.graders(given[:2], [4, 2])[0].difference)


def test_causes_that_differ_only_in_numbers_are_equal():
    assert cause_in("out[3] is 1.5e-3, expected -7") == cause_in("out[12] is 2.25, expected 9")
    assert cause_in("loss: 3 entries. Likely cause: rows are swapped") == "rows are swapped"


# -- small and odd classes


@pytest.mark.parametrize("students", [False, True])
def test_a_class_without_submissions_gets_sentences(course, students):
    page, _ = write(course, students=students)
    assert "img" not in page.tags
    assert "Not shown" in page.html if students else "No submission is graded yet" in page.html


@pytest.mark.parametrize("students", [False, True])
@pytest.mark.parametrize("count", [1, 2, 12])
def test_equal_scores_and_few_submissions_raise_no_warning(course, students, count):
    fill(course, count, auto=lambda n: 3.0, manual=lambda n: 4.0)
    page, _ = write(course, students=students)
    assert ("Not shown" if students else "median 7.0 of 9") in page.html


@pytest.mark.parametrize("students", [False, True])
def test_submissions_that_nobody_graded_are_counted_and_not_scored(course, students):
    course.hand_in("ada")
    course.grade("bob", None, auto=None)
    page, _ = write(course, students=students)
    if not students:
        assert "2 submitted, 0 graded by tests" in page.html


def test_before_people_have_graded_the_total_is_that_of_tests(course):
    for n in range(4):
        course.grade(f"s{n}", notebook(), auto=float(n))
    page, (items, _) = write(course)
    assert "median 1.5 of 3" in page.html
    assert "These are the points of tests" in page.html
    assert "total,,,,9.0,0" in items


def test_answers_that_wait_are_in_no_mean(course):
    fill(course, 4, auto=lambda n: float(n % 4), manual=lambda n: 4.0)
    course.grade("waits", notebook(), auto=3.0)
    data = gather(course.root, "hw2")
    assert len(data.finals) == 4
    assert np.isnan(data.points).sum() == 1
    assert "1 submission still waits" in page_of(data, students=False)


# -- what the page tells


def test_a_part_is_counted_once_for_each_submission_with_its_likeliest_cause(course):
    release_of(course)
    course.grade("ada", notebook(test=[stream(2 * TWICE)]))
    course.grade("bob", notebook(test=[stream(TWICE)]))
    course.grade("eve", notebook(test=[stream(TWICE.replace("every", "no"))]))
    course.grade("kim", notebook(test=[error("NameError", "name 'x1' is not defined")]))
    broke_off, part = sorted(gather(course.root, "hw2").parts, key=lambda one: one.failed)
    assert (part.name, part.points, part.failed, part.hidden) == ("values at 1", "2", 3, False)
    assert part.causes == (("every entry is 2 times", 2), ("no entry is 2 times", 1))
    assert broke_off.name == "the test did not finish"
    page, (_, parts) = write(course)
    assert "every entry is 2 times (2 of 3)" in page.html
    assert "values at 1,visible,2,3,4,every entry is 2 times,2" in parts


def test_repaired_cells_times_and_cpu_times_are_shown(course):
    kinds = [problem("It moved.", "mended", "moved-cell"), problem("A tag.", "mended", "metadata")]
    course.grade("ada", notebook(problems=kinds))
    course.grade("bob", notebook())
    hand_in_at(course, "ada", -3)
    hand_in_at(course, "bob", 30)
    (course.root / "grading").mkdir()
    lines = '{"event": "begin"}\n{"student": "ada", "cpu_seconds": 1}\n[]\n'
    lines += '{"student": "ada", "cpu_seconds": 2.5}\n{"student": "bob", "cpu_sec'
    (course.root / "grading" / "hw2.jsonl").write_text(lines, encoding="utf-8")
    data = gather(course.root, "hw2")
    assert sorted(data.hours) == [-3, 30]
    assert data.late == 1
    assert data.cpu_seconds.tolist() == [2.5]
    assert data.mended.tolist() == [1, 0]  # one cell, in two ways
    page, _ = write(course)
    assert "1 cell of 1 submission had to be repaired" in page.html
    assert "After it came 1. Late, with extensions counted: 1." in page.html


def test_a_missing_or_unreadable_progress_file_gives_no_times(tmp_path):
    assert cpu_seconds_in(tmp_path / "no.jsonl") == {}
    (tmp_path / "odd").write_bytes(b'\xff\xfe\n{"student": "a", "cpu_seconds": NaN}\n"\n[[[[')
    assert cpu_seconds_in(tmp_path / "odd") == {}


def test_means_are_listed_by_grader_and_formgraders_scores_have_none(course):
    fill(course, 3, manual=lambda n: float(n))
    given = [("<Ada>", 0.0), ("王", 1.0), ("<Ada>", 4.0)]  # the last one was 2 in formgrader
    alike = {"assignment": "hw2", "cell": "plot", "revision": 1, "adjustment": 0, "comment": ""}
    alike |= {"done": True, "flagged": False, "flag_note": "", "given_comment": "", "digest": ""}
    rows = [
        alike | {"student": f"student{n:03d}", "score": score, "grader": grader, "at": DUE}
        for n, (grader, score) in enumerate(given)
    ]
    rows = [row | {"seconds": 1.0} for row in rows]
    database = Database(f"sqlite:///{course.root}/gradebook.db")
    with database.writing() as connection:
        connection.execute(insert(GRADINGS), rows)
    database.close()
    given = {one.grader: one.points for one in gather(course.root, "hw2").given}
    assert given == {"<Ada>": 0.0, "王": 1.0, "": 2.0}
    page, _ = write(course)
    assert "&lt;Ada&gt;" in page.html
    assert "not known" in page.html
    page, tables = write(course, students=True, name="other.html")
    assert not re.search("Ada|王|[Gg]rader", page.html.split("</style>")[1] + "".join(tables))


def test_the_page_has_no_script_no_address_and_no_student(course):
    source = notebook()
    source["cells"][0]["source"] = f"## Part\n### 1.1a $x$ {MARKUP} (3 points)"
    course.write(course.root / "source" / "hw2", source)
    fill(course, 12, test=[stream(f"FAILED  {MARKUP} $ [2 pt]\n        {MARKUP}\n")])
    for students in (False, True):
        page, tables = write(course, students=students, name=f"page{students}.html")
        assert "script" not in page.tags
        assert MARKUP not in page.html
        assert "default-src 'none'" in page.html
        assert not re.search(r"https?://", page.html)
        assert "student0" not in page.html + "".join(tables)
        assert all(uri.startswith("data:image/svg+xml;base64,") for uri in page.images())
        assert all(page.values("img", "alt"))
        assert len(page.images()) == len(page.values("img", "alt"))


def test_the_table_contains_no_formulas(course):
    source = notebook()
    source["cells"][0]["source"] = "## Part\n### =1+1 Double (3 points)"
    course.write(course.root / "source" / "hw2", source)
    _, (items, _) = write(course)
    assert "'=1+1" in items
    assert [row["cell"] for row in csv.DictReader(items.splitlines())] == [
        *("test_double", "plot", "answer", "total")
    ]


# -- for students


def class_of(points, *, hours=(), parts=()):
    """A class with these points, of 3, for one test."""
    points = np.asarray(points, dtype=float)[:, None]
    item = Item("test_double", "1.1a", "Double", False, 3.0)
    hours = np.asarray(hours, dtype=float)
    finals = points[~np.isnan(points).any(axis=1)].ravel()
    none = np.zeros(0)
    counts = (len(points), len(points))
    return ClassData(
        *("ps1", 3.0, *counts, (item,), points, finals, tuple(parts), hours, hours, 0),
        *(none, none, ()),
    )


def test_students_see_no_count_below_five():
    hours = [500, *(-n / 4 for n in range(1, 40))]
    data = class_of([0, 0, *(1 + n % 3 for n in range(38))], hours=hours)
    for section in (for_students.total(data), for_students.handing_in(data)):
        told = [int(row[-1]) for row in section.tables[0].rows]
        assert min(told) >= 5
        assert sum(told) == 40
    ((*_, words),) = for_students.questions(data).tables[0].rows
    told = [int(n) for n in re.findall(r": (\d+)", words)]
    assert min(told) >= 5
    assert sum(told) == 40
    assert "20 d" not in page_of(data, students=True)  # when the last student submitted


def test_incompletely_graded_submissions_are_in_no_count_for_students():
    points = [*(n % 4 for n in range(20)), math.nan]
    data = for_students.of_whole(class_of(points, hours=range(21)))
    assert (len(data.points), len(data.finals), len(data.hours)) == (20, 20, 20)


def test_incomplete_times_are_not_shown_to_students():
    data = class_of([n % 4 for n in range(20)], hours=[math.nan, *range(19)])
    assert not for_students.of_whole(data).hours.size


def failed_of(count, of, *, causes=None, hidden=False):
    causes = causes or (("rows are swapped", count),)
    part = Part(0, "values at 1", hidden, "2", count, causes)
    return for_students.failed_parts(class_of([n % 4 for n in range(of)], parts=[part])).tables


@pytest.mark.parametrize(("count", "is_told"), [(4, False), (5, True), (35, True), (36, False)])
def test_students_see_parts_that_five_failed_and_five_passed(count, is_told):
    assert bool(failed_of(count, 40)) == is_told


def test_students_see_steps_of_ten_percent_and_nothing_of_a_small_class():
    assert not failed_of(15, 39)
    (row,) = failed_of(15, 40)[0].rows
    assert row == ("1.1a", "values at 1", "rows are swapped", "40 %")


@pytest.mark.parametrize("others", [1, 4])
def test_students_see_no_cause_that_nearly_all_have(others):
    (row,) = failed_of(15, 40, causes=(("rows are swapped", 15 - others), ("x", others)))[0].rows
    assert row[2] == "–"


def test_students_see_no_hidden_parts():
    assert not failed_of(20, 40, hidden=True)


def test_a_part_that_is_not_in_the_released_test_is_hidden(course):
    release_of(course, test="checks.score()")
    course.grade("ada", notebook(test=[stream(TWICE)]))
    assert [part.hidden for part in gather(course.root, "hw2").parts] == [True]


# -- files


def test_the_command_writes_beside_the_page_and_again(course, capsys):
    for _ in range(2):
        assert main(["--course", str(course.root), "statistics", "hw2"]) == 0
    assert main(["--course", str(course.root), "statistics", "hw2", "--for-students"]) == 0
    names = [f"statistics_hw2{kind}" for kind in ("", "_for_students")]
    files = {f"{name}{end}" for name in names for end in (".html", ".csv", "_parts.csv")}
    assert {path.name for path in course.root.glob("statistics_*")} == files
    assert "statistics_hw2_parts.csv" in capsys.readouterr().out


def test_a_file_that_the_command_did_not_write_is_kept_and_nothing_is_written(course, capsys):
    mine = course.root / "statistics_hw2.csv"
    mine.write_text("my own notes\n", encoding="utf-8")
    assert main(["--course", str(course.root), "statistics", "hw2"]) == 2
    assert "did not write it" in capsys.readouterr().err
    assert mine.read_text(encoding="utf-8") == "my own notes\n"
    assert list(course.root.glob("statistics_*")) == [mine]


def test_a_pages_name_must_end_in_html(course, capsys):
    out = str(course.root / "x.csv")
    assert main(["--course", str(course.root), "statistics", "hw2", "--out", out]) == 2
    assert "ends in .html" in capsys.readouterr().err


def test_an_unknown_homework_is_reported(course, capsys):
    assert main(["--course", str(course.root), "statistics", "ps9"]) == 2
    assert "'ps9'" in capsys.readouterr().err


def test_the_standard_librarys_statistics_can_still_be_imported():
    assert statistics.median([1, 2, 9]) == 2
