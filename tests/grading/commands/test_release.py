"""The students' zip works without the repository, and does not show other homeworks."""

import re
import subprocess
import sys
import zipfile
from html import unescape
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from tiny_homeworks import source_of, write_course

from hw_grading.commands.release import release
from hw_grading.commands.student_zip import (
    package_for,
    start_page,
    write_links,
    write_student_zip,
)
from hw_grading.homework.course import REPOSITORY, Course, scratch_course
from hw_grading.homework.points import points_of
from hw_grading.plugins.releasing import release_description
from hw_support import homeworks
from hw_support.submission.released import ENDING, grade_ids_in, read_release

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("release")]

HOMEWORKS = Course(REPOSITORY).homeworks()
RELEASED = {name: REPOSITORY / "release" / name / f"{name}.ipynb" for name in HOMEWORKS}


def names_in(path: Path) -> set[str]:
    """The files in a students' zip, which are all in one folder."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    assert all(name.startswith(f"{path.stem}/") for name in names)
    return {name.removeprefix(f"{path.stem}/") for name in names}


def library_in(path: Path) -> set[str]:
    """What a zip has of `hw_support.homeworks`."""
    folder = "hw_support/homeworks/"
    return {name.removeprefix(folder) for name in names_in(path) if name.startswith(folder)}


def unzipped(path: Path, folder: Path) -> Path:
    """Unzip a homework; return its folder."""
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return folder / path.stem


# -- our own homeworks


@pytest.fixture(scope="module", params=HOMEWORKS)
def ours(request, tmp_path_factory):
    """Each homework's name and its students' zip, made once."""
    path, warnings = write_student_zip(
        Course(REPOSITORY), tmp_path_factory.mktemp("dist"), request.param
    )
    assert warnings == []
    return request.param, path


@pytest.mark.smoke
def test_the_zip_holds_all_that_a_student_needs(ours):
    name, path = ours
    names = names_in(path)
    beside = {entry for entry in names if not entry.startswith("hw_support/")}
    lists = {"requirements.txt", "requirements-ranges.txt"}
    assert beside == {"START.html", f"{name}.ipynb", f"{name}.released.json"} | lists
    rooms = {entry.split("/")[1] for entry in names - beside if entry.count("/") > 1}
    assert rooms == {"checks", "figures", "homeworks", "student", "submission"}
    assert "hw_support/LICENSE" in names
    assert not any("__pycache__" in entry or "pyproject" in entry for entry in names)
    code = {path.name for path in Path(homeworks.__path__[0]).glob("*.py")}
    data = {"README.md", "mnist_threes_nines.npz", "test_batch_weights_biases.pkl"}
    assert library_in(path) == code | {f"data/{file}" for file in data}


@pytest.mark.parametrize("name", HOMEWORKS)
def test_what_students_have_is_the_current_release(name):
    course, notebook = Course(REPOSITORY), nbformat.read(RELEASED[name], as_version=4)
    path = RELEASED[name].with_name(f"{name}{ENDING}")
    text = path.read_text(encoding="utf-8")
    assert text == release_description(course, name, name, notebook), "run `make release`"
    assert "HIDDEN" not in text
    assert "hw_grading" not in text
    told = read_release(path)
    source = nbformat.read(course.source(name) / f"{name}.ipynb", as_version=4)
    assert sum(cell.points or 0 for cell in told.cells) == sum(map(points_of, source.cells))
    assert set(told.parts) == told.grade_ids == grade_ids_in(source)
    assert {"numpy", "matplotlib", "jupyterlab"} <= told.packages
    assert "nbgrader" not in told.packages


def test_students_read_which_packages_they_may_import(tmp_path):
    start = start_page(Course(REPOSITORY), "hw2")
    assert "Python's own modules and matplotlib, numpy, pickleshare, tqdm. A" in start
    settings = scratch_course(tmp_path).folder / "nbgrader_config.py"
    more = "c.ExecuteSubmission.packages = ['Plotly', 'pandas']\n"
    settings.write_text(settings.read_text() + more)
    start = start_page(Course(tmp_path), "hw2")
    assert "pickleshare, tqdm, Plotly, pandas. A" in start
    assert "pip install Plotly pandas" in start


def test_links_open_the_notebook_of_the_repository_where_students_work(tmp_path):
    with (scratch_course(tmp_path).folder / "nbgrader_config.py").open("a") as file:
        file.write(
            "c.StartPage.repository = 'https://github.com/o/ml-2026/'\n"
            "c.StartPage.hub_address = 'https://hub.a.edu/'\n"
        )
    course = Course(tmp_path)
    write_links(course, tmp_path, "hw2")
    path = "ml-2026/hw2/hw2.ipynb"
    links = [
        f"https://colab.research.google.com/github/o/{path.replace('/', '/blob/main/', 1)}",
        "https://mybinder.org/v2/gh/o/ml-2026/main?urlpath=lab/tree/hw2/hw2.ipynb",
        "https://hub.a.edu/hub/user-redirect/git-pull?"
        "repo=https%3A%2F%2Fgithub.com%2Fo%2Fml-2026&branch=main&urlpath=lab%2Ftree%2F"
        + path.replace("/", "%2F"),
    ]
    written = (tmp_path / "hw2-links.md").read_text()
    assert re.findall(r"\]\(([^()]+)\)$", written, re.MULTILINE) == links
    start = unescape(start_page(course, "hw2"))
    assert all(f'<a href="{link}">' in start for link in (links[0], links[2]))


@pytest.mark.parametrize(
    ("settings", "fetched"),
    [
        ("", "drag\n<code>hw2.zip</code> into it"),
        (
            "c.StartPage.zip_address = 'https://a.edu/{homework}.zip'\n"
            "c.StartPage.hub_address = 'https://hub.a.edu'\n"
            "c.StartPage.repository = 'https://github.com/o/r'\n",
            '    !curl -fsSL -o hw2.zip "https://a.edu/hw2.zip"\n    !unzip -qo hw2.zip\n',
        ),
    ],
)
def test_the_page_has_four_doors_of_at_most_six_steps(settings, fetched, tmp_path):
    with (scratch_course(tmp_path).folder / "nbgrader_config.py").open("a") as file:
        file.write(settings)
    start = start_page(Course(tmp_path), "hw2")
    doors = re.findall(r'<h2 id="(\w+)">.*?<ol>(.*?)</ol>', start, re.DOTALL)
    steps = {door: text.count("<li>") for door, text in doors}
    assert list(steps) == re.findall('href="#(.*?)"', start)
    assert list(steps) == ["jupyterlab", "vscode", "colab", "hub"]
    assert max(steps.values()) <= 6
    assert fetched in unescape(start)
    assert ('<a href="https://hub.a.edu">' in start) == bool(settings)


# -- two small homeworks, released by the command


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A course of two, released: the course, and the zips by homework."""
    folder = tmp_path_factory.mktemp("made")
    course = write_course(folder / "course")
    zips, warnings = release(course, folder / "dist")
    assert warnings == []
    return course, {path.stem: path for path in zips}


def test_all_homeworks_are_released_by_default_and_again_to_the_same_bytes(made, tmp_path):
    course, zips = made
    assert set(zips) == {"ps1", "ps2"}
    for name, path in zips.items():
        found = {path.name for path in (course.folder / "release" / name).iterdir()}
        assert found == {f"{name}.ipynb", f"{name}.released.json"}
        assert {entry for entry in names_in(path) if entry.endswith(ENDING)} == {f"{name}{ENDING}"}
        assert library_in(path) == set()
        assert path.stat().st_size < 200_000
    before = {path: path.read_bytes() for path in course.folder.glob("release/*/*")}
    [again], _ = release(course, tmp_path / "dist", ["ps2"])
    assert again.read_bytes() == zips["ps2"].read_bytes()
    assert {path: path.read_bytes() for path in before} == before


# -- a course of somebody else


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A released course of two lines of settings, with a homework of two notebooks."""
    folder = tmp_path_factory.mktemp("plain") / "course"
    (folder / "source" / "ps").mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(
        "from hw_grading import configure\nconfigure(get_config())\n"
    )
    for name in ("ps1", "ps2"):
        notebook = source_of(name)
        notebook.cells[1:3] = [new_code_cell("import helper, yaml\nopen('data/numbers.csv')")]
        nbformat.write(notebook, folder / "source" / "ps" / f"{name}.ipynb")
    for file, text in (("helper.py", "x = 1"), ("data/numbers.csv", "1,2")):
        path = folder / "source" / "ps" / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    course = Course(folder)
    assert release(course, folder / "dist") == ([folder / "dist" / "ps.zip"], [])
    return course


def test_any_course_gets_a_zip_with_the_versions_that_are_here(plain, tmp_path):
    path = plain.folder / "dist" / "ps.zip"
    released = {f"{name}{ending}" for name in ("ps1", "ps2") for ending in (".ipynb", ENDING)}
    beside = {name for name in names_in(path) if not name.startswith("hw_support/")}
    lists = {"requirements.txt", "requirements-ranges.txt"}
    assert beside == released | lists | {"START.html", "helper.py", "data/numbers.csv"}
    folder = unzipped(path, tmp_path)
    lines = (folder / "requirements.txt").read_text().splitlines()
    needed = ("numpy", "matplotlib", "jupyterlab", "nbclient", "tqdm", "pyyaml")
    assert {f"{name}=={metadata.version(name)}" for name in needed} <= {*lines}
    ranges = (folder / "requirements-ranges.txt").read_text().splitlines()
    assert {"numpy>=1.26", "ipykernel>=6.17", "PyYAML"} <= {*ranges}
    assert not any("==" in line or line.startswith("jupyterlab") for line in ranges)
    assert not any(line.startswith(("hw-", "nbgrader", "helper", "ipycanvas")) for line in lines)
    start = (folder / "START.html").read_text(encoding="utf-8")
    for text in ("<h1>ps – how to start</h1>", "jupyter lab ps1.ipynb", "check ps2.ipynb"):
        assert text in start
    told = read_release(folder / f"ps2{ENDING}")
    assert (told.assignment, told.file_name) == ("ps", "ps2.ipynb")
    assert told.files == ("data/numbers.csv", "helper.py")
    assert {"pyyaml", "pillow", "jupyterlab"} <= told.packages


def test_the_courses_own_list_of_packages_is_taken_as_it_is(plain, tmp_path):
    own = "# ours\nnumpy>=1.26\nno-such-package ; python_version > '3'"
    path = plain.folder / "requirements-student.lock"
    path.write_text(own, encoding="utf-8")
    packed, [said] = write_student_zip(plain, tmp_path, "ps")
    path.unlink()
    assert (unzipped(packed, tmp_path) / "requirements.txt").read_text(encoding="utf-8") == own
    assert said == (
        "ps: requirements-student.lock names no-such-package, which the grader does not have."
    )


def test_a_package_of_the_students_commands_may_be_missing_here(plain, tmp_path, monkeypatch):
    """The grader needs no JupyterLab."""

    def distribution(name, real=metadata.distribution):
        if name == "jupyterlab":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "distribution", distribution)
    packed, said = write_student_zip(plain, tmp_path, "ps")
    assert said == []
    lines = (unzipped(packed, tmp_path) / "requirements.txt").read_text().splitlines()
    assert "jupyterlab>=4.2" in lines
    assert f"numpy=={metadata.version('numpy')}" in lines


@pytest.mark.smoke
def test_the_doctor_of_an_unzipped_homework_finds_nothing_to_fix(ours, tmp_path):
    folder = unzipped(ours[1], tmp_path)
    doctor = [sys.executable, "-m", "hw_support", "doctor"]
    done = subprocess.run(doctor, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "as it was shipped" in done.stdout


# -- the library of the homeworks


@pytest.mark.parametrize(
    ("cell", "is_used"),
    [
        (new_code_cell("import hw_support as hs\nhs.label_axes(ax)"), True),
        (new_code_cell("from hw_support import *\ntraining = 1"), False),
        (new_markdown_cell("`hw_support.load_run(...)` reads it again."), True),
    ],
)
def test_the_library_is_in_the_zip_if_code_or_text_has_a_name(cell, is_used):
    names = package_for([new_notebook(cells=[cell])])
    assert ("hw_support/homeworks/training.py" in names) == is_used
    assert any("/homeworks/data/" in name for name in names) == is_used
