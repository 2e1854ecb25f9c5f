"""The order of the instructor's cells is stored when a notebook is generated."""

from collections.abc import Callable

import nbformat
import pytest
import sqlalchemy
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from toy_course import ASSIGNMENT, ToyCourse, run

from hw_grading.commands.sample import cell_of
from hw_grading.homework.cells import instructor_cells
from hw_grading.homework.order import store_order, stored_order

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),  # from nbgrader's code
]

GENERATED = ["title", "double", "test_double", "triple", "test_triple", "test_triple_sum", "why"]
GENERATED += ["sketch"]


def ids_in_order(course: ToyCourse) -> list[str]:
    with Gradebook(course.course.db_url) as gradebook:
        return [cell.grade_id for cell in instructor_cells(gradebook, ASSIGNMENT, "hw2")]


def stored(course: ToyCourse) -> list[str]:
    with Gradebook(course.course.db_url) as gradebook:
        return stored_order(gradebook, ASSIGNMENT, "hw2")


def change_source(course: ToyCourse, change: Callable[[NotebookNode], object]) -> None:
    path = course.course.source(ASSIGNMENT) / "hw2.ipynb"
    nb = nbformat.read(path, as_version=4)
    change(nb)
    nbformat.write(nb, path)


def why_first(nb: NotebookNode) -> None:
    nb.cells.insert(0, nb.cells.pop(nb.cells.index(cell_of(nb, "why"))))


def test_the_order_is_the_notebooks_whatever_the_database_returns(course: ToyCourse) -> None:
    assert stored(course) == GENERATED
    with Gradebook(course.course.db_url) as gradebook:
        shuffle = "UPDATE source_cell SET rowid = rowid + 100 WHERE name = 'double'"
        gradebook.db.execute(sqlalchemy.text(shuffle))
        gradebook.db.commit()
        rows = gradebook.find_notebook("hw2", ASSIGNMENT).source_cells
        assert [cell.name for cell in rows][-1] == "double"
    assert ids_in_order(course) == GENERATED


def test_generating_again_replaces_the_order_without_removed_cells(course: ToyCourse) -> None:
    change_source(course, why_first)
    change_source(course, lambda nb: nb.cells.remove(cell_of(nb, "sketch")))
    done = run(course.root, "generate_assignment", ASSIGNMENT, "--force")
    assert done.returncode == 0, done.stderr
    assert stored(course) == ["why", *GENERATED[:-2]]
    assert ids_in_order(course) == ["why", *GENERATED[:-2]]


def test_generating_again_with_submissions_replaces_the_order(course: ToyCourse) -> None:
    with Gradebook(course.course.db_url) as gradebook:
        gradebook.add_student("ada")
        gradebook.add_submission(ASSIGNMENT, "ada")
    change_source(course, why_first)
    done = run(course.root, "generate_assignment", ASSIGNMENT, "--force")
    assert done.returncode == 0, done.stderr
    assert ids_in_order(course) == ["why", *(name for name in GENERATED if name != "why")]


def test_the_order_of_a_removed_notebook_is_deleted_and_others_stay(course: ToyCourse) -> None:
    with Gradebook(course.course.db_url) as gradebook:
        gradebook.add_assignment("other")
        gradebook.add_notebook("hw2", "other")
        store_order(gradebook, "other", "hw2", ["b", "a"])
        store_order(gradebook, ASSIGNMENT, "gone", ["c"])
        store_order(gradebook, ASSIGNMENT, "hw2", ["d"])
        assert stored_order(gradebook, ASSIGNMENT, "gone") == []
        assert stored_order(gradebook, ASSIGNMENT, "hw2") == ["d"]
        assert stored_order(gradebook, "other", "hw2") == ["b", "a"]


def test_without_the_table_the_order_comes_from_the_source_or_the_rows(
    course: ToyCourse,
) -> None:
    source = course.course.source(ASSIGNMENT) / "hw2.ipynb"
    change_source(course, why_first)
    with Gradebook(course.course.db_url) as gradebook:
        gradebook.db.execute(sqlalchemy.text("DROP TABLE hw_grading_cell_order"))
        gradebook.db.commit()
        by_source = instructor_cells(gradebook, ASSIGNMENT, "hw2", source)
        assert [cell.grade_id for cell in by_source][:2] == ["why", "title"]
        by_rows = instructor_cells(gradebook, ASSIGNMENT, "hw2", source.with_name("none.ipynb"))
        assert [cell.grade_id for cell in by_rows] == GENERATED
        change_source(course, lambda nb: nb.cells.remove(cell_of(nb, "double")))
        by_rows = instructor_cells(gradebook, ASSIGNMENT, "hw2", source)
        assert [cell.grade_id for cell in by_rows] == GENERATED


def test_an_order_that_lacks_a_cell_is_not_used(course: ToyCourse) -> None:
    with Gradebook(course.course.db_url) as gradebook:
        store_order(gradebook, ASSIGNMENT, "hw2", GENERATED[1::-1])
    assert ids_in_order(course) == GENERATED


@pytest.mark.parametrize("url", ["", "postgresql+psycopg://nobody@localhost:1/nothing"])
def test_a_notebook_is_generated_without_a_gradebook(course: ToyCourse, url: str) -> None:
    (course.root / "gradebook.db").unlink()
    if url:
        with (course.root / "nbgrader_config.py").open("a") as settings:
            settings.write(f"c.CourseDirectory.db_url = {url!r}\n")
            # The toy course leaves it out, because it has no due date; it must not read a
            # gradebook.
            settings.write(
                'c.GenerateAssignment.preprocessors.insert(0, "hw_grading.plugins.releasing.'
                'ShowDueDate")\n'
            )
    done = run(course.root, "generate_assignment", ASSIGNMENT, "--no-db", "--force")
    assert done.returncode == 0, done.stderr
    assert (course.course.release(ASSIGNMENT) / "hw2.ipynb").exists()
    assert not (course.root / "gradebook.db").exists()
