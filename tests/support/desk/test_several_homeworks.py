"""The desk with several homeworks: each notebook is checked as its own homework."""

import zipfile
from dataclasses import replace

import nbformat
import pytest
from tiny_homeworks import answered_notebook, release_of, released_notebook

from hw_grading.commands.sample import cell_of
from hw_support.__main__ import main
from hw_support.desk import check
from hw_support.desk.certification import certification_of
from hw_support.desk.errors import DeskError
from hw_support.desk.findings import checked_cells
from hw_support.desk.opening import open_notebook
from hw_support.desk.running import Ran
from hw_support.submission import released

PS1, PS2 = release_of("ps1"), release_of("ps2")
BOTH = (PS1, PS2)
COMMANDS = [["check"], ["check", "--repair"], ["pdf"], ["zip"], ["zip", "--no-check"]]


@pytest.fixture
def saved(tmp_path):
    """Save a notebook under a name."""

    def save(notebook, name):
        nbformat.write(notebook, tmp_path / name)
        return tmp_path / name

    return save


@pytest.mark.parametrize("name", ["ps1", "ps2"])
@pytest.mark.parametrize("file", ["{}.ipynb", "30312345_{}.ipynb", "mine.ipynb"])
def test_a_notebook_belongs_to_the_homework_whose_cells_it_has(name, file, saved):
    opened = open_notebook(saved(answered_notebook(name), file.format(name)), BOTH)
    assert opened.release.assignment == name
    assert opened.changes == []


def only_shared(notebook):
    notebook.cells = [
        cell
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") in ("setup", "certification")
    ]
    return notebook


def test_between_homeworks_with_equally_many_cells_the_files_name_decides(saved):
    notebook = only_shared(answered_notebook("ps1"))
    for name in ("ps1", "ps2"):
        opened = open_notebook(saved(notebook, f"{name}.ipynb"), BOTH)
        assert opened.release.assignment == name


def test_if_the_files_name_does_not_decide_the_student_is_asked(saved):
    with pytest.raises(DeskError, match=r"may be ps1 or ps2.*ps1\.ipynb or ps2\.ipynb"):
        open_notebook(saved(only_shared(answered_notebook("ps1")), "mine.ipynb"), BOTH)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_homework_under_the_name_of_another_is_reported(command, saved, monkeypatch, capsys):
    monkeypatch.setattr(released, "releases", lambda: BOTH)
    path = saved(answered_notebook("ps1"), "ps2.ipynb")
    before = path.read_bytes()
    assert main([*command, str(path)]) == 2
    said = capsys.readouterr().err
    assert "ps2.ipynb contains ps1:" in said
    assert "rename it to ps1.ipynb" in said
    assert "The notebook of ps2 begins with '# Problems ps2'" in said
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["ps2.ipynb"]


def test_a_homework_that_the_installed_package_does_not_know_is_reported(saved):
    with pytest.raises(
        DeskError,
        match=r"a homework that the installed package hw_support does not know.*pip install -r",
    ):
        open_notebook(saved(answered_notebook("ps2"), "ps2.ipynb"), [PS1])


def test_a_notebook_with_most_cells_deleted_is_still_its_homework(saved):
    notebook = only_shared(answered_notebook("ps1"))
    notebook.cells.append(nbformat.v4.new_code_cell("x = 1"))
    assert open_notebook(saved(notebook, "ps1.ipynb"), [PS1]).release is PS1


def test_a_notebook_of_no_homework_gets_the_list_of_homeworks(saved):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1")])
    with pytest.raises(DeskError, match=r"none of the homeworks ps1, ps2.*begins with 'x = 1'"):
        open_notebook(saved(notebook, "ps1.ipynb"), BOTH)


def test_a_folder_is_answered_with_the_homework_that_is_in_it(saved):
    path = saved(answered_notebook("ps2"), "ps2.ipynb")
    with pytest.raises(DeskError, match=r"Type the name of the notebook in it: \S*ps2\.ipynb$"):
        open_notebook(path.parent, BOTH)


def test_without_any_homework_the_package_is_to_be_installed_again(saved):
    with pytest.raises(DeskError, match=r"knows no homework.*--force-reinstall"):
        open_notebook(saved(answered_notebook("ps1"), "ps1.ipynb"), [])


# -- certifications of other forms


def test_a_certifications_labels_are_those_of_the_released_cell():
    certification = certification_of(PS1.cell("certification").source)
    assert certification.asked == ("Name", "Student id", "Place")
    assert certification.empty(PS1.cell("certification").source) == ["Name", "Student id", "Place"]


def test_text_below_or_beside_other_labels_is_found():
    certification = certification_of(PS1.cell("certification").source)
    text = PS1.cell("certification").source.replace("YOUR ANSWER HERE", "Ada", 1)
    assert certification.empty(text) == ["Student id", "Place"]
    text = text.replace("(eight digits):\nYOUR ANSWER HERE", "(eight digits): 30312345")
    assert certification.written(text, "Student id") == "30312345"
    text = text.replace("of signing:\nYOUR ANSWER HERE", "of signing: Turin")
    assert certification.empty(text) == []
    assert certification.written(text, "Place") == "Turin"
    assert certification.empty(text.replace(" Turin", "")) == ["Place"]


@pytest.mark.parametrize(
    ("released_text", "asked"),
    [
        ("**Name:** YOUR ANSWER HERE", ("Name",)),
        ("**Name**:\nYOUR ANSWER HERE\n\n**Pledge:**\nI did it.", ("Name",)),
        ("**Name:**\n\n**Signed**\n", ("Name", "Signed")),
        ("**I used (A+B)?** (or none)\nYOUR ANSWER HERE", ("I used (A+B)?",)),
        ("Sign here: YOUR ANSWER HERE", ()),
    ],
)
def test_text_that_the_instructor_wrote_after_a_label_is_not_asked_for(released_text, asked):
    certification = certification_of(released_text)
    assert certification.asked == asked
    assert certification.empty(released_text) == list(asked)
    assert certification.empty("") == list(asked)


def test_a_certification_without_labels_counts_as_one_field():
    notebook = answered_notebook("ps1")
    cell = cell_of(notebook, "certification")
    cells = [
        replace(one, source="Sign: YOUR ANSWER HERE") if one.grade_id == "certification" else one
        for one in PS1.cells
    ]
    release = replace(PS1, cells=tuple(cells))
    for text, to_do in (
        ("Sign: YOUR ANSWER HERE", "fill it in"),
        (" ", "fill it in"),
        ("Sign: Ada", None),
    ):
        cell.source = text
        checked = {c.released.grade_id: c for c in checked_cells(Ran(notebook, {}), release)}
        assert checked["certification"].to_do == to_do, text


def test_a_homework_without_a_certification_asks_for_the_id_on_the_command_line(
    saved, monkeypatch, capsys, tmp_path
):
    plain = replace(PS1, certification="")
    monkeypatch.setattr(released, "releases", lambda: (plain,))
    path = saved(answered_notebook("ps1"), "ps1.ipynb")
    assert main(["zip", "--no-check", str(path)]) == 2
    assert "ps1 does not ask for your student id" in capsys.readouterr().err
    assert main(["zip", "--no-check", "--student", "30312345", str(path)]) == 0
    with zipfile.ZipFile(tmp_path / "30312345_ps1.zip") as archive:
        assert archive.namelist() == ["30312345_ps1.ipynb"]


# -- running


@pytest.mark.slow
def test_a_small_homework_is_checked_to_its_end(saved, monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    limited = replace(PS1, cpu_seconds_for_cell={"try_it": 100.0, "double": 100.0})
    notebook = answered_notebook("ps1")
    report = check.check(open_notebook(saved(notebook, "ps1.ipynb"), [limited, PS2]))
    for cell in report.checked:  # a busy machine may take long over any of them
        if cell.run:
            cell.run.seconds = 1.1 if cell.released.grade_id == "try_it" else 0.1
    lines = list(check.in_words(report))
    assert report.fine, lines
    assert "Cell try_it took 1 s." in lines
    assert not any("Cell double" in line for line in lines)


@pytest.mark.slow
def test_an_optional_answer_may_be_left_out(saved, monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    stubs = released_notebook("ps1")
    for name, fine in (("try_it", True), ("double", False)):
        notebook = answered_notebook("ps1")
        cell_of(notebook, name).source = cell_of(stubs, name).source
        report = check.check(open_notebook(saved(notebook, "ps1.ipynb"), BOTH))
        assert report.fine == fine, name
