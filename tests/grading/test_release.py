"""What students unzip works without the repository."""

import json
import subprocess
import sys
import zipfile

import pytest

from hw_grading.commands.release import describe, write_student_zip
from hw_grading.homework.course import REPOSITORY, Course
from hw_support.submission import released

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def students_zip(tmp_path_factory):
    return write_student_zip(REPOSITORY / "release" / "hw2", tmp_path_factory.mktemp("dist"), "hw2")


def test_the_zip_holds_the_notebook_the_wheel_requirements_and_how_to_start(students_zip):
    with zipfile.ZipFile(students_zip) as archive:
        names = [name.removeprefix("hw2/") for name in archive.namelist()]
    assert sorted(names) == [
        "START.html",
        "hw2.ipynb",
        "hw_support-2.0.0-py3-none-any.whl",
        "requirements.txt",
    ]


def test_the_same_release_gives_the_same_bytes(students_zip, tmp_path):
    again = write_student_zip(REPOSITORY / "release" / "hw2", tmp_path, "hw2")
    assert again.read_bytes() == students_zip.read_bytes()


def test_the_wheel_holds_the_students_package_alone_with_its_data(students_zip, tmp_path):
    zipfile.ZipFile(students_zip).extractall(tmp_path)
    (wheel,) = (tmp_path / "hw2").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"hw_support", "hw_support-2.0.0.dist-info"}
    assert "hw_support/data/mnist_threes_nines.npz" in names
    assert "hw_support/data/README.md" in names
    program = f"import sys; sys.path.insert(0, {str(tmp_path / 'unpacked')!r}); import hw_support"
    zipfile.ZipFile(wheel).extractall(tmp_path / "unpacked")
    program += "; print(hw_support.__file__, hw_support.get_mnist_threes_nines()[0][0].shape)"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert "unpacked" in ran.stdout
    assert "(12080, 28, 28)" in ran.stdout


def test_requirements_name_the_wheel_and_pin_everything_else(students_zip):
    with zipfile.ZipFile(students_zip) as archive:
        lines = archive.read("hw2/requirements.txt").decode().split("\n")
    assert lines[0] == "./hw_support-2.0.0-py3-none-any.whl"
    assert all("==" in line for line in lines[1:] if line)
    locked = (REPOSITORY / "requirements.lock").read_text().split("\n")
    assert _pins(lines[1:]) <= _pins(locked), "run `make lock`"


def _pins(lines: list[str]) -> set[str]:
    """Return names and versions; a package may be needed on fewer systems by one of the files."""
    return {line.partition(";")[0].strip() for line in lines}


def test_what_students_package_is_told_of_the_release_is_current():
    described = json.loads(released.FILE.read_text(encoding="utf-8"))
    assert described == describe(Course(REPOSITORY), "hw2"), "run `make release`"


def test_the_description_has_every_cell_its_limit_and_no_hidden_part():
    release = released.release()
    assert sum(cell.points or 0 for cell in release.cells) == 100
    assert release.parts["test_relu_activation"] == "1.2b Building blocks (19 points)"
    assert release.cpu_seconds_for_cell["train"] > release.cpu_seconds_per_cell
    assert {"numpy", "matplotlib", "nbgrader"} <= release.packages
    text = released.FILE.read_text(encoding="utf-8")
    assert "HIDDEN" not in text
    assert "hw_grading" not in text
