"""Random inputs for hidden tests: new ones for every submission, and the same again from its seed.

The grader sets the environment variable ``HW_GRADING_SEED`` for each submission and keeps the
number with the graded notebook. Without it (an instructor who runs the source notebook, say) a seed
is drawn once for the process.
"""

from __future__ import annotations

import functools
import os
import secrets
import zlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

SEED_VARIABLE = "HW_GRADING_SEED"


def generator(name: str) -> np.random.Generator:
    """Return a generator for the part `name`: the same numbers at every call with one seed.

    Parts do not share a stream, so that a part draws the same whatever ran before it.
    """
    seed = os.environ.get(SEED_VARIABLE)
    return np.random.default_rng(
        [int(seed) if seed else _of_this_process(), zlib.crc32(name.encode())]
    )


@functools.cache
def _of_this_process() -> int:
    return secrets.randbits(32)


def apart_from_zero(draw: np.random.Generator, shape: Any, scale: float = 1.0) -> Array:
    """Return numbers of either sign whose size lies between 0.1 and 2 times `scale`."""
    sizes = draw.uniform(0.1, 2.0, shape) * scale
    return np.asarray(sizes * draw.choice([-1.0, 1.0], shape))


def network(
    draw: np.random.Generator, dims: Sequence[int], examples: int
) -> tuple[Array, list[Array], list[Array]]:
    """Return a batch (n, d_0), weights (d_{l-1}, d_l) and biases (1, d_l).

    Inputs and biases are of order 1, and weights such that the sums of a layer are too.
    """
    weights = [apart_from_zero(draw, (d, e), scale=d**-0.5) for d, e in pairwise(dims)]
    biases = [apart_from_zero(draw, (1, d)) for d in dims[1:]]
    return apart_from_zero(draw, (examples, dims[0])), weights, biases


def labels(draw: np.random.Generator, examples: int) -> npt.NDArray[np.int64]:
    """Return labels 0 and 1 in a random order, both of them, for two examples or more."""
    both = np.arange(examples) % 2
    return draw.permutation(both)
