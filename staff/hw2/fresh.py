"""Random networks and labels for hidden tests."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_support.fresh import apart_from_zero, generator

__all__ = ["apart_from_zero", "generator", "labels", "network"]
Array = npt.NDArray[Any]


def network(
    draw: np.random.Generator, dims: Sequence[int], examples: int
) -> tuple[Array, list[Array], list[Array]]:
    """Return a batch (n, d_0), weights (d_{l-1}, d_l) and biases (1, d_l).

    Inputs and biases are of order 1. The weights are scaled so that a layer's sums are too.
    """
    weights = [apart_from_zero(draw, (d, e), scale=d**-0.5) for d, e in pairwise(dims)]
    biases = [apart_from_zero(draw, (1, d)) for d in dims[1:]]
    return apart_from_zero(draw, (examples, dims[0])), weights, biases


def labels(draw: np.random.Generator, examples: int) -> npt.NDArray[np.int64]:
    """Return labels 0 and 1 in a random order, both of them, for two examples or more."""
    both = np.arange(examples) % 2
    return draw.permutation(both)
