"""Dead units are counted with the student's own functions, right or wrong."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from hw_support import PALETTE, DeadUnits

IMAGES = np.array([[1.0, 2.0], [3.0, 0.5], [0.0, 1.0]])
# Three units: alive for all, alive for one image only, dead for all.
WEIGHTS = [np.array([[1.0, 1.0, -1.0], [1.0, -3.0, -1.0]]), np.ones((3, 1))]
BIASES = [np.array([[0.0, 0.0, 0.0]]), np.zeros((1, 1))]


def relu(s: Any) -> Any:
    return np.maximum(0, s), (s > 0).astype(float)


def layer_forward(x: Any, weights: Any, bias: Any, activation: Any) -> Any:
    outputs, slopes = activation(x @ weights + bias)
    return outputs, (x, weights, bias, slopes)


def test_a_unit_is_dead_when_it_is_0_for_every_image():
    watch = DeadUnits(IMAGES, layer_forward, relu)
    watch(WEIGHTS, BIASES)
    assert watch.steps == [1]
    assert watch.shares == [pytest.approx(1 / 3)]


def test_units_of_all_hidden_layers_count_and_those_of_the_last_do_not():
    first = np.array([[1.0, -1.0], [1.0, -1.0]])
    second = np.full((2, 3), -1.0)  # dead because what comes in is never negative
    last = np.zeros((3, 1))
    watch = DeadUnits(IMAGES, layer_forward, relu)
    watch([first, second, last], [np.zeros((1, 2)), np.zeros((1, 3)), np.zeros((1, 1))])
    assert watch.shares == [pytest.approx(4 / 5)]


def test_the_first_step_and_then_every_few_steps_are_measured():
    calls = []

    def counted(*arguments: Any) -> Any:
        calls.append(arguments)
        return layer_forward(*arguments)

    watch = DeadUnits(IMAGES, counted, relu, every=4)
    for _ in range(9):
        watch(WEIGHTS, BIASES)
    assert watch.steps == [1, 4, 8]
    assert len(calls) == 3


def test_a_unit_that_gives_nan_is_not_called_dead():
    watch = DeadUnits(IMAGES, layer_forward, relu)
    watch([np.full((2, 3), np.nan), WEIGHTS[1]], BIASES)
    assert watch.shares == [0.0]


def test_a_wrong_relu_that_lets_negative_numbers_through_shows_no_dead_unit():
    watch = DeadUnits(IMAGES, layer_forward, lambda s: (s, np.ones_like(s)))
    watch(WEIGHTS, BIASES)
    assert watch.shares == [0.0]


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (lambda x, weights, bias, activation: activation(x @ weights + bias)[0], "ndarray"),
        (
            lambda x, weights, bias, activation: ((x @ weights).T, None),
            r"outputs of shape \(3, 3\)",
        ),
        (lambda x, weights, bias, activation: None, "NoneType"),
    ],
)
def test_a_wrong_layer_forward_is_named_with_what_was_expected(wrong: Any, what: str):
    images = IMAGES[:2] if "shape" in what else IMAGES
    watch = DeadUnits(images, wrong, relu)
    what = what.replace("(3, 3", "(3, 2")
    with pytest.raises(ValueError, match=rf"layer_forward to return \(outputs, cache\).*{what}"):
        watch(WEIGHTS, BIASES)


def test_the_plot_shows_percent_against_steps():
    watch = DeadUnits(IMAGES, layer_forward, relu, every=2)
    for _ in range(4):
        watch(WEIGHTS, BIASES)
    ax = watch.plot()
    [line] = ax.get_lines()
    np.testing.assert_allclose(line.get_xydata(), [[1, 100 / 3], [2, 100 / 3], [4, 100 / 3]])
    assert line.get_color() == PALETTE.highlight
    assert ax.get_ylim() == (0, 100)
    assert "%" in ax.get_ylabel()
    plt.close("all")


def test_it_draws_on_the_given_axes():
    _, axes = plt.subplots(1, 2)
    watch = DeadUnits(IMAGES, layer_forward, relu)
    watch(WEIGHTS, BIASES)
    assert watch.plot(axes[1]) is axes[1]
    assert not axes[0].get_lines()
    plt.close("all")


def test_without_measurements_the_message_says_how_to_make_some():
    with pytest.raises(
        ValueError, match=r"after each step, as in watch\(weight_matrices, biases\)"
    ):
        DeadUnits(IMAGES, layer_forward, relu).plot()
