"""Activations for tests return a slope that is not the slope of their values."""

import numpy as np
import pytest

from hw_support import bent, peaked, squashed, waved

S = np.linspace(-3, 3, 61).reshape(61, 1)


@pytest.mark.parametrize("activation", [bent, waved, squashed, peaked])
def test_the_slope_that_is_returned_is_not_the_measured_one(activation):
    out, slope = activation(S)
    measured = (activation(S + 1e-6)[0] - activation(S - 1e-6)[0]) / 2e-6
    assert out.shape == slope.shape == S.shape
    assert np.mean(np.abs(measured - slope) > 0.1) > 0.9


@pytest.mark.parametrize("activation", [squashed, peaked])
def test_probabilities_lie_between_a_quarter_and_three_quarters(activation):
    out = activation(100 * S)[0]
    assert np.all((out >= 0.25) & (out <= 0.75))


def test_a_central_difference_at_the_peak_is_0_and_a_one_sided_one_is_not():
    up, down, here = (peaked(np.array([x]))[0][0] for x in (1e-3, -1e-3, 0.0))
    assert up == down < here == 0.75
