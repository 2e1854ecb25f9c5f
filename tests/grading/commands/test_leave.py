"""A course that goes back to stock nbgrader keeps its points, texts and scores."""

import re

import nbformat
import pytest
from toy_course import run

from hw_grading.cli import main
from hw_grading.commands.new import new
from hw_grading.homework.course import Course
from hw_grading.homework.points import points_of
from hw_support.submission.cells import grade_id_of

SETTINGS = "c = get_config()\nc.CourseDirectory.course_id = 'ml'\n"


def cells_of(course):
    notebook = nbformat.read(course.release("hw1") / "hw1.ipynb", as_version=4)
    return [(grade_id_of(cell), points_of(cell), cell.source) for cell in notebook.cells]


@pytest.mark.slow
def test_stock_nbgrader_releases_the_same_homework_after_leave(tmp_path, capsys):
    course = Course(tmp_path / "course")
    course.folder.mkdir()
    new(course, "hw1")
    course.run_nbgrader("generate_assignment", "hw1", log=tmp_path / "log")
    before = cells_of(course)
    assert main(["--course", str(course.folder), "leave"]) == 0
    said = capsys.readouterr().out
    assert [*course.release("hw1").glob("*.json")] == []
    assert main(["--course", str(course.folder), "leave"]) == 0
    assert "points and due date" not in capsys.readouterr().out  # it has nothing left to do
    settings = re.findall("^ {4}(.*)$", said, re.MULTILINE)
    (course.folder / "nbgrader_config.py").write_text(SETTINGS + "\n".join(settings))
    done = run(course.folder, "generate_assignment", "hw1", "--force")
    assert done.returncode == 0, done.stderr
    assert cells_of(course) == before
    assert any(points for _, points, _ in before)
