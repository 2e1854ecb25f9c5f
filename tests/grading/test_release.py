"""The students' zip works without the repository, and does not show other homeworks."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from tiny_homeworks import (
    answered_notebook,
    manifest_of,
    release_of,
    source_of,
    write_course,
    write_homework,
)

from hw_grading.__main__ import main
from hw_grading.commands.release import description_of, release, write_student_zip
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.homework import START, homework_of
from hw_grading.homework.source_notebook import points_of
from hw_grading.plugins.releasing import start_page
from hw_support.submission import released
from hw_support.submission.released import grade_ids_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("release")]

HOMEWORKS = Course(REPOSITORY).homeworks()
KNOWN = "hw_support/submission/released/"


def names_in(path: Path) -> set[str]:
    """The files in a students' zip, which are all in one folder."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    assert all(name.startswith(f"{path.stem}/") for name in names)
    return {name.removeprefix(f"{path.stem}/") for name in names}


# -- our own homeworks


@pytest.fixture(scope="module", params=HOMEWORKS)
def ours(request, tmp_path_factory):
    """Each homework's name and its students' zip, made once."""
    out = tmp_path_factory.mktemp("dist")
    return request.param, write_student_zip(Course(REPOSITORY), out, request.param)


@pytest.mark.smoke
def test_the_zip_holds_all_that_a_student_needs(ours):
    name, path = ours
    names = names_in(path)
    beside = {entry for entry in names if not entry.startswith("hw_support/")}
    assert beside == {"START.html", f"{name}.ipynb", "requirements.txt"}
    assert {"hw_support/data/mnist_threes_nines.npz", "hw_support/data/README.md"} <= names
    assert {entry for entry in names if entry.startswith(KNOWN)} == {f"{KNOWN}{name}.json"}
    assert not any("__pycache__" in entry for entry in names)


def test_the_package_in_the_zip_works_where_it_was_unzipped(ours, tmp_path):
    name, path = ours
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path)
    program = "import hw_support; print(hw_support.__file__); "
    program += "print(hw_support.get_mnist_threes_nines()[0][0].shape)"
    command, folder = [sys.executable, "-c", program], tmp_path / name
    ran = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=True)
    assert ran.stdout == f"{folder / 'hw_support' / '__init__.py'}\n(12080, 28, 28)\n"


def test_requirements_pin_everything_that_a_student_installs(ours):
    name, path = ours
    with zipfile.ZipFile(path) as archive:
        lines = archive.read(f"{name}/requirements.txt").decode().split("\n")
    assert all("==" in line or line.startswith("    --hash=sha256:") for line in lines if line)
    locked = (REPOSITORY / "requirements.lock").read_text().split("\n")
    assert _pins(lines) <= _pins(locked), "run `make lock`"


def _pins(lines: list[str]) -> set[str]:
    """Return names and versions; a package may be needed on fewer systems by one of the files."""
    return {line.partition(";")[0].strip(" \\") for line in lines}


def test_the_students_package_describes_existing_homeworks_only():
    files = {path.stem for path in released.FOLDER.iterdir()}
    assert files == set(HOMEWORKS), "run `make release`"


@pytest.mark.parametrize("name", HOMEWORKS)
def test_what_students_have_is_the_current_release(name):
    path, course = released.FOLDER / f"{name}.json", Course(REPOSITORY)
    text = path.read_text(encoding="utf-8")
    assert text == description_of(course, name), "run `make release`"
    assert "HIDDEN" not in text
    assert "hw_grading" not in text
    start = (REPOSITORY / "release" / name / START).read_text(encoding="utf-8")
    assert start == start_page(course, name), "run `make release`"
    told = released.as_release(json.loads(text))
    manifest = homework_of(REPOSITORY, name).manifest
    notebook = nbformat.read(course.source(name) / f"{name}.ipynb", as_version=4)
    assert sum(cell.points or 0 for cell in told.cells) == sum(map(points_of, notebook.cells))
    assert set(told.parts) == told.grade_ids == grade_ids_in(notebook)
    assert told.certification == manifest.certification
    assert told.cpu_seconds_for_cell == manifest.seconds("cpu_seconds")
    assert {"numpy", "matplotlib", "jupyterlab"} <= told.packages
    assert "nbgrader" not in told.packages


# -- two small homeworks, released by the command


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A course of two, released: the course, and the zips by homework."""
    folder = tmp_path_factory.mktemp("made")
    course = write_course(folder / "course")
    before = {path.name: path.read_bytes() for path in released.FOLDER.iterdir()}
    zips, warnings = release(course, folder / "dist")
    assert warnings == []
    assert {path.name: path.read_bytes() for path in released.FOLDER.iterdir()} == before
    return course, {path.stem: path for path in zips}


def test_all_homeworks_are_released_by_default(made):
    course, zips = made
    assert set(zips) == {"ps1", "ps2"}
    for name, path in zips.items():
        found = {path.name for path in (course.folder / "release" / name).iterdir()}
        assert found == {f"{name}.ipynb", "START.html"}
        known = {entry for entry in names_in(path) if entry.startswith(KNOWN)}
        assert known == {f"{KNOWN}{name}.json"}


def test_the_students_package_reads_what_the_command_wrote(made):
    course, _ = made
    text = description_of(course, "ps1")
    told, expected = released.as_release(json.loads(text)), release_of("ps1")
    assert [cell.source for cell in told.cells] == [cell.source for cell in expected.cells]
    assert told.begins == "# Problems ps1"
    assert told.cpu_seconds_for_cell == {"try_it": 120.0}
    assert "grade_with" not in text


def test_a_release_of_the_same_input_gives_the_same_bytes(made, tmp_path):
    course, zips = made
    before = {path: path.read_bytes() for path in course.folder.glob("release/*/*")}
    [again], _ = release(course, tmp_path / "dist", ["ps2"])
    assert again.read_bytes() == zips["ps2"].read_bytes()
    assert {path: path.read_bytes() for path in before} == before


# -- what an instructor does wrong


@pytest.fixture
def written(tmp_path):
    """A course of two that was not released."""
    return write_course(tmp_path / "course")


def test_a_wrong_manifest_is_one_sentence_and_releases_nothing(written, capfd):
    manifest = manifest_of("ps1").replace("points = 7", "points = 8")
    write_homework(written.folder, "ps1", source_of("ps1"), manifest)
    assert main(["--course", str(written.folder), "release"]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    [sentence] = said.err.strip().split("\n")
    assert str(written.folder / "staff" / "ps1" / "homework.toml") in sentence
    assert "points is 8, but the cells of the notebook sum to 7" in sentence
    assert not (written.folder / "release").exists()


def test_a_notebook_that_cannot_be_read_is_a_sentence(written, capfd):
    path = written.folder / "source" / "ps1" / "ps1.ipynb"
    path.write_text("{", encoding="utf-8")
    assert main(["--course", str(written.folder), "release"]) == 2
    said = capfd.readouterr().err
    assert f"{path} is not a notebook" in said
    assert "Traceback" not in said


def test_a_notebook_of_another_language_is_refused_by_name(written, capfd):
    notebook = source_of("ps1")
    notebook.metadata["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    write_homework(written.folder, "ps1", notebook, manifest_of("ps1"))
    assert main(["--course", str(written.folder), "release", "ps1"]) == 2
    said = capfd.readouterr().err
    assert "ps1.ipynb: its kernel runs 'R'. Only Python kernels can be graded." in said


@pytest.mark.parametrize("second", ["ps1.ipynb", "second.ipynb"])
def test_two_cells_with_points_of_one_id_are_refused(written, second, capfd):
    path = written.folder / "source" / "ps1" / "ps1.ipynb"
    notebook = source_of("ps1")
    if second == path.name:
        notebook.cells.append(notebook.cells[2])
    nbformat.write(notebook, path.with_name(second))
    assert main(["--course", str(written.folder), "release", "ps1"]) == 2
    said = f"{second}: the id certification is also that of another cell with points in source/ps1"
    assert said in capfd.readouterr().err


def test_a_student_finishes_a_homework_with_the_zip_alone(made, tmp_path):
    """The unzipped package, and not the repository's, checks the notebook."""
    _, zips = made
    with zipfile.ZipFile(zips["ps2"]) as archive:
        archive.extractall(tmp_path)
    folder, said = tmp_path / "ps2", []
    for homework in ("ps2", "ps1"):
        nbformat.write(answered_notebook(homework), folder / "ps2.ipynb")
        done = subprocess.run(
            [sys.executable, "-m", "hw_support", "zip", "--no-check", "ps2.ipynb"],
            cwd=folder,
            env={"PATH": ""},
            capture_output=True,
            text=True,
        )
        said.append((done.returncode, done.stdout + done.stderr))
    assert said[0][0] == 0, said
    assert (folder / "30312345_ps2.zip").is_file()
    assert said[1][0] == 2
    assert (
        "ps2.ipynb belongs to a homework that this package hw_support does not know" in said[1][1]
    )
