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


def test_the_description_that_students_got_is_no_problem(notebook: Path) -> None:
    put(notebook, "hw2.released.json")
    assert beside(notebook) == []


def test_only_time_and_secret_are_copied_again(notebook: Path, tmp_path: Path) -> None:
    put(notebook, "submission_secret.txt", "data.csv")
    graded = tmp_path / "graded"
    for _ in range(2):
        carry_along(tmp_path, graded)
        for path in graded.iterdir():
            path.chmod(0o444)  # as nbgrader does
    found = {path.name: path.read_text() for path in graded.iterdir()}
    assert found == {"timestamp.txt": "2022-10-05 07:00:00 UTC", "submission_secret.txt": "x"}


@pytest.mark.parametrize("spoil", ["missing", "link", b"", b" \n", b"\xff", b"x" * 2_000])
def test_without_a_usable_secret_or_time_there_are_others(
    notebook: Path, tmp_path: Path, spoil: str | bytes
) -> None:
    (tmp_path / "of another").write_text("2022-10-05 07:00:00 UTC")
    for name in ("timestamp.txt", "submission_secret.txt"):
        (tmp_path / name).unlink(missing_ok=True)
        if spoil == "link":
            (tmp_path / name).symlink_to(tmp_path / "of another")
        elif isinstance(spoil, bytes):
            (tmp_path / name).write_bytes(spoil)
    secrets = []
    for graded in (tmp_path / "ada", tmp_path / "ada", tmp_path / "bob"):
        carry_along(tmp_path, graded)
        assert (graded / "timestamp.txt").read_text() == "1970-01-01 00:00:00 UTC"
        secrets.append((graded / "submission_secret.txt").read_text())
    assert secrets[0] == secrets[1] != secrets[2]
    assert min(map(len, secrets)) == 128


def test_a_file_of_the_course_is_reported_if_it_was_changed(tmp_path: Path) -> None:
    notebook = tmp_path / "hw.ipynb"
    for name, content in (("hw.ipynb", b"{}"), ("image.png", b"PNG")):
        (tmp_path / name).write_bytes(content)
    assert beside(notebook, given={"image.png": b"PNG"}) == []
    [problem] = beside(notebook, given={"image.png": b"JPG"})
    assert "'image.png' was ignored" in problem.message
