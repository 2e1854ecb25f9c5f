"""Two distributions are built from this tree; outside the repository, only they are there."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from email.message import Message
from email.parser import Parser
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from packaging.requirements import Requirement

import hw_grading
import hw_support
from hw_grading.commands.new import new
from hw_grading.commands.sample import cell_of
from hw_grading.grade.job import files_of_package
from hw_grading.homework.course import REPOSITORY, Course

sys.path.append(str(REPOSITORY / "tests" / "support"))

from small import answered, small_notebook  # beside the tests of the students' commands

STUDENTS, GRADERS = "hw_support", "hw_grading"
FOLDERS = {STUDENTS: REPOSITORY / "hw_support", GRADERS: REPOSITORY}
PACKAGES = {STUDENTS: hw_support, GRADERS: hw_grading}
TEMPLATE = "hw_grading/commands/new.ipynb"  # of `hw-grading new`: the only notebook in a wheel
# A sandbox shows no packages that are linked from elsewhere, as those of `environment` are.
SETTINGS = """from hw_grading import configure

c = get_config()
configure(c)
c.ExecuteSubmission.sandbox = "none"
"""
NOT_FOR_STUDENTS = {"hw_grading", "nbgrader", "sqlalchemy"}
# Runs a command for students, and expects that it imported nothing of the grader's.
STUDENT = f"""
import sys
from hw_support.__main__ import main
status = main(sys.argv[1:])
imported = {{name.partition(".")[0] for name in sys.modules}} & {NOT_FOR_STUDENTS!r}
sys.exit(f"imported: {{imported}}" if imported else status)
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheels of both distributions, by the name of their package."""
    folder = tmp_path_factory.mktemp("wheels")
    run(
        *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"),
        *("--wheel-dir", folder, *FOLDERS.values()),
        folder=folder,
    )
    return {name: next(folder.glob(f"{name}-*.whl")) for name in FOLDERS}


def run(*words: str | Path, folder: Path, **environment: str) -> str:
    """Run a command outside of the repository, which must succeed; return what it printed."""
    outside = {**os.environ, "HOME": str(folder), **environment}
    outside.pop("PYTHONPATH", None)
    done = subprocess.run(
        list(map(str, words)), cwd=folder, env=outside, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def metadata_of(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(archive.read(name).decode())


def required_by(wheel: Path) -> dict[str, str]:
    """What a wheel requires without any extra: the versions, by the packages' names."""
    needed = map(Requirement, metadata_of(wheel).get_all("Requires-Dist") or [])
    return {one.name: str(one.specifier) for one in needed if "extra ==" not in str(one.marker)}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_wheel_has_the_files_of_its_package_and_no_homework(name, wheels):
    with zipfile.ZipFile(wheels[name]) as archive:
        names = {n for n in archive.namelist() if ".dist-info/" not in n and "/." not in n}
    homeworks = [n for n in names if n.endswith((".ipynb", ".released.json", "homework.toml"))]
    assert homeworks == ([TEMPLATE] if name == GRADERS else [])
    package = {*files_of_package(Path(str(PACKAGES[name].__file__)).parent)}
    [*beside] = names - package
    desk = "data/etc/jupyter/jupyter_server_config.d/hw_grading.json"
    assert [n.partition(".data/")[2] for n in beside] == ([desk] if name == GRADERS else [])
    assert package <= names
    assert f"{name}/py.typed" in names


def test_what_students_install_needs_nothing_of_the_grader(wheels):
    version = metadata_of(wheels[STUDENTS])["Version"]
    assert metadata_of(wheels[GRADERS])["Version"] == version
    assert {*required_by(wheels[STUDENTS])} == {"numpy", "matplotlib", "pickleshare", "tqdm"}
    needed = required_by(wheels[GRADERS])
    assert needed["hw-support"] == f"=={version}"
    assert {"nbgrader", "sqlalchemy"} <= {*needed}


# -- outside


def environment(folder: Path, *wheels: Path) -> Path:
    """Make a virtual environment with some wheels; return its Python.

    What they need comes from this environment, but not the packages of this repository, which are
    installed here by a file that only this environment reads.
    """
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    packages = run(
        *(python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"), folder=folder
    )
    Path(packages.strip(), "others.pth").write_text(sysconfig.get_paths()["purelib"])
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet")
    if wheels:
        run(*pip, "--no-deps", "--no-index", "--ignore-installed", *wheels, folder=folder)
    return python


@pytest.fixture(scope="module")
def outside(wheels, tmp_path_factory):
    """A course outside of the repository, released by the installed grader: its folder."""
    folder = tmp_path_factory.mktemp("outside")
    python = environment(folder / "staff", *wheels.values())
    course = folder / "course"
    (course / "source" / "small").mkdir(parents=True)
    (course / "nbgrader_config.py").write_text(SETTINGS)
    notebook = small_notebook()
    solution = cell_of(answered(), "double").source
    cell_of(notebook, "double").source = f"### BEGIN SOLUTION\n{solution}\n### END SOLUTION"
    notebook.cells.insert(3, new_code_cell("print(open('numbers.csv').read())"))
    nbformat.write(notebook, course / "source" / "small" / "small.ipynb")
    (course / "source" / "small" / "numbers.csv").write_text("1,2")
    said = run(python.with_name("hw-grading"), "release", folder=course)
    assert said.splitlines() == ["Give students dist/small.zip"]
    assert "staff/lib" in run(python, "-c", "import hw_grading as h; print(h)", folder=course)
    return course


# Prints what a sandbox covers among the installed packages.
COVERED = """
from pathlib import Path
from hw_grading.sandbox.environment import what_to_show
for path in what_to_show(0, []).hidden:
    print(Path(path).name)
"""


def test_without_the_grader_a_course_that_uses_it_grades_nothing(tmp_path):
    """Stock nbgrader goes on after a mistake in the settings, and would have no sandbox."""
    (tmp_path / "course").mkdir()
    new(Course(tmp_path / "course"), "hw1")
    python = environment(tmp_path / "venv")
    command = [python, "-m", "nbgrader", "generate_assignment", "hw1"]
    done = subprocess.run(command, cwd=tmp_path / "course", capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "No module named 'hw_grading'. Without the grader, nbgrader would run student code"
    )
    assert not (tmp_path / "course" / "release").exists()


@pytest.mark.slow
@pytest.mark.xdist_group("wheels")
def test_a_sandbox_shows_neither_of_the_installed_packages(outside):
    python = outside.parent / "staff" / "bin" / "python"
    covered = run(python, "-c", COVERED, folder=outside).split()
    version = metadata.version(hw_grading.DISTRIBUTION)
    assert {*FOLDERS, *(f"{name}-{version}.dist-info" for name in FOLDERS)} <= {*covered}


@pytest.mark.slow
@pytest.mark.smoke
@pytest.mark.xdist_group("wheels")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("way", ["a zip", "an exchange"])
def test_students_of_any_course_check_their_notebook(way, outside, wheels, tmp_path):
    own = tmp_path / "small"
    if way == "a zip":
        python = environment(tmp_path / "venv")
        shutil.unpack_archive(outside / "dist" / "small.zip", tmp_path)
        assert {"START.html", "requirements.txt"} <= {path.name for path in own.iterdir()}
        assert (outside / "dist" / "small.zip").stat().st_size < 200_000
    else:
        python = environment(tmp_path / "venv", wheels[STUDENTS])
        shutil.copytree(outside / "release" / "small", own)
        assert not (tmp_path / "venv" / "etc").exists()
    program = "import importlib.util as u; print(u.find_spec('hw_grading'))"
    assert run(python, "-c", program, folder=own) == "None\n"
    program = "import hw_support; print(hw_support.__file__)"
    assert run(python, "-c", program, folder=own).startswith(str(tmp_path))

    notebook = answered()
    given = nbformat.read(own / "small.ipynb", as_version=4)
    notebook.cells.insert(3, given.cells[3])
    nbformat.write(notebook, own / "small.ipynb")
    for command in (["check"], ["zip", "--student", "7"]):
        said = run(python, "-c", STUDENT, *command, "small.ipynb", folder=own)
        assert "found nothing left to do. You have 3 of the 3 points of the tests" in said
    assert (own / "7_small.zip").is_file()
    said = run(python, "-m", "hw_support", "doctor", folder=own)
    assert "Everything is fine." in said
