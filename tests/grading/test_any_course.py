"""Courses that know nothing of this grader: they get from it the scores of stock nbgrader."""

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import nbgrader.docs
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.preprocessors import Execute
from nbgrader.utils import determine_grade
from toy_course import code

from hw_grading.cli import main
from hw_grading.commands.compare import grade_both
from hw_grading.homework.course import scratch_course
from hw_grading.homework.homework import Homework
from hw_grading.run.settings import RunSettings
from hw_grading.run.submission import Submission

CONSTRUCTS = Path(__file__).with_name("constructs.ipy")
POINTS = 2
_HEAD = re.compile(r"# %% (?P<name>\w+)(?: (?P<score>[\d.]+))?(?: needs (?P<needs>\w+))?")


@dataclass(frozen=True)
class Construct:
    """A cell of a student, a test cell, and the score of stock nbgrader."""

    notebook: str
    name: str
    answer: str
    test: str
    score: float
    needs: str | None

    @property
    def cells(self) -> list[NotebookNode]:
        """As an instructor's notebook has them."""
        test = code(self.test, self.name, grade=True, points=POINTS, locked=True)
        return [code(self.answer, f"answer_{self.name}", solution=True), test]


def constructs() -> Iterator[Construct]:
    """Read the constructs whose packages are installed."""
    for text in CONSTRUCTS.read_text(encoding="utf-8").split("\n# === ")[1:]:
        notebook, *parts = text.split("\n# %% ")
        for first, second in zip(parts[::2], parts[1::2], strict=True):
            head, _, answer = first.partition("\n")
            found = _HEAD.fullmatch(f"# %% {head}")
            assert found, head
            word, _, test = second.partition("\n")
            assert word == "test"
            score = float(found["score"] or POINTS)
            made = (
                notebook.strip(),
                found["name"],
                answer.strip(),
                test.strip(),
                score,
                found["needs"],
            )
            if not found["needs"] or importlib.util.find_spec(found["needs"]):
                yield Construct(*made)


def by_notebook() -> dict[str, list[Construct]]:
    found: dict[str, list[Construct]] = {}
    for construct in constructs():
        found.setdefault(construct.notebook, []).append(construct)
    return found


def notebook_of(cells: list[NotebookNode]) -> NotebookNode:
    made = new_notebook(cells=cells)
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made.metadata["kernelspec"] = spec
    return made


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """The folder of a course with a configuration of its own."""
    folder = tmp_path / "any course"
    folder.mkdir()
    (folder / "nbgrader_config.py").write_text('get_config().CourseDirectory.course_id = "any"\n')
    return folder


def add(course: Path, assignment: str, **notebooks: NotebookNode) -> None:
    folder = course / "source" / assignment
    folder.mkdir(parents=True)
    for name, notebook in notebooks.items():
        nbformat.write(notebook, folder / f"{name}.ipynb")


def test_the_constructs_are_many_and_have_names_of_their_own() -> None:
    found = list(constructs())
    assert len({construct.name for construct in found}) == len(found) > 150
    wrong = [one for one in found if one.notebook == "wrong" and one.score < POINTS]
    assert len(wrong) >= 15


@pytest.mark.slow
@pytest.mark.smoke
def test_a_test_without_checks_scores_what_stock_gives_and_is_one_part() -> None:
    chosen = by_notebook()["wrong"]
    cells = [cell for construct in chosen for cell in construct.cells]
    stock, _ = Execute().preprocess(notebook_of([new_code_cell(c.source) for c in cells]), {})
    for cell, done in zip(cells, stock.cells, strict=True):
        done.metadata = cell.metadata
    expected = {c.metadata.nbgrader.grade_id: determine_grade(c)[0] for c in stock.cells[1::2]}
    assert expected == {construct.name: construct.score for construct in chosen}

    outcome = Submission(notebook_of(cells), 0, RunSettings(), Homework("")).run()
    parts = {part.cell: part for part in outcome.parts if part.cell in expected}
    assert {name: part.earned for name, part in parts.items()} == expected
    for part in parts.values():
        assert (part.name, part.points, part.passed) == (part.cell, 2, part.earned == 2)
        # A test that gives points on its last line says nothing else.
        assert bool(part.message) == (part.earned == 0)


@pytest.mark.slow
def test_all_constructs_score_what_stock_nbgrader_gives_them(course: Path) -> None:
    notebooks = by_notebook()
    add(
        course,
        "all constructs",
        **{
            name: notebook_of([cell for construct in chosen for cell in construct.cells])
            for name, chosen in notebooks.items()
        },
    )
    scratch = scratch_course(course.with_name("scratch"), course)
    scratch.must("generate_assignment", "all constructs", log=course / "log")
    folder = scratch.submitted("ann", "all constructs")
    shutil.copytree(scratch.source("all constructs"), folder)
    found = grade_both(scratch, "all constructs")
    expected = {
        ("ann", construct.notebook, construct.name): construct.score for construct in constructs()
    }
    assert found.stock.scores == expected
    assert found.different == []


@pytest.mark.slow
def test_the_quickstart_course_of_nbgrader_has_the_same_scores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(
        [sys.executable, "-m", "nbgrader", "quickstart", "course101"], cwd=tmp_path, check=True
    )
    quickstart = tmp_path / "course101"
    before = sorted(path for path in quickstart.rglob("*"))
    assert main(["--course", str(quickstart), "compare", "ps1"]) == 0
    assert re.search(r"the same scores in all of \d\d cells", capsys.readouterr().out)
    assert sorted(path for path in quickstart.rglob("*")) == before


@pytest.mark.slow
def test_the_course_of_nbgraders_user_guide_has_the_same_scores(course: Path) -> None:
    guide = Path(nbgrader.docs.__path__[0], "source", "user_guide")
    shutil.copytree(guide / "source" / "ps1", course / "source" / "ps1")
    scratch = scratch_course(course.with_name("scratch"), course)
    scratch.must("generate_assignment", "ps1", log=course / "log")
    shutil.copytree(guide / "submitted", scratch.root / "submitted")
    found = grade_both(scratch, "ps1")
    assert {student for student, *_ in found.stock.scores} == {"bitdiddle", "hacker"}
    assert len(found.stock.scores) > 10
    assert found.different == []
