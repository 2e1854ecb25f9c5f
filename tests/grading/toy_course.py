"""A course with a homework of a few cells, quick to generate and to grade.

The answers are `double` and `triple` (code), `why` (text) and `sketch` (code, graded by hand); the
tests are worth 2, 1 and 3 points. `grade` runs the real `nbgrader autograde` in its own process.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook, MissingEntry
from tiny_homeworks import marked

import hw_grading
from hw_grading.commands.sample import cell_of
from hw_grading.grade.job import Job
from hw_grading.grade.save import GradedNotebook, Saver
from hw_grading.gradebook.results import read_results
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.homework import Homework
from hw_grading.outcome import Outcome
from hw_support.submission.problems import Problem

ASSIGNMENT = "hw2"
TESTS = {"test_double": 2.0, "test_triple": 1.0, "test_triple_sum": 3.0}
FULL_MARKS = sum(TESTS.values())

# The course's own configuration, without the settings of its homework.
CONFIG = f"""
load_subconfig({str(REPOSITORY / "nbgrader_config.py")!r})
c = get_config()
c.CourseDirectory.root = {{root!r}}
c.CourseDirectory.course_id = "toy"
c.Exchange.root = {{root!r}} + "/exchange"
c.ExecuteSubmission.cpu_seconds_per_cell = 20
c.ExecuteSubmission.wall_seconds_per_cell = 40
c.ExecuteSubmission.iopub_timeout = 10
c.ExecuteSubmission.output_bytes_per_cell = 200_000
"""


MANIFEST = """
[limits.sketch]
cpu_seconds = 1.5
"""


def code(source: str, grade_id: str, **marks: Any) -> NotebookNode:
    return marked(new_code_cell(source), grade_id, **marks)


def text(source: str, grade_id: str, **marks: Any) -> NotebookNode:
    return marked(new_markdown_cell(source), grade_id, **marks)


def python_notebook(*cells: NotebookNode) -> NotebookNode:
    """A notebook that says which kernel runs it."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=list(cells), metadata={"kernelspec": kernel})


def source_notebook() -> NotebookNode:
    """The instructor's notebook."""
    solution = "### BEGIN SOLUTION\n    return {} * x\n    ### END SOLUTION"
    hidden = "### BEGIN HIDDEN TESTS\nassert triple(5) == 15\n### END HIDDEN TESTS"
    sketch = "### BEGIN SOLUTION\nprint('/\\\\')\n### END SOLUTION"
    return python_notebook(
        text("# Toys", "title", locked=True),
        new_code_cell("import random"),
        code(f"def double(x):\n    {solution.format(2)}", "double", solution=True),
        check("test_double", "assert double(4) == 8"),
        code(f"def triple(x):\n    {solution.format(3)}", "triple", solution=True),
        check("test_triple", f"assert triple(2) == 6\n{hidden}", 1),
        check("test_triple_sum", "assert sum(map(triple, range(4))) == 18", 3),
        text("Because.", "why", grade=True, solution=True, points=4),
        code(sketch, "sketch", grade=True, solution=True, points=5),
    )


# The first lines of a test cell that the examiner runs.
EXAMINED = "from hw_support import Checks\nchecks = Checks('f')\n"


def check(name: str, source: str = "pass", points: float = 2) -> NotebookNode:
    """A test cell."""
    return code(source, name, grade=True, points=points, locked=True)


@dataclass
class ToyCourse:
    """A course folder, and two submissions: without answers, and with full marks."""

    root: Path
    released: NotebookNode
    answered: NotebookNode
    settings: str = ""  # beside those of every toy course

    @classmethod
    def make(cls, root: Path, settings: str = "") -> ToyCourse:
        """Write the source and generate the release."""
        root.mkdir(parents=True, exist_ok=True)
        (root / "nbgrader_config.py").write_text(CONFIG.format(root=str(root)) + settings)
        course = Course(root)
        folder = course.source(ASSIGNMENT)
        folder.mkdir(parents=True)
        nbformat.write(source_notebook(), folder / "hw2.ipynb")
        write_manifest(course.root, MANIFEST)
        done = run(root, "generate_assignment", "--create", ASSIGNMENT)
        assert done.returncode == 0, done.stderr
        released = nbformat.read(course.release(ASSIGNMENT) / "hw2.ipynb", as_version=4)
        answered = copy.deepcopy(released)
        cell_of(answered, "double").source = "def double(x):\n    return x + x"
        cell_of(answered, "triple").source = "def triple(x):\n    return x + x + x"
        cell_of(answered, "why").source = "It is so."
        cell_of(answered, "sketch").source = "print('o')"
        return cls(root, released, answered, settings)

    def copied(self, root: Path, settings: str = "") -> ToyCourse:
        """The same course in another folder, for tests that grade, and with further settings."""
        shutil.copytree(self.root, root)
        settings = self.settings + settings
        (root / "nbgrader_config.py").write_text(CONFIG.format(root=str(root)) + settings)
        return ToyCourse(root, self.released, self.answered, settings)

    @cached_property
    def course(self) -> Course:
        """The course's folders and settings."""
        return Course(self.root)

    def folder(self, student: str) -> Path:
        """The folder of a student's submission, made if it is not there."""
        folder = self.course.submitted(student, ASSIGNMENT)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def submit(self, student: str, content: NotebookNode | dict[str, Any] | bytes | str) -> Path:
        """Hand in a notebook: as nbformat gives it, or any JSON, bytes or text."""
        path = self.folder(student) / "hw2.ipynb"
        if isinstance(content, dict):
            content = json.dumps(content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def answer(self, **sources: str) -> NotebookNode:
        """A full-marks submission with other sources in some cells, by grade id."""
        nb = copy.deepcopy(self.answered)
        for grade_id, source in sources.items():
            cell_of(nb, grade_id).source = source
        return nb

    def grade(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `nbgrader autograde hw2`."""
        return run(self.root, "autograde", ASSIGNMENT, *arguments)

    def scores(self, student: str) -> dict[str, float | None]:
        """The automatic scores by grade id; empty if the student has no submission."""
        with Gradebook(self.course.db_url) as gradebook:
            try:
                notebook = gradebook.find_submission_notebook("hw2", ASSIGNMENT, student)
            except MissingEntry:
                return {}
            return {grade.name: grade.auto_score for grade in notebook.grades}

    def test_scores(self, student: str) -> dict[str, float | None]:
        """The scores of the tests only."""
        return {k: v for k, v in self.scores(student).items() if k in TESTS}

    def problems(self, student: str) -> tuple[Problem, ...]:
        """What the last run of a student's submission found."""
        run = read_results(self.course, ASSIGNMENT).of(student).run
        assert run
        return run.problems

    def graded(self, student: str) -> NotebookNode:
        """The autograded notebook."""
        path = self.course.autograded(student, ASSIGNMENT) / "hw2.ipynb"
        return nbformat.read(path, as_version=4)


def save_nothing(course: Course, assignment: str, student: str) -> None:
    """Save a submission whose notebook has no cell."""
    empty = new_notebook()
    job = Job(student, json.dumps(empty), {}, {}, Homework(assignment), name=assignment)
    graded = GradedNotebook(empty, job, Outcome("{}"))
    Saver(course.db_url, course.directory.course_id, assignment).save(student, [graded])


def write_manifest(root: Path, text: str) -> None:
    """Write what the course sets for its homework."""
    path = root / "staff" / ASSIGNMENT / "homework.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def environment() -> dict[str, str]:
    """The environment in which nbgrader finds alembic and this package."""
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PYTHONPATH": str(Path(hw_grading.__file__).resolve().parents[1]),
    }


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of nbgrader in a course folder, its output in `stderr`."""
    with open(root / "output.txt", "w+", errors="replace") as output:
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *arguments],
            cwd=root,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            timeout=300,
        )
        output.seek(0)
        text = output.read()
    print(text)  # pytest shows it if a test fails
    return subprocess.CompletedProcess(done.args, done.returncode, "", text)


@pytest.fixture(scope="session")
def generated_course(tmp_path_factory: pytest.TempPathFactory) -> ToyCourse:
    """One course for a session; tests that grade get copies of it."""
    return ToyCourse.make(tmp_path_factory.mktemp("generated") / "course")


@pytest.fixture
def course(generated_course: ToyCourse, tmp_path: Path) -> ToyCourse:
    return generated_course.copied(tmp_path / "course")
