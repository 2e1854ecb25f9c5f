"""Scores are saved as nbgrader saves them, but in one transaction, without reading whole tables."""

import sqlite3
import threading
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from toy_course import ASSIGNMENT, ToyCourse

from hw_grading.commands.sample import cell_of
from hw_grading.gradebook.book import GradeBook
from hw_grading.gradebook.model import Grading, Mark
from hw_grading.gradebook.results import read_results
from hw_grading.gradebook.runs import Run, save_run
from hw_grading.outcome import Part, Status
from hw_grading.plugins import saving
from hw_grading.plugins.saving import RUN, SaveScores, add_indexes

pytestmark = pytest.mark.slow


@pytest.fixture
def graded(course: ToyCourse) -> ToyCourse:
    course.submit("ada", course.answer(double="def double(x):\n    return x", why="For a reason."))
    assert course.grade().returncode == 0
    return course


def rows(course: ToyCourse) -> list[tuple[Any, ...]]:
    with sqlite3.connect(course.root / "gradebook.db") as gradebook:
        scores = gradebook.execute(
            "select name, auto_score, manual_score, needs_manual_grade from grade "
            "join base_cell on base_cell.id = cell_id order by name"
        ).fetchall()
        comments = gradebook.execute(
            "select name, auto_comment from comment "
            "join base_cell on base_cell.id = cell_id order by name"
        ).fetchall()
    return [*scores, *comments]


def forget(course: ToyCourse) -> None:
    with sqlite3.connect(course.root / "gradebook.db") as gradebook:
        gradebook.execute("update grade set auto_score = -1, needs_manual_grade = 1")
        gradebook.execute("update comment set auto_comment = 'none'")


def edit(course: ToyCourse, name: str, change: Callable[[NotebookNode], object]) -> None:
    path = course.root / "autograded" / "ada" / ASSIGNMENT / "hw2.ipynb"
    notebook = nbformat.read(path, 4)
    change(cell_of(notebook, name))
    path.unlink()  # it is read-only
    nbformat.write(notebook, path)


def save(course: ToyCourse, how: type[NbGraderPreprocessor], **more: Any) -> None:
    notebook = nbformat.read(course.root / "autograded" / "ada" / ASSIGNMENT / "hw2.ipynb", 4)
    db_url = f"sqlite:///{course.root}/gradebook.db"
    ids = {"notebook": "hw2", "assignment": ASSIGNMENT, "student": "ada", "db_url": db_url}
    how().preprocess(notebook, {"nbgrader": ids, **more})


@pytest.mark.smoke
def test_the_saved_scores_are_those_that_nbgrader_saves(graded: ToyCourse) -> None:
    first = rows(graded)
    for how in (SaveAutoGrades, SaveScores):
        forget(graded)
        assert rows(graded) != first
        save(graded, how)
        assert rows(graded) == first


def waiting(course: ToyCourse) -> set[str]:
    with sqlite3.connect(course.root / "gradebook.db") as gradebook:
        found = gradebook.execute(
            "select name from grade join base_cell on base_cell.id = cell_id "
            "where needs_manual_grade = 1"
        )
        return {name for (name,) in found}


def give(course: ToyCourse, points: float) -> None:
    with sqlite3.connect(course.root / "gradebook.db") as gradebook:
        gradebook.execute(
            "update grade set manual_score = ?, needs_manual_grade = 0 "
            "where cell_id in (select id from base_cell where name in ('why', 'sketch'))",
            [points],
        )


def test_an_unchanged_answer_stays_graded(graded: ToyCourse) -> None:
    give(graded, 3)
    save(graded, SaveAutoGrades)
    assert waiting(graded) == {"why", "sketch"}  # as nbgrader does
    give(graded, 3)
    for _ in range(2):
        save(graded, SaveScores)
        assert waiting(graded) == set()


@pytest.mark.parametrize("changed", ["why", "sketch"])
def test_a_changed_answer_waits_again(graded: ToyCourse, changed: str) -> None:
    give(graded, 3)
    if changed == "why":
        edit(graded, "why", lambda cell: cell.update(source="For another reason."))
    else:
        other = nbformat.v4.new_output("stream", text="another picture")
        edit(graded, "sketch", lambda cell: cell.update(outputs=[other]))
    save(graded, SaveScores)
    assert waiting(graded) == {changed}
    assert ("why", None, 3.0, int(changed == "why")) in rows(graded)


@pytest.mark.parametrize(("score", "waits"), [(0.0, False), (1.0, True)])
def test_a_persons_score_of_a_test_stays_if_the_test_agrees(
    graded: ToyCourse, score: float, waits: bool
) -> None:
    """The test gave Ada 0 points, and a person gave 2."""
    with sqlite3.connect(graded.root / "gradebook.db") as gradebook:
        gradebook.execute(
            "update grade set manual_score = 2, needs_manual_grade = 0, auto_score = ? "
            "where cell_id in (select id from base_cell where name = 'test_double')",
            [score],
        )
    save(graded, SaveScores)
    assert ("test_double" in waiting(graded)) == waits
    assert ("test_double", 0.0, 2.0, int(waits)) in rows(graded)


def test_a_save_of_a_grader_during_a_regrade_is_not_lost(graded: ToyCourse) -> None:
    save(graded, SaveScores)
    book = GradeBook(graded.course, ASSIGNMENT)
    book.rubric("why")
    over = threading.Event()

    def grade_again() -> None:
        while not over.is_set():
            save(graded, SaveScores)

    autograding = threading.Thread(target=grade_again)
    autograding.start()
    try:
        for points in range(20):
            mark = Mark(adjustment=points / 10, done=True)
            versions = {"ada": book.grading("why", "ada").version}
            revision = book.rubric("why").revision
            saved = book.save("why", versions, mark, grader="kim", rubric_revision=revision)["ada"]
            assert isinstance(saved, Grading)
            now = book.grading("why", "ada")
            assert (now.score, now.waits) == (points / 10, False)
    finally:
        over.set()
        autograding.join()
        book.close()


def test_a_waiting_answer_still_waits(graded: ToyCourse) -> None:
    save(graded, SaveScores)
    assert waiting(graded) == {"why", "sketch"}


def test_an_answer_without_points_does_not_wait(graded: ToyCourse) -> None:
    assert waiting(graded) == {"why", "sketch"}
    edit(graded, "why", lambda cell: cell.metadata.nbgrader.update(points=0))
    save(graded, SaveScores)
    assert waiting(graded) == {"sketch"}


def test_scores_and_rows_of_a_run_are_saved_together(
    graded: ToyCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run_in(graded)
    assert (first.number, first.parts_of("test_double")[0].passed) == (1, False)
    assert {"test_double", "title"} <= first.graded_with["cells"].keys()
    assert first.answers.keys() == {"double", "triple", "why", "sketch", ""}
    parts = (Part("test_double", "values", 2.0, 2.0, passed=True),)
    graded_with = {"limits": {"files": "7"}}
    new = Run("d" * 64, {}, graded_with, "1", Status.GRADED, "", (), 2.0, 3.0, parts)
    resources = {RUN: new}
    save(graded, SaveScores, **resources)
    run = run_in(graded)
    assert (run.number, run.parts, run.digest, run.cpu_seconds) == (2, parts, "d" * 64, 2.0)
    assert run.graded_with == graded_with

    forget(graded)
    before = rows(graded)

    def fail_at_the_end(*arguments: Any) -> None:
        save_run(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(saving, "save_run", fail_at_the_end)
    with pytest.raises(KeyboardInterrupt):
        save(graded, SaveScores, **resources)
    assert rows(graded) == before
    assert run_in(graded).number == 2


def run_in(course: ToyCourse) -> Run:
    run = read_results(course.course, ASSIGNMENT).of("ada").run
    assert run
    return run


def test_rows_are_found_by_indexes(graded: ToyCourse) -> None:
    add_indexes(f"sqlite:///{graded.root}/gradebook.db")  # the second call finds them
    with sqlite3.connect(graded.root / "gradebook.db") as gradebook:
        for table in ("grade", "comment"):
            query = f"explain query plan select * from {table} where notebook_id = 'x'"
            [(*_, plan)] = gradebook.execute(query).fetchall()
            assert plan.startswith(f"SEARCH {table} USING INDEX hw_grading_")
