"""Grades one hostile submission as in a class, and checks its points and the damage that it did.

The homework has four answers. Unless an attack says otherwise, all are wrong or missing, so every
point was stolen. The machine has things to steal: a course folder with a source notebook, a
gradebook and another student's work. Each of them, and the grader's environment, contains a canary.
"""

import contextlib
import copy
import hashlib
import json
import os
import re
import secrets
import sys
import tempfile
import time
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import nbformat
import psutil
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.utils import determine_grade

import hw_grading
from hw_grading.homework.homework import Homework
from hw_grading.homework.layout import ANSWER, LOCKED, SOLUTIONS, TEST
from hw_grading.homework.notebook import as_released
from hw_grading.outcome import GraderFault
from hw_grading.run.settings import RunSettings
from hw_grading.run.submission import SubmissionRun
from hw_grading.sandbox import environment
from hw_grading.sandbox.kernel_process import fork_server_for
from hw_support.submission.cells import InstructorCell
from hw_support.submission.problems import Kind, Problem

SEED = secrets.randbits(128)
CANARY = "canary-7f3a"  # must never be seen by student code
STUDENT = "mallory-7351"  # whose name student code must not find, either
EXPECTED = "4242"  # a number that is only in staff code and hidden tests
POINTS = {"test_double": 2.0, "test_mean": 3.0, "test_apply": 2.0, "test_total": 1.0}
NOTHING = dict.fromkeys(POINTS, 0.0)
PACKAGE = str(Path(hw_grading.__file__).resolve().parent)
# Texts of test cells, of solutions and of staff code, which the kernel never gets.
HIDDEN = [
    *(f"{EXPECTED} - ", "BEGIN HIDDEN", "of other seven and more", "of many rows"),
    *("leaves its input alone", "a secret function", "staff.arena", "what nobody sees"),
    *(f"{EXPECTED}.0 * x", "8485.0"),
]

RIGHT = {
    "double": "def double(x):\n    return 2 * x",
    "mean": "def mean(x):\n    return np.asarray(x, dtype=float).mean(axis=0)",
    "apply": "def apply(f, x):\n    return f(x) + 1",
    "total": "total = 10",
}
# The answers of an attack, all wrong, unless it has others.
WRONG = {
    "double": "def double(x):\n    return 0 * x",
    "mean": "def mean(x):\n    return np.zeros(2)",
    "apply": "def apply(f, x):\n    return -1",
    "total": "total = -1",
}
_HIDDEN = """### BEGIN HIDDEN TESTS
checks.fresh()
### END HIDDEN TESTS"""
_TESTS = {
    "test_double": f"""
checks = Checks("double", inputs="x", returns="twice")
{_HIDDEN}
checks.table("of 3", 1, "twice", cases=[(3, 6)])
checks.table("of other seven and more", 1, "twice", cases=[([1.5, -2.0], [3.0, -4.0])])
checks.score()
""",
    "test_mean": f"""
checks = Checks("mean", inputs="x", returns="means")
{_HIDDEN}
_test_rows = [([[1.0, 2.0], [3.0, 6.0]], [2.0, 4.0])]
checks.table("of two rows", 1, "means", cases=_test_rows)
checks.table("of many rows", 1, "means", cases=_test_rows)
@checks.part("leaves its input alone", 1, cases=[([[1.0, 4.0], [5.0, 4.0]], [3.0, 4.0])])
def _(x, right):
    assert_close(expect_unchanged(mean, x, names="x"), right)
checks.score()
""",
    "test_apply": f"""
checks = Checks("apply", inputs="f, x", returns="more")
{_HIDDEN}
checks.table("a square", 1, "more", cases=[(lambda x: x**2, 3.0, 10.0)])
checks.table("a secret function", 1, "more", cases=[(lambda x: 5.0 * x, 2.0, 11.0)])
checks.score()
""",
    "test_total": f"""
checks = Checks("total")
{_HIDDEN}
@checks.part("the total", 1)
def _():
    assert as_numbers(total, what="total", shape=()) == 10, "the total is not 4242 - 4232"
checks.score()
""",
}
# A second try has the right `double` at hand where the solution calls it.
_BY_DOUBLE = "def mean(x):\n    return double(np.asarray(x, dtype=float)).mean(axis=0) / 2"
_SOLUTIONS = {
    name: re.sub(r":\n", ":\n    'Return what nobody sees.'\n", source)
    for name, source in (RIGHT | {"mean": _BY_DOUBLE}).items()
}
_REFERENCE = b"""
import numpy as np
def mean(x):
    "Return what nobody sees, either."
    return np.mean(x, axis=0)
"""
_FRESH = b"""
import numpy as np
def double(draw):
    return {"of other seven and more": [(2121, 4242)]}
def mean(draw):
    x = np.arange(12.0).reshape(6, 2) + 4242
    alone = {"leaves its input alone": [(x[:2], [4243.0, 4244.0])]}
    return {"of many rows": [(x, x.mean(axis=0))], **alone}
def secret_function(x):
    return 4242.0 * x
def apply(draw):
    return {"a secret function": [(secret_function, 2.0, 8485.0)]}
"""
_SETUP = (
    "import numpy as np\nfrom hw_support import Checks, as_numbers, assert_close, expect_unchanged"
)
_CELLS = [(LOCKED, "setup", _SETUP)]
for _name, _solution in _SOLUTIONS.items():
    _test = f"test_{_name}"
    _CELLS += [(ANSWER, _name, _solution), (TEST, _test, _TESTS[_test])]
HOMEWORK = Homework(
    "arena",
    code={
        f"{SOLUTIONS}/arena.json": json.dumps(_CELLS).encode(),
        "staff/arena/reference.py": _REFERENCE,
        "staff/arena/fresh.py": _FRESH,
    },
)
GRADE_IDS = ("setup", *WRONG, *_TESTS)  # of all cells of code that are the instructor's or answers


def _cell(make: Any, source: str, grade_id: str, **marks: Any) -> NotebookNode:
    defaults = {"grade": False, "solution": False, "locked": False, "task": False}
    cell = make(source)
    cell.metadata["nbgrader"] = {**defaults, "schema_version": 3, "grade_id": grade_id, **marks}
    return cell


def notebook(answers: dict[str, str], before: str = "", after: str = "") -> NotebookNode:
    """The homework as it is before it is run, its cells already repaired.

    Parameters
    ----------
    answers
        Sources by grade id, instead of the wrong ones. Sources of tests replace the usual ones. The
        source of `setup` is added to the first cell.
    before, after
        Sources of plain cells that a student added above the answers and at the end.
    """
    sources = {**WRONG, **_TESTS, **answers}
    setup = "\n".join([_SETUP, *([answers["setup"]] if "setup" in answers else [])])
    cells = [_cell(new_code_cell, setup, "setup", locked=True), new_code_cell(before)]
    for name in WRONG:
        cells.append(_cell(new_code_cell, sources[name], name, solution=True))
        test = f"test_{name}"
        marks = {"grade": True, "locked": True, "points": POINTS[test]}
        cells.append(_cell(new_code_cell, sources[test], test, **marks))
    cells.append(new_code_cell(after))
    cells.append(_cell(new_markdown_cell, "Because.", "why", grade=True, solution=True, points=4))
    return new_notebook(cells=cells)


def instructors(nb: NotebookNode) -> list[InstructorCell]:
    """Return the instructor's cells of a notebook, as the gradebook has them."""
    cells = []
    for cell in nb.cells:
        if not (marks := cell.metadata.get("nbgrader")):
            continue
        flags = {key: marks[key] for key in ("grade_id", "grade", "solution", "locked", "task")}
        cells.append(
            InstructorCell(
                cell_type=cell.cell_type,
                source=cell.source,
                points=marks.get("points"),
                checksum=None,
                released=as_released(cell.source),
                **flags,
            )
        )
    return cells


@dataclass
class Outcome:
    """The outcome of one submission."""

    nb: NotebookNode
    fault: GraderFault | None = None
    problems: list[Problem] = field(default_factory=list)
    given: dict[str, float] = field(default_factory=dict)

    @property
    def scores(self) -> dict[str, float]:
        """The scores of the tests, as they are saved: nbgrader reads the same in the notebook."""
        graded = (c for c in self.nb.cells if c.metadata.get("nbgrader", {}).get("grade"))
        tests = [c for c in graded if not c.metadata.nbgrader.solution]
        shown = {c.metadata.nbgrader.grade_id: determine_grade(c)[0] or 0.0 for c in tests}
        assert not self.given or shown == self.given
        return shown

    @property
    def printed(self) -> str:
        """The outputs of the student's own cells and of the tests, in one text."""
        outputs: list[Any] = []
        for cell in self.nb.cells:
            for stream, group in groupby(cell.get("outputs", []), lambda o: o.get("name")):
                some = list(group)
                # Text that is printed at once may arrive in two pieces.
                outputs += [{"text": "".join(o.text for o in some)}] if stream else some
        return "\n".join(map(str, outputs))

    @property
    def kinds(self) -> set[Kind]:
        """The kinds of problems that were reported."""
        return {problem.kind for problem in self.problems}


class Arena:
    """A machine with things to steal, where submissions are graded one after another."""

    def __init__(self, root: Path) -> None:
        self.course = root / "course"
        for name in (
            "source/hw2/hw2.ipynb",
            "gradebook.db",
            "submitted/other/hw2/hw2.ipynb",
            "autograded/other/hw2/hw2.ipynb",
            "nbgrader_config.py",
        ):
            path = self.course / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{CANARY} {name}\n")
        os.environ["HW_GRADING_CANARY"] = CANARY
        self.folder = self.course / "autograded" / STUDENT / "hw2"
        self.folder.mkdir(parents=True)
        self.options: dict[str, Any] = {
            "cpu_seconds_per_cell": 4.0,
            "wall_seconds_per_cell": 10.0,
            "iopub_timeout": 10,
            "memory_mb": 1500,
            "folder_mb": 50,
            "file_mb": 20,
            "processes": 60,
            "output_bytes_per_cell": 200_000,
        }
        assert fork_server_for(environment.what_to_show(1, [])), "no kernels are forked here"
        self.before = self._files()
        self.sandboxed = _in_sandboxes()

    def secret_texts(self) -> dict[str, list[str]]:
        """Return texts that student code must not find, in groups that attacks' headers name."""
        home, prefix = f"{Path.home()}/", os.path.realpath(sys.prefix)
        own = prefix if prefix != os.path.realpath(sys.base_prefix) else PACKAGE
        secrets = [CANARY, "HW_GRADING_CANARY", "gradebook.db", "hw_grading", "submitted/other"]
        secrets += [STUDENT, str(self.course), PACKAGE, *([home] if len(home) > 2 else [])]
        secrets += [str(Path(tempfile.gettempdir()) / "hw-kernel-"), str(SEED)]
        return {
            "HIDDEN": HIDDEN,
            "SECRETS": secrets,
            "CANARY": [CANARY],
            "COURSE": [str(self.course)],
            "ENVIRONMENT": [own],
            "PACKAGE": [PACKAGE],
            "REPOSITORY/": [f"{Path(PACKAGE).parent}/"],
            "SEED": [str(SEED)],
            "TEMPORARY": [f"{tempfile.gettempdir()}/hw"],
        }

    def grade(self, nb: NotebookNode, **options: Any) -> Outcome:
        """Grade a submission under short limits, which have to stop it if it does not end."""
        nb = copy.deepcopy(nb)
        try:
            run = SubmissionRun(nb, SEED, RunSettings(**self.options | options), HOMEWORK).run()
        except GraderFault as error:
            return Outcome(nb, error)
        given = {score.cell: score.earned or 0.0 for score in run.scores}
        return Outcome(nb, None, list(run.problems), given)

    def attack(
        self,
        answers: dict[str, str] | None = None,
        before: str = "",
        after: str = "",
        **options: Any,
    ) -> Outcome:
        """Grade a hostile submission, and expect what holds for every one of them.

        It is graded (no fault of the grader's), its notebook can be stored, it has seen no canary,
        changed no file, left no process and no folder, and the next student gets full marks.
        """
        outcome = self.grade(notebook(answers or {}, before, after), **options)
        assert outcome.fault is None, outcome.fault
        nbformat.validate(outcome.nb)
        nbformat.writes(outcome.nb).encode()
        self.expect_no_harm(outcome)
        return outcome

    def expect_no_harm(self, outcome: Outcome) -> None:
        """Expect no harm: nothing read, changed or left behind, and full marks for the next one."""
        assert CANARY not in outcome.printed
        assert self._files() == self.before
        for _ in range(600):  # processes take a moment to end
            if len(left := _in_sandboxes()) <= len(self.sandboxed):
                break
            time.sleep(0.1)
        assert len(left) <= len(self.sandboxed), left
        honest = self.grade(notebook(RIGHT))
        assert honest.scores == POINTS
        assert honest.problems == []

    def _files(self) -> dict[str, str]:
        found = {}
        for path in sorted(self.course.rglob("*")):
            if path.is_symlink() or not path.is_dir():
                content = b"link" if path.is_symlink() else path.read_bytes()
                found[str(path)] = hashlib.sha256(content).hexdigest()
        return found


def _in_sandboxes() -> set[psutil.Process]:
    """Return our processes that see other process numbers than we do."""
    ours = os.readlink("/proc/self/ns/pid")
    found = set()
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(OSError):  # it has just ended
            if os.readlink(f"/proc/{process.pid}/ns/pid") != ours:
                found.add(process)
    return found
