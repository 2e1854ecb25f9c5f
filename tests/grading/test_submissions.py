"""Files beside a submitted notebook are reported, each once."""

from pathlib import Path

import pytest

from hw_grading.batch.submissions import beside, carry_along
from hw_support.submission.problems import Kind


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    path = tmp_path / "hw2.ipynb"
    path.write_text("{}")
    (tmp_path / "timestamp.txt").write_text("2022-10-05 07:00:00 UTC")
    return path


def put(notebook: Path, *names: str) -> None:
    for name in names:
        path = notebook.parent / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")


def test_a_notebook_with_time_and_secret_has_no_problem(notebook: Path) -> None:
    put(notebook, "submission_secret.txt")
    assert beside(notebook) == []


def test_a_second_notebook_is_named_with_the_one_that_is_graded(notebook: Path) -> None:
    put(notebook, "hw2-Copy1.ipynb")
    (problem,) = beside(notebook)
    assert problem.kind is Kind.OTHER_NOTEBOOK
    assert problem.message == (
        "'hw2-Copy1.ipynb' was submitted too but not graded: only hw2.ipynb is graded."
    )


def test_a_few_of_many_notebooks_are_named_in_one_sentence(notebook: Path) -> None:
    put(notebook, *(f"{letter}.ipynb" for letter in "abcde"), "old/hw2.ipynb")
    (problem,) = beside(notebook)
    assert problem.message.startswith("'a.ipynb', 'b.ipynb', 'c.ipynb' and 3 more were submitted")


def test_copies_of_jupyterlab_and_graded_notebooks_are_unnamed(
    notebook: Path,
) -> None:
    put(notebook, ".ipynb_checkpoints/hw2-checkpoint.ipynb", "part2.ipynb")
    assert beside(notebook, {"hw2.ipynb", "part2.ipynb"}) == []


def test_ignored_files_are_named(notebook: Path) -> None:
    put(notebook, "data.csv", "hw2-Copy1.ipynb")
    assert [p.kind for p in beside(notebook)] == [Kind.OTHER_NOTEBOOK, Kind.FOLDER]


def test_only_time_and_secret_are_copied_again(notebook: Path, tmp_path: Path) -> None:
    put(notebook, "submission_secret.txt", "data.csv")
    graded = tmp_path / "graded"
    for _ in range(2):
        carry_along(tmp_path, graded)
        for path in graded.iterdir():
            path.chmod(0o444)  # as nbgrader does
    found = {path.name: path.read_text() for path in graded.iterdir()}
    assert found == {"timestamp.txt": "2022-10-05 07:00:00 UTC", "submission_secret.txt": "x"}


@pytest.mark.parametrize("content", [b"", b"\xff", b"x" * 2_000])
def test_an_invalid_secret_is_not_copied(notebook: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "submission_secret.txt").write_bytes(content)
    carry_along(tmp_path, tmp_path / "graded")
    assert [path.name for path in (tmp_path / "graded").iterdir()] == ["timestamp.txt"]


def test_a_secret_that_is_a_link_is_not_followed(notebook: Path, tmp_path: Path) -> None:
    (tmp_path / "of another").write_text("secret")
    (tmp_path / "submission_secret.txt").symlink_to(tmp_path / "of another")
    carry_along(tmp_path, tmp_path / "graded")
    assert not (tmp_path / "graded" / "submission_secret.txt").exists()
