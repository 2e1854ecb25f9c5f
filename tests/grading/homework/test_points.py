"""If two numbers of points contradict each other, a sentence names both."""

import copy
import re
import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from tiny_homeworks import manifest_of, marked, source_of, write_course, write_homework

from hw_grading.commands.release import check_source
from hw_grading.commands.sample import cell_of
from hw_grading.homework.cells import plain_cells
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.notebook import read_places
from hw_grading.homework.points import fill_points, points_of, set_points
from hw_grading.homework.source_notebook import mistakes
from hw_support.submission.file import UserError


def changed(grade_id, old, new):
    """A notebook in which points add up, except for one text."""
    notebook = source_of("ps1")
    cell = cell_of(notebook, grade_id) if grade_id else notebook.cells[0]
    assert cell.source.count(old) == 1
    cell.source = cell.source.replace(old, new)
    return notebook


def of_cell(source, points):
    cell = new_code_cell(source)
    return new_notebook(cells=[marked(cell, "test_f", grade=True, locked=True, points=points)])


WRONG_SCHEMES = {
    "- Text, 1: refers": (
        "- Text, 0.5: ref",
        ["sum to 3.5 points, but the cell has 4. Change one"],
    ),
    "[facts: of=training_acc,test_acc, not swapped, starts 0.3 to 0.7, ": (
        "[facts: of=train_acc, titel, acc starts 0.3 to 0.7, ",
        ["found 'of=train_acc'.", "found 'titel'.", "found 'acc starts 0.3 to 0.7'."],
    ),
}


@pytest.mark.parametrize("old", WRONG_SCHEMES)
def test_a_mark_scheme_that_does_not_fit_is_named_before_release(tmp_path, old):
    new, said = WRONG_SCHEMES[old]
    shutil.copytree(REPOSITORY / "source", tmp_path / "source")
    shutil.copytree(REPOSITORY / "staff/hw2", tmp_path / "staff/hw2")
    path = tmp_path / "source/hw2/hw2.ipynb"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    found = check_source(Course(tmp_path), "hw2")
    assert [words for words, one in zip(said, found, strict=True) if words not in one] == []


@pytest.mark.parametrize(
    ("parts", "points"),
    [
        ('checks.table("a", 1, "out")\nchecks.untouched("b", points=0.5)', 1.5),
        ('@checks.part("a", 2)\ndef _():\n    f()\nchecks.shows("b", 1, "x", f, of=["f"])', 3),
        ('@checks.part("a", 0)\ndef _(): f()', 0),
        ('for i in 1, 2:\n    checks.table(f"{i}", 1, "out")', 7),
        ('checks.table("a", POINTS, "out")', 7),
        ("assert f() == 1", 7),
        ("checks.untouched(2)", 2),  # the text of a part may be missing
        ("checks.untouched('a', points=0.1)\n" * 3, 0.3),  # summed as people sum them
        ('checks.random("mean and spread", 1.5, lambda: f(9), mean=0.0, std=2.0)', 1.5),
        ('c = hw_support.Checks("f")\nc.table("a", points=1, compare="out")', 1),
        ('other.table("b", 3, "out")', 7),
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


# -- points that a text states


@pytest.mark.parametrize(
    ("placeholder", "shown"),
    [
        ("{{ points }}", "7"),
        ("{{ points test_half }}", "2.5"),
        ("{{ points test_* }}", "6"),
        ("{{ points test_half test_* }}", "6"),  # each cell counts once
        ("{{ points certification | words }}", "1 point"),
        ("{{ points test_ne* }} and {{ points test_d* }}", "1.5 and 2"),
        ("{{ due_date }}, {{ pointsize }}, ${{2}}$", "{{ due_date }}, {{ pointsize }}, ${{2}}$"),
    ],
)
def test_a_text_states_the_points_that_parts_and_cells_have(placeholder, shown):
    notebook = changed("test_half", 'elsewhere", points=1', 'elsewhere", points=1.5')
    cell_of(notebook, "test_negative").source = "checks = Checks('f')\nchecks.untouched('a', 1.5)"
    notebook.cells[1].source = f"## Part ({placeholder})"
    assert [said for said in mistakes(notebook) if "from the top" in said] == []
    fill_points(notebook)
    assert notebook.cells[1].source == f"## Part ({shown})"


@pytest.mark.parametrize(
    ("placeholder", "word"),
    [
        ("{{ points test_hlf }}", "test_hlf"),
        ("{{ points test_half q1_3* }}", "q1_3*"),
        ("{{ points test_half | word }}", "word"),
    ],
)
def test_a_placeholder_that_means_no_cell_is_refused(tmp_path, placeholder, word):
    course = write_course(tmp_path / "course")
    notebook = source_of("ps1")
    notebook.cells[1].source = f"## Part\n\n{placeholder}"
    write_homework(course.folder, "ps1", notebook, manifest_of("ps1"))
    said = f"source/ps1/ps1.ipynb: cell 2 from the top, line 3: '{word}' in {{{{ points }}}} is no"
    with pytest.raises(UserError, match=re.escape(said)):
        check_source(course, "ps1")


def test_every_reader_of_the_source_has_the_points_filled_in(tmp_path):
    """The desk and the reports read the source; the reader of submissions too."""
    notebook = changed("test_half", 'elsewhere", points=1', 'elsewhere", points=1.5')
    [heading] = [cell for cell in notebook.cells if "function `half`" in cell.source]
    heading.source = "### 1b Half ({{ points test_half | words }})\n\nOf {{ points }}."
    path = tmp_path / "ps1.ipynb"
    nbformat.write(notebook, path)
    place = read_places(path)["test_half"]
    assert (place.title, place.text) == ("Half", "### 1b Half (2.5 points)\n\nOf 7.5.")
    assert "### 1b Half (2.5 points)\n\nOf 7.5." in plain_cells(path)
