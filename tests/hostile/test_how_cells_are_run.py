"""Attacks on how cells are run: on IPython, on the kernel's messages, on the link.

Most are in `attacks/how_cells_are_run/`. This file has those by cells and metadata other than
answers, and checks that a header cannot state.

On stock nbgrader tests run in the student's kernel. Here the kernel only answers questions about
values. So an attack on how cells are run can only change what the student's own cells show.
"""

from typing import Any

import pytest
from arena import NOTHING, Arena, Outcome, instructors, notebook
from attack_files import Attack
from carrying_out import carry_out, shown
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from hw_support.submission.mending import mend

pytestmark = pytest.mark.slow
FORGED = Attack.read("how_cells_are_run/forged_messages")


def attacked(arena: Arena, nb: NotebookNode) -> Outcome:
    """Grade a notebook with changes other than answers, and expect what holds for every attack."""
    outcome = arena.grade(nb)
    assert outcome.fault is None, outcome.fault
    arena.expect_no_harm(outcome)
    return outcome


@pytest.mark.parametrize("way", FORGED.variants)
def test_forged_messages_show_in_own_cells_only(arena: Arena, way: str) -> None:
    outcome = carry_out(arena, FORGED.name, way)
    for test in NOTHING:
        assert "'2.0'" not in shown(outcome, test)


# -- cells and metadata


def _mark(**marks: Any) -> NotebookNode:
    plain = {"grade": False, "solution": False, "locked": False, "task": False}
    return NotebookNode(nbgrader={**plain, "schema_version": 3, **marks})


# In the examiner, this would give every test its points.
_GENEROUS = """
import hw_support.checks, os
hw_support.checks.Checks.score = lambda self: float(self.points)
Checks.score = lambda self: float(self.points)
assert_close = lambda *a, **k: None
print("generous " + str(sorted(os.environ))[:2000])
"""


@pytest.mark.parametrize(
    "marks",
    [
        {"grade_id": "own", "locked": True},
        {"grade_id": "setup", "locked": True},
        {"grade_id": "test_double", "locked": True, "grade": True, "points": 800},
        {"grade_id": ["setup"], "locked": True},
    ],
    ids=str,
)
def test_a_cell_that_says_it_is_the_instructors_is_not_trusted(
    arena: Arena, marks: dict[str, Any]
) -> None:
    for place in (0, 1, 2, 4, 9):
        nb = notebook({})
        nb.cells.insert(place, new_code_cell(_GENEROUS, metadata=_mark(**marks)))
        mend(nb, instructors(notebook({})))
        outcome = arena.grade(nb)
        assert outcome.fault is None
        assert outcome.scores == NOTHING
        assert "generous" not in str([shown(outcome, test) for test in NOTHING])
    arena.expect_no_harm(outcome)
