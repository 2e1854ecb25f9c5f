"""What a release refuses before it runs anything, and what a release that is ended leaves."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from tiny_homeworks import (
    BEGIN,
    END,
    manifest_of,
    marked,
    notebook_of,
    source_of,
    write_course,
    write_homework,
)

from hw_grading.__main__ import main
from hw_grading.homework.course import Course

ANSWER = f"def f(x):\n    {BEGIN}\n    return x\n    {END}"


def answer(name: str, source: str = ANSWER) -> NotebookNode:
    return marked(new_code_cell(source), name, solution=True)


# What makes one fault, and what is said of it.
FAULTS = {
    "syntax": ([new_code_cell("def f(:\n    pass")], "cell 1 from the top: it is not valid Python"),
    "syntax of a test": (
        [marked(new_code_cell("assert ("), "test_f", grade=True, locked=True, points=1)],
        "cell test_f: it is not valid Python",
    ),
    "grade id twice": (
        [answer("f"), answer("f")],
        "cell f (2 from the top): the cell 1 from the top has this id too.",
    ),
    "no grade id": ([answer("")], "cell 1 from the top: it has no grade id."),
    "points": (
        [marked(new_code_cell("1"), "test_f", grade=True, locked=True, points="two")],
        "cell test_f (1 from the top): its points are 'two', expected a number",
    ),
    "task": ([marked(new_code_cell("1"), "t", task=True)], "it is a task, which has to be a mark"),
    "no end": ([answer("f", ANSWER.replace(END, ""))], "BEGIN SOLUTION has no END SOLUTION"),
    "no begin": ([answer("f", ANSWER.replace(BEGIN, ""))], "END SOLUTION is not allowed here"),
    "mistyped": (
        [answer("f", ANSWER.replace(BEGIN, "### begin solution"))],
        "the line '### begin solution' removes nothing.",
    ),
}


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return write_course(tmp_path / "course")


def refused(course: Course, capfd: pytest.CaptureFixture[str]) -> list[str]:
    """The sentences of a release that refuses, which are no traceback."""
    assert main(["--course", str(course.folder), "release", "ps1"]) == 2
    *said, last = capfd.readouterr().err.splitlines()
    assert last == "Nothing was released."
    assert not [line for line in said if "Traceback" in line or 'File "' in line]
    assert not (course.folder / "release").exists()
    return said


def source_file(course: Course) -> Path:
    [path] = course.sources("ps1")
    return path


@pytest.mark.parametrize(("cells", "expected"), FAULTS.values(), ids=FAULTS)
def test_a_fault_that_can_be_seen_is_named(
    cells: list[NotebookNode], expected: str, course: Course, capfd: pytest.CaptureFixture[str]
) -> None:
    nbformat.write(notebook_of([NotebookNode(cell) for cell in cells]), source_file(course))
    assert any(expected in sentence for sentence in refused(course, capfd))


def test_all_faults_are_named_at_once(course: Course, capfd: pytest.CaptureFixture[str]) -> None:
    notebook = source_of("ps1")
    notebook.cells += [new_code_cell("def f(:"), answer("double"), *map(new_code_cell, "12")]
    document = json.loads(nbformat.writes(notebook))
    first, second = document["cells"][-2:]
    del first["id"]
    second["id"] = document["cells"][0]["id"]
    source_file(course).write_text(json.dumps(document))
    said = "\n".join(refused(course, capfd))
    for expected in (
        "is not valid Python",
        "has this id too",
        "it has no `id`",
        "is also that of the cell 1 from the top",
    ):
        assert expected in said


def another_language(course: Course) -> None:
    notebook = source_of("ps1")
    notebook.metadata["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    nbformat.write(notebook, source_file(course))


def one_id_twice(course: Course) -> None:
    nbformat.write(source_of("ps1"), course.folder / "source/ps1/second.ipynb")


def other_points(course: Course) -> None:
    manifest = manifest_of("ps1").replace("points = 7", "points = 8")
    write_homework(course.folder, "ps1", source_of("ps1"), manifest)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (another_language, "ps1.ipynb: its kernel runs 'R'. Only Python kernels can be graded."),
        (one_id_twice, "second.ipynb: the id certification is also that of another cell with"),
        (other_points, "homework.toml: points is 8, but the cells of the notebook sum to 7"),
    ],
)
def test_what_contradicts_another_file_is_refused(
    spoil: Callable[[Course], None], expected: str, course: Course, capfd: Any
) -> None:
    spoil(course)
    assert main(["--course", str(course.folder), "release", "ps1"]) == 2
    assert expected in capfd.readouterr().err
    assert not (course.folder / "release").exists()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_release_that_is_ended_leaves_no_copy_of_the_source(
    number: signal.Signals, course: Course, tmp_path: Path
) -> None:
    place = tmp_path / "temp"
    place.mkdir()
    words = [sys.executable, "-m", "hw_grading", "--course", str(course.folder), "release", "ps1"]
    with subprocess.Popen(
        words,
        env={**os.environ, "TMPDIR": str(place)},
        stderr=subprocess.PIPE,
        text=True,
        # A shell that starts the tests in the background ignores Ctrl-C for all of them.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as ended:
        while not list(place.glob("hw-release-*/**/source/**/*.ipynb")):
            assert ended.poll() is None, "it ended before the source was copied"
            time.sleep(0.01)
        ended.send_signal(number)
        _, said = ended.communicate(timeout=120)
    assert ended.returncode != 0
    assert "Traceback" not in said
    assert not list(place.rglob("*.ipynb"))
