"""The zip holds the student's bytes under the name that the collector expects."""

import hashlib
import zipfile

import nbformat
import pytest

from hw_grading.commands.sample import cell_of
from hw_grading.homework.homework import why_no_id
from hw_grading.lms.downloads import plainly_named
from hw_support.desk import check, handin
from hw_support.desk.errors import DeskError
from hw_support.desk.opening import open_notebook


@pytest.fixture
def opened(answered, tmp_path, release):
    nbformat.write(answered, tmp_path / "hw2.ipynb")
    return open_notebook(tmp_path / "hw2.ipynb", [release])


def test_the_zip_is_what_collect_expects(opened, release, tmp_path):
    path, entry, digest = handin.pack(opened, handin.student_id_of(opened), tmp_path)
    with zipfile.ZipFile(path) as archive:
        (name,) = archive.namelist()
        content = archive.read(name)
    assert content == (tmp_path / "hw2.ipynb").read_bytes()
    assert (entry, digest) == (name, hashlib.sha256(content).hexdigest())
    assert plainly_named("hw2").match(name)["student"] == "3031234567"


def test_a_certification_without_a_student_id_is_asked_for(released, tmp_path, release):
    nbformat.write(released, tmp_path / "hw2.ipynb")
    with pytest.raises(DeskError, match="has no student id: write it below"):
        handin.student_id_of(open_notebook(tmp_path / "hw2.ipynb", [release]))


@pytest.mark.parametrize("student_id", ["3031234567", "lee_a", "ann@uni.edu", "x-1.b+c"])
def test_a_student_id_of_a_course_can_be_in_a_files_name(student_id):
    assert handin.checked_id(student_id) == student_id
    assert why_no_id(student_id) is None


@pytest.mark.parametrize("student_id", ["../other", "a/b", "tab\there", "x" * 100, ".hidden"])
def test_a_student_id_that_no_file_name_can_have_is_refused(student_id):
    with pytest.raises(DeskError, match="has a character that a file name cannot have"):
        handin.checked_id(student_id)


def test_a_missing_folder_leaves_no_files_behind(opened, release, tmp_path):
    with pytest.raises(DeskError, match="cannot be written"):
        handin.pack(opened, "1", tmp_path / "nowhere")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hw2.ipynb"]


def test_nothing_is_run_if_the_folder_for_the_zip_is_missing(answered, desk, monkeypatch):
    monkeypatch.setattr(check, "check", lambda *_: pytest.fail("it was run"))
    done = desk("zip", "--student", "1", "--to", "nowhere", "hw2.ipynb", notebook=answered)
    assert done.returncode == 2
    assert "nowhere is not a folder. --to takes the folder for the zip" in done.stderr


def test_an_earlier_zip_survives_a_full_disk(opened, release, tmp_path, monkeypatch):
    first = handin.pack(opened, "1", tmp_path)[0].read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(DeskError, match="No space left on device"):
        handin.pack(opened, "1", tmp_path)
    assert (tmp_path / "1_hw2.zip").read_bytes() == first
    assert len(list(tmp_path.iterdir())) == 2


def test_the_first_line_of_the_certification_may_be_written_beside_its_label(
    answered, tmp_path, release
):
    cell = cell_of(answered, "certification")
    cell.source = cell.source.replace("**Student id:**\n3031234567", "**Student id:** 3031234567")
    nbformat.write(answered, tmp_path / "hw2.ipynb")
    assert handin.student_id_of(open_notebook(tmp_path / "hw2.ipynb", [release])) == "3031234567"
