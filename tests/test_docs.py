"""The links of the documentation lead somewhere, and its index lists every page.

git ignores every file of students' data that a command writes, or that the documentation names.
"""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from benchmarks.figures import FIGURES, number_behind
from hw_grading.cli import PARSER
from tools.build_reference import reference

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def links_of(page):
    """The relative links and pictures of a page, without their anchors."""
    code = r"^```.*?^```$|`[^`\n]*`"
    text = re.sub(code, "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    return [page.parent / target for target in targets if "://" not in target]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_link_leads_to_a_file_or_a_folder(page):
    assert [str(target) for target in links_of(page) if not target.exists()] == []


def test_the_reference_says_what_the_code_says():
    page = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    words = page.split()  # Pythons break the lines of a help at other places
    assert words == reference().split(), "type: python -m tools.build_reference"


def test_pages_name_the_version_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert {*re.findall(r"grading[-:](\d+\.\d+\.\d+)", text)} == {project["version"]}
    assert f"## {project['version']} (" in text  # the changelog's newest heading
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {project['version']}\n" in citation


@pytest.mark.parametrize("figure", FIGURES, ids=lambda one: one.on_page)
def test_each_figure_that_is_compared_stands_on_its_page(figure):
    text = (ROOT / figure.page).read_text(encoding="utf-8")
    assert number_behind(figure.on_page, text) > 0
    assert f"python -m benchmarks {figure.benchmark}`" in text


def test_the_index_lists_every_page():
    index = ROOT / "docs" / "README.md"
    assert {*(ROOT / "docs").glob("*.md")} - {index} <= {*links_of(index)}


def names_by_default():
    """The files and folders that the commands write by default, as their help names them."""
    [commands] = [action for action in PARSER._actions if action.dest == "command"]
    actions = [action for parser in commands.choices.values() for action in parser._actions]
    helps = " ".join(a.help.partition("default: ")[2] for a in actions if a.dest == "output")
    for name in re.findall(r"[\w<>]+(?:/|\.\w+)", helps):
        name = name.replace("<homework>", "hw2")
        for kind in ("canvas", "moodle", "gradescope", "questions"):
            yield name.replace("<format>", kind)


def names_in_the_documentation():
    """The files in the course's folder that commands of the documentation read and write."""
    option = r"--(?:to|output|fill|from-csv|canvas-gradebook|roster)[ =]"
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    return re.findall(rf"{option}([\w.]+\.\w+)(?=[\s`])", text)


def test_git_ignores_every_file_of_students_data(tmp_path):
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    shutil.copy(ROOT / ".gitignore", tmp_path)
    names = {*names_by_default(), *names_in_the_documentation()}
    assert {"hw2_canvas.csv", "hw2_questions.csv", "backups/"} <= names
    assert {"canvas.csv", "grades.csv", "extensions.csv"} <= names
    names |= {"code/2026/students/ann.py", "students.csv", "submissions.zip", "gradebook.db"}
    names |= {"course-2030-09-11T120000Z.zip"}
    for name in sorted(names):
        found = subprocess.run(["git", "check-ignore", "--quiet", name], cwd=tmp_path)
        assert found.returncode == 0, f"git does not ignore {name}: add it to .gitignore"
