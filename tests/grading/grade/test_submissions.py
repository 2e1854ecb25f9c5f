"""Files beside a submitted notebook are reported, each once."""

import logging
from pathlib import Path

import pytest
from graded_course import ToyCourse
from graded_course import notebook as graded_notebook

from hw_grading.grade.submissions import SECRET, beside, carry_along, to_grade
from hw_grading.homework.course import Course
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


def test_what_belongs_to_a_submission_is_no_problem(notebook: Path) -> None:
    put(notebook, "submission_secret.txt", "hw2.released.json", "part2.ipynb", "image.png")
    put(notebook, ".ipynb_checkpoints/hw2-checkpoint.ipynb")
    assert beside(notebook, {"hw2.ipynb", "part2.ipynb"}, {"image.png": b"x"}) == []


def test_a_second_notebook_is_named_with_the_one_that_is_graded(notebook: Path) -> None:
    put(notebook, "hw2-Copy1.ipynb")
    (problem,) = beside(notebook)
    assert problem.kind is Kind.OTHER_NOTEBOOK
    assert problem.message == (
        "'hw2-Copy1.ipynb' was submitted too but not graded: only hw2.ipynb is graded."
    )


def test_other_and_changed_files_are_named_and_a_few_of_many(notebook: Path) -> None:
    put(notebook, *(f"{letter}.ipynb" for letter in "abcde"), "old/hw2.ipynb", "image.png")
    notebooks, files = beside(notebook, given={"image.png": b"PNG"})
    assert notebooks.message.startswith("'a.ipynb', 'b.ipynb', 'c.ipynb' and 3 more were submitted")
    assert (files.kind, "'image.png' was ignored" in files.message) == (Kind.FOLDER, True)


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


def test_a_secret_is_kept_and_one_that_is_gone_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As in a new folder with the gradebook of another one."""
    course = ToyCourse(tmp_path)
    for student in ("ada", "bob", "kim"):
        course.grade(student, graded_notebook())
    course.hand_in("new")
    (tmp_path / "autograded/bob/hw2" / SECRET).write_text("of bob")
    (tmp_path / "submitted/kim/hw2" / SECRET).write_text("of kim")
    log = logging.getLogger("grading")
    found = to_grade(Course(tmp_path), "hw2", force=True, log=log)
    assert [record.message.partition(":")[0] for record in caplog.records] == ["ada"]
    for one in found:
        one.remove_graded()
        carry_along(one.folder, one.graded, one.secret)
    kept = {one.student: (one.graded / SECRET).read_text() for one in found}
    assert (kept["bob"], kept["kim"]) == ("of bob", "of kim")
    assert len(kept["ada"]) == len(kept["new"]) == 128
