"""docs/changing-a-homework.md is followed step by step in a copy of the course."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from hw_grading.commands.sample import cell_of, solved
from hw_grading.gradebook.results import read_results
from hw_grading.homework.course import REPOSITORY, Course

# One copy serves all tests: they have to be in one worker.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("changing"), pytest.mark.timeout(1500)]

PAGE = (REPOSITORY / "docs" / "changing-a-homework.md").read_text(encoding="utf-8")
CHANGE = "Another due date, other points, another mark scheme"
ADD, BEGIN = "A new function", "A new homework"
COPIED = ["hw_support", "hw_grading", "source", "staff", "tools", "nbgrader_config.py"]
COPIED += ["pyproject.toml", "README.md", "LICENSE", "requirements.lock"]
COPIED += ["requirements-student.lock"]
BLOCK = re.compile(
    r"(?:^(?P<lead>[^\n`][^\n]*):\n\n)?^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.M | re.S
)
CELL = re.compile(
    r"- Below (?:`(?P<above>\w+)`|that), a (?P<kind>code|Markdown) cell "
    r"(?:`(?P<name>\w+)` of the type \*(?P<type>[^*]+)\*|without a type)"
)
# What the panel "Create Assignment" writes for a type.
TYPES = {
    "Autograded answer": {"solution": True},
    "Autograder tests": {"grade": True, "locked": True, "points": 0},
}


def blocks(heading: str) -> list[re.Match[str]]:
    """Return the blocks of a section of the page; headings inside blocks do not count."""
    section = PAGE.split(f"\n## {heading}\n")[1]
    end = re.search(r"^## (?!Q)", section, re.M)
    return list(BLOCK.finditer(section[: end.start()] if end else section))


class Copy:
    """A copy of the course, in which the page's steps are done."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.last = folder, ""  # the cell that was added last
        folder.mkdir()
        unneeded = shutil.ignore_patterns("__pycache__", "node_modules", ".*")
        for name in COPIED:
            if (REPOSITORY / name).is_dir():
                shutil.copytree(REPOSITORY / name, folder / name, ignore=unneeded)
            else:
                shutil.copy(REPOSITORY / name, folder)

    def path(self, room: str, homework: str = "hw0") -> Path:
        return self.folder / room / homework / f"{homework}.ipynb"

    def notebook(self, room: str, homework: str = "hw0") -> NotebookNode:
        return nbformat.read(self.path(room, homework), as_version=4)

    def edit(self, block: re.Match[str]) -> None:
        """Do what a block asks for: lines to append, a diff, or a new cell."""
        language, _, where = block["info"].partition(" ")
        path = self.folder / where
        if cell := CELL.fullmatch(block["lead"] or ""):
            self.insert(cell, block["text"].rstrip("\n"))
        elif language != "diff":
            path.write_text(f"{path.read_text(encoding='utf-8')}\n\n{block['text']}", "utf-8")
        elif where.endswith(".ipynb"):
            notebook = self.notebook("source")
            for old, new in changes(block["text"]):
                [cell] = [cell for cell in notebook.cells if old in cell.source]
                cell.source = cell.source.replace(old, new)
            nbformat.write(notebook, path)
        else:
            text = path.read_text(encoding="utf-8")
            for old, new in changes(block["text"]):
                assert text.count(old) == 1, old
                text = text.replace(old, new)
            path.write_text(text, encoding="utf-8")

    def insert(self, asked: re.Match[str], text: str) -> None:
        notebook = self.notebook("source")
        cell = (new_code_cell if asked["kind"] == "code" else new_markdown_cell)(text)
        if asked["name"]:
            flags = dict.fromkeys(("grade", "solution", "locked", "task"), False)
            marks = {"schema_version": 3, "grade_id": asked["name"], **flags}
            cell.metadata["nbgrader"] = marks | TYPES[asked["type"]]
        above = cell_of(notebook, asked["above"]).id if asked["above"] else self.last
        place = [one.id for one in notebook.cells].index(above)
        notebook.cells.insert(place + 1, cell)
        self.last = cell.id
        nbformat.write(notebook, self.path("source"))

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command line in the copy, with this environment's programs."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(
            command,
            shell=True,
            cwd=self.folder,
            env={**os.environ, "PATH": path, "PYTHONPATH": str(self.folder), "COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        print(f"$ {command}\n{done.stdout}")  # pytest shows it if a test fails
        return done

    def hand_in(self, homework: str, student: str, **answers: str) -> None:
        """Hand in the instructor's solutions, and these answers."""
        notebook = solved(self.notebook("release", homework), self.notebook("source", homework))
        for name, answer in answers.items():
            cell_of(notebook, name).source = answer
        path = self.path(f"submitted/{student}", homework)
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)


def changes(diff: str) -> list[tuple[str, str]]:
    """Return (old, new) for each change in a diff; a change begins with a removed line."""
    found: list[tuple[str, str]] = []
    for line in diff.splitlines():
        if line.startswith("-"):
            found.append((line[1:], ""))
        else:
            old, new = found[-1]
            found[-1] = (old, f"{new}\n{line[1:]}" if new else line[1:])
    return found


def follow(copy: Copy, homework: str, heading: str, **wrong: str) -> None:
    """Follow a section; a right and a wrong submission are handed in before grading."""
    for block in blocks(heading):
        if not block["info"].startswith("sh"):
            copy.edit(block)
            continue
        for command in block["text"].splitlines() if block["info"] == "sh" else ():
            if command.startswith("nbgrader autograde"):
                copy.hand_in(homework, "right")
                copy.hand_in(homework, "wrong", **wrong)
            done = copy.run(command)  # `check` may have found something to do
            assert done.returncode == 0 or "hw_support check" in command, command


def expect(copy: Copy, homework: str, total: float, test: str, points: float) -> None:
    """Expect that the wrong submission lost all points of one test, and the right one none."""
    results = read_results(Course(copy.folder), homework)
    assert sum(cell.max_points for cell in results.cells) == total
    full = {cell.name: cell.max_points for cell in results.cells if not cell.by_hand}
    assert full[test] == points
    scores = {
        one.student: {s.cell.name: s.auto for s in one.scores if not s.cell.by_hand}
        for one in (result.known for result in results.handed_in)
    }
    assert scores == {"right": full, "wrong": {**full, test: 0}}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("changing") / "course")


def test_a_new_homework_is_written_released_and_graded_at_once(copy: Copy) -> None:
    wrong = "def running_mean(x):\n    return np.cumsum(x)"
    follow(copy, "hw3", BEGIN, running_mean=wrong)
    expect(copy, "hw3", 10, "test_running_mean", 6)
    assert (copy.folder / "dist" / "hw3.zip").is_file()
    page = (copy.folder / "feedback/wrong/hw3/hw3.html").read_text(encoding="utf-8")
    assert "Input: x = [2., 4., -3., 5.]" in page


def test_a_new_function_is_graded_with_fresh_cases(copy: Copy) -> None:
    literals = "def span(x):\n    return 3.0 if len(x) == 3 else 0.0"
    follow(copy, "hw0", ADD, span=literals)
    expect(copy, "hw0", 13, "test_span", 3)  # visible cases alone give nothing
    graded = nbformat.read(copy.path("autograded/wrong"), as_version=4)
    assert "Fresh input: x = [" in cell_of(graded, "test_span").outputs[0].text
    released = nbformat.writes(copy.notebook("release"))
    for word in ("grade_with", "staff.hw0", "HIDDEN", "np.max(x) - np.min(x)"):
        assert word not in released


def test_a_change_of_points_and_due_date_fits_the_homework(tmp_path: Path) -> None:
    copy = Copy(tmp_path / "course")
    for block in blocks(CHANGE)[:2]:
        copy.edit(block)
    assert copy.run("hw-grading release hw0").returncode == 0
    front = copy.notebook("release").cells[0].source
    assert "- **Due:** Tuesday, 15 January 2030, 11:59 pm Pacific\n- **Points:** 11\n" in front
    assert "point where the title" not in nbformat.writes(copy.notebook("release"))
