"""Attacks for points without an answer: moved cells, borrowed functions, comparisons of nothing."""

import copy
import itertools
import json
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from arena import HOMEWORK, RIGHT, Arena, instructors, notebook
from attack_files import Attack
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from hw_grading.grade.job import Job, run
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.notebook import solutions_of
from hw_grading.trying.plan import Plan
from hw_support.submission.cells import grade_id_of
from hw_support.submission.repairing import repair

pytestmark = pytest.mark.slow
HOMEWORKS = Course(REPOSITORY).homeworks()


# -- cells that are moved or fail


def with_data(data: str) -> NotebookNode:
    """The toy homework, with a locked cell `data` before a test that takes `total` from it."""
    nb = notebook({"total": "answer = 1"})
    cell = new_code_cell(data)
    cell.metadata["nbgrader"] = {**nb.cells[0].metadata["nbgrader"], "grade_id": "data"}
    place = next(n for n, c in enumerate(nb.cells) if grade_id_of(c) == "test_total")
    nb.cells.insert(place, cell)
    return nb


@pytest.mark.smoke
def test_data_moved_behind_their_test_are_not_the_students(arena: Arena) -> None:
    honest = with_data("total = 11")
    assert arena.grade(honest).scores["test_total"] == 0
    attack, cells = copy.deepcopy(honest), instructors(honest)
    place = next(n for n, c in enumerate(attack.cells) if grade_id_of(c) == "data")
    attack.cells.append(attack.cells.pop(place))
    attack.cells.insert(1, new_code_cell("total = 10"))
    repair(attack, cells)
    outcome = arena.grade(attack)
    assert outcome.scores["test_total"] == 0
    assert "DataFileError" not in outcome.printed


@pytest.mark.parametrize(
    "failing",
    ["total = 5 + double(1)[0]", "double(1)[0]\ntotal = 5", "missing_name\nimport os as total"],
)
def test_a_failed_locked_cells_name_is_not_the_students(failing: str, arena: Arena) -> None:
    attack = with_data(failing)
    attack.cells.insert(1, new_code_cell("total = 10"))
    outcome = arena.grade(attack)
    assert outcome.fault is None
    assert outcome.scores["test_total"] == 0


# -- the same inputs twice

DRAWN = b"""
def double(draw):
    return {name: [(x, 2 * x)] for name in NAMES for x in [draw.uniform(1, 2)]}
NAMES = "of 3", "of other seven and more"
"""


def test_a_first_runs_answers_are_no_use_in_the_second(tmp_path: Path) -> None:
    nbformat.write(notebook(RIGHT), tmp_path / "arena.ipynb")
    solutions = solutions_of([tmp_path / "arena.ipynb"])
    homework = replace(HOMEWORK, code=solutions | {"staff/arena/fresh.py": DRAWN})
    attack = Attack.read("how_cells_are_run/second_run").submission(NOTES=str(tmp_path / "notes"))
    text = json.dumps(notebook(**attack))
    outcome = run(Job("s", text, {"sandbox": "none"}, {}, homework))
    assert len((tmp_path / "notes").read_text().splitlines()) >= 3  # two visible, one fresh
    assert [part.name for part in outcome.parts if part.earned] == []
    assert "run a second time, with other inputs" in outcome.why


# -- functions that do not exist

NOTHING = {
    "return 0, 0": "{0} = lambda *_, **__: (0, 0)",
    "functions": "{0} = lambda *_, **__: ({0}, {0})",
    "missing": "pass",
    "NaN": "{0} = lambda x, *_, **__: (np.full(np.shape(x), np.nan),) * 2",
    "zeros": "{0} = lambda x, *_, **__: (np.zeros(np.shape(x)), np.zeros(np.shape(x)))",
}


@pytest.mark.parametrize(("homework", "nothing"), list(itertools.product(HOMEWORKS, NOTHING)))
def test_functions_that_are_not_there_earn_nothing_anywhere(homework: str, nothing: str) -> None:
    path = REPOSITORY / "source" / homework / f"{homework}.ipynb"
    plan = Plan(homework, nbformat.read(path, as_version=4))
    functions = [name for name, cell in plan.answers.items() if f"def {name}(" in cell.source]
    cut = plan.cut([*plan.tests], {f: NOTHING[nothing].format(f) for f in functions})
    cut.metadata.clear()
    outcome = run(Job("s", json.dumps(cut), {}, {}, Course(REPOSITORY).homework(homework)))
    assert outcome.parts
    assert [part for part in outcome.parts if part.points and part.earned] == []
