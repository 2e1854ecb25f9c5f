"""From end to end: the demonstration grades the sample class correctly."""

import csv
import re
import shutil

import nbformat
import pytest

from hw_grading.commands.demo import MARKER, demonstrate
from hw_grading.commands.sample import cell_of, sample_class_of, write_class
from hw_grading.gradebook.results import read_results
from hw_grading.homework.course import REPOSITORY, Course, scratch_course
from hw_grading.outcome import Status

# One run serves all tests of this file: they have to be in one worker.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("sample-class")]

RELEASED = nbformat.read(REPOSITORY / "release" / "hw2" / "hw2.ipynb", as_version=4)
# Training takes long, so only some students train. An endless loop would wait for a limit that
# training needs too.
IN_STOCK = ["blank", "broadcasting-mistake", "mean-gradients", "syntax-error", "unstable-sigmoid"]
CLASS = {
    submission.student: submission for submission in sample_class_of(REPOSITORY, "hw2")(RELEASED)
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "course"
    assert demonstrate(folder) == 0
    return folder


@pytest.fixture(scope="module")
def results(course):
    return {one.student.id: one for one in read_results(Course(course), "hw2").handed_in}


def points_lost(record):
    """What tests took from a student, by grade id."""
    return {
        score.cell.name: score.cell.max_points - (score.auto or 0)
        for score in record.scores
        if not score.cell.by_hand and (score.auto or 0) < score.cell.max_points
    }


@pytest.mark.parametrize("student", CLASS)
def test_each_student_loses_exactly_the_points_of_the_mistake(results, student):
    assert points_lost(results[student].record) == CLASS[student].points_lost


def test_every_student_gets_a_grade_and_the_endless_loop_a_reason(results):
    assert {s for s, r in results.items() if r.status is Status.NOT_GRADED} == set()
    failed = {s: r.reason for s, r in results.items() if r.status is Status.SUBMISSION_FAILED}
    assert failed.keys() == {"endless-loop"}
    assert re.search(r"q1_3c.*20 s", failed["endless-loop"])


@pytest.fixture(scope="module")
def stock(course, tmp_path_factory):
    """Some students under nbgrader's own execution: one kernel for answers and tests."""
    other = scratch_course(tmp_path_factory.mktemp("stock") / "course")
    for student in IN_STOCK:
        shutil.copytree(course / "submitted" / student, other.folder / "submitted" / student)
    with (other.folder / "nbgrader_config.py").open("a") as config:
        config.write(
            "c.Autograde.autograde_preprocessors[0] = 'nbgrader.preprocessors.Execute'\n"
            "c.Execute.timeout = 300\n"
            "c.WholeClass.executor = 'serial'\n"  # nothing would collect results that are run ahead
        )
    log = other.folder / "stock.log"
    assert other.nbgrader("generate_assignment", "hw2", log=log) == 0
    assert other.nbgrader("autograde", "hw2", log=log) == 0
    return {one.student.id: one for one in read_results(other, "hw2").handed_in}


@pytest.mark.parametrize("student", IN_STOCK)
def test_stock_execution_gives_the_same_scores_cell_by_cell(results, stock, student):
    isolated = {s.cell.name: s.auto for s in results[student].record.scores}
    assert isolated == {s.cell.name: s.auto for s in stock[student].record.scores}
    assert sum(score or 0 for score in isolated.values()) > 0 or student == "blank"


def test_written_answers_wait_for_a_person_unless_nothing_was_written(results):
    waiting = {
        student: sum(score.cell.max_points for score in result.record.scores if score.waits)
        for student, result in results.items()
    }
    assert (waiting["all-right"], waiting["blank"]) == (27, 0)


@pytest.mark.parametrize("student", CLASS)
def test_feedback_tells_nothing_that_is_hidden(course, student):
    page = (course / "feedback" / student / "hw2" / "hw2.html").read_text(encoding="utf-8")
    assert "Homework 2" in page
    for word in ("HIDDEN", "hw_grading", "Mark scheme", "MARK SCHEME", "graders only"):
        assert word not in page


def test_the_deleted_test_cell_is_restored_and_the_feedback_says_so(course):
    graded = course / "autograded" / "deleted-test-cell" / "hw2" / "hw2.ipynb"
    assert cell_of(nbformat.read(graded, as_version=4), "test_relu_activation").outputs
    page = course / "feedback" / "deleted-test-cell" / "hw2" / "hw2.html"
    assert "was restored" in page.read_text(encoding="utf-8")


def test_the_grades_are_written(course):
    with (course / "grades.csv").open(encoding="utf-8", newline="") as file:
        graded = [row for row in csv.DictReader(file) if row["assignment"] == "hw2"]
    scores = {row["student_id"]: float(row["score"]) for row in graded}
    assert scores.keys() >= CLASS.keys()
    assert scores["all-right"] == 73


def test_the_demonstration_touches_no_folder_but_its_own(tmp_path):
    (tmp_path / "gradebook.db").write_text("an instructor's")
    with pytest.raises(FileExistsError, match="not empty"):
        demonstrate(tmp_path)
    assert (tmp_path / "gradebook.db").read_text() == "an instructor's"
    assert not (tmp_path / MARKER).exists()


@pytest.mark.smoke
def test_the_sample_class_of_a_small_homework_loses_the_points_of_its_mistakes(tmp_path):
    course = scratch_course(tmp_path / "course")
    log = tmp_path / "log.txt"
    assert course.nbgrader("generate_assignment", "hw0", log=log) == 0
    submissions = write_class(course.folder, "hw0")
    assert course.nbgrader("autograde", "hw0", log=log) == 0, log.read_text()
    graded = {one.student.id: one.known for one in read_results(course, "hw0").handed_in}
    for submission in submissions:
        assert points_lost(graded[submission.student]) == submission.points_lost
    assert any(submission.points_lost for submission in submissions)
