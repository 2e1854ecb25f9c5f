"""The instructor's cells come in the order of the released notebook."""

from pathlib import Path

import nbformat
import pytest
import sqlalchemy
from nbgrader.api import Gradebook
from toy_course import ASSIGNMENT, ToyCourse, run

from hw_grading.commands.sample import cell_of
from hw_grading.examiner.process import bound_by, run_cell
from hw_grading.homework.cells import instructor_cells

slow = pytest.mark.slow

GENERATED = ["title", "double", "test_double", "triple", "test_triple", "test_triple_sum", "why"]
GENERATED += ["sketch"]


def places(course: ToyCourse) -> tuple[Path, Path]:
    released, source = course.course.release(ASSIGNMENT), course.course.source(ASSIGNMENT)
    return released / "hw2.ipynb", source / "hw2.ipynb"


def ids_in_order(course: ToyCourse, *notebooks: Path) -> list[str]:
    with Gradebook(course.course.db_url) as gradebook:
        cells = instructor_cells(gradebook, ASSIGNMENT, "hw2", *notebooks)
    return [cell.grade_id for cell in cells]


def put_first(path: Path, grade_id: str) -> None:
    nb = nbformat.read(path, as_version=4)
    nb.cells.insert(0, nb.cells.pop(nb.cells.index(cell_of(nb, grade_id))))
    nbformat.write(nb, path)


@slow
def test_the_order_is_the_releases_whatever_the_database_returns(course: ToyCourse) -> None:
    with Gradebook(course.course.db_url) as gradebook:
        shuffle = "UPDATE source_cell SET rowid = rowid + 100 WHERE name = 'double'"
        gradebook.db.execute(sqlalchemy.text(shuffle))
        gradebook.db.commit()
    assert ids_in_order(course)[-1] == "double"
    put_first(places(course)[1], "why")  # an edit that was not released
    assert ids_in_order(course, *places(course)) == GENERATED
    done = run(course.root, "generate_assignment", ASSIGNMENT, "--force")
    assert done.returncode == 0, done.stderr
    assert ids_in_order(course, *places(course))[:2] == ["why", "title"]


@slow
def test_without_a_readable_release_the_order_is_the_sources(course: ToyCourse) -> None:
    released, source = places(course)
    put_first(source, "why")
    released.write_text("{")
    assert ids_in_order(course, released, source)[:2] == ["why", "title"]
    released.unlink()
    assert ids_in_order(course, released, source)[:2] == ["why", "title"]
    nb = nbformat.read(source, as_version=4)
    nb.cells.remove(cell_of(nb, "double"))
    nbformat.write(nb, source)
    assert ids_in_order(course, released, source) == GENERATED  # as the rows


@slow
def test_a_notebook_is_generated_without_a_gradebook(course: ToyCourse) -> None:
    (course.root / "gradebook.db").unlink()
    with (course.root / "nbgrader_config.py").open("a") as settings:
        settings.write("c.CourseDirectory.db_url = 'postgresql+psycopg://nobody@localhost:1/no'\n")
    done = run(course.root, "generate_assignment", ASSIGNMENT, "--no-db", "--force")
    assert done.returncode == 0, done.stderr
    assert (course.course.release(ASSIGNMENT) / "hw2.ipynb").exists()
    assert not (course.root / "gradebook.db").exists()


def test_a_locked_cell_of_ipython_is_no_fault_for_the_examiner() -> None:
    cells = ["display(3)", "files = !ls", "x = 1\nget_ipython()", "raise ValueError"]
    names, fault = bound_by([(f"c{n}", source) for n, source in enumerate(cells)])
    assert (names["x"], fault) == (1, "")
    [error] = run_cell("x = = 1", "c", {}, locked=True)
    assert error["ename"] == "SyntaxError"
    _, fault = bound_by([("first", "import nothing_here")])
    assert fault == "locked cell 'first': No module named 'nothing_here' (line 1)"
