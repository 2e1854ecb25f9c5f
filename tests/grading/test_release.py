"""The students' zip works without the repository, and does not show later homeworks."""

import ast
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from tiny_homeworks import (
    DUE,
    answered_notebook,
    manifest_of,
    release_of,
    source_of,
    write_course,
    write_homework,
)

from hw_grading.__main__ import main
from hw_grading.commands.release import (
    description_of,
    known_to_students,
    release,
    version_for,
    write_student_zip,
)
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.homework import START, homework_of
from hw_grading.homework.source_notebook import total_of
from hw_grading.plugins.releasing import start_page
from hw_support.submission import released
from hw_support.submission.released import grade_ids_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("release")]

HOMEWORKS = Course(REPOSITORY).homeworks()
OURS = ast.literal_eval(
    next(
        line.partition("=")[2].strip()
        for line in (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8").splitlines()
        if line.startswith("version")
    )
)


def wheel_in(path: Path) -> zipfile.ZipFile:
    """Open the wheel in a students' zip."""
    with zipfile.ZipFile(path) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".whl")]
        return zipfile.ZipFile(archive.open(name))


def known_in(wheel: zipfile.ZipFile) -> set[str]:
    """The homeworks that a wheel of hw_support knows."""
    folder = "hw_support/submission/released/"
    names = [name for name in wheel.namelist() if name.startswith(folder)]
    return {name.removeprefix(folder).removesuffix(".json") for name in names} - {""}


# -- our own homeworks


@pytest.fixture(scope="module", params=HOMEWORKS)
def ours(request, tmp_path_factory):
    """Each homework's name and its students' zip, made once."""
    out = tmp_path_factory.mktemp("dist")
    return request.param, write_student_zip(Course(REPOSITORY), out, request.param)


@pytest.mark.smoke
def test_the_zip_holds_all_that_a_student_needs(ours):
    name, path = ours
    with zipfile.ZipFile(path) as archive:
        names = [entry.removeprefix(f"{name}/") for entry in archive.namelist()]
    wheel = f"hw_support-{OURS}+{name}-py3-none-any.whl"
    assert {"START.html", f"{name}.ipynb", wheel, "requirements.txt"} <= set(names)
    beside = {path.name for path in (REPOSITORY / "release" / name).rglob("*") if path.is_file()}
    assert {Path(entry).name for entry in names} == beside | {wheel, "requirements.txt"}


def test_the_wheel_holds_only_the_students_package_and_its_data(ours, tmp_path):
    name, path = ours
    wheel = wheel_in(path)
    names = wheel.namelist()
    assert {entry.split("/")[0] for entry in names} == {
        "hw_support",
        f"hw_support-{OURS}+{name}.dist-info",
    }
    assert "hw_support/data/mnist_threes_nines.npz" in names
    assert "hw_support/data/README.md" in names
    assert not any("__pycache__" in entry for entry in names)
    program = f"import sys; sys.path.insert(0, {str(tmp_path / 'unpacked')!r}); import hw_support"
    wheel.extractall(tmp_path / "unpacked")
    program += "; print(hw_support.__file__, hw_support.get_mnist_threes_nines()[0][0].shape)"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert "unpacked" in ran.stdout
    assert "(12080, 28, 28)" in ran.stdout


def test_requirements_name_the_wheel_and_pin_everything_else(ours):
    name, path = ours
    with zipfile.ZipFile(path) as archive:
        lines = archive.read(f"{name}/requirements.txt").decode().split("\n")
    assert lines[0].startswith(f"./hw_support-{OURS}+{name}-py3-none-any.whl --hash=sha256:")
    assert all("==" in line or line.startswith("    --hash=sha256:") for line in lines[1:] if line)
    locked = (REPOSITORY / "requirements.lock").read_text().split("\n")
    assert _pins(lines[1:]) <= _pins(locked), "run `make lock`"


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
    told, manifest = released.read_release(path), homework_of(REPOSITORY, name).manifest
    notebook = nbformat.read(course.source(name) / f"{name}.ipynb", as_version=4)
    assert sum(cell.points or 0 for cell in told.cells) == total_of(notebook)
    assert set(told.parts) == told.grade_ids == grade_ids_in(notebook)
    assert told.certification == manifest.certification
    assert told.cpu_seconds_for_cell == manifest.seconds("cpu_seconds")
    assert {"numpy", "matplotlib", "jupyterlab"} <= told.packages
    assert "nbgrader" not in told.packages


# -- two small homeworks, released by the command


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A course of two, released: the course, the folder of what is known, and the zips."""
    folder = tmp_path_factory.mktemp("made")
    course = write_course(folder / "course")
    known = folder / "known"
    known.mkdir()
    (known / "gone.json").write_text("{}", encoding="utf-8")
    zips, _, warnings = release(course, folder / "dist", known=known)
    assert warnings == []
    return course, known, {path.stem: path for path in zips}


def test_all_homeworks_are_released_and_old_ones_forgotten(made):
    course, known, zips = made
    assert set(zips) == {"ps1", "ps2"}
    assert {path.name for path in known.iterdir()} == {"ps1.json", "ps2.json"}
    for name in zips:
        found = {path.name for path in (course.folder / "release" / name).iterdir()}
        assert found == {f"{name}.ipynb", "START.html"}


def test_a_package_knows_no_homework_that_is_due_later(made):
    _, _, zips = made
    assert known_in(wheel_in(zips["ps1"])) == {"ps1"}
    assert known_in(wheel_in(zips["ps2"])) == {"ps1", "ps2"}


def test_the_students_package_reads_what_the_command_wrote(made):
    _, known, _ = made
    told = released.read_release(known / "ps1.json")
    expected = release_of("ps1")
    assert [cell.source for cell in told.cells] == [cell.source for cell in expected.cells]
    assert told.begins == "# Problems ps1"
    assert told.version == f"{OURS}+ps1"
    assert told.cpu_seconds_for_cell == {"try_it": 120.0}
    assert "grade_with" not in (known / "ps1.json").read_text(encoding="utf-8")


def test_a_release_of_the_same_input_gives_the_same_bytes(made, tmp_path):
    course, known, zips = made
    before = {path: path.read_bytes() for path in course.folder.glob("release/*/*")}
    before |= {path: path.read_bytes() for path in known.iterdir()}
    [again], *_ = release(course, tmp_path / "dist", ["ps2"], known=known)
    assert again.read_bytes() == zips["ps2"].read_bytes()
    assert {path: path.read_bytes() for path in before} == before


# -- what an instructor does wrong


@pytest.fixture
def written(tmp_path):
    """A course of two that was not released."""
    return write_course(tmp_path / "course")


def test_homeworks_without_a_due_date_are_in_no_other_package(written):
    assert known_to_students(written, "ps2") == ["ps1", "ps2"]
    undated = manifest_of("ps1").replace(f'due = "{DUE["ps1"]}"\n', "")
    write_homework(written.folder, "ps1", source_of("ps1"), undated)
    assert known_to_students(written, "ps2") == ["ps2"]
    assert known_to_students(written, "ps1") == ["ps1"]


@pytest.mark.parametrize(
    ("name", "label"),
    [("hw9", "hw9"), ("Home_work 9", "home.work.9"), ("_a-", "a")],
)
def test_the_version_of_the_package_names_its_homework(name, label):
    assert version_for(name) == f"{OURS}+{label}"


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


def test_two_notebooks_with_one_cell_with_points_are_refused(written, capfd):
    path = written.folder / "source" / "ps1" / "ps1.ipynb"
    shutil.copy(path, path.with_name("second.ipynb"))
    assert main(["--course", str(written.folder), "release", "ps1"]) == 2
    said = capfd.readouterr().err
    assert "second.ipynb and source/ps1/ps1.ipynb have a cell with points of the same id" in said


def test_a_student_finishes_a_homework_with_the_zip_alone(made, tmp_path):
    """The unzipped wheel, and not the repository's package, checks the notebook."""
    _, _, zips = made
    wheel_in(zips["ps2"]).extractall(tmp_path / "package")
    nbformat.write(answered_notebook("ps1"), tmp_path / "ps2.ipynb")
    shutil.copy(tmp_path / "ps2.ipynb", tmp_path / "ps1.ipynb")
    said = {}
    for name in ("ps1", "ps2"):
        done = subprocess.run(
            [sys.executable, "-m", "hw_support", "zip", "--no-check", f"{name}.ipynb"],
            cwd=tmp_path,
            env={"PYTHONPATH": str(tmp_path / "package"), "PATH": ""},
            capture_output=True,
            text=True,
        )
        said[name] = (done.returncode, done.stdout + done.stderr)
    assert said["ps1"][0] == 0, said
    assert (tmp_path / "30312345_ps1.zip").is_file()
    assert said["ps2"][0] == 2
    assert "ps2.ipynb contains ps1. It begins" in said["ps2"][1]
    assert json.loads((tmp_path / "ps1.ipynb").read_text(encoding="utf-8"))["nbformat"] == 4
