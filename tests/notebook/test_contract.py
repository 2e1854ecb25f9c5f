"""Grade ids, points and the order of cells are what tools and instructors rely on."""

import re

import pytest
from nbgrader import utils

FUNCTIONS = [
    "finite_difference_checker",
    "sigmoid_activation",
    "logistic_loss",
    "relu_activation",
    "layer_forward",
    "create_weight_matrices",
    "create_bias_vectors",
    "forward_pass",
    "backward_pass",
    "my_nn_finite_difference_checker",
]
CODE_DELIVERABLES = ["q1_3a", "q1_3b_i", "q1_3b_ii", "q1_3c", "q1_3d"]
MANUAL_CODE = ["q1_3e_i", "q1_3e_ii", "q1_3e_iii"]
MANUAL_TEXT = ["certification", "q1_3b_iii", "q1_3b_iv", "q1_3e_iii_text", "q1_3e_iv"]
UNGRADED = ["finite_difference_checker"]


def ids(notebook):
    return {
        cell.metadata.nbgrader.grade_id: cell
        for cell in notebook.cells
        if "nbgrader" in cell.metadata
    }


@pytest.mark.parametrize("name", [*FUNCTIONS, "train", *CODE_DELIVERABLES])
def test_an_answer_defines_its_function_and_is_followed_by_its_test_cell(released, name):
    order = list(ids(released))
    answer, test = ids(released)[name], ids(released)[f"test_{name}"]
    assert utils.is_solution(answer)
    assert not utils.is_grade(answer)
    if name in FUNCTIONS:
        assert re.findall(r"^def (\w+)", answer.source, re.M) == [name]
    assert utils.is_locked(test)
    assert utils.is_grade(test) == (name not in UNGRADED)
    between = order[order.index(name) + 1 : order.index(f"test_{name}")]
    assert between == (["train_run"] if name == "train" else [])


@pytest.mark.parametrize("name", MANUAL_CODE + MANUAL_TEXT)
def test_cells_that_a_person_grades_are_answers_with_points(released, name):
    cell = ids(released)[name]
    assert utils.is_solution(cell)
    assert utils.is_grade(cell)
    assert cell.metadata.nbgrader.points > 0
    assert cell.cell_type == ("code" if name in MANUAL_CODE else "markdown")
