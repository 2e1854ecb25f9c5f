"""The code of a class, written to files for a program that compares code."""

import pytest
from graded_course import cell, course, notebook

from hw_grading.__main__ import main

__all__ = ["course"]  # used by pytest, by name


@pytest.fixture
def released(course):
    course.write(course.root / "release" / "hw2", notebook())
    return course


def type_code(course):
    return main(["--course", str(course.root), "code", "hw2", str(course.root / "code")])


def files_in(course):
    folder = course.root / "code"
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in files}


def test_files_have_the_code_of_all_cells_and_no_text(released):
    released.hand_in("ann")
    own = notebook(answer="In words.")
    own["cells"].append(cell("code", "x = 1   \n\n\ny = '\ud800'"))
    released.write(released.root / "submitted" / "ann" / "hw2", own)
    assert type_code(released) == 0
    files = files_in(released)
    assert set(files) == {"release/hw2.py", "students/ann.py"}
    assert files["students/ann.py"].startswith("def double(x): ...\n\nchecks.score()\n")
    assert files["students/ann.py"].endswith("try()\n\nx = 1\n\n\ny = '?'\n")
    assert "In words." not in files["students/ann.py"]


def test_a_submission_that_cannot_be_read_is_named_and_the_others_are_written(released, capsys):
    for student in ("ann", "bob", "eve"):
        released.hand_in(student)
    released.write(released.root / "submitted" / "bob" / "hw2", "{")
    long = notebook()
    long["cells"].append(cell("code", "x = 1\n" * 20_000))
    released.write(released.root / "submitted" / "eve" / "hw2", long)
    assert type_code(released) == 1
    assert set(files_in(released)) == {"release/hw2.py", "students/ann.py"}
    said = capsys.readouterr()
    assert "bob is left out: " in said.out + said.err
    assert "characters of code are too many" in said.out + said.err
