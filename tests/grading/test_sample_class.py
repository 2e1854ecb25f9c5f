"""The demonstration grades a class; stock nbgrader gives its scores, but for second tries."""

import re
import shutil
import sys

import nbformat
import pytest

from hw_grading.commands.sample import cell_of, sample_course, write_class
from hw_grading.gradebook.results import read_results
from hw_grading.homework.course import REPOSITORY, Course, scratch_course

sys.path.insert(0, str(REPOSITORY / "tests" / "golden"))

from golden_class import read_expected

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("sample-class")]

# Training takes long, so only some students train. An endless loop would wait for a limit that
# training needs too.
IN_STOCK = ["blank", "broadcasting-mistake", "mean-gradients", "syntax-error", "unstable-sigmoid"]
# Tests that get points by a second try, with right functions: stock nbgrader has none.
SECOND_TRIES = {
    "broadcasting-mistake": {
        "test_train",
        "test_my_nn_finite_difference_checker",
        "test_q1_3a",
        "test_q1_3c",
        "test_q1_3d",
    },
    # At home the slopes of a step come from the student's own backward_pass, here a mean.
    "mean-gradients": {"test_train"},
}


def golden(student, homework="hw2"):
    """The points and the maximum of each test in the golden class, by grade id."""
    text = read_expected()[f"{homework} / {student}"]
    lines = re.findall(r"^(\w+) ([\d.]+)/([\d.]+)", text, re.M)
    return {test: (float(points), float(most)) for test, points, most in lines if test != "tests"}


def scores_of(result):
    tests = (score for score in result.known.scores if not score.cell.by_hand)
    return {score.cell.name: (score.auto or 0, score.cell.max_points) for score in tests}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The folder of a course in which the sample class has handed in."""
    made = scratch_course(tmp_path_factory.mktemp("class") / "course")
    made.run_nbgrader("generate_assignment", "hw2", log=made.folder / "log.txt")
    write_class(made, "hw2")
    return made.folder


@pytest.fixture(scope="module")
def stock(course, tmp_path_factory):
    """Some students under nbgrader's own execution: one kernel for answers and tests."""
    other = scratch_course(tmp_path_factory.mktemp("stock") / "course")
    for student in IN_STOCK:
        shutil.copytree(course / "submitted" / student, other.folder / "submitted" / student)
    with (other.folder / "nbgrader_config.py").open("a") as config:
        config.write(
            "from nbgrader.converters import Autograde\n"
            "del c.Autograde['exporter_class']\n"
            "for name in ('sanitize_preprocessors', 'autograde_preprocessors'):\n"
            "    c.Autograde[name] = Autograde.class_traits()[name].default()\n"
            "c.Execute.timeout = 300\n"
        )
    log = other.folder / "stock.log"
    assert other.nbgrader("generate_assignment", "hw2", log=log) == 0
    assert other.nbgrader("autograde", "hw2", log=log) == 0
    return {result.student.id: result for result in read_results(other, "hw2").handed_in}


@pytest.mark.parametrize("student", IN_STOCK)
def test_stock_execution_gives_the_same_scores_but_second_tries(stock, student):
    ours, theirs = golden(student), scores_of(stock[student])
    assert ours.keys() == theirs.keys()
    different = {test for test in ours if ours[test] != theirs[test]}
    assert different == SECOND_TRIES.get(student, set())
    assert all(theirs[test] < ours[test] for test in different)


@pytest.mark.smoke
def test_the_demonstration_grades_a_class_and_hides_tests(tmp_path, monkeypatch):
    monkeypatch.setattr(Course, "homeworks", lambda _: ["hw0"])  # the other one takes minutes
    course = sample_course(tmp_path / "course")
    for step in ("autograde", "generate_feedback"):
        course.run_nbgrader(step, "hw0", log=tmp_path / "log")
    graded = {result.student.id: result for result in read_results(course, "hw0").handed_in}
    assert len(graded) == 6
    for student, one in graded.items():
        assert scores_of(one) == golden(student, "hw0")
    for student in graded:
        page = (course.folder / "feedback" / student / "hw0" / "hw0.html").read_text("utf-8")
        for word in ("HIDDEN", "hw_grading", "Mark scheme", "MARK SCHEME", "graders only"):
            assert word not in page
    path = course.autograded("all-right", "hw0") / "hw0.ipynb"
    scheme = cell_of(nbformat.read(path, as_version=4), "error_plot_question").source
    assert "Mark scheme (graders only)" in scheme
