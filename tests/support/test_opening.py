"""A notebook is opened as its own homework, or a sentence says why it cannot be."""

import zipfile

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from small import ANSWERS, RELEASE, answered
from tiny_homeworks import answered_notebook, tiny_description

from hw_grading.commands.sample import cell_of
from hw_support.errors import UserError
from hw_support.student import check
from hw_support.student.certification import asked_in, empty_in, missing_in, written_in
from hw_support.student.opening import open_notebook
from hw_support.submission.released import as_release

PS1, PS2 = (as_release(tiny_description(name)) for name in ("ps1", "ps2"))
SHARED = ("setup", "certification")


def only_shared():
    notebook = answered_notebook("ps1")
    ids = {id(cell_of(notebook, name)) for name in SHARED}
    notebook.cells = [cell for cell in notebook.cells if id(cell) in ids]
    return notebook


@pytest.mark.parametrize(
    ("notebook", "file", "releases", "homework"),
    [
        (answered_notebook("ps1"), "ps1.ipynb", [PS1, PS2], "ps1"),
        (answered_notebook("ps2"), "30312345_ps2.ipynb", [PS1, PS2], "ps2"),
        (answered_notebook("ps2"), "mine.ipynb", [PS1, PS2], "ps2"),
        (only_shared(), "PS2 (1).ipynb", [PS1, PS2], "ps2"),  # the name decides a tie
        (only_shared(), "mine.ipynb", [PS1], "ps1"),  # most cells were deleted
        (only_shared(), "mine.ipynb", [PS1, PS2], r"contains ps1 or ps2.*ps1\.ipynb or ps2\.ipy"),
        (answered_notebook("ps1"), "ps2.ipynb", [PS1, PS2], r"contains ps1\. It begins with '# P"),
        (answered_notebook("ps2"), "ps2.ipynb", [PS1], "belongs to another homework than ps1.rel"),
        (new_notebook(cells=[new_code_cell("x = 1")]), "ps1.ipynb", [PS1], "is no homework. It b"),
        (answered_notebook("ps1"), "ps1.ipynb", [], r"its description, ps1\.released\.json, bes"),
    ],
)
def test_a_notebook_belongs_to_the_homework_whose_cells_it_has(
    notebook, file, releases, homework, tmp_path
):
    nbformat.write(notebook, tmp_path / file)
    if homework.startswith("ps"):
        assert open_notebook(tmp_path / file, releases).release.assignment == homework
    else:
        with pytest.raises(UserError, match=homework):
            open_notebook(tmp_path / file, releases)


def test_a_notebook_without_grade_ids_is_known_by_its_first_line(tmp_path):
    notebook = answered()
    for cell in notebook.cells:
        cell.metadata = {}
    nbformat.write(notebook, tmp_path / "small.ipynb")
    opened = open_notebook(tmp_path / "small.ipynb", [RELEASE])
    assert cell_of(opened.notebook, "test_double").source == RELEASE.cell("test_double").source


@pytest.mark.parametrize("command", ["check", "pdf", "zip"])
def test_a_file_that_is_no_notebook_is_reported_in_a_sentence(command, desk, tmp_path):
    (tmp_path / "other.ipynb").touch()
    done = desk(command, "smal.ipynb")
    assert done.status == 2
    assert "there is no such file, but there is 'other.ipynb': rename the right" in done.error
    assert "expected a notebook, found an empty file" in desk(command, "other.ipynb").error


# -- the certification

RELEASED = RELEASE.cell("certification").source
WRITTEN = ANSWERS["certification"]


@pytest.mark.parametrize(
    ("text", "empty", "student"),
    [
        (RELEASED, ["Name", "Student id", "Place"], ""),
        (WRITTEN, [], "30312345"),
        (WRITTEN.replace("Ada", "  "), ["Name"], "30312345"),
        (WRITTEN.replace("(eight digits):\n", "(eight digits): "), [], "30312345"),
        ("**name** Ada\n\n**Student ID:** `30312345`\n\n**PLACE:** Turin", [], "30312345"),
        ("Ada, 30312345, Turin", [], ""),  # in a form of the student's own, which people read
    ],
)
def test_what_a_certification_leaves_empty_is_named(text, empty, student):
    assert empty_in(text, RELEASED) == empty
    assert written_in(text, "Student id") == student
    assert (missing_in(text, RELEASED) == "fill it in") == (text == RELEASED)


@pytest.mark.parametrize(
    ("released_text", "asked"),
    [
        ("**Name:** YOUR ANSWER HERE", ["Name"]),
        ("**Name**:\nYOUR ANSWER HERE\n\n**Pledge:**\nI did it.", ["Name"]),
        ("**Name:**\n\n**Signed** (your name)\n", ["Name", "Signed"]),
        ("**I used (A+B)?** (or none)\nYOUR ANSWER HERE", ["I used (A+B)?"]),
        ("Sign here: YOUR ANSWER HERE", []),
    ],
)
def test_the_instructors_text_after_a_label_is_not_asked_for(released_text, asked):
    assert asked_in(released_text) == asked


# -- the zip


def test_the_zip_has_the_bytes_and_the_name_for_collect(desk, tmp_path):
    done = desk("zip", "--no-check", "small.ipynb", notebook=answered())
    assert (done.status, done.error) == (0, "")
    path = tmp_path / "30312345_small.zip"
    with zipfile.ZipFile(path) as archive:
        (name,) = archive.namelist()
        assert archive.read(name) == (tmp_path / "small.ipynb").read_bytes()
    assert name == "30312345_small.ipynb"  # as `collect` reads it
    assert f"contains {name} (SHA-256 " in done.said


def test_the_zip_without_a_check_names_an_unsigned_promise(desk, tmp_path):
    notebook = answered(certification=WRITTEN.replace("Ada", ""))
    done = desk("zip", "--no-check", "--student", "7", "small.ipynb", notebook=notebook)
    assert done.status == 1
    assert "The certification is not signed: fill in: Name." in done.said
    assert (tmp_path / "7_small.zip").exists()


@pytest.mark.parametrize("student", ["../other", "x" * 100, ""])
def test_a_student_id_that_no_file_name_can_have_is_refused(student, desk, tmp_path):
    done = desk("zip", "--no-check", "--student", student, "small.ipynb", notebook=answered())
    assert done.status == 2
    assert "A student id is needed for the zip's name" in done.error
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".zip"] == []


def test_a_zip_that_cannot_be_written_leaves_the_earlier_one(desk, tmp_path, monkeypatch):
    words = ("zip", "--no-check", "small.ipynb")
    desk(*words, notebook=answered())
    before = (tmp_path / "30312345_small.zip").read_bytes()
    assert "cannot be written" in desk(*words, "--to", "nowhere").error

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    assert "No space left on device" in desk(*words).error
    assert (tmp_path / "30312345_small.zip").read_bytes() == before
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"30312345_small.zip", "small.ipynb", "small.released.json"}


def test_ctrl_c_is_no_traceback(desk, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "run_copy", interrupted)
    done = desk("check", "small.ipynb", notebook=answered())
    assert (done.status, done.error) == (130, "Stopped. Your notebook is unchanged.")
