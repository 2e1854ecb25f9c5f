"""The commands of the documentation exist, and those of these pages run, in a copy of the course.

Other tests run the commands of other pages: `ELSEWHERE` names them.
"""

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from terminal import Terminal

from hw_grading.cli import PARSER
from hw_grading.commands.sample import replace_in
from hw_grading.homework.source_notebook import solved
from hw_support.__main__ import _parser as students_parser

ROOT = Path(__file__).resolve().parents[1]
GENERATED = {"reference", "validity"}
PAGES = [p for p in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")) if p.stem not in GENERATED]
# Who else runs the commands of a page, or why nobody can.
ELSEWHERE = {
    "clusters.md": "needs several machines; grade/test_whole_class.py in tests/grading has two",
    "CONTRIBUTING.md": "make's targets, which take up to an hour each; .ci/run",
    "grade-file.md": "needs a notebook of a student; tests/grading/commands/test_grade_file.py",
    "instructors.md": "tests/test_a_term.py",
    "jupyterhub.md": "needs root and a hub; tests/hub",
    "one-server.md": "needs root and PostgreSQL; tests/grading/test_backup.py puts a backup back",
    "writing-a-homework.md": "tests/test_writing_a_homework.py",
    "your-own-course.md": "needs another course; tests/test_writing_a_homework.py runs its cells",
}
# Commands that are not run here, and why.
NOT_RUN = {
    r"make (demo|test|setup)": "installs packages, and takes minutes; .ci/run",
    r"source ": "the environment's programs are on the PATH",
    r"jupyter lab|hw-grading desk": "a server that does not end; tests/browser",
    r"hw-grading compare": "needs another course",
    r"git restore": "the copy of the course is no repository",
}
# Commands that end with status 1 because something is left to do.
TO_DO = ("hw-grading doctor", "python -m hw_support check", "hw-grading export")


def statements(page: Path) -> Iterator[str]:
    """The commands in the fenced blocks of a page; a loop is one command."""
    blocks = re.findall(r"^ *```([^\n]*)\n(.*?)^ *```$", page.read_text("utf-8"), re.M | re.S)
    for language, block in blocks:
        if language in ("", "sh", "sh tests"):
            yield from re.findall(r"^for (?s:.*?)done$|^(?:.*\\\n)*.+$", block, re.M)


def mentioned(page: Path) -> Iterator[str]:
    """The commands in the text of a page, between backticks."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text("utf-8"), flags=re.M | re.S)
    yield from (" ".join(command.split()) for command in re.findall(r"`([^`]+)`", text))


def why_unknown(command: str) -> str:
    """What is wrong with a command of this project; "" if nothing is, or it is another's."""
    words = shlex.split(command, comments=True)
    match words:
        case ["hw-grading", name, *_] | ["python", "-m", "hw_grading", name, *_]:
            return _parsed(PARSER, words[words.index(name) :])
        case ["python", "-m", "hw_support", _, *_]:
            return _parsed(students_parser(), words[3:])
        case ["python", "-m", module, *_] if module.startswith(("tools", "benchmarks")):
            path = ROOT / module.replace(".", "/")
            return "" if path.is_dir() or path.with_suffix(".py").is_file() else "no such program"
        case ["make", target, *_]:
            rule = f"\n{target}:" in (ROOT / "Makefile").read_text("utf-8")
            return "" if rule else "no such target"
    return ""


def _parsed(parser: argparse.ArgumentParser, words: list[str]) -> str:
    if len(words) == 1 and words[0] in _names(parser):  # the text names the command alone
        return ""
    try:
        asked, more = parser.parse_known_args(words)
    except SystemExit:
        return "the program does not accept these arguments"
    return "" if not more or getattr(asked, "takes_more", False) else f"unknown: {more}"


def _names(parser: argparse.ArgumentParser) -> set[str]:
    [names] = [action.choices for action in parser._actions if action.dest == "command"]
    return {*(names or ())}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_command_of_a_page_is_accepted_by_its_program(page):
    commands = [*statements(page), *mentioned(page)]
    found = {command: why_unknown(command) for command in commands if "<" not in command}
    assert {command: why for command, why in found.items() if why} == {}


def test_every_page_with_commands_is_run_or_says_who_runs_it():
    with_commands = {page.name for page in PAGES if any(statements(page))}
    here = {"README.md", "tutorial.md", "late-work.md", "grading-by-hand.md"}
    here |= {"mistakes.md"}
    assert here <= with_commands <= here | {*ELSEWHERE}


class Course(Terminal):
    """A copy of the course in which the commands of pages are typed."""

    def follow(self, name: str) -> str:
        """Run the commands of a page; return what they printed."""
        said = ""
        for command in statements(ROOT / name):
            if not re.match("|".join(NOT_RUN), command):
                done = self.run(command)
                allowed = (0, 1) if command.startswith(TO_DO) else (0,)
                assert done.returncode in allowed, command
                said += done.stdout
            elif "jupyter lab submitted" in command:
                self.answer()
        return said

    def answer(self) -> None:
        """Answer the notebooks of the tutorial: Ann's well, Ben's with a mistake."""
        right = solved(self.notebook("release"), self.notebook("source"))
        nbformat.write(right, self.folder / "submitted/ann/hw0/hw0.ipynb")
        replace_in(right, "as_column", "return ", "return 2 * ")
        nbformat.write(right, self.folder / "submitted/ben/hw0/hw0.ipynb")


@pytest.mark.slow
def test_the_commands_of_readme_tutorial_and_late_work_run(tmp_path):
    course = Course.in_a_copy(tmp_path / "course")
    course.follow("README.md")
    said = course.follow("docs/tutorial.md")
    assert "FAILED" in said
    assert "hw0_questions.csv" in said  # which the last step removes
    assert list((course.folder / "submitted").iterdir()) == []
    for student in ("ann", "ben", "cyd"):
        folder = course.folder / "submitted" / student / "hw2"
        folder.mkdir(parents=True)
        (folder / "hw2.ipynb").write_bytes((ROOT / "release/hw2/hw2.ipynb").read_bytes())
    assert course.run("hw-grading release hw2").returncode == 0
    assert course.run("hw-grading grade hw2").returncode == 0
    (course.folder / "extensions.csv").write_text("student,hours\nann,24\n")
    assert "the text did not say which units" in course.follow("docs/late-work.md")
    assert "hw2_2027" in course.follow("docs/mistakes.md")
