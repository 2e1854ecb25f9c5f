"""A new homework is one notebook, written whole or not at all, and nothing is missing in it."""

from pathlib import Path

import nbformat
import pytest
from at_the_desk import grade as grade_at_the_desk
from graded_course import course as graded
from graded_course import notebook

from hw_grading.__main__ import main
from hw_grading.commands.new import new
from hw_grading.commands.release import check_source
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.points import worth_of
from hw_support.submission.file import UserError

__all__ = ["graded"]  # used by pytest, by name


@pytest.fixture
def folder(tmp_path):
    """An empty folder: what begins with a dot does not count."""
    made = tmp_path / "course"
    (made / ".venv").mkdir(parents=True)
    return made


@pytest.fixture
def course(folder):
    (folder / "nbgrader_config.py").touch()
    return Course(folder)


def files_in(folder):
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    return {name: path.read_bytes() for name, path in paths.items() if path.is_file()}


def test_an_empty_folder_becomes_a_course(folder, capsys):
    assert main(["--course", str(folder), "new", "hw3"]) == 0
    assert files_in(folder).keys() == {"nbgrader_config.py", "source/hw3/hw3.ipynb"}
    settings = (folder / "nbgrader_config.py").read_text(encoding="utf-8")
    assert settings in (REPOSITORY / "docs/your-own-course.md").read_text(encoding="utf-8")
    said = capsys.readouterr().out
    assert said.startswith(f"{folder}/nbgrader_config.py\n{folder}/source/hw3/hw3.ipynb\n")
    assert said.endswith("Then type: hw-grading release hw3\n")
    assert main(["--course", str(folder), "new", "hw4"]) == 0  # and stays one
    assert files_in(folder)["nbgrader_config.py"] == settings.encode()


def test_a_folder_with_other_things_does_not_become_a_course(folder, capsys):
    (folder / "thesis.tex").touch()
    assert main(["--course", str(folder), "new", "hw3"]) == 2
    assert f"There is no nbgrader_config.py in {folder}" in capsys.readouterr().err
    assert files_in(folder).keys() == {"thesis.tex"}


def test_the_notebook_is_valid_and_is_released_as_it_is(course):
    [path] = new(course, "hw3")
    text = path.read_text(encoding="utf-8")
    assert "HOMEWORK" not in text
    assert "# hw3: a running mean" in text
    assert "under its name, `hw3.ipynb`" in text
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook, relax_add_props=False)
    assert check_source(course, "hw3") == []
    assert worth_of(notebook.cells) == {"test_running_mean": 5, "plot": 2, "meaning": 3}
    assert not any(cell.get("outputs") for cell in notebook.cells)


@pytest.mark.parametrize("name", ["", "3hw", "../hw3", "hausübung", "hw3\n", "class", "h" * 41])
def test_a_name_that_no_package_can_have_is_refused(course, name):
    with pytest.raises(UserError, match="a letter from A to Z, then letters, digits and _"):
        new(course, name)
    assert files_in(course.folder) == {"nbgrader_config.py": b""}
    assert new(course, "h" * 40)


def test_an_existing_homework_is_never_overwritten(course, capsys):
    there = course.folder / "source/hw3"
    there.mkdir(parents=True)
    (there / "mine.txt").write_text("an instructor's")
    before = files_in(course.folder)
    assert main(["--course", str(course.folder), "new", "hw3"]) == 2
    [said] = capsys.readouterr().err.splitlines()
    assert f"{there} exists already. Choose another name" in said
    assert files_in(course.folder) == before


def test_after_a_failure_nothing_is_left(folder, monkeypatch):
    write_text = Path.write_text

    def stop(path, *text, **options):
        if path.suffix == ".ipynb":
            raise KeyboardInterrupt
        return write_text(path, *text, **options)

    monkeypatch.setattr(Path, "write_text", stop)
    with pytest.raises(KeyboardInterrupt):
        new(Course(folder), "hw3")
    assert files_in(folder) == {}


def test_a_homework_begins_from_an_earlier_one_with_what_graders_and_staff_added(graded, capsys):
    graded.grade("ada", notebook())
    grade_at_the_desk(Course(graded.root), "hw2", "plot", "ada")
    staff = graded.root / "staff" / "hw2"
    staff.mkdir(parents=True)
    (staff / "homework.toml").write_text("")
    (staff / "mistakes.toml").write_text("# none\n")
    (staff / "fresh.py").write_text("from staff.hw2 import reference  # not staff.hw20\n")
    assert main(["--course", str(graded.root), "new", "hw9", "--from", "hw2"]) == 0
    said = capsys.readouterr().out
    assert "1 item that graders added" in said
    assert "Change the due date in" in said
    made = graded.root / "staff" / "hw9"
    assert (made / "mistakes.toml").read_text() == "# none\n"
    assert (made / "fresh.py").read_text() == "from staff.hw9 import reference  # not staff.hw20\n"
    text = nbformat.read(graded.root / "source/hw9/hw9.ipynb", 4).cells
    [scheme] = [one.source for one in text if "END MARK SCHEME" in one.source]
    inside = scheme[scheme.index("BEGIN MARK") : scheme.index("<!-- END MARK")]
    assert "Added while hw2 was graded:\n\n* half of it (+1)\n" in inside
    before = files_in(graded.root)
    assert main(["--course", str(graded.root), "new", "hw9", "--from", "hw2"]) == 2
    assert main(["--course", str(graded.root), "new", "hw8", "--from", "hw7"]) == 2
    assert files_in(graded.root) == before
