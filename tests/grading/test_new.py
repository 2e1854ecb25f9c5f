"""A new homework is written whole or not at all, and what is written is complete."""

import ast
import doctest
import io
import itertools
import re
import subprocess
import sys
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbgrader import utils

from hw_grading.__main__ import main
from hw_grading.commands import new as new_module
from hw_grading.commands.new import MOST_CHARACTERS, NotMade, new
from hw_grading.commands.sample import sample_class_of, solved
from hw_grading.homework.course import REPOSITORY
from hw_grading.homework.homework import KINDS, Beside, Manifest, homework_of

TODAY = date(2030, 3, 1)
ALLOWED = "a letter from A to Z, then letters, digits and _"


@pytest.fixture
def course(tmp_path):
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "nbgrader_config.py").touch()
    return folder


@pytest.fixture
def made(course):
    return new(course, "hw3", TODAY)


def everything_in(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_the_files_of_a_homework_are_there_under_its_name(course, made):
    assert [path.relative_to(course).as_posix() for path in made.files] == [
        "source/hw3/hw3.ipynb",
        "staff/hw3/__init__.py",
        "staff/hw3/answers/right/running_mean.py",
        "staff/hw3/answers/sample_class.py",
        "staff/hw3/answers/wrong/running_mean.py",
        "staff/hw3/fresh.py",
        "staff/hw3/homework.toml",
        "staff/hw3/reference.py",
    ]
    assert {path.name for path in course.iterdir()} == {"nbgrader_config.py", "source", "staff"}


def test_no_placeholder_is_left_but_the_due_date_that_the_release_fills_in(made):
    for path in made.files:
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"HOMEWORK_NAME|DUE_DATE|TIME_ZONE|ZONE_IN_WORDS|SEED", text) == []
    assert made.notebook.read_text(encoding="utf-8").count("{{ due_date }}") == 1


def test_the_manifest_gives_every_key_and_says_what_it_is_in_one_line(made):
    lines = made.manifest.read_text(encoding="utf-8").splitlines()
    explained = [re.match(r"\[?(\w+)", line)[1] for line in lines if re.match(r"[a-z\[]", line)]
    assert set(explained) == set(Manifest.model_fields) | set(KINDS) | set(Beside.model_fields)
    for above, line in itertools.pairwise(lines):
        if line and not line.startswith("#"):
            assert above.startswith("# "), line
    assert max(map(len, lines)) <= 110


def test_it_is_due_four_weeks_from_today_and_its_points_are_those_of_its_cells(course, made):
    manifest = homework_of(course, "hw3").manifest
    assert manifest.due == "2030-03-29 23:59:59"
    new(course, "hw4")
    assert homework_of(course, "hw4").manifest.due_moment > datetime.now(UTC)
    notebook = nbformat.read(made.notebook, as_version=4)
    points = [cell.metadata.get("nbgrader", {}).get("points", 0) for cell in notebook.cells]
    assert sum(points) == manifest.points == 10


def test_the_time_zone_is_that_of_the_courses_other_homework(course):
    new(course, "hw3", TODAY)
    path = course / "staff" / "hw3" / "homework.toml"
    text = path.read_text(encoding="utf-8")
    text = text.replace('"UTC"', '"Europe/Zurich"', 1).replace('"UTC"', '"Zurich \\"Züri\\""')
    path.write_text(text, encoding="utf-8")
    new(course, "hw4", TODAY)
    second = homework_of(course, "hw4").manifest
    assert second.time_zone == "Europe/Zurich"
    assert second.zone_in_words == 'Zurich "Züri"'


def test_the_notebook_is_valid_has_no_outputs_and_its_points_and_headings_agree(made):
    notebook = nbformat.read(made.notebook, as_version=4)
    nbformat.validate(notebook, relax_add_props=False)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    assert all(not cell.get("outputs") for cell in notebook.cells)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    points = [cell.metadata.get("nbgrader", {}).get("points", 0) for cell in notebook.cells]
    headings = [int(n) for n in re.findall(r"^## .*\((\d+) points?\)$", text, re.M)]
    assert headings == [n for n in points if n] == [1, 6, 3]
    assert re.findall(r"^\| .* \| (\d+) \| \d+ min \|$", text, re.M) == ["1", "6", "3"]
    assert re.findall(r"^- (\d): ", text, re.M) == ["1", "1", "1"]


def test_the_docstrings_examples_hold_and_the_reference_agrees_with_the_solution(made):
    notebook = nbformat.read(made.notebook, as_version=4)
    cells = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in notebook.cells}
    names = {"np": np}
    exec(cells["running_mean"].source, names)
    [function] = ast.parse(cells["running_mean"].source).body
    test = doctest.DocTestParser().get_doctest(
        ast.get_docstring(function), names, "running_mean", None, 0
    )
    assert doctest.DocTestRunner().run(test, clear_globs=False) == (0, 1)
    x = np.array([0.5, -3.0, 7.25, 1e-3])
    reference = {}
    exec((made.manifest.parent / "reference.py").read_text(), reference)
    np.testing.assert_allclose(names["running_mean"](x), reference["running_mean"](x))


def test_its_test_cell_gives_the_solution_all_points_with_fresh_cases_too(course, made):
    notebook = nbformat.read(made.notebook, as_version=4)
    cells = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in notebook.cells}
    source = "\n".join(cells[f"{name}running_mean"].source for name in ("", "test_"))
    program = f"from hw_support import Checks\nimport numpy as np\n{source}"
    program = program.removesuffix("checks.score()") + (
        "assert [part.passed for part in checks.parts] == [True, True]\n"
        "assert [len(cases) for cases in checks._fresh.values()] == [3]\n"
        "assert checks.score() == 6\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=course)


def test_each_submission_of_its_sample_class_can_be_built(course, made):
    source = nbformat.read(made.notebook, as_version=4)
    for submission in sample_class_of(course, "hw3")(source):
        notebook = solved(source, source)
        submission.change(notebook)
        assert (notebook == solved(source, source)) == (submission.student in ("all-right", "late"))
    tests = [cell for cell in source.cells if utils.is_grade(cell) and not utils.is_solution(cell)]
    blank = {s.student: s for s in sample_class_of(course, "hw3")(source)}["blank"]
    assert blank.points_lost == {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points for cell in tests
    }


@pytest.mark.parametrize(
    "name",
    ["", "3hw", "_hw", "hw-3", "hw 3", "hw.3", "../hw3", "hw/3", "hausübung", "hw3\n", "h" * 41],
)
def test_a_name_that_no_package_can_have_is_refused(course, name):
    with pytest.raises(NotMade, match=ALLOWED) as refused:
        new(course, name)
    assert repr(name) in str(refused.value)
    assert "\n" not in str(refused.value)
    assert everything_in(course) == {"nbgrader_config.py": b""}


def test_a_keyword_is_refused_and_the_longest_name_is_accepted(course):
    with pytest.raises(NotMade, match="class is a keyword of Python"):
        new(course, "class")
    assert new(course, "h" * MOST_CHARACTERS).notebook.is_file()


@pytest.mark.parametrize("there", ["source/hw3", "staff/hw3", "source/HW3"])
def test_an_existing_homework_is_never_overwritten(course, there, capsys):
    (course / there).mkdir(parents=True)
    (course / there / "mine.txt").write_text("an instructor's")
    before = everything_in(course)
    assert main(["--course", str(course), "new", "hw3"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{course / there} exists already, and this command overwrites no homework." in said.err
    assert said.err.count("\n") == 1
    assert everything_in(course) == before


def test_a_link_that_leads_nowhere_is_not_followed(course):
    (course / "source").mkdir()
    (course / "source" / "hw3").symlink_to(course / "elsewhere")
    with pytest.raises(NotMade, match="exists already"):
        new(course, "hw3")
    assert not (course / "elsewhere").exists()


def test_a_folder_that_is_not_a_course_is_refused(tmp_path, capsys):
    assert main(["--course", str(tmp_path), "new", "hw3"]) == 2
    assert "is not a course: it has no nbgrader_config.py" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("calls", range(1, 10))
def test_after_a_failure_at_any_file_nothing_is_left(course, calls, monkeypatch):
    """Files are written first, then two folders are moved: each step fails once."""
    left = iter(range(calls))

    def failing(step):
        def tried(*arguments, **options):
            if next(left, None) == calls - 1:
                raise OSError(28, "No space left on device", str(arguments[0]))
            return step(*arguments, **options)

        return tried

    for name in ("write_text", "rename"):
        monkeypatch.setattr(Path, name, failing(getattr(Path, name)))
    with pytest.raises(NotMade, match=r"No space left on device.*The course is unchanged"):
        new(course, "hw3", TODAY)
    assert everything_in(course) == {"nbgrader_config.py": b""}


def test_an_interrupt_between_the_folders_leaves_nothing(course, monkeypatch):
    def interrupted(path, target):
        if Path(target).parent.name == "staff":
            raise KeyboardInterrupt
        return path.replace(target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        new(course, "hw3", TODAY)
    assert everything_in(course) == {"nbgrader_config.py": b""}


def test_another_homework_with_a_mistake_in_its_manifest_is_named(course, capsys):
    new(course, "hw3", TODAY)
    (course / "staff" / "hw3" / "homework.toml").write_text("points = ")
    assert main(["--course", str(course), "new", "hw4"]) == 2
    assert "hw3/homework.toml" in capsys.readouterr().err
    assert not (course / "source" / "hw4").exists()


@pytest.mark.slow
def test_the_wheel_contains_the_skeleton(tmp_path):
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(REPOSITORY)]
    subprocess.run(command, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(io.BytesIO(wheel.read_bytes())) as archive:
        held = {name for name in archive.namelist() if "HOMEWORK_NAME" in name}
    files = {
        path.relative_to(REPOSITORY).as_posix()
        for path in new_module.SKELETON.rglob("*")
        if path.is_file() and "HOMEWORK_NAME" in str(path) and "__pycache__" not in path.parts
    }
    assert held == files
    assert len(files) == 8
