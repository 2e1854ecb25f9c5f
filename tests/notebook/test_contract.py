"""Grade ids, points and the order of cells are what tools and instructors rely on."""

import re

import pytest
from nbgrader import utils

from hw_grading.homework.source_notebook import worth_of_parts

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


@pytest.fixture(params=["source", "released"])
def notebook(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("name", [*FUNCTIONS, "train", *CODE_DELIVERABLES])
def test_an_answer_is_followed_by_its_test_cell(notebook, name):
    order = list(ids(notebook))
    answer, test = ids(notebook)[name], ids(notebook)[f"test_{name}"]
    assert utils.is_solution(answer)
    assert not utils.is_grade(answer)
    assert utils.is_locked(test)
    assert utils.is_grade(test) == (name not in UNGRADED)
    between = order[order.index(name) + 1 : order.index(f"test_{name}")]
    assert between == (["train_run"] if name == "train" else [])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_cell_defines_the_function_of_its_grade_id_and_no_other(notebook, name):
    assert re.findall(r"^def (\w+)", ids(notebook)[name].source, re.M) == [name]


@pytest.mark.parametrize("name", MANUAL_CODE + MANUAL_TEXT)
def test_cells_that_a_person_grades_are_answers_with_points(notebook, name):
    cell = ids(notebook)[name]
    assert utils.is_solution(cell)
    assert utils.is_grade(cell)
    assert cell.metadata.nbgrader.points > 0
    assert cell.cell_type == ("code" if name in MANUAL_CODE else "markdown")


@pytest.mark.parametrize("name", [n for n in MANUAL_CODE + MANUAL_TEXT if n != "certification"])
def test_cells_that_a_person_grades_have_a_mark_scheme_that_sums_to_their_points(source, name):
    scheme = ids(source)[f"{name.removesuffix('_text')}_question"].source
    scheme = scheme[scheme.index("BEGIN MARK SCHEME") : scheme.index("END MARK SCHEME")]
    kind = {"q1_3e_iii": "Images, ", "q1_3e_iii_text": "Text, "}.get(name, "")
    marks = [float(mark) for mark in re.findall(rf"^- {kind}(\d+): ", scheme, re.M)]
    assert sum(marks) == ids(source)[name].metadata.nbgrader.points


def test_the_questions_with_mark_schemes_are_locked(source):
    for cell in source.cells:
        if "MARK SCHEME" in cell.source:
            assert utils.is_locked(cell)


def test_points_in_headings_are_those_of_the_cells_below(notebook):
    def points_below(start, level):
        total = 0.0
        for cell in notebook.cells[start + 1 :]:
            found = (
                re.search(r"^(#+) ", cell.source, re.M) if cell.cell_type == "markdown" else None
            )
            if found and len(found[1]) <= level:
                break
            total += cell.metadata.get("nbgrader", {}).get("points", 0)
        return total

    stated = 0
    for i, cell in enumerate(notebook.cells):
        if cell.cell_type != "markdown":
            continue
        headings = re.findall(r"^(#+) .*?\((?:\w+, )?(\d+) points?\)$", cell.source, re.M)
        for marks, points in headings:
            assert points_below(i, len(marks)) == float(points), cell.source[:60]
            stated += 1
    assert stated > 20


def test_the_table_at_the_top_agrees_with_the_headings_and_the_total(notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    rows = re.findall(r"^\| (Certification|Q1\.\d \w) \| .* \| (\d+) \| (\d+) min \|$", text, re.M)
    assert len(rows) == 11
    for part, points, _ in rows:
        name = part.removeprefix("Q").replace(" ", "")
        heading = re.search(rf"^##+ {name}\b.*\((?:optional, )?(\d+) points?\)$", text, re.M)
        assert heading, part
        assert heading[1] == points
    total = sum(cell.metadata.get("nbgrader", {}).get("points", 0) for cell in notebook.cells)
    assert sum(int(points) for _, points, _ in rows) == total
    assert f"**Points:** {total}" in text
    hours = round(sum(int(minutes) for *_, minutes in rows) / 60)
    assert f"about {hours} hours" in text


def test_points_of_the_parts_sum_to_the_points_of_the_cell(source):
    tests = [cell for cell in source.cells if utils.is_grade(cell) and not utils.is_solution(cell)]
    assert [worth_of_parts(cell) for cell in tests] == [c.metadata.nbgrader.points for c in tests]
