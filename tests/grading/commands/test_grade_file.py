"""`hw-grading grade-file` gives a notebook what a class gives it, and leaves nothing behind."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from as_in_class import EVERY_RUN, expect_same
from toy_course import ASSIGNMENT, ToyCourse, check, code, environment, python_notebook, text

from hw_grading.commands.grade_file import grade_file
from hw_grading.gradebook.results import read_results
from hw_grading.outcome import Status

pytestmark = pytest.mark.slow

# What takes long to import, and nothing that one notebook needs: half of the command's imports.
SLOW = {
    *("nbgrader.apps", "nbgrader.exchange", "jupyter_server", "nbconvert"),
    *("matplotlib", "IPython"),
}


def snapshot(folder: Path) -> dict[Path, bytes]:
    """All files of a course, but for the cache."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {p: p.read_bytes() for p in files if "grading" not in p.relative_to(folder).parts}


class Command:
    """The command in a course, as a process with a folder of its own for temporary files."""

    def __init__(self, course: Path, place: Path) -> None:
        self._course, self.out = course, place / "out.json"
        place.mkdir(parents=True, exist_ok=True)
        self.temporary = Path(tempfile.mkdtemp())  # a path of a socket is short

    def begin(self, file: Path, *options: str) -> "subprocess.Popen[str]":
        """Start it; `options` are those of Python."""
        words = ["--course", str(self._course), "grade-file", str(file)]
        words += ["--homework", "hw2", "--json", str(self.out)]
        return subprocess.Popen(
            [sys.executable, *options, "-m", "hw_grading", *words],
            env=environment() | {"TMPDIR": str(self.temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def result(self) -> dict[str, Any]:
        """What the command wrote; nothing else is left of it."""
        assert not list(self.temporary.iterdir())
        self.temporary.rmdir()
        found: dict[str, Any] = json.loads(self.out.read_text())
        assert found["version"] == 1
        return found


@pytest.mark.smoke
def test_a_file_gets_what_a_class_gives_it(generated_course: ToyCourse, tmp_path: Path) -> None:
    course = generated_course.copied(tmp_path / "course", EVERY_RUN)
    submitted = {
        "all": course.answered,
        "nothing": course.released,
        "hidden": course.answer(triple="def triple(x):\n    return 6 if x == 2 else 0"),
        "raises": course.answer(double="def double(x):\n    raise KeyError(x)"),
        "faulty": course.answer(test_double="assert double(4) == 9", why=""),
        "misses": course.answer(double="def double(x):\n    import no_such_module"),
        "no-kernel": course.answer(double="import os\nos._exit(1)"),
    }
    files = {student: course.submit(student, nb) for student, nb in submitted.items()}
    assert course.grade().returncode == 0
    results = read_results(course.course, ASSIGNMENT)
    before = snapshot(course.root)
    shutil.rmtree(course.root / "grading")
    found = {}
    for student, path in files.items():
        alone = tmp_path / f"{student} (1).ipynb"
        shutil.copy(path, alone)
        found[student] = grade_file(course.course, ASSIGNMENT, alone, student=student)
        expect_same(found[student], results.of(student))
    assert found["all"]["waiting"] == ["why", "sketch"]
    assert found["nothing"]["waiting"] == []
    assert found["no-kernel"]["status"] == Status.SUBMISSION_FAILED
    assert "triple(5)" not in json.dumps(found["hidden"])  # a hidden line
    assert snapshot(course.root) == before


def test_without_a_gradebook_the_homework_is_released_in_a_scratch_folder(
    course: ToyCourse, tmp_path: Path
) -> None:
    (course.root / "gradebook.db").unlink()
    shutil.rmtree(course.root / "release")
    file, before = tmp_path / "mine.ipynb", snapshot(course.root)
    nbformat.write(course.answered, file)
    command = Command(course.root, tmp_path)
    done = command.begin(file)
    said, _ = done.communicate()
    assert done.returncode == 0
    assert said == "hw2: 6 of 15 points; people still grade 2 answers\n"
    assert command.result()["points"] == 6
    assert snapshot(course.root) == before


def test_the_command_imports_neither_a_server_nor_an_exporter(
    course: ToyCourse, tmp_path: Path
) -> None:
    file, command = tmp_path / "mine.ipynb", Command(course.root, tmp_path)
    nbformat.write(course.answered, file)
    done = command.begin(file, "-X", "importtime")
    _, lines = done.communicate()
    imported = {line.rpartition("|")[2].strip() for line in lines.splitlines()}
    assert command.result()["status"] == Status.GRADED
    assert "nbgrader.api" in imported
    assert imported & SLOW == set()


def other_homework() -> nbformat.NotebookNode:
    """A notebook of a homework that shares only the title with the toy homework."""
    names = ("once", "again")
    pairs = [(code("x = 1", n, solution=True), check(f"test_{n}", points=1)) for n in names]
    cells = [text("# Other toys", "title", locked=True), *(one for pair in pairs for one in pair)]
    return python_notebook(*cells)


def unknown() -> nbformat.NotebookNode:
    """A notebook of another course."""
    return python_notebook(code("x = 1", "elsewhere", solution=True))


def cut_off(file: Path, course: ToyCourse) -> None:
    content = nbformat.writes(course.answered)
    file.write_text(content[: len(content) // 2])


def large(file: Path, _: ToyCourse) -> None:
    with file.open("wb") as stream:
        stream.truncate(200_000_000)


def linked(file: Path, course: ToyCourse) -> None:
    file.symlink_to(course.submit("ada", course.answered))


def unreadable(file: Path, course: ToyCourse) -> None:
    nbformat.write(course.answered, file)
    file.chmod(0)
    if os.access(file, os.R_OK):
        pytest.skip("this user reads all files")


BAD: dict[str, tuple[Callable[[Path, ToyCourse], object], str]] = {
    "nothing": (lambda file, _: None, "there is no such file"),
    "a folder": (lambda file, _: file.mkdir(), "found a folder"),
    "a link": (linked, "found a symbolic link"),
    "a pipe": (lambda file, _: os.mkfifo(file), "found a pipe"),
    "no permission": (unreadable, "opening it failed ('[Errno 13] Permission denied: "),
    "no bytes": (lambda file, _: file.touch(), "found an empty file"),
    "no notebook": (lambda file, _: file.write_text("print(1)"), "expected JSON"),
    "a part": (cut_off, "may have been cut off"),
    "200 MB": (large, "expected at most 100,000,000 bytes"),
    "another": (lambda file, _: nbformat.write(other_homework(), file), "notebook of hw3"),
    "unknown": (lambda file, _: nbformat.write(unknown(), file), "notebook of another homework"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named_in_one_line_and_leaves_nothing(
    course: ToyCourse, tmp_path: Path, name: str
) -> None:
    make, why = BAD[name]
    source = course.course.source("hw3")
    source.mkdir()
    nbformat.write(other_homework(), source / "hw3.ipynb")
    file = tmp_path / "files" / "mine.ipynb"
    file.parent.mkdir()
    make(file, course)
    before, command = snapshot(course.root), Command(course.root, tmp_path / "out")
    done = command.begin(file)
    said, error = done.communicate()
    assert (done.returncode, said, error.count("\n")) == (1, "", 1), error
    assert why in error
    result = command.result()
    assert result["status"] == Status.NOT_GRADED
    assert why in result["why"]
    assert snapshot(course.root) == before
    assert not list((course.root / "grading").rglob("*.gz"))


def test_many_files_at_once_take_turns_and_none_fails(course: ToyCourse, tmp_path: Path) -> None:
    """As many as HW_FILES says, or 20."""
    many = int(os.environ.get("HW_FILES", "20"))
    commands = [Command(course.root, tmp_path / f"{n}") for n in range(many)]
    begun = []
    for number, command in enumerate(commands):
        file = tmp_path / f"{number}.ipynb"
        answer = f"def double(x):\n    return {number % 4} * x"
        nbformat.write(course.answer(double=answer), file)
        begun.append(command.begin(file))
    ended = [(process.communicate(), process.returncode) for process in begun]
    assert [(said[1], status) for said, status in ended] == [("", 0)] * many
    points = [command.result()["points"] for command in commands]
    assert points == [6 if number % 4 == 2 else 4 for number in range(many)]
