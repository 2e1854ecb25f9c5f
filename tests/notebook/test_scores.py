"""Under stock execution the reference solution gets full marks, and shows the published numbers."""

import os
from unittest.mock import patch

import pytest
from nbgrader import utils
from nbgrader.preprocessors import Execute

from hw_grading.commands.sample import cell_of
from hw_grading.homework.source_notebook import solved

# One worker runs them all, so the notebook is run once.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("notebook scores")]


@pytest.fixture(scope="module")
def perfect(source, tmp_path_factory):
    """The instructor's version, run with all hidden tests as stock autograding does."""
    place = {"path": str(tmp_path_factory.mktemp("run"))}
    with patch.dict(os.environ, NBGRADER_EXECUTION="autograde"):
        executor = Execute(timeout=300)
        executed, _ = executor.preprocess(solved(source, source), {"metadata": place})
    return executed


def printed(notebook, grade_id):
    return "".join(o.text for o in cell_of(notebook, grade_id).outputs if o.output_type == "stream")


@pytest.mark.smoke
def test_the_reference_solution_gets_full_marks_without_a_warning(perfect):
    tests = [c for c in perfect.cells if utils.is_grade(c) and not utils.is_solution(c)]
    assert len(tests) > 10
    scores = {c.metadata.nbgrader.grade_id: utils.determine_grade(c) for c in tests}
    lost = {name: printed(perfect, name) for name, (got, most) in scores.items() if got != most}
    assert lost == {}
    outputs = [(cell.id, o) for cell in perfect.cells for o in cell.get("outputs", [])]
    assert len(outputs) > 10
    bad = [(of, o) for of, o in outputs if "error" in o.output_type or o.get("name") == "stderr"]
    assert bad == []


def test_what_is_not_graded_shows_nothing(perfect):
    shown = {cell.id: cell.outputs for cell in perfect.cells if cell.cell_type == "code"}
    assert [shown[name] for name in ("draw", "change", "challenge")] == [[], [], []]
    assert [output.output_type for output in cell_of(perfect, "train_run").outputs] == ["stream"]


def test_the_published_numbers_come_out(perfect):
    text = printed(perfect, "q1_3a").replace("-0.  ", " 0.  ")
    numbers = "1.06e-04 3.52e-05 4.25e-05 1.87e-05 8.23e-04 -3.92e-05 -1.31e-04 6.25e-06 -2.48e-03"
    for number in f"{numbers} 1.18e-04 4.52e-04 -2.15e-05 [-0.01] [[-0.5]]".split():
        assert number in text
    assert "0.6985168039" in printed(perfect, "q1_3c")
    assert "[0.73 0.5  0.27]" in printed(perfect, "q1_3b_i")
    assert "[0.2  0.25 0.2 ]" in printed(perfect, "q1_3b_i")
