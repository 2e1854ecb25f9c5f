"""The solutions and the untouched release are graded too: a test that they do not pass is named.

In a test cell that the solutions pass, nothing that a student wrote is a fault of the homework.
"""

import json
import logging
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from toy_course import CONFIG, EXAMINED, check, code, python_notebook, run

from hw_grading.__main__ import main
from hw_grading.commands.sample import cell_of
from hw_grading.grade.trial import SOLUTIONS, UNTOUCHED, BesideClass, TriedCell
from hw_grading.gradebook.results import Results, read_results
from hw_grading.homework.course import Course
from hw_grading.homework.homework import why_no_id
from hw_grading.outcome import CellFault, CellScore, Outcome, PartResult, Status

pytestmark = pytest.mark.slow

ANSWER = "def {0}(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
EXAMINED_TEST = """checks = Checks("double", inputs="x", returns="twice")
checks.table("of three", 1, "twice", cases=[(3.0, 6.0)])
checks.table("of five", 1, "twice", cases=[(5.0, 10.0)])
checks.score()"""
PLAIN_TEST = """assert twice(1) == 2
### BEGIN HIDDEN TESTS
assert twice(4) == 8, "twice of four"
### END HIDDEN TESTS"""

BOX = """class Box:
    ### BEGIN SOLUTION
    def size(self):
        return 1
    ### END SOLUTION
    pass"""


def source() -> NotebookNode:
    """The instructor's notebook: one function has an examined test, one a plain test."""
    return python_notebook(
        code("from hw_support import Checks, assert_close", "setup", locked=True),
        code(ANSWER.format("double"), "double", solution=True),
        check("test_double", EXAMINED_TEST),
        code(ANSWER.format("twice"), "twice", solution=True),
        check("test_twice", PLAIN_TEST),
    )


class Tried:
    """A course whose homework ps1 has this source; what its commands say is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.said = folder, ""
        folder.mkdir()
        (folder / "nbgrader_config.py").write_text(CONFIG.format(root=str(folder)))
        self.course = Course(folder)

    def write(self, *more: NotebookNode, **sources: str) -> None:
        """Write the instructor's notebook with more cells, and with other sources in some."""
        notebook = source()
        notebook.cells += more
        for name, text in sources.items():
            cell_of(notebook, name).source = text
        self.course.source("ps1").mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, self.course.source("ps1") / "ps1.ipynb")

    def generate(self, *more: NotebookNode, **sources: str) -> None:
        """Write it, and have nbgrader release it."""
        self.write(*more, **sources)
        assert run(self.folder, "generate_assignment", "ps1", "--force").returncode == 0

    def grade(self, status: int = 0, **answers: str) -> Results:
        """Hand in these answers beside right ones as ann's, grade, and return the results.

        `status` is 1 if a test has a score in no submission.
        """
        notebook = nbformat.read(self.course.release("ps1") / "ps1.ipynb", as_version=4)
        for name in ("double", "twice"):
            cell_of(notebook, name).source = answers.get(name, f"def {name}(x):\n    return x + x")
        folder = self.course.submitted("ann", "ps1")
        folder.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, folder / "ps1.ipynb")
        done = run(self.folder, "autograde", "ps1", "--force")
        assert done.returncode == status
        self.said = done.stderr
        return read_results(self.course, "ps1")

    @property
    def scores(self) -> dict[str, float | None]:
        with Gradebook(self.course.db_url) as gradebook:
            assert [student.id for student in gradebook.students] == ["ann"]
            grades = gradebook.find_submission_notebook("ps1", "ps1", "ann").grades
            return {grade.name: grade.auto_score for grade in grades}

    @property
    def runs(self) -> int:
        """How many runs have begun, of whichever submission."""
        return len((self.folder / "grading" / "ps1.jsonl").read_text().splitlines())


@pytest.fixture
def tried(tmp_path: Path) -> Tried:
    return Tried(tmp_path / "course")


# Test cells that do not keep their promise, and what is said of each.
BROKEN = {
    "value": (
        EXAMINED_TEST.replace("10.0", "11.0"),
        ("the solutions get 1 of 2 points. Line 3, 'of five': ", "11"),
    ),
    "hidden": (
        PLAIN_TEST.replace("== 8", "== 9"),
        ("the solutions get 0 of 2 points. Line 3: AssertionError: twice of four.",),
    ),
    "staff": (
        f"{EXAMINED}from hw_support.checks import StaffError\nraise StaffError('no such table')\n"
        "checks.score()",
        ("the solutions get no score. It has a fault of the homework: ", "table (line 4)."),
    ),
    "module": (
        "import no_such_module",
        ("the solutions get no score. ", "line 1: there is no module"),
    ),
    "misfit": (
        f"{EXAMINED_TEST.splitlines()[0]}\nchecks.table('of three', 2, 'twice', cases=[(3.0,)])\n"
        "checks.score()",
        ("the solutions get no score. ", "case 1 has 1 value, expected the inputs (x)", "(line 2)"),
    ),
    "object": (
        f"{EXAMINED}@checks.part('a box', 2)\ndef _():\n    assert Box().size() == 1\n"
        "checks.score()",
        ("the solutions get 0 of 2 points. ", "of type Box", ": Checks(..., function=its_name)."),
    ),
    "nothing": ("assert True", ("the untouched release gets 2 of 2 points.",)),
}


def test_broken_tests_are_named_and_not_released(
    tried: Tried, capfd: pytest.CaptureFixture[str]
) -> None:
    tried.write()
    release = ["--course", str(tried.folder), "release", "ps1"]
    assert main(release) == 0
    path = tried.course.release("ps1") / "ps1.ipynb"
    before, book = path.read_bytes(), (tried.folder / "gradebook.db").read_bytes()
    broken = [code(BOX, "box", solution=True)]
    broken += [check(name, test) for name, (test, _) in BROKEN.items()]
    tried.write(*broken)
    capfd.readouterr()
    assert main(release) == 1
    *found, last = capfd.readouterr().err.splitlines()
    assert last == "Nothing was released. Repair this, then try again."
    assert (path.read_bytes(), (tried.folder / "gradebook.db").read_bytes()) == (before, book)
    for line, (name, (_, expected)) in zip(found, BROKEN.items(), strict=True):
        assert line.startswith(f"ps1.ipynb, cell '{name}': ")
        assert not [said for said in expected if said not in line]

    tried.generate(*broken)  # nbgrader's own command releases it all the same
    tried.grade(status=1)
    said = [line for line in tried.said.splitlines() if "ps1: ps1.ipynb, cell" in line]
    assert [line.partition("ps1: ")[2] for line in said] == found
    assert tried.said.index(said[-1]) < tried.said.index("Setting destination")  # the first result
    unknown = dict.fromkeys(("staff", "module", "misfit"))
    assert tried.scores == {
        "test_double": 2,
        "test_twice": 2,
        "value": 1,
        "hidden": 0,
        "object": 0,
        "nothing": 2,
        **unknown,
    }


def test_what_release_found_is_read_by_every_autograde(tried: Tried) -> None:
    tried.write()
    assert main(["--course", str(tried.folder), "release", "ps1"]) == 0
    assert tried.runs == 2
    for runs in (3, 3):  # ann's, once
        tried.grade()
        assert tried.runs == runs
    assert tried.scores == {"test_double": 2, "test_twice": 2}
    assert "the solutions" not in tried.said
    assert [path.name for path in (tried.folder / "autograded").iterdir()] == ["ann"]
    assert why_no_id(SOLUTIONS)
    assert why_no_id(UNTOUCHED)


def test_a_class_of_one_waits_for_no_trial_and_two_have_it_beside_them(tried: Tried) -> None:
    tried.generate(test_double=EXAMINED_TEST.replace("10.0", "11.0"))
    tried.grade()
    assert tried.runs == 1
    assert "the tests were not tried with the solutions" in tried.said
    shutil.copytree(tried.course.submitted("ann", "ps1"), tried.course.submitted("bob", "ps1"))
    tried.grade()
    assert tried.runs == 4  # bob's, the solutions', the untouched release's
    for _ in range(2):  # the second time all is kept
        assert "cell 'test_double': the solutions get 1 of 2 points" in tried.said
        tried.grade()
        assert tried.runs == 4


class Trial:
    """One that never ends by itself: whoever waits for it is noted."""

    assignment, has_ended, is_kept = "ps1", False, False

    def __init__(self) -> None:
        self.begun, self.waited, self.run = 0, 0, SimpleNamespace(keep=lambda *_: None)

    def begin(self) -> None:
        self.begun += 1

    @property
    def cells(self) -> list[TriedCell]:
        self.waited += 1
        return [TriedCell("ps1", "sound", 2, 2, 0, ""), TriedCell("ps1", "wrong", 2, 0, 0, "No.")]


def outcome_with(*faults: CellFault) -> Outcome:
    notebook = json.dumps(python_notebook(check("sound", "1 / 0"), check("wrong", "1 / 0")))
    names = "sound", "wrong"
    parts = tuple(PartResult(name, name, 2, 0, False, "an error") for name in names)
    return Outcome(notebook, (), tuple(CellScore(n, 2, 0) for n in names), parts, faults)


def test_a_class_waits_for_the_trial_only_where_a_test_has_a_fault() -> None:
    trial: Any = Trial()
    beside = BesideClass(trial, 2, logging.LoggerAdapter(logging.getLogger()))
    beside.one_more()
    assert trial.begun == 0  # until each worker has a submission
    beside.one_more()
    beside.one_more()
    assert trial.begun == 1
    job: Any = SimpleNamespace(name="ps1")
    whole = outcome_with()
    assert beside.settled(job, whole) is whole
    beside.tell()
    assert trial.waited == 0
    faults = [CellFault(name, "no module", certain=False) for name in ("sound", "wrong")]
    for _ in range(2):
        made = beside.settled(job, outcome_with(*faults))
        assert (made.unscored, made.faults) == (("wrong",), ())
        assert [part.cell for part in made.parts] == ["sound"]
        assert made.status is Status.SUBMISSION_FAILED
        said = "Cell 'wrong' has no score, because of a fault of the homework: no module."
        assert made.why == said
    assert trial.waited == 1


def test_a_source_that_differs_or_is_missing_is_said(tried: Tried) -> None:
    tried.generate(test_twice="import no_such_module")
    path = tried.course.source("ps1") / "ps1.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cell_of(notebook, "double").metadata.nbgrader["grade_id"] = "renamed"
    nbformat.write(notebook, path)
    tried.grade(status=1)
    assert "the source has no cell 'double', which the release has" in tried.said
    path.unlink()
    tried.grade(status=1)
    [line] = [line for line in tried.said.splitlines() if "not tried" in line]
    assert line.endswith(f"ps1: tests were not tried with the solutions: there is no {path}")
    assert tried.scores == {"test_double": 2, "test_twice": None}


def test_a_students_odd_object_is_no_fault_of_a_sound_test(tried: Tried) -> None:
    """Its helper is in a locked cell, and imports what only this student removes."""
    helper = "import sys\nsys.modules['helper'] = sys"
    tried.generate(setup=f"{helper}\nfrom hw_support import Checks", test_twice="import helper")
    odd = "import sys\nsys.modules.pop('helper')\nclass Odd: pass\ndef twice(x): return Odd()"
    results = tried.grade(twice=odd)
    assert tried.scores == {"test_double": 2, "test_twice": 0}
    run_of = results.students["ann"].run
    assert run_of
    assert [part.message for part in run_of.parts_of("test_twice")] == [
        "line 1: ModuleNotFoundError: No module named 'helper'"
    ]
    assert "fault" not in results.students["ann"].reason
