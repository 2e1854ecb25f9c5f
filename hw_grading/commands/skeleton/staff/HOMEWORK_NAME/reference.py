"""A second version of HOMEWORK_NAME's functions, independent of the notebook's solutions.

They answer the fresh cases, and in a part's second try they replace the functions that stand above
the tested one. They compute number by number in plain Python.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt


def running_mean(x: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return the mean of the first 1, 2, ..., n of n numbers, (n,)."""
    numbers = np.asarray(x, dtype=float).tolist()
    return np.array([math.fsum(numbers[:n]) / n for n in range(1, len(numbers) + 1)])
