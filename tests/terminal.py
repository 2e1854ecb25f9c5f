"""A course in a folder, in which commands of the documentation are typed as in a terminal."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from hw_grading.commands.sample import cell_of
from hw_grading.gradebook.results import read_results
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.source_notebook import solved

COPIED = ["hw_support", "hw_grading", "source", "staff", "tools", "nbgrader_config.py"]
COPIED += ["pyproject.toml", "README.md", "LICENSE", "requirements.lock"]
COPIED += ["requirements-student.lock"]


def blocks(page: Path, language: str) -> list[str]:
    """Return the blocks of a language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)


class Terminal:
    """A terminal in the course's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def in_a_copy(cls, folder: Path) -> "Terminal":
        """Copy the course of this repository."""
        folder.mkdir()
        unneeded = shutil.ignore_patterns("__pycache__", "node_modules", ".*")
        for name in COPIED:
            if (REPOSITORY / name).is_dir():
                shutil.copytree(REPOSITORY / name, folder / name, ignore=unneeded)
            else:
                shutil.copy(REPOSITORY / name, folder)
        return cls(folder)

    def path(self, room: str, homework: str = "hw0") -> Path:
        return self.folder / room / homework / f"{homework}.ipynb"

    def notebook(self, room: str, homework: str = "hw0") -> NotebookNode:
        return nbformat.read(self.path(room, homework), as_version=4)

    def run(self, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Type a command, and yes if it asks."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        here = {"PATH": path, "PYTHONPATH": str(self.folder), "COLUMNS": "200"}
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env={**os.environ, **here, **environment},
            input="y\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        print(f"$ {command}\n{done.stdout}")  # pytest shows it if a test fails
        return done

    def must(self, command: str, **environment: str) -> str:
        """Type a command that has to end well; return what it printed."""
        done = self.run(command, **environment)
        assert done.returncode == 0, command
        return done.stdout

    def hand_in(self, homework: str, student: str, **answers: str) -> None:
        """Hand in the instructor's solutions, with these answers in their place."""
        notebook = solved(self.notebook("release", homework), self.notebook("source", homework))
        for name, answer in answers.items():
            cell_of(notebook, name).source = answer
        path = self.path(f"submitted/{student}", homework)
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)

    def lost(self, homework: str, student: str) -> dict[str, float]:
        """Return the points that a student lost in tests, by test."""
        result = read_results(Course(self.folder), homework).students[student].known
        scores = [score for score in result.scores if not score.cell.by_hand]
        lost = {score.cell.name: score.cell.max_points - score.auto for score in scores}
        return {name: points for name, points in lost.items() if points}
