"""A second version of the functions of hw0, independent of the notebook's solutions.

Hidden tests compare results with these. They compute number by number, in plain Python.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def as_column(x: npt.ArrayLike) -> Array:
    """Return n numbers as an array (n, 1)."""
    return np.array([[float(number)] for number in np.ravel(x)])


def squared_errors(predictions: npt.ArrayLike, targets: npt.ArrayLike) -> Array:
    """Return (p - t)**2 for each pair, (n, 1)."""
    pairs = zip(np.ravel(predictions), np.ravel(targets), strict=True)
    return np.array([[float(p - t) ** 2] for p, t in pairs])


def standardize(X: npt.ArrayLike) -> Array:
    """Return X (n, d) with columns of mean 0 and standard deviation 1 (divided by n)."""
    columns = []
    for column in np.transpose(X).tolist():
        mean = math.fsum(column) / len(column)
        variance = math.fsum((value - mean) ** 2 for value in column) / len(column)
        columns.append([(value - mean) / math.sqrt(variance) for value in column])
    return np.array(columns).T


def squared_distances(A: npt.ArrayLike, B: npt.ArrayLike) -> Array:
    """Return the squared distance of each row of A (n, d) to each of B (m, d), (n, m)."""
    rows, others = np.asarray(A).tolist(), np.asarray(B).tolist()
    return np.array(
        [
            [math.fsum((a - b) ** 2 for a, b in zip(row, other, strict=True)) for other in others]
            for row in rows
        ]
    )


def central_difference(f: Callable[[float], Any], x: npt.ArrayLike, h: float) -> Array:
    """Return (f(x + h) - f(x - h)) / (2 h), of the shape of x, entry by entry."""
    points = np.asarray(x, dtype=float)
    slopes = [(float(f(p + h)) - float(f(p - h))) / (2 * h) for p in points.ravel().tolist()]
    return np.array(slopes).reshape(points.shape)
