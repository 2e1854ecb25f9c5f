"""The reference agrees with automatic differentiation, and with the instructor's solutions."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

from hw_support.checks.fresh import generator
from hw_support.homeworks import networks
from staff.hw2 import fresh, reference


def draw(name):
    return generator(f"reference {name}")


def test_the_relu_and_its_derivative():
    out, slope = reference.relu_activation(np.array([-2.0, 3.0]))
    assert (out.tolist(), slope.tolist()) == ([0.0, 3.0], [0.0, 1.0])


def test_the_sigmoid_far_out():
    out, slope = reference.sigmoid_activation([-1000.0, -40.0, 40.0, 1000.0])
    np.testing.assert_allclose(out, [0.0, 4.248354255291589e-18, 1.0, 1.0], rtol=1e-14)
    np.testing.assert_allclose(slope, [0.0, *2 * [4.248354255291589e-18], 0.0], rtol=1e-14)


def loss_formula(g, y):
    return -(y * anp.log(g) + (1 - y) * anp.log(1 - g))


def test_the_loss():
    g, y = draw("loss").uniform(0.02, 0.98, (9, 1)), fresh.labels(draw("labels"), 9)
    expected = loss_formula(g, y[:, None])
    np.testing.assert_allclose(reference.logistic_loss(g, y)[0], expected, rtol=1e-12)


@pytest.mark.parametrize("dims", [[3, 1], [4, 3, 1], [5, 4, 3, 1], [3, 5, 2, 4, 1]])
@pytest.mark.parametrize("examples", [1, 6])
def test_the_gradients_of_each_example(dims, examples):
    X, weights, biases = fresh.network(draw(f"{dims}{examples}"), dims, examples)
    y = fresh.labels(draw("y"), max(examples, 2))[:examples]

    def loss_of(example, parameters):
        out = X[example : example + 1]
        for layer in range(len(weights)):
            s = anp.dot(out, parameters[layer]) + parameters[len(weights) + layer]
            last = layer == len(weights) - 1
            out = 1 / (1 + anp.exp(-s)) if last else anp.tanh(s) + 0.5 * s
        return anp.sum(loss_formula(out, y[example]))

    honest = [lambda s: (np.tanh(s) + 0.5 * s, 1.5 - np.tanh(s) ** 2)] * (len(weights) - 1)
    honest.append(reference.sigmoid_activation)
    g, caches = reference.forward_pass(X, weights, biases, honest)
    right = reference.backward_pass(reference.logistic_loss(g, y)[1], caches)
    measured = reference.my_nn_finite_difference_checker(X, y, weights, biases, honest)
    for example in range(examples):
        expected = grad(loss_of, 1)(example, [*weights, *biases])
        for got, rough, exact in zip(
            [*right[0], *right[1]], [*measured[0], *measured[1]], expected, strict=True
        ):
            np.testing.assert_allclose(got[example], exact, rtol=1e-8, atol=1e-12)
            np.testing.assert_allclose(rough[example], exact, rtol=1e-5, atol=1e-8)


def test_a_backward_pass_uses_the_activations_slope():
    X, (W,), (b,) = fresh.network(draw("lying"), (3, 1), 4)
    _, caches = reference.forward_pass(X, [W], [b], [networks.waved])
    (grad_W,), (grad_b,) = reference.backward_pass(np.ones((4, 1)), caches)
    slope = 2 + np.cos(X @ W + b)
    np.testing.assert_allclose(grad_W, X[:, :, None] * slope[:, None])
    np.testing.assert_allclose(grad_b, slope[:, None])


WRONG_LAYERS = {  # each with the cache of a right layer in the same layout, from x, W and slope
    "a list (W, x, slope)": (lambda out, x, W, slope: (out + 1, [W, x, slope]), (1, 0, 2)),
    "a dictionary": (lambda out, x, W, slope: (out + 1, {0: x, 1: slope, 2: W}), (0, 2, 1)),
    "the recommended tuple, and its slope is wrong": (
        lambda out, x, W, slope: (out + 1, (x, W, -slope)),
        (0, 1, 2),
    ),
    "the results change places": (lambda out, x, W, slope: ((x, W, slope), out), (0, 1, 2)),
    "no cache": (lambda out, x, W, slope: out, (0, 1, 2)),
}


@pytest.mark.parametrize(("layer", "places"), WRONG_LAYERS.values(), ids=WRONG_LAYERS)
@pytest.mark.parametrize(("dims", "examples"), [((3, 2), 4), ((3, 2), 2), ((1, 1), 1)])
def test_in_a_second_try_a_wrong_layer_leaves_a_cache_to_read(layer, places, dims, examples):
    def own(x, W, b, activation_fn):
        out, slope = activation_fn(x @ W + b)
        return layer(out, x, W, slope)

    x, (W,), (b,) = fresh.network(draw("second try"), dims, examples)
    right, recommended = reference.layer_forward(x, W, b, networks.waved)
    forward = reference.second_try(lambda name: own)["forward_pass"]
    out, [cache] = forward(x, [W], [b], [networks.waved])
    np.testing.assert_array_equal(out, right)
    for place, expected in zip(places, recommended, strict=True):
        np.testing.assert_array_equal(cache[place], expected)


def test_in_a_second_try_a_right_layer_has_its_own_cache():
    """That its sum takes the place of the slope is charged to ``backward_pass``."""

    def own(x, W, b, activation_fn):
        return activation_fn(x @ W + b)[0], (x, W, x @ W + b)

    x, (W,), (b,) = fresh.network(draw("own"), (3, 2), 4)
    forward = reference.second_try(lambda name: own)["forward_pass"]
    _, [(_, _, slope)] = forward(x, [W], [b], [networks.waved])
    np.testing.assert_array_equal(slope, x @ W + b)
