"""What a release refuses before it runs anything, and what a release that is ended leaves."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from tiny_homeworks import BEGIN, END, marked, notebook_of, source_of, write_course

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
    notebook.cells += [
        new_code_cell("def f(:"),
        answer("double"),
        answer("mistyped", ANSWER.replace(END, "")),
        new_code_cell("1"),
        new_code_cell("2"),
    ]
    document = json.loads(nbformat.writes(notebook))
    first, second = document["cells"][-2:]
    del first["id"]
    second["id"] = document["cells"][0]["id"]
    source_file(course).write_text(json.dumps(document))
    said = "\n".join(refused(course, capfd))
    for expected in (
        "is not valid Python",
        "has this id too",
        "BEGIN SOLUTION has no END",
        "it has no `id`",
        "is also that of the cell 1 from the top",
    ):
        assert expected in said


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
