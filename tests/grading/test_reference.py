"""The reference agrees with automatic differentiation, and with the instructor's solutions."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import elementwise_grad, grad

from hw_support.compare import Mismatch
from hw_support.fresh import SEED_VARIABLE
from staff.hw2 import fresh, hidden, reference

CHECKED = {
    "sigmoid": (reference.sigmoid_activation, lambda x: 1 / (1 + anp.exp(-x))),
    "relu": (reference.relu_activation, lambda x: anp.maximum(x, 0.0)),
    "bent": (hidden.bent, lambda x: anp.tanh(x) + 0.5 * x),
    "squashed": (hidden.squashed, lambda x: 0.5 + 0.25 * anp.arctan(x)),
}


def draw(name):
    return fresh.generator(f"reference {name}")


@pytest.mark.parametrize("name", CHECKED)
def test_activations_and_their_derivatives(name):
    function, formula = CHECKED[name]
    x = fresh.apart_from_zero(draw(name), (5, 4), scale=3.0)
    out, slope = function(x)
    np.testing.assert_allclose(out, formula(x), rtol=1e-12)
    np.testing.assert_allclose(slope, elementwise_grad(formula)(x), rtol=1e-10)


def test_the_sigmoid_far_out():
    out, slope = reference.sigmoid_activation([-1000.0, -40.0, 40.0, 1000.0])
    np.testing.assert_allclose(out, [0.0, 4.248354255291589e-18, 1.0, 1.0], rtol=1e-14)
    np.testing.assert_allclose(slope, [0.0, *2 * [4.248354255291589e-18], 0.0], rtol=1e-14)


def loss_formula(g, y):
    return -(y * anp.log(g) + (1 - y) * anp.log(1 - g))


def test_the_loss_and_its_derivative():
    g, y = draw("loss").uniform(0.02, 0.98, (9, 1)), fresh.labels(draw("labels"), 9)
    loss, slope = reference.logistic_loss(g, y)
    np.testing.assert_allclose(loss, loss_formula(g, y[:, None]), rtol=1e-12)
    expected = elementwise_grad(lambda g: loss_formula(g, y[:, None]))(g)
    np.testing.assert_allclose(slope, expected, rtol=1e-10)


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

    activations = [hidden.bent] * (len(weights) - 1) + [reference.sigmoid_activation]
    g, caches = reference.forward_pass(X, weights, biases, activations)
    grads = reference.backward_pass(reference.logistic_loss(g, y)[1], caches)
    for example in range(examples):
        expected = grad(loss_of, 1)(example, [*weights, *biases])
        for got, right in zip([*grads[0], *grads[1]], expected, strict=True):
            np.testing.assert_allclose(got[example], right, rtol=1e-8, atol=1e-12)


def test_fresh_inputs_are_the_same_again_with_the_same_seed(monkeypatch):
    monkeypatch.setenv(SEED_VARIABLE, "7")
    first = fresh.generator("part").normal(size=3)
    np.testing.assert_array_equal(first, fresh.generator("part").normal(size=3))
    assert not np.any(first == fresh.generator("another part").normal(size=3))
    monkeypatch.setenv(SEED_VARIABLE, "8")
    assert not np.any(first == fresh.generator("part").normal(size=3))


def test_fresh_labels_hold_both_and_fresh_numbers_keep_away_from_zero():
    assert set(fresh.labels(draw("labels"), 2)) == {0, 1}
    numbers = fresh.apart_from_zero(draw("numbers"), 1000)
    assert np.abs(numbers).min() >= 0.1
    assert (numbers > 0).any()
    assert (numbers < 0).any()


def test_a_checker_that_ignores_its_activations_is_told_so():
    def ignoring(X, y, Ws, bs, activations):
        return reference.differences(X, y, Ws, bs, [hidden.bent, hidden.squashed])

    with pytest.raises(Mismatch, match="never calls the last function in the list activations"):
        hidden.difference_results({"my_nn_finite_difference_checker": ignoring}, [3, 4, 1], 5)
