"""One mistake is charged once, in the whole notebook, and in the part that is about it."""

from __future__ import annotations

import dataclasses

import pytest
from answers import Answer, right_answers, whole_submissions, wrong_answers
from cells import Notebook, notebook_of
from guarded import judge
from harness import score_submission

from hw_grading.homework.instructor_cells import as_released

HW2 = notebook_of("hw2")
EVERY_FOURTH = slice(None, None, 4)  # `make validity` counts both ways for all of them
SIGMOID_WITH_WRONG_SIGN = """\
def sigmoid_activation(x):
    small = np.exp(-np.abs(x))
    out = np.where(x <= 0, 1, small) / (1 + small)
    return out, out * (1 - out)
"""  # 1 / (1 + e^{+x})
WRITES_INTO_DL_DG = """\
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, slope in reversed(layer_caches):
        d *= slope
        grad_Ws.insert(0, x[:, :, None] * d[:, None, :])
        grad_bs.insert(0, d[:, None, :].copy())
        d = d @ W.T
    return grad_Ws, grad_bs
"""
LEAVES_PARAMETERS_MOVED = """\
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    h = 1e-5

    def losses():
        g, _ = forward_pass(X_batch, weight_matrices, biases, activations)
        return np.ravel(logistic_loss(g, y_batch)[0])

    def gradient(P):
        grad = np.zeros((len(X_batch), *P.shape))
        for i in np.ndindex(P.shape):
            P[i] += h
            up = losses()
            P[i] -= 2 * h
            grad[(slice(None), *i)] = (up - losses()) / (2 * h)
        return grad

    return [gradient(W) for W in weight_matrices], [gradient(b) for b in biases]
"""
BIASES_WITHOUT_THEIR_AXIS = """\
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, slope in reversed(layer_caches):
        d = d * slope
        grad_Ws.insert(0, x[:, :, None] * d[:, None, :])
        grad_bs.insert(0, d)
        d = d @ W.T
    return grad_Ws, grad_bs
"""
MEAN_BACKWARD = """\
def backward_pass(dL_dg, layer_caches):
    grad_Ws, grad_bs, d = [], [], dL_dg
    for x, W, slope in reversed(layer_caches):
        d = d * slope
        grad_Ws.insert(0, x.T @ d / len(x))
        grad_bs.insert(0, d.mean(axis=0, keepdims=True))
        d = d @ W.T
    return grad_Ws, grad_bs
"""
MEAN_CHECKER = """\
def my_nn_finite_difference_checker(X_batch, y_batch, weight_matrices, biases, activations):
    def loss():
        g, _ = forward_pass(X_batch, weight_matrices, biases, activations)
        return np.mean(logistic_loss(g, y_batch)[0])

    def gradient(P):
        grad = np.zeros(P.shape)
        for i in np.ndindex(P.shape):
            kept = P[i]
            P[i] = kept + 1e-5
            up = loss()
            P[i] = kept - 1e-5
            grad[i] = (up - loss()) / 2e-5
            P[i] = kept
        return grad

    return [gradient(W) for W in weight_matrices], [gradient(b) for b in biases]
"""
CHARGED_ONCE = [
    ("backward_pass", WRITES_INTO_DL_DG, {}, {"test_backward_pass": 1}),
    ("backward_pass", BIASES_WITHOUT_THEIR_AXIS, {}, {"test_backward_pass": 1}),
    (
        "my_nn_finite_difference_checker",
        LEAVES_PARAMETERS_MOVED,
        {},
        {"test_my_nn_finite_difference_checker": 1},
    ),
    (
        "backward_pass",
        MEAN_BACKWARD,
        {"my_nn_finite_difference_checker": MEAN_CHECKER},
        {"test_backward_pass": 7},
    ),
]
ISOLATED = [False, pytest.param(True, marks=pytest.mark.slow)]


@pytest.mark.parametrize("isolated", ISOLATED)
@pytest.mark.parametrize(("function", "source", "others", "lost"), CHARGED_ONCE)
def test_one_deviation_is_one_charge_in_the_whole_notebook(
    function, source, others, lost, isolated
):
    answer = Answer(function, "deviates", source, others=others)
    ((_, verdict),) = judge(HW2, [answer], isolated=isolated)
    assert verdict.lost == lost, [verdict.failed_parts(test) for test in verdict.lost]


@pytest.mark.slow
def test_a_wrong_sigmoid_takes_no_point_from_a_training_that_relies_on_it():
    answer = Answer("sigmoid_activation", "e to the plus x", SIGMOID_WITH_WRONG_SIGN)
    tests = (*HW2.quick_tests, "test_train")
    scores = score_submission(HW2, answer.cells, tests=tests)
    assert {test: result.lost for test, result in scores.items() if result.lost} == {
        "test_sigmoid_activation": 4
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("accuracies in percent", "the run: four lists with an entry for each step"),
        ("the last, short batch is dropped", "every image once in an epoch, the short batch too"),
        ("trained on both sets", "nothing is learnt from test images"),
        ("no shuffling", "a drawn order, new in every epoch"),
        ("the short batch is divided by 100", "the short batch is divided by its own size"),
        (
            "the training loss is that after the step",
            "training_loss and training_acc: before the step",
        ),
    ],
)
def test_a_deviation_of_a_training_costs_the_part_that_is_about_it(name, part):
    (answer,) = (a for a in wrong_answers("hw2") if (a.function, a.name) == ("train", name))
    ((_, verdict),) = judge(HW2, [answer])
    assert part in " ".join(verdict.failed_parts("test_train"))
    assert verdict.lost["test_train"] <= 2


# -- the desk and the grader


def desk_of(notebook: Notebook) -> Notebook:
    """Return the notebook with the test cells that students have."""
    cells = [
        dataclasses.replace(cell, source=as_released(cell.source, "code")) if cell.is_test else cell
        for cell in notebook.cells.values()
    ]
    return Notebook(notebook.homework, cells, notebook.settings)


@pytest.mark.slow
@pytest.mark.parametrize("homework", ["hw0", "hw2"])
@pytest.mark.parametrize("corpus", [wrong_answers, right_answers, whole_submissions])
def test_what_passes_on_the_desk_passes_in_grading_part_by_part(homework, corpus):
    notebook = notebook_of(homework)
    answers = [a for a in corpus(homework) if a.function not in notebook.settings.costly]
    answers = [a for a in answers if a.function not in notebook.slow][EVERY_FOURTH]
    on_the_desk = judge(desk_of(notebook), answers)
    graded = judge(notebook, answers, isolated=True)
    for (answer, desk), (_, grader) in zip(on_the_desk, graded, strict=True):
        own = desk.own_tests
        for test, result in desk.runs[0].items():
            later = {part.what: part.passed for part in grader.runs[0][test].parts}
            for part in result.parts:
                same = later[part.what] == part.passed
                # In other functions' cells the grader may pass what a bug elsewhere fails here.
                spared = later[part.what] and test not in own
                assert same or spared, f"{answer}: {test}, {part.what}"
