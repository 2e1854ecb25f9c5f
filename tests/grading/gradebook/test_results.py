"""The results of a graded class: one student's, and all of a homework's."""

from dataclasses import replace

import pytest
from graded_course import FAILED, PASSED, TEST, WITH, course, error, notebook, problem, run_of
from sqlalchemy import Engine, event, text

from hw_grading.gradebook.database import Database, Unavailable
from hw_grading.gradebook.results import read_results
from hw_grading.gradebook.runs import Run, read_runs, runs_before
from hw_grading.gradebook.scores import open_gradebook
from hw_grading.homework.course import Course
from hw_grading.outcome import Status
from hw_support.submission.problems import Kind, Problem, Severity

__all__ = ["course"]


@pytest.mark.parametrize("content", [None, "{", notebook(finished=False)])
def test_rows_count_if_the_notebook_is_missing_or_changed(course, content):
    course.grade("ada", notebook(problems=[problem("It looped.")]), auto=1.0, parts=[FAILED])
    path = course.root / "autograded" / "ada" / "hw2" / "hw2.ipynb"
    path.unlink() if content is None else course.write(path.parent, content)
    ada = course.result("ada")
    assert (ada.status, ada.reason, ada.final) == (Status.SUBMISSION_FAILED, "It looped.", 1.0)
    assert ada.run.parts == (FAILED,)


def test_a_run_is_read_as_it_was_saved_and_the_last_one_counts(course):
    course.grade("ada", notebook(), parts=[PASSED])
    problems = (Problem(Kind.METADATA, Severity.REPAIRED, "A tag went.", "double"),)
    other = {**WITH, "packages": {"numpy": "2.1"}}
    run = run_of(None, [FAILED], problems=problems, graded_with=other, digest="d" * 64)
    assert course.save("ada", run) == 2
    read = course.result("ada").run
    assert read == Run(**{**vars(run), "number": 2})
    with open_gradebook(f"sqlite:///{course.root}/gradebook.db", "hw2") as (db, _):
        first = read_runs(db, "hw2", numbers={"ada": 1, "nobody": 1})
    assert [(who, one.parts, one.graded_with) for who, one in first.items()] == [
        ("ada", (PASSED,), WITH)
    ]


def test_runs_of_an_earlier_version_have_no_fingerprints(course):
    course.grade("ada", notebook(), parts=[replace(FAILED, fingerprint="results: out: 1.0")])
    database = Database(f"sqlite:///{course.root}/gradebook.db")
    with database.writing() as connection:
        connection.execute(text("ALTER TABLE hw_grading_part DROP COLUMN fingerprint"))
        connection.execute(text("DROP TABLE hw_grading_answer"))
    database.close()
    assert course.result("ada").run.parts == (FAILED,)


def test_a_run_is_compared_with_the_last_one_of_another_file_or_test(course):
    other = {**WITH, "cells": {TEST: "u"}}
    runs = {
        "changed, then again": [{}, {"graded_with": other}, {"graded_with": other}],
        "another file": [{}, {"digest": "e" * 64}],
        "only again": [{}, {}, {}],
        "first": [{}],
    }
    for student, all_ in runs.items():
        course.grade(student, notebook())
        for more in all_[1:]:
            course.save(student, run_of(None, [PASSED], **more))
    with open_gradebook(f"sqlite:///{course.root}/gradebook.db", "hw2") as (db, _):
        before = {student: run.number for student, run in runs_before(db, "hw2").items()}
    assert before == {"changed, then again": 1, "another file": 1, "only again": 2}


def test_the_last_ten_runs_of_a_student_are_kept(course):
    course.grade("ada", notebook())
    course.grade("bob", notebook())
    for _ in range(24):
        course.save("ada", run_of(None, [PASSED, FAILED]))
    with open_gradebook(f"sqlite:///{course.root}/gradebook.db", "hw2") as (db, _):
        last = {student: run.number for student, run in read_runs(db, "hw2").items()}
        assert last == {"ada": 25, "bob": 1}
        assert list(read_runs(db, "hw2", "ada")) == ["ada"]
        kept = [n for n in range(30) if read_runs(db, "hw2", numbers={"ada": n})]
        assert kept == list(range(16, 26))
        tables = ("run", "part")
        counts = [db.execute(text(f"select count(*) from hw_grading_{t}")).scalar() for t in tables]
    assert counts == [11, 20]


def test_parts_that_failed_alike_are_one_failure(course):
    parts = [
        PASSED,
        FAILED,
        replace(FAILED, name="far"),
        replace(FAILED, name="near", message="no"),
    ]
    stub = error("NotImplementedError", "")
    content = notebook(plot=[error("NameError", "pit")], experiment=[stub])
    course.grade("ada", content, parts=parts)
    failures = course.result("ada").run.failures
    assert [
        (failure.cell, failure.what, failure.message, failure.lost) for failure in failures
    ] == [
        ("test_double", "2 parts", "out: expected 2, got 3", 4.0),
        ("test_double", "near", "no", 2.0),
        ("plot", "", "NameError: pit", 0.0),
    ]


def test_an_earlier_run_has_its_points_and_todays_by_people(course):
    course.grade("ada", notebook(), auto=3.0, manual=1.0, parts=[PASSED])
    results = course.results
    earlier = results.as_of("ada", results.students["ada"].run)
    assert (earlier.points("test_double"), earlier.points("plot"), earlier.final) == (1.0, 1.0, 2.0)


def test_every_student_who_submitted_is_listed_with_a_reason(course):
    submitted = course.root / "submitted"
    course.hand_in("handed-in")
    folders = ["other-name/hw2", "no-folder", "empty/hw2", "only-hw1/hw1", "nothing"]
    for folder in (*folders, ".hidden/hw2", ".ipynb_checkpoints"):
        (submitted / folder).mkdir(parents=True)
    (submitted / "other-name" / "hw2" / "hw2 (1).ipynb").touch()
    (submitted / "no-folder" / "hw2.ipynb").touch()
    (submitted / "stray.zip").touch()
    (submitted / "linked").mkdir()
    (submitted / "linked" / "hw2").symlink_to(submitted / "handed-in" / "hw2")
    course.grade("killed", notebook(), auto=None)
    course.hand_in("cut-off")
    (submitted / "cut-off" / "hw2" / "hw2.ipynb").write_text('{"cells": [')
    results = course.results.handed_in
    reasons = {result.student.id: result.reason for result in results}
    assert {result.status for result in results} == {Status.NOT_GRADED}
    no_scores = "The notebook was submitted, but there are no scores"
    no_file = "The notebook 'hw2.ipynb' cannot be read: there is no such file"
    told = {
        "handed-in": no_scores,
        "killed": no_scores,
        "cut-off": "The notebook 'hw2.ipynb' cannot be read: expected JSON",
        "other-name": f"{no_file}, but there is 'hw2 (1).ipynb': rename",
        **dict.fromkeys(("no-folder", "empty"), f"{no_file}. Look into {submitted}"),
        "linked": f"{submitted / 'linked' / 'hw2'}: it is a symbolic link",
        ".hidden": "Its name is '.hidden'",
    }
    assert reasons.keys() == told.keys()
    assert [name for name in told if not reasons[name].startswith(told[name])] == []


def test_a_newer_version_than_the_graded_one_is_reported(course):
    course.grade("ada", notebook())
    stamp = course.root / "submitted" / "ada" / "hw2" / "timestamp.txt"
    for when, status in [
        ("2022-10-05 07:00:00 UTC", Status.GRADED),
        ("2022-10-05 00:30:00 America/Los_Angeles", Status.NOT_GRADED),
        ("no time", Status.GRADED),
        ("", Status.GRADED),
    ]:
        stamp.write_text(when)
        assert course.result("ada").status is status, when


def test_reading_neither_makes_nor_changes_a_gradebook(course, tmp_path):
    course.grade("ada", notebook())
    before = (course.root / "gradebook.db").read_bytes()
    assert course.results.students
    assert (course.root / "gradebook.db").read_bytes() == before
    with pytest.raises(Unavailable, match="hw-grading release"):
        read_results(Course(tmp_path), "hw2")
    assert not (tmp_path / "gradebook.db").exists()


def test_a_damaged_gradebook_or_an_unknown_assignment_says_so(course):
    with pytest.raises(Unavailable, match="no homework 'hw3'"):
        read_results(Course(course.root), "hw3")
    (course.root / "gradebook.db").write_text("no database, but long enough to be read as one" * 9)
    with pytest.raises(Unavailable, match=r"The gradebook .* cannot be used"):
        read_results(Course(course.root), "hw2")


def test_the_number_of_queries_does_not_grow_with_the_class(course):
    counts = []
    for students in (1, 4):
        for number in range(students):
            course.grade(f"student {students} {number}", notebook())
        seen = []
        record = lambda *arguments, seen=seen: seen.append(arguments[2])  # noqa: E731
        event.listen(Engine, "before_cursor_execute", record)
        read_results(Course(course.root), "hw2")
        event.remove(Engine, "before_cursor_execute", record)
        counts.append(len(seen))
    assert counts[0] == counts[1] < 25
