"""Activations that no layer was written for, on which test cells try a network.

The slope that each returns is not the slope of its values. So code that uses the returned slope,
as a backward pass does, and code that measures the values give different gradients.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def bent(s: Array) -> tuple[Array, Array]:
    """Return s² and, as the slope, 3 s."""
    return s**2, 3.0 * s


def waved(s: Array) -> tuple[Array, Array]:
    """Return a smooth, rising function of s and, as the slope, 2 + cos s."""
    return np.tanh(s) + 0.5 * s, 2.0 + np.cos(s)


def squashed(s: Array) -> tuple[Array, Array]:
    """Return numbers between 1/4 and 3/4, like probabilities, and, as the slope, 1 + sin(s) / 2."""
    return 0.5 + np.arctan(s) / (2.0 * np.pi), 1.0 + 0.5 * np.sin(s)


def peaked(s: Array) -> tuple[Array, Array]:
    """Return probabilities that are largest, 3/4, at s = 0, and, as the slope, 1.

    There a central difference is 0, and a one-sided one is not.
    """
    return 0.5 + np.cos(8.0 * s) / 4.0, np.ones_like(s)
