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
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import Execute
from nbgrader.utils import determine_grade
from toy_course import check, code, python_notebook, run
from traitlets.config import Config
from traitlets.utils.importstring import import_item

from hw_grading import configure
from hw_grading.cli import main
from hw_grading.commands.compare import grade_both
from hw_grading.homework.course import scratch_course
from hw_grading.homework.homework import Homework
from hw_grading.run.settings import RunSettings
from hw_grading.run.submission import SubmissionRun

CONSTRUCTS = Path(__file__).with_name("constructs.ipy")
POINTS = 2
ADOPTED = "from hw_grading import configure; configure(c)"
_HEAD = re.compile(r"# %% (?P<name>\w+)(?: (?P<score>[\d.]+))?(?: needs (?P<needs>\w+))?")


@dataclass(frozen=True)
class Construct:
    """A cell of a student, a test cell, and the score of stock nbgrader."""

    notebook: str
    name: str
    answer: str
    test: str
    score: float

    @property
    def cells(self) -> list[NotebookNode]:
        """As an instructor's notebook has them."""
        answer = code(self.answer, f"answer_{self.name}", solution=True)
        return [answer, check(self.name, self.test, POINTS)]


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
            if not found["needs"] or importlib.util.find_spec(found["needs"]):
                cells = answer.strip(), test.strip()
                yield Construct(notebook.strip(), found["name"], *cells, score)


def by_notebook() -> dict[str, list[Construct]]:
    found: dict[str, list[Construct]] = {}
    for construct in constructs():
        found.setdefault(construct.notebook, []).append(construct)
    return found


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """The folder of a course with a configuration of its own."""
    folder = tmp_path / "any course"
    folder.mkdir()
    (folder / "nbgrader_config.py").write_text('get_config().CourseDirectory.course_id = "any"\n')
    return folder


def adopt(course: Path) -> None:
    """Add the lines for this grader to the course's configuration."""
    settings = course / "nbgrader_config.py"
    settings.write_text(f"c = get_config()\n{ADOPTED}\n{settings.read_text()}")


def add(course: Path, assignment: str, **notebooks: NotebookNode) -> None:
    folder = course / "source" / assignment
    folder.mkdir(parents=True)
    for name, notebook in notebooks.items():
        nbformat.write(notebook, folder / f"{name}.ipynb")


def test_configure_sets_the_graders_classes_and_nothing_else() -> None:
    c = Config()
    c.CourseDirectory.course_id = "mine"
    configure(c)
    assert c.pop("CourseDirectory") == {"course_id": "mine"}
    assert set(c) == {
        *("GenerateAssignment", "ClearMarkScheme", "Autograde", "GenerateFeedback", "ExportApp"),
        *("TemplateExporter", "HTMLExporter"),
    }
    names = c.GenerateAssignment.preprocessors
    stock = [kind.__name__ for kind in GenerateAssignment.class_traits()["preprocessors"].default()]
    assert [n.rpartition(".")[2] for n in names if n.startswith("nbgrader.")] == stock
    for name in names + c.Autograde.autograde_preprocessors:
        assert isinstance(import_item(name), type)


def test_a_mistake_below_configure_ends_nbgraders_commands(course: Path) -> None:
    """Otherwise nbgrader leaves out the whole file, and with it the sandbox."""
    adopt(course)
    assert run(course, "db", "student", "list").returncode == 0
    settings = course / "nbgrader_config.py"
    settings.write_text(f"{settings.read_text()}c.ExecuteSubmission.processes = many\n")
    done = run(course, "db", "student", "list")
    assert done.returncode == 1
    assert "NameError: name 'many' is not defined" in done.stderr


@pytest.mark.slow
def test_compare_shows_a_difference_and_changes_no_course(course, capsys):
    """Stock nbgrader has no limit of CPU time."""
    solution = "### BEGIN SOLUTION\nseconds = 3\n### END SOLUTION"
    test = "import time\nwhile time.process_time() < seconds: pass"
    again = "assert seconds == 3"
    faulty = "import no_such_module"  # stock nbgrader gives 0, this grader no score
    cells = [
        code(solution, "answer", solution=True),
        check("slow", test, points=1),
        check("fast", again, points=1),
        check("faulty", faulty, points=3),
    ]
    without_answers = python_notebook(code("x = 1", "x"))
    add(
        course,
        "week 1",
        **{"any name": python_notebook(*cells), "without answers": without_answers},
    )
    settings = course / "nbgrader_config.py"
    limit = "get_config().ExecuteSubmission.cpu_seconds_per_cell = 1\n"
    settings.write_text(settings.read_text() + limit)
    before = sorted(course.rglob("*"))
    assert main(["--course", str(course), "compare", "week 1"]) == 1
    said = [re.split("  +", line) for line in capsys.readouterr().out.splitlines()]
    assert said[0][0].startswith("any name.ipynb, cell 'slow': the solutions get 0 of 1 points.")
    assert said[1] == [
        "any name.ipynb, cell 'faulty': the solutions get no score. It has a fault of the "
        "homework: line 1: there is no module 'no_such_module'."
    ]
    assert said[2] == ["Stock nbgrader and hw-grading differ in 3 of 6 cells."]
    assert ["solutions", "any name", "slow", "1", "0"] in said
    assert ["solutions", "any name", "faulty", "0", "not graded"] in said
    assert sorted(course.rglob("*")) == before


def test_the_constructs_are_many_and_have_names_of_their_own() -> None:
    found = list(constructs())
    assert len({construct.name for construct in found}) == len(found) > 150
    wrong = [one for one in found if one.notebook == "wrong" and one.score < POINTS]
    assert len(wrong) >= 15


@pytest.mark.slow
@pytest.mark.smoke
def test_a_test_without_checks_scores_as_stock_in_one_part() -> None:
    chosen = by_notebook()["wrong"]
    cells = [cell for construct in chosen for cell in construct.cells]
    stock, _ = Execute().preprocess(python_notebook(*(new_code_cell(c.source) for c in cells)), {})
    for cell, done in zip(cells, stock.cells, strict=True):
        done.metadata = cell.metadata
    expected = {c.metadata.nbgrader.grade_id: determine_grade(c)[0] for c in stock.cells[1::2]}
    assert expected == {construct.name: construct.score for construct in chosen}

    outcome = SubmissionRun(python_notebook(*cells), 0, RunSettings(), Homework("")).run()
    parts = {part.cell: part for part in outcome.parts if part.cell in expected}
    assert {name: part.earned for name, part in parts.items()} == expected
    for part in parts.values():
        assert (part.name, part.points, part.passed) == (part.cell, 2, part.earned == 2)
        # A test that gives points on its last line says nothing else.
        assert bool(part.message) == (part.earned == 0)


@pytest.mark.slow
def test_all_constructs_but_faults_score_as_in_stock_nbgrader(course: Path) -> None:
    notebooks = {
        name: python_notebook(*(cell for construct in chosen for cell in construct.cells))
        for name, chosen in by_notebook().items()
    }
    add(course, "all constructs", **notebooks)
    scratch = scratch_course(course.with_name("scratch"), course)
    scratch.run_nbgrader("generate_assignment", "all constructs", log=course / "log")
    folder = scratch.submitted("ann", "all constructs")
    shutil.copytree(scratch.source("all constructs"), folder)
    found = grade_both(scratch, "all constructs")
    expected = {("ann", one.notebook, one.name): one.score for one in constructs()}
    assert found.stock == expected
    # Stock nbgrader gives 0 for a fault of the homework; here a person has to look at the test.
    faults = [("ann", "kernel", name) for name in ("no_python", "missing_import")]
    assert found.different == faults
    assert [found.ours[cell] for cell in faults] == [None, None]


LAST_LINES = {  # what a test of 2 points returns, and its score
    "nan": None,
    "-inf": None,
    "inf": None,
    "-1.0": None,
    "2.5": None,
    "0.0": 0,
    "0.5": 0.5,
    "2.0": 2,
    "'fine'": 2,  # no number: full marks, as in stock nbgrader
}


@pytest.mark.slow
def test_a_number_outside_a_tests_points_is_no_score_in_any_command(course, capsys):
    adopt(course)
    solution = f"### BEGIN SOLUTION\nresults = {[2.0] * len(LAST_LINES)}\n### END SOLUTION"
    cells = [code(solution, "results", solution=True)]
    names = {f"test_{place}": score for place, score in enumerate(LAST_LINES.values())}
    for place, name in enumerate(names):
        cells.append(check(name, f"results[{place}]"))
    add(course, "ps1", **{"problem 1": python_notebook(*cells)})
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        gradebook.add_assignment("ps1", duedate="2030-01-02 03:04:05")
    assert run(course, "generate_assignment", "ps1").returncode == 0
    submitted = nbformat.read(course / "release" / "ps1" / "problem 1.ipynb", 4)
    submitted.cells[0].source = f"from math import inf, nan\nresults = [{', '.join(LAST_LINES)}]"
    folder = course / "submitted" / "ann" / "ps1"
    folder.mkdir(parents=True)
    nbformat.write(submitted, folder / "problem 1.ipynb")

    # JupyterLab leaves an Untitled.ipynb; a crash leaves a file without content.
    for name, content in (("Untitled", ""), ("Untitled1", nbformat.writes(python_notebook()))):
        (course / "source" / "ps1" / f"{name}.ipynb").write_text(content)

    assert run(course, "autograde", "ps1").returncode == 0
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        assert str(gradebook.find_assignment("ps1").duedate) == "2030-01-02 03:04:05"
        grades = gradebook.find_submission_notebook("problem 1", "ps1", "ann").grades
        assert {grade.name: grade.auto_score for grade in grades} == names
        assert {grade.name for grade in grades if grade.needs_manual_grade} == {
            name for name, score in names.items() if score is None
        }
    words = ["--course", str(course)]
    assert main([*words, "report", "ps1"]) == 0
    reported = " ".join(capsys.readouterr().out.split())
    assert "graded 0, graded with problems 1, not graded 0" in reported
    assert main([*words, "explain", "ps1", "--student", "ann"]) == 0
    explained = capsys.readouterr().out
    for said in (reported, explained):
        for (value, score), name in zip(LAST_LINES.items(), names, strict=True):
            number = value if value == "'fine'" else f"{float(value):g}"
            why = f"Cell '{name}' has no score: it returned '{number}', expected a number from 0"
            assert (why in said) == (score is None), value
    assert main([*words, "feedback", "ps1"]) == 0
    page = (course / "feedback" / "ann" / "ps1" / "problem 1.html").read_text()
    assert "a person has to look at it" in page
    capsys.readouterr()
    assert main([*words, "regrade", "ps1"]) == 0
    assert capsys.readouterr().err == ""
    assert main([*words, "release", "ps1"]) == 2
    assert "Untitled.ipynb is not a notebook" in capsys.readouterr().err


@pytest.mark.slow
def test_the_autotest_course_of_nbgrader_has_the_same_scores(tmp_path, capsys):
    """It has a header, and two notebooks with names of their own."""
    command = [sys.executable, "-m", "nbgrader", "quickstart", "course101", "--autotest"]
    subprocess.run(command, cwd=tmp_path, check=True)
    quickstart = tmp_path / "course101"
    before = sorted(path for path in quickstart.rglob("*"))
    assert main(["--course", str(quickstart), "compare", "ps1"]) == 0
    assert re.search(r"differ in 0 of \d\d cells", capsys.readouterr().out)
    assert sorted(path for path in quickstart.rglob("*")) == before
