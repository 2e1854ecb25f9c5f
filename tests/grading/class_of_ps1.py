"""A graded class whose staff code was wrong, for tests of what comes after grading.

The test of `double` in the homework ps1 has two parts of a point each. The second one has fresh
cases, with negative inputs. The wrong ones expect twice the absolute value, so right answers fail
it. The written answer is the certification.
"""

import shutil
import sqlite3
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from tiny_homeworks import answered_notebook, manifest_of, source_of, write_homework

from hw_grading.commands.sample import cell_of
from hw_grading.homework.course import REPOSITORY, Course

RIGHT = "def double(x):\n    return 2 * x"
SIZE = "def double(x):\n    return 2 * abs(x)"
RAISES = "def double(x):\n    y = 1\n    return 2 * x / (y - 1)"
WRONG_TEST, RIGHT_TEST = "2 * abs(x)", "2 * x"
VISIBLE, OTHER = "(2.0, 4.0)", "(-2.0, -4.0)"  # cases in the cell
_TEST = """checks = Checks("double", inputs="x", returns="double(x)")
### BEGIN HIDDEN TESTS
checks.grade_with("staff.ps1")
### END HIDDEN TESTS

checks.table("of one", 1, "double(x)", cases=[(1.0, 2.0)])
checks.table("elsewhere", 1, "double(x)", cases=[(2.0, 4.0)])
checks.score()"""
_FRESH = """def double(draw):
    x = -draw.uniform(1, 2, 3)
    return {"elsewhere": [(x, EXPECTED)]}
"""
# Copies of a course draw the same hidden inputs, so they find cached results.
MORE_SETTINGS = """
import os
c.WholeClass.secret_file = os.path.join(os.environ["JUPYTER_DATA_DIR"], "class_of_ps1.secret")
c.ExecuteSubmission.iopub_timeout = 10
c.ExecuteSubmission.wall_seconds_per_cell = 40
"""


def source() -> NotebookNode:
    """The instructor's notebook."""
    notebook = source_of("ps1")
    cell_of(notebook, "setup").source = "from hw_support import Checks, assert_close"
    cell_of(notebook, "test_double").source = _TEST
    return notebook


def fresh(expected: str) -> str:
    """The staff code that draws fresh cases and expects this expression."""
    return _FRESH.replace("EXPECTED", expected)


def make_course(folder: Path, expected: str = WRONG_TEST) -> Course:
    """Write the course, and release the homework."""
    folder.mkdir(parents=True)
    shutil.copy(REPOSITORY / "nbgrader_config.py", folder)
    with (folder / "nbgrader_config.py").open("a") as settings:
        settings.write(MORE_SETTINGS)
    edit(Course(folder), expected)
    course = Course(folder)
    assert course.nbgrader("generate_assignment", "ps1") == 0
    return course


def copied(course: Course, folder: Path) -> Course:
    """Copy a course, with what was graded in it."""
    shutil.copytree(course.folder, folder)
    return Course(folder)


def edit(course: Course, expected: str, case: str = VISIBLE) -> None:
    """Write the homework: staff code that expects this expression, and this visible case."""
    notebook = source()
    test = cell_of(notebook, "test_double")
    test.source = test.source.replace(VISIBLE, case)
    write_homework(course.folder, "ps1", notebook, manifest_of("ps1"), fresh(expected))


def submit(course: Course, student: str, answer: str = RIGHT, place: str = "Turin") -> None:
    """Hand in an answer to `double`, and a certification from some place."""
    notebook = answered_notebook("ps1")
    cell_of(notebook, "setup").source = "from hw_support import Checks, assert_close"
    cell_of(notebook, "double").source = answer
    cell = cell_of(notebook, "certification")
    cell.source = cell.source.replace("Turin", place)
    folder = course.submitted(student, "ps1")
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / "ps1.ipynb")


def grade_by_hand(course: Course, points: float, cell: str = "certification") -> None:
    """Give everybody points as formgrader does."""
    with sqlite3.connect(course.folder / "gradebook.db") as gradebook:
        gradebook.execute(
            "update grade set manual_score = ?, needs_manual_grade = 0 "
            "where cell_id in (select id from base_cell where name = ?)",
            [points, cell],
        )


def by_hand(course: Course, cell: str = "certification") -> dict[str, tuple[float | None, bool]]:
    """The scores that people gave, and whether they wait again, by student."""
    with sqlite3.connect(course.folder / "gradebook.db") as gradebook:
        rows = gradebook.execute(
            "select student_id, manual_score, needs_manual_grade from grade "
            "join base_cell on base_cell.id = cell_id "
            "join submitted_notebook on submitted_notebook.id = grade.notebook_id "
            "join submitted_assignment as one on one.id = submitted_notebook.assignment_id "
            "where base_cell.name = ?",
            [cell],
        )
        return {student: (score, bool(waits)) for student, score, waits in rows}
