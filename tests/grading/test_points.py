"""If two numbers of points contradict each other, a sentence names both."""

import copy
import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from tiny_homeworks import (
    manifest_of,
    marked,
    source_of,
    write_course,
    write_homework,
)

from hw_grading.commands.release import check_source
from hw_grading.commands.sample import cell_of
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.source_notebook import points_of, set_points
from hw_support.submission.cells import grade_id_of


def changed(grade_id, old, new):
    """A notebook in which points add up, except for one text."""
    notebook = source_of("ps1")
    cell = cell_of(notebook, grade_id) if grade_id else notebook.cells[0]
    assert cell.source.count(old) == 1
    cell.source = cell.source.replace(old, new)
    return notebook


def of_cell(source, points=2.0):
    cell = new_code_cell(source)
    return new_notebook(cells=[marked(cell, "test_f", grade=True, locked=True, points=points)])


@pytest.mark.parametrize("name", Course(REPOSITORY).homeworks())
def test_the_points_of_our_own_homeworks_add_up(name):
    assert check_source(Course(REPOSITORY), name) == []


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (
            "- 1: one fraction",
            "- 2: one fraction",
            "q1_3b_iii: the lines of its mark scheme sum to 5",
        ),
        (
            "- Text, 1: refers",
            "- Text, 0.5: ref",
            "q1_3e_iii_text: the lines of its mark scheme sum to 3.5",
        ),
    ],
)
def test_a_mark_scheme_with_another_sum_than_its_cell_is_named(tmp_path, old, new, named):
    shutil.copytree(REPOSITORY / "source", tmp_path / "source")
    shutil.copytree(REPOSITORY / "staff/hw2", tmp_path / "staff/hw2")
    path = tmp_path / "source/hw2/hw2.ipynb"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    [sentence] = check_source(Course(tmp_path), "hw2")
    assert f"cell {named} points, but the cell has 4. Change one of the two." in sentence


def test_the_points_of_a_cell_are_those_of_its_parts():
    notebook = changed("test_half", 'elsewhere", points=1', 'elsewhere", points=2.5')
    set_points(notebook)
    assert cell_of(notebook, "test_half").metadata["nbgrader"]["points"] == 3.5


@pytest.mark.parametrize(
    ("parts", "points"),
    [
        ('checks.table("a", 1, "out")\nchecks.untouched("b", points=0.5)', 1.5),
        ('@checks.part("a", 2)\ndef _():\n    f()\nchecks.shows("b", 1, "x", f, of=["f"])', 3),
        ('@checks.part("a", 0)\ndef _(): f()', 0),
        ('for i in 1, 2:\n    checks.table(f"{i}", 1, "out")', 7),
        ('checks.table("a", POINTS, "out")', 7),
        ('checks.table("a", 2, "out"', 7),
        ("assert f() == 1", 7),
    ],
)
def test_points_are_counted_where_the_parts_texts_give_them(parts, points):
    notebook = of_cell(f"checks = Checks('f')\n{parts}", 7)
    set_points(notebook)
    assert sum(map(points_of, notebook.cells)) == points


def test_points_of_cells_that_are_no_tests_are_left_alone():
    source = "checks = Checks('f')\nchecks.untouched('a', 1)"
    for marks in ({"locked": False, "solution": True}, {"grade": False}):
        notebook = of_cell(source, 3)
        notebook.cells[0].metadata["nbgrader"].update(marks)
        before = copy.deepcopy(notebook)
        set_points(notebook)
        assert notebook == before


def test_a_release_has_the_points_of_the_parts(tmp_path):
    course = write_course(tmp_path / "course")
    notebook = source_of("ps1")
    cell_of(notebook, "test_half").metadata["nbgrader"]["points"] = 5
    write_homework(course.folder, "ps1", notebook, manifest_of("ps1"))
    assert check_source(course, "ps1") == []
    course.must("generate_assignment", "ps1", log=tmp_path / "log")
    released = nbformat.read(course.release("ps1") / "ps1.ipynb", as_version=4)
    collapsed = [c for c in released.cells if c.metadata.get("jupyter") == {"source_hidden": True}]
    tests = ["test_double", "test_half", "test_negative"]
    assert [grade_id_of(cell) for cell in collapsed] == tests
    assert cell_of(released, "test_half").metadata["nbgrader"]["points"] == 2


def test_fractions_of_points_are_summed_as_people_sum_them():
    notebook = of_cell("checks = Checks('f')\n" + "checks.untouched('a', points=0.1)\n" * 3, 0.3)
    set_points(notebook)
    assert sum(map(points_of, notebook.cells)) == 0.3
