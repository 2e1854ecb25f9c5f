"""nbgrader's standard commands work from the course's root, as its documentation gives them."""

import zipfile

import nbformat
import pytest

from hw_grading.commands.sample import cell_of
from hw_grading.homework.course import scratch_course
from hw_grading.homework.source_notebook import solved

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("commands")]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    made = scratch_course(tmp_path_factory.mktemp("commands") / "course")
    log = made.folder / "log"
    assert made.nbgrader("generate_assignment", "hw2", log=log) == 0, log.read_text()
    return made


def run(course, *words):
    log = course.folder / "log"
    log.unlink(missing_ok=True)
    assert course.nbgrader(*words, log=log) == 0, log.read_text()
    return log.read_text()


def test_zip_collect_takes_nothing_and_names_another_command(course):
    """nbgrader's own would collect bob_hw2.ipynb, from wherever in Ada's archive, for Bob."""
    archive = course.folder / "downloaded" / "hw2" / "archive"
    archive.mkdir(parents=True)
    with zipfile.ZipFile(archive / "ada_hw2.zip", "w") as bundle:
        bundle.write(course.folder / "release" / "hw2" / "hw2.ipynb", "bob_hw2.ipynb")
    log = course.folder / "log"
    log.unlink(missing_ok=True)
    assert course.nbgrader("zip_collect", "hw2", log=log) == 1
    said = log.read_text()
    assert "so type: hw-grading collect hw2 DOWNLOAD" in said
    assert "Traceback" not in said
    assert sorted(path.name for path in archive.parent.iterdir()) == ["archive"]
    assert not (course.folder / "submitted").exists()


@pytest.mark.smoke
def test_validate_tells_the_message_of_a_wrong_answer_only(course):
    source = nbformat.read(course.folder / "source" / "hw2" / "hw2.ipynb", as_version=4)
    released = nbformat.read(course.folder / "release" / "hw2" / "hw2.ipynb", as_version=4)
    notebook = solved(released, source)
    keep = notebook.cells.index(cell_of(notebook, "test_relu_activation"))
    notebook.cells = notebook.cells[: keep + 1]  # a validation does not train
    path = course.folder / "try.ipynb"
    nbformat.write(notebook, path)
    assert "Success" in run(course, "validate", str(path))
    cell_of(notebook, "relu_activation").source = "def relu_activation(s):\n    return s, s > 0"
    nbformat.write(notebook, path)
    said = run(course, "validate", str(path))
    assert "FAILED ON 1 CELL" in said
    assert "  values: out[0, 0]" in said
    assert "expected 0" in said
