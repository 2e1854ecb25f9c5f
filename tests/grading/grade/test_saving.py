"""Scores are saved as nbgrader saves them, but in one transaction, without reading whole tables."""

import json
import sqlite3
import threading
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.preprocessors import SaveAutoGrades
from nbgrader.utils import determine_grade
from toy_course import ASSIGNMENT, ToyCourse

from hw_grading.commands.sample import cell_of
from hw_grading.grade import save as saving
from hw_grading.grade.job import Job
from hw_grading.grade.save import GradedNotebook, Saver
from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.model import Grading, Mark
from hw_grading.gradebook.results import read_results
from hw_grading.gradebook.runs import Run, save_run
from hw_grading.homework.homework import Homework
from hw_grading.homework.notebook import is_test
from hw_grading.outcome import CellScore, Outcome, PartResult

# One worker runs them all, so the course is graded once.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("saving")]
smoke = pytest.mark.smoke  # what decides points; these grade nothing themselves


@pytest.fixture(scope="module")
def graded_once(generated_course: ToyCourse, tmp_path_factory: pytest.TempPathFactory) -> ToyCourse:
    course = generated_course.copied(tmp_path_factory.mktemp("graded") / "course")
    course.submit("ada", course.answer(double="def double(x):\n    return x", why="For a reason."))
    assert course.grade().returncode == 0
    return course


@pytest.fixture
def graded(graded_once: ToyCourse, tmp_path: Path) -> ToyCourse:
    return graded_once.copied(tmp_path / "course")


def sql(course: ToyCourse, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with sqlite3.connect(course.root / "gradebook.db") as gradebook:
        return gradebook.execute(statement, values).fetchall()


def rows(course: ToyCourse) -> list[tuple[Any, ...]]:
    of_cells = "join base_cell on base_cell.id = cell_id order by name"
    scores = "name, auto_score, manual_score, needs_manual_grade from grade"
    comments = "name, auto_comment from comment"
    return [row for what in (scores, comments) for row in sql(course, f"select {what} {of_cells}")]


def forget(course: ToyCourse) -> None:
    sql(course, "update grade set auto_score = -1, needs_manual_grade = 1")
    sql(course, "update comment set auto_comment = 'none'")


def edit(course: ToyCourse, name: str, change: Callable[[NotebookNode], object]) -> None:
    path = course.root / "autograded" / "ada" / ASSIGNMENT / "hw2.ipynb"
    notebook = nbformat.read(path, 4)
    change(cell_of(notebook, name))
    path.unlink()  # it is read-only
    nbformat.write(notebook, path)


def save(course: ToyCourse, unscored: Collection[str] = (), **about: Any) -> None:
    """Save the graded notebook again, with the scores that nbgrader reads in it."""
    notebook = nbformat.read(course.root / "autograded" / "ada" / ASSIGNMENT / "hw2.ipynb", 4)
    scores = [
        CellScore(cell.metadata.nbgrader.grade_id, most, earned)
        for cell in filter(is_test, notebook.cells)
        for earned, most in [determine_grade(cell)]
    ]
    given = [replace(one, earned=None) if one.cell in unscored else one for one in scores]
    job = Job("ada", json.dumps(notebook), {}, {}, Homework(ASSIGNMENT), name="hw2", file="d" * 64)
    graded = GradedNotebook(notebook, job, Outcome("{}", scores=tuple(given), **about))
    Saver(f"sqlite:///{course.root}/gradebook.db", "toy", ASSIGNMENT).save("ada", [graded])


def save_by_nbgrader(course: ToyCourse) -> None:
    notebook = nbformat.read(course.root / "autograded" / "ada" / ASSIGNMENT / "hw2.ipynb", 4)
    db_url = f"sqlite:///{course.root}/gradebook.db"
    ids = {"notebook": "hw2", "assignment": ASSIGNMENT, "student": "ada", "db_url": db_url}
    SaveAutoGrades().preprocess(notebook, {"nbgrader": ids})


@smoke
def test_the_saved_scores_are_those_that_nbgrader_saves(graded: ToyCourse) -> None:
    first = rows(graded)
    for how in (save_by_nbgrader, save):
        forget(graded)
        assert rows(graded) != first
        how(graded)
        assert rows(graded) == first


def waiting(course: ToyCourse) -> set[str]:
    return {row[0] for row in rows(course) if row[3:] == (1,)}


def give(course: ToyCourse, points: float) -> None:
    sql(
        course,
        "update grade set manual_score = ?, needs_manual_grade = 0 "
        "where cell_id in (select id from base_cell where name in ('why', 'sketch'))",
        points,
    )


@smoke
def test_an_unchanged_answer_stays_graded(graded: ToyCourse) -> None:
    give(graded, 3)
    save_by_nbgrader(graded)
    assert waiting(graded) == {"why", "sketch"}  # as nbgrader does
    give(graded, 3)
    for _ in range(2):
        save(graded)
        assert waiting(graded) == set()


@smoke
@pytest.mark.parametrize("changed", ["why", "sketch"])
def test_a_changed_answer_waits_again(graded: ToyCourse, changed: str) -> None:
    give(graded, 3)
    if changed == "why":
        edit(graded, "why", lambda cell: cell.update(source="For another reason."))
    else:
        other = nbformat.v4.new_output("stream", text="another picture")
        edit(graded, "sketch", lambda cell: cell.update(outputs=[other]))
    save(graded)
    assert waiting(graded) == {changed}
    assert ("why", None, 3.0, int(changed == "why")) in rows(graded)


@smoke
@pytest.mark.parametrize(("score", "waits"), [(0.0, False), (1.0, True)])
def test_a_persons_score_of_a_test_stays_if_the_test_agrees(
    graded: ToyCourse, score: float, waits: bool
) -> None:
    """The test gave Ada 0 points, and a person gave 2."""
    sql(
        graded,
        "update grade set manual_score = 2, needs_manual_grade = 0, auto_score = ? "
        "where cell_id in (select id from base_cell where name = 'test_double')",
        score,
    )
    save(graded)
    assert ("test_double" in waiting(graded)) == waits
    assert ("test_double", 0.0, 2.0, int(waits)) in rows(graded)


def test_a_save_of_a_grader_during_a_regrade_is_not_lost(graded: ToyCourse) -> None:
    save(graded)
    book = ManualGrading(graded.course, ASSIGNMENT)
    book.rubric("why")
    over = threading.Event()

    def grade_again() -> None:
        while not over.is_set():
            save(graded)

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


@smoke
def test_a_waiting_answer_still_waits(graded: ToyCourse) -> None:
    save(graded)
    assert waiting(graded) == {"why", "sketch"}
    give(graded, 3)
    # Somebody is to look at them again.
    sql(graded, "update grade set needs_manual_grade = 1 where manual_score is not null")
    save(graded)
    assert waiting(graded) == {"why", "sketch"}


@smoke
@pytest.mark.parametrize(("points", "waits"), [(0, False), (0.5, True)])
def test_an_answer_without_points_does_not_wait(
    graded: ToyCourse, points: float, waits: bool
) -> None:
    assert waiting(graded) == {"why", "sketch"}
    edit(graded, "why", lambda cell: cell.metadata.nbgrader.update(points=points))
    save(graded)
    assert waiting(graded) == {"sketch", *["why"] * waits}


@smoke
def test_a_test_without_a_score_waits_for_a_person(graded: ToyCourse) -> None:
    save(graded, ["test_double"])
    assert waiting(graded) == {"why", "sketch", "test_double"}
    assert ("test_double", None, None, 1) in rows(graded)


@smoke
@pytest.mark.parametrize(
    ("name", "change", "score"),
    [
        ("why", {"source": ""}, 0.0),
        ("why", {"source": " \n\n"}, 0.0),
        ("why", {"source": "YOUR ANSWER HERE  \n\n"}, 0.0),  # as released, but for blanks
        ("sketch", {"source": "\n", "outputs": []}, 0.0),
        ("why", {"source": "", "attachments": {"a.png": {"image/png": "AAAA"}}}, None),
        ("why", {"source": "YOUR ANSWER HERE: 0"}, None),
    ],
)
def test_an_empty_answer_gets_0_and_waits_for_nobody(
    graded: ToyCourse, name: str, change: dict[str, Any], score: float | None
) -> None:
    edit(graded, name, lambda cell: cell.update(change))
    save(graded)
    assert (name, score, None, int(score is None)) in rows(graded)
    assert (name, None if score is None else "No response.") in rows(graded)
    edit(graded, name, lambda cell: cell.update(source="It is so, again."))
    save(graded)
    assert name in waiting(graded)


@smoke
def test_scores_and_rows_of_a_run_are_saved_together(
    graded: ToyCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run_in(graded)
    assert (first.number, first.parts_of("test_double")[0].passed) == (1, False)
    assert {"test_double", "title"} <= first.graded_with["cells"].keys()
    assert first.answers.keys() == {"double", "triple", "why", "sketch", ""}
    parts = (PartResult("test_double", "values", 2.0, 2.0, passed=True),)
    save(graded, parts=parts, cpu_seconds=2.0)
    run = run_in(graded)
    assert (run.number, run.parts, run.digest, run.cpu_seconds) == (2, parts, "d" * 64, 2.0)

    forget(graded)
    before = rows(graded)

    def fail_at_the_end(*arguments: Any) -> None:
        save_run(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(saving, "save_run", fail_at_the_end)
    with pytest.raises(KeyboardInterrupt):
        save(graded, parts=parts)
    assert rows(graded) == before
    assert run_in(graded).number == 2


def run_in(course: ToyCourse) -> Run:
    run = read_results(course.course, ASSIGNMENT).of("ada").run
    assert run
    return run


@smoke
def test_rows_are_found_by_indexes(graded: ToyCourse) -> None:
    save(graded)  # the second time they are there
    for table in ("grade", "comment"):
        query = f"explain query plan select * from {table} where notebook_id = 'x'"
        [(*_, plan)] = sql(graded, query)
        assert plan.startswith(f"SEARCH {table} USING INDEX hw_grading_")
