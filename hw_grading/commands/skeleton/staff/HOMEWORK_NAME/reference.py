"""The functions of HOMEWORK_NAME once more, written apart from the notebook's solutions.

Hidden parts compare with these. They go number by number, in Python's own arithmetic.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt


def running_mean(x: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return the mean of the first 1, 2, ..., n of n numbers, (n,)."""
    numbers = np.asarray(x, dtype=float).tolist()
    return np.array([math.fsum(numbers[:n]) / n for n in range(1, len(numbers) + 1)])
