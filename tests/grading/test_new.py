"""A new homework is written whole or not at all, and what is written is complete."""

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import nbformat
import pytest

from hw_grading.__main__ import main
from hw_grading.commands.new import new
from hw_grading.homework.course import Course
from hw_grading.homework.homework import homework_of
from hw_grading.homework.source_notebook import mistakes, points_of
from hw_support.submission.file import UserError

TODAY = date(2030, 3, 1)


@pytest.fixture
def course(tmp_path):
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "nbgrader_config.py").touch()
    return folder


@pytest.fixture
def made(course):
    return {path.name: path for path in new(Course(course), "hw3", TODAY)}


@pytest.fixture
def notebook(made):
    return nbformat.read(made["hw3.ipynb"], as_version=4)


def everything_in(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_a_new_homework_has_all_files_without_placeholders(course, made):
    files = [path for path in everything_in(course) if "." in path]
    assert sorted(files) == [
        "nbgrader_config.py",
        "source/hw3/hw3.ipynb",
        "staff/hw3/__init__.py",
        "staff/hw3/answers/right/running_mean.py",
        "staff/hw3/answers/sample_class.py",
        "staff/hw3/answers/wrong/running_mean.py",
        "staff/hw3/fresh.py",
        "staff/hw3/homework.toml",
        "staff/hw3/reference.py",
    ]
    for path in made.values():
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"HOMEWORK_NAME|DUE_DATE|TIME_ZONE|ZONE_IN_WORDS|SEED", text) == []
    assert made["hw3.ipynb"].read_text(encoding="utf-8").count("{{ due_date }}") == 1


def test_it_is_due_in_four_weeks_in_the_others_time_zone(course, made):
    assert homework_of(course, "hw3").manifest.due == "2030-03-29 23:59:59"
    text = made["homework.toml"].read_text(encoding="utf-8")
    text = text.replace('"UTC"', '"Europe/Zurich"', 1).replace('"UTC"', '"Zurich \\"Züri\\""')
    made["homework.toml"].write_text(text, encoding="utf-8")
    new(Course(course), "hw4", TODAY)
    second = homework_of(course, "hw4").manifest
    assert (second.time_zone, second.zone_in_words) == ("Europe/Zurich", 'Zurich "Züri"')


def test_the_notebook_is_valid_and_its_points_agree(course, notebook):
    nbformat.validate(notebook, relax_add_props=False)
    assert [*mistakes(notebook)] == []
    assert sum(map(points_of, notebook.cells)) == homework_of(course, "hw3").manifest.points == 10
    assert not any(cell.get("outputs") for cell in notebook.cells)


def test_its_test_cell_gives_the_solution_all_points(course, notebook):
    cells = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in notebook.cells}
    source = "\n".join(cells[f"{name}running_mean"].source for name in ("", "test_"))
    program = f"from hw_support import Checks\nimport numpy as np\n{source}"
    program = program.removesuffix("checks.score()") + (
        "assert [part.passed for part in checks.parts] == [True, True]\n"
        "assert [len(cases) for cases in checks._fresh.values()] == [3]\n"
        "assert checks.score() == 6\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=course)


@pytest.mark.parametrize(
    "name", ["", "3hw", "_hw", "hw-3", "../hw3", "hw/3", "hausübung", "hw3\n", "class", "h" * 41]
)
def test_a_name_that_no_package_can_have_is_refused(course, name):
    with pytest.raises(UserError, match="a letter from A to Z, then letters, digits and _"):
        new(Course(course), name)
    assert everything_in(course) == {"nbgrader_config.py": b""}
    assert new(Course(course), "h" * 40)


@pytest.mark.parametrize("there", ["source/hw3", "staff/hw3"])
def test_an_existing_homework_is_never_overwritten(course, there, capsys):
    (course / there).mkdir(parents=True)
    (course / there / "mine.txt").write_text("an instructor's")
    before = everything_in(course)
    assert main(["--course", str(course), "new", "hw3"]) == 2
    [said] = capsys.readouterr().err.splitlines()
    assert f"{course / there} exists already. Choose another name" in said
    assert everything_in(course) == before


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("number", [0, 3, 7])
def test_after_a_failure_at_any_file_none_is_left(course, error, number, monkeypatch):
    write, left = Path.write_text, iter(range(number))

    def failing(path, *arguments, **options):
        if next(left, None) is None:
            raise error
        return write(path, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", failing)
    with pytest.raises(type(error)):
        new(Course(course), "hw3", TODAY)
    assert everything_in(course).keys() <= {"nbgrader_config.py", "source", "staff"}
