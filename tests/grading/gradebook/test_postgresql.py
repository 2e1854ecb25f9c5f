"""A small class is graded with its gradebook in PostgreSQL."""

import csv

import pytest
from at_the_desk import grade
from postgresql import PASSWORD
from toy_course import ASSIGNMENT, FULL_MARKS, TESTS, ToyCourse, run

from hw_grading.__main__ import main
from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.results import read_results


@pytest.mark.slow
@pytest.mark.xdist_group("postgresql")
def test_a_small_class_is_graded_marked_exported_and_backed_up(postgresql, tmp_path, capsys):
    settings = f"c.CourseDirectory.db_url = {postgresql.new_database()!r}\n"
    course = ToyCourse.make(tmp_path / "course", settings)
    course.submit("ada", course.answered)
    course.submit("ben", course.answer(double="def double(x):\n    return x"))
    course.submit("王小明", course.answer(why="Weil's so ist; -- ' \" \x00 \U0001f600"))
    course.submit("zoe", course.answer(double="import os; os._exit(1)"))
    done = course.grade()
    assert done.returncode == 0, done.stderr
    assert course.test_scores("ada") == course.test_scores("王小明") == TESTS
    assert course.test_scores("ben") == {**TESTS, "test_double": 0.0}

    grade(course.course, ASSIGNMENT, "why", "ada", comment="Well done \U0001f600")
    done = course.grade("--force")
    assert done.returncode == 0, done.stderr
    book = ManualGrading(course.course, ASSIGNMENT)
    assert "half of it" in [item.text for item in book.rubric("why").items]
    book.close()
    done = run(course.root, "export", "--to=grades.csv")
    assert done.returncode == 0, done.stderr
    with (course.root / "grades.csv").open(encoding="utf-8", newline="") as stream:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(stream)}
    assert scores == {"ada": FULL_MARKS + 1, "ben": 4.0, "王小明": FULL_MARKS, "zoe": 0.0}

    runs = {
        result.student.id: result.run
        for result in read_results(course.course, ASSIGNMENT).handed_in
    }
    assert {student: run and run.number for student, run in runs.items()} == dict.fromkeys(runs, 2)
    assert runs["ben"]
    assert [part.message for part in runs["ben"].parts_of("test_double")] == [
        "line 1: AssertionError: double(4) == 8, double(4) is 4"
    ]
    assert main(["--course", str(course.root), "report", ASSIGNMENT]) == 0
    assert main(["--course", str(course.root), "backup"]) == 1
    said = capsys.readouterr()
    assert "warning: not in the backup: the gradebook postgresql+psycopg://grader:***@/" in said.err
    assert "copy it with pg_dump" in said.err
    assert PASSWORD not in said.out + said.err
    assert not (course.root / "gradebook.db").exists()
