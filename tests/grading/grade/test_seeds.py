"""Hidden inputs cannot be predicted, and each submission gets new ones."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell
from toy_course import code

from hw_grading.grade.job import seed_of
from hw_grading.grade.run_numbers import RunNumbers
from hw_grading.grade.settings import SECRET_BYTES as BYTES
from hw_grading.grade.settings import WholeClass, course_secret
from hw_grading.homework.notes import add_problems, put_notes_on_top
from hw_grading.outcome import SettingsError
from hw_support.submission.cells import InstructorCell
from hw_support.submission.mending import mend

SECRET = bytes(BYTES)


def locked(source, grade_id="t"):
    return code(source, grade_id, locked=True)


def handed_in(*written, test="1"):
    return new_notebook(cells=[locked(test), *map(new_code_cell, written)])


def test_another_submission_gets_another_seed():
    seeds = [
        seed_of(SECRET, "hw2", "ada", handed_in("x = 1", "y = 2")),
        seed_of(SECRET, "hw2", "bob", handed_in("x = 1", "y = 2")),
        seed_of(SECRET, "hw3", "ada", handed_in("x = 1", "y = 2")),
        seed_of(SECRET, "hw2", "ada", handed_in("x = 1", "y = 3")),
        seed_of(SECRET, "hw2", "ada", handed_in("x = 1y = 2")),
        seed_of(SECRET, "hw2", "ada", handed_in("x = 1", "y = 2", "")),
        seed_of(bytes(BYTES - 1) + b"\1", "hw2", "ada", handed_in("x = 1", "y = 2")),
    ]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**128 for seed in seeds)
    assert max(seeds) > 2**100


def test_another_run_with_other_tests_has_the_same_seed():
    first = seed_of(SECRET, "hw2", "ada", handed_in("x = '\udc80'", test="1"))
    again = handed_in("x = '\udc80'", test="2")
    again.cells[0].id = again.cells[1].id = "another"
    again.cells[1].outputs = []
    assert seed_of(SECRET, "hw2", "ada", again) == first


def test_moving_a_cell_or_making_it_text_changes_the_seed():
    x, y = new_code_cell("x"), new_code_cell("y")
    notebooks = [
        [locked("1"), x, y, locked("2", "second")],
        [locked("1"), x, locked("2", "second"), y],
        [x, locked("1"), locked("2", "second"), y],
        [locked("1"), y, x, locked("2", "second")],
        [locked("1"), x, new_markdown_cell("y"), locked("2", "second")],
        [locked("1"), new_markdown_cell("x"), y, locked("2", "second")],
        [locked("1"), new_raw_cell("x"), y, locked("2", "second")],
        [locked("1"), code("x", "a", solution=True), y, locked("2", "second")],
        [locked("1"), code("x", "b", solution=True), y, locked("2", "second")],
        [locked("1"), x, y],
        [locked("1"), x, y, new_markdown_cell("hidden tests get new inputs")],
    ]
    seeds = {seed_of(SECRET, "hw2", "ada", new_notebook(cells=cells)) for cells in notebooks}
    assert len(seeds) == len(notebooks)


def test_a_repaired_older_locked_cell_changes_no_seed():
    instructors = [InstructorCell("t", "code", "2", True, False, False, False, None, None)]
    newest, older = handed_in("x = 1", test="2"), handed_in("x = 1", test="1")
    assert mend(newest, instructors) == []
    (problem,) = mend(older, instructors)
    add_problems(older, [problem])
    put_notes_on_top(older)
    assert len(older.cells) == len(newest.cells) + 1
    assert seed_of(SECRET, "hw2", "ada", older) == seed_of(SECRET, "hw2", "ada", newest)


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path):
    files = [tmp_path / "new" / name for name in ("a.secret", "b.secret")]
    first, other = map(course_secret, files)
    assert len(first) == BYTES >= 16
    assert first != other
    assert course_secret(files[0]) == first
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    assert len(list(files[0].parent.iterdir())) == 2


def test_runs_are_numbered_by_submission_whoever_counts(tmp_path):
    one, other = RunNumbers(tmp_path / "s"), RunNumbers(tmp_path / "s")
    assert [one.next(7), other.next(7), one.next(8), one.next(7)] == [1, 2, 1, 3]
    assert RunNumbers(tmp_path / "s").next(7) == 4
    assert RunNumbers(tmp_path / "another").next(7) == 1
    assert "7" not in one.file.read_text().split()


def test_runs_that_begin_at_once_have_one_secret_and_different_numbers(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        secrets = set(pool.map(course_secret, [tmp_path / "secret"] * 64))
        numbers = list(pool.map(lambda _: RunNumbers(tmp_path / "s").next(7), range(64)))
    assert len(secrets) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"secret", "s.runs"}
    assert sorted(numbers) == [*range(1, 65)]


def test_a_line_that_was_cut_off_hides_no_later_run(tmp_path):
    numbers = RunNumbers(tmp_path / "s")
    assert numbers.next(7) == 1
    with numbers.file.open("a") as file:
        file.write("\nabc")
    assert [RunNumbers(tmp_path / "s").next(7), RunNumbers(tmp_path / "s").next(7)] == [2, 3]


def test_runs_that_cannot_be_counted_have_random_numbers(tmp_path):
    numbers = RunNumbers(tmp_path / "no" / "s")
    assert len({numbers.next(7) for _ in range(20)}) == 20


def test_each_course_has_its_own_secret_outside_of_it(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    files = {WholeClass().secret(tmp_path / name, "ml/../x") for name in ("one", "two")}
    assert {path.parent for path in files} == {tmp_path / "data" / "hw_grading"}
    assert len(files) == 2
    assert all(path.name.startswith("mlx-") for path in files)


@pytest.mark.parametrize("text", ["", "00" * 8, "ü"])
def test_an_invalid_secret_is_reported(tmp_path, text):
    file = tmp_path / "s"
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"secret"):
        course_secret(file)
    assert file.read_text() == text
    with pytest.raises(SettingsError, match=r"c\.WholeClass\.secret_file"):
        course_secret(file / "no folder")
