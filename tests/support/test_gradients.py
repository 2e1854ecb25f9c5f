"""Gradients are compared by shapes, values and means, each apart."""

import numpy as np
import pytest

from hw_support import (
    Checks,
    expect_each,
    expect_means,
    expect_shapes,
    largest_errors,
    own_gradients,
)
from hw_support.compare import Mismatch

RIGHT = np.arange(1.0, 25.0).reshape(2, 3, 4) ** 2
WEIGHTS = np.zeros((3, 4))


def test_a_gradient_for_each_example_has_all_three_right():
    expect_shapes([RIGHT], [WEIGHTS], 2, what="grad_Ws")
    expect_each([RIGHT.tolist()], [RIGHT], what="grad_Ws")
    expect_means((RIGHT,), [RIGHT], what="grad_Ws")


@pytest.mark.parametrize("of_batch", [RIGHT.mean(axis=0), RIGHT.sum(axis=0)])
def test_gradients_of_the_batch_have_the_mean_right_and_nothing_else(of_batch):
    expect_means([of_batch], [RIGHT], what="grad_Ws")
    with pytest.raises(Mismatch, match="for each example, not one for the batch"):
        expect_shapes([of_batch], [WEIGHTS], 2, what="grad_Ws")
    with pytest.raises(Mismatch, match="shape"):
        expect_each([of_batch], [RIGHT], what="grad_Ws")


def test_the_checker_loses_nothing_if_backward_pass_has_the_same_mistake():
    mean = RIGHT.mean(axis=0)
    expect_shapes([mean], [WEIGHTS], 2, what="grad_Ws", like=[mean])
    expect_each([mean], [RIGHT], what="grad_Ws", of_batch=True)
    with pytest.raises(Mismatch, match=r"the mean of grad_Ws\[0\]\[0, 0\] is 86"):
        expect_each([mean + 1], [RIGHT], what="grad_Ws", of_batch=True)


def test_an_axis_of_length_1_that_is_missing_is_a_wrong_shape_and_right_values():
    biases = RIGHT[:, :1, :]
    expect_each([biases[:, 0]], [biases], what="grad_bs")
    expect_means([biases[:, 0]], [biases], what="grad_bs")
    with pytest.raises(Mismatch, match=r"grad_bs\[0\] has shape \(2, 4\); \(2, 1, 4\)"):
        expect_shapes([biases[:, 0]], [np.zeros((1, 4))], 2, what="grad_bs")


@pytest.mark.parametrize("compare", [expect_each, expect_means])
@pytest.mark.parametrize(
    "wrong", [RIGHT[::-1] * [[[1]], [[2]]], RIGHT.swapaxes(1, 2), -RIGHT, RIGHT.ravel()]
)
def test_other_values_are_wrong(compare, wrong):
    with pytest.raises(Mismatch):
        compare([wrong], [RIGHT], what="grad_Ws")


def test_two_examples_that_change_places_are_right_in_the_mean_only():
    expect_means([RIGHT[::-1]], [RIGHT], what="grad_Ws")
    with pytest.raises(Mismatch):
        expect_each([RIGHT[::-1]], [RIGHT], what="grad_Ws")


@pytest.mark.parametrize("came", [None, [], [RIGHT, RIGHT], iter([])])
def test_a_wrong_number_of_gradients_is_reported(came):
    with pytest.raises(Mismatch, match="grad_Ws"):
        expect_each(came, [RIGHT], what="grad_Ws")


def the_notebooks(backward_pass):
    """Checks of a notebook whose network is one product, and whose loss is its output."""
    names = {
        "forward_pass": lambda X, Ws, bs, activations: (X @ Ws[0] + bs[0], X),
        "logistic_loss": lambda g, y: (g, np.ones_like(g)),
        "backward_pass": backward_pass,
        "activations": [],
    }
    checks = Checks("f", points=0)
    checks.names = names
    return own_gradients(
        checks,
        np.ones((2, 3)),
        np.array([0, 1]),
        ([np.ones((3, 1))], [np.zeros((1, 1))]),
        "activations",
    )


def test_gradients_of_a_batch_are_told_from_gradients_of_each_example():
    each = the_notebooks(lambda d, X: ([X[:, :, None] * d[:, None]], [d[:, None]]))
    assert not each.of_batch
    assert each.grad_Ws[0].shape == (2, 3, 1)
    assert the_notebooks(lambda d, X: ([X.T @ d], [d.sum(0, keepdims=True)])).of_batch


@pytest.mark.parametrize(
    "backward_pass", [None, lambda *_: None, lambda *_: ([], "x"), lambda *_: 1 / 0]
)
def test_an_unusable_result_of_backward_pass_gives_no_gradients(backward_pass):
    own = the_notebooks(backward_pass)
    assert (own.grad_Ws, own.grad_bs, own.of_batch) == ([], [], False)


EACH = [[RIGHT, RIGHT[:, 0, :, None]], [RIGHT[:, :1], RIGHT[:, :1, :1]]]  # of two layers


@pytest.mark.parametrize(
    "others",
    [
        EACH,
        [[a.mean(axis=0) for a in arrays] for arrays in EACH],
        [[a.sum(axis=0) for a in arrays] for arrays in EACH],
        [[a.squeeze() for a in arrays] for arrays in EACH],
        [arrays[::-1] for arrays in EACH],
    ],
)
def test_gradients_of_all_usual_shapes_can_be_compared(others):
    assert largest_errors(EACH, others).min() == 0
    assert largest_errors(others, EACH).min() == 0
    wrong = [[1.5 * a for a in arrays] for arrays in others]
    assert largest_errors(EACH, wrong).min() > 0.1


@pytest.mark.parametrize("others", [[EACH[0][:1], EACH[1]], [[RIGHT[:1, :2]] * 2] * 2])
def test_gradients_of_other_shapes_cannot_be_compared(others):
    with pytest.raises(Mismatch, match="cannot be compared"):
        largest_errors(EACH, others)


def test_a_gradient_in_another_place_is_called_no_mean():
    with pytest.raises(Mismatch, match=r"^grad_Ws\[0\] has shape \(2, 5\); \(2, 3, 4\)"):
        expect_means([np.ones((2, 5))], [RIGHT], what="grad_Ws")
