"""Reads docs/changing-a-homework.md, and does what it says in a copy of the course."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from hw_grading.commands.sample import cell_of, solved
from hw_grading.homework.course import REPOSITORY

PAGE = REPOSITORY / "docs" / "changing-a-homework.md"
# What is copied: the whole repository, except students' records and generated files.
COPIED = ["hw_grading", "hw_support", "source", "staff", "release", "tests", "docs", "tools"]
COPIED += ["benchmarks", "nbgrader_config.py", "pyproject.toml", "Makefile", "README.md", "LICENSE"]
COPIED += ["CONTRIBUTING.md", "requirements.lock", "requirements-student.lock"]
_MADE = shutil.ignore_patterns("__pycache__", "node_modules", ".*", "saved_runs")
_BLOCK = re.compile(
    r"(?:^(?P<lead>[^\n`][^\n]*):\n\n)?^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.M | re.S
)
_CELL = re.compile(
    r"- Below (?:`(?P<above>\w+)`|that), a (?P<kind>code|Markdown) cell "
    r"(?:`(?P<name>\w+)` of the type \*(?P<type>[^*]+)\*|without a type)"
)
# What the panel "Create Assignment" writes for a type.
_TYPES = {
    "Autograded answer": {"solution": True},
    "Autograder tests": {"grade": True, "locked": True},
    "Manually graded answer": {"solution": True, "grade": True},
    "Read-only": {"locked": True},
}


@dataclass(frozen=True)
class Step:
    """One thing that the page asks for.

    Attributes
    ----------
    kind
        "sh", "diff", "cell" or "file".
    where
        The file that is edited, or the words behind "sh".
    text
        The block.
    cell
        For a new cell, what `_CELL` found.
    """

    kind: str
    where: str
    text: str
    cell: dict[str, str | None] = field(default_factory=dict)


def steps(heading: str) -> list[Step]:
    """Return what a section of the page asks for, in its order."""
    found = []
    for block in _BLOCK.finditer(_section(heading)):
        language, _, where = block["info"].partition(" ")
        cell = _CELL.fullmatch(block["lead"] or "")
        if cell:
            found.append(Step("cell", "", block["text"], cell.groupdict()))
        else:
            kind = language if language in ("sh", "diff") else "file"
            found.append(Step(kind, where, block["text"]))
    return found


def _section(heading: str) -> str:
    """Return the text below a heading of the page; headings inside blocks do not count."""
    lines: list[str] = []
    inside = in_block = False
    for line in PAGE.read_text(encoding="utf-8").splitlines(keepends=True):
        in_block ^= line.startswith("```")
        if line.startswith("## ") and not in_block:
            inside = line == f"## {heading}\n"
        elif inside:
            lines.append(line)
    assert lines, heading
    return "".join(lines)


class Copy:
    """A copy of the course, in which steps of the page are done.

    Parameters
    ----------
    folder
        Made here.
    homework
        The one that is edited.
    """

    def __init__(self, folder: Path, homework: str) -> None:
        self.folder, self.homework = folder, homework
        folder.mkdir()
        for name in COPIED:
            if (REPOSITORY / name).is_dir():
                shutil.copytree(REPOSITORY / name, folder / name, ignore=_MADE)
            else:
                shutil.copy(REPOSITORY / name, folder)
        self._last = ""  # the cell that was added last

    def notebook(self, room: str) -> NotebookNode:
        """Read the notebook in "source" or "release"."""
        return nbformat.read(self._path(room), as_version=4)

    def _path(self, room: str) -> Path:
        return self.folder / room / self.homework / f"{self.homework}.ipynb"

    def edit(self, step: Step) -> None:
        """Do a step that is not a command."""
        if step.kind == "file":
            path = self.folder / step.where
            before = path.read_text(encoding="utf-8") + "\n\n" if path.exists() else ""
            path.write_text(before + step.text, encoding="utf-8")
        elif step.kind == "diff" and not step.where.endswith(".ipynb"):
            path = self.folder / step.where
            text = path.read_text(encoding="utf-8")
            for old, new in changes(step.text):
                assert text.count(old) == 1, old
                text = text.replace(old, new)
            path.write_text(text, encoding="utf-8")
        else:
            notebook = self.notebook("source")
            if step.kind == "diff":
                for old, new in changes(step.text):
                    [cell] = [cell for cell in notebook.cells if old in cell.source]
                    assert cell.source.count(old) == 1, old
                    cell.source = cell.source.replace(old, new)
            else:
                self._insert(notebook, step)
            nbformat.write(notebook, self._path("source"))

    def _insert(self, notebook: NotebookNode, step: Step) -> None:
        make = new_code_cell if step.cell["kind"] == "code" else new_markdown_cell
        cell = make(step.text.rstrip("\n"))
        if step.cell["name"]:
            marks = dict.fromkeys(("grade", "solution", "locked", "task"), False)
            marks |= {"schema_version": 3, "grade_id": step.cell["name"]}
            marks |= _TYPES[step.cell["type"] or ""]
            if marks["grade"]:
                marks["points"] = 0  # as the panel does; the release sets the points of a test
            cell.metadata["nbgrader"] = marks
        above = step.cell["above"]
        ids = [c.id for c in notebook.cells]
        place = ids.index(cell_of(notebook, above).id if above else self._last)
        notebook.cells.insert(place + 1, cell)
        self._last = cell.id

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command line in the copy, with this environment's programs."""
        environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": str(self.folder),
            "COLUMNS": "200",
        }
        done = subprocess.run(
            command,
            shell=True,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=500,
        )
        print(f"$ {command}\n{done.stdout}")  # pytest shows it if a test fails
        return done

    def hand_in(self, student: str, **answers: str) -> None:
        """Hand in the released notebook with the instructor's solutions and these answers."""
        notebook = solved(self.notebook("release"), self.notebook("source"))
        for name, answer in answers.items():
            cell_of(notebook, name).source = answer
        folder = self.folder / "submitted" / student / self.homework
        folder.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, folder / f"{self.homework}.ipynb")


def changes(diff: str) -> list[tuple[str, str]]:
    """Return (old, new) for each change in a diff; a change begins with a removed line."""
    found: list[tuple[str, str]] = []
    for line in diff.splitlines():
        if line.startswith("-"):
            found.append((line[1:], ""))
        else:
            assert line.startswith("+")
            old, new = found[-1]
            found[-1] = (old, f"{new}\n{line[1:]}" if new else line[1:])
    return found
