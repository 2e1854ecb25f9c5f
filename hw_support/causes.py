"""Recognize a wrong result by what it is in place of the right one.

Each cause is tried only after a comparison has failed. A cause names no value of either array, so
it may be told where inputs are hidden.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# Steps that students use for differences: `/2*h` gives the derivative times h squared.
_STEPS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)


def likely_cause(got: Array, right: Array) -> str | None:
    """Return what `got` is, in place of `right`, if it is one of the known mistakes.

    Parameters
    ----------
    got, right
        Arrays of numbers; their shapes may differ.

    Returns
    -------
    str or None
        A clause such as "this is the batch's mean; ...".
    """
    if right.size < 2 or not np.all(np.isfinite(got)):
        return None
    if got.shape != right.shape and got.size == right.size and _alike(got.ravel(), right.ravel()):
        return "the values are right; reshape them"
    for told, candidate in _CANDIDATES:
        wanted = candidate(right)
        if wanted is None or got.size != wanted.size or got.size == 0:
            continue
        if _alike(np.ravel(got), np.ravel(wanted)):
            return told
    return _constant_factor(got, right) if got.shape == right.shape else None


def _alike(got: Array, wanted: Array) -> bool:
    size = np.abs(wanted).max()
    return bool(size > 0 and np.allclose(got, wanted, rtol=1e-3, atol=1e-6 * size))


def _constant_factor(got: Array, right: Array) -> str | None:
    """Name a factor that all entries share."""
    there = np.abs(right) > 1e-3 * np.abs(right).max()
    factors = got[there] / right[there]
    factor = float(np.median(factors))
    if factor == 0 or not np.allclose(factors, factor, rtol=1e-3):
        return None
    if not _alike(got, factor * right):
        return None
    for step in _STEPS:
        if abs(factor / step**2 - 1) < 1e-2:
            return "`/ 2 * h` divides by 2 and multiplies by h; `/ (2 * h)` divides by both"
        if abs(factor / (2 * step) - 1) < 1e-2:
            return "a difference has to be divided by 2 h"
    return f"every entry is {factor:.4g} times what it should be"


def _per_example(reduce: Callable[[Array], Array]) -> Callable[[Array], Array | None]:
    """Make a candidate of what a reduction over the examples gives, for gradients only."""
    return lambda right: reduce(right) if right.ndim == 3 and len(right) > 1 else None


_CANDIDATES: tuple[tuple[str, Callable[[Array], Array | None]], ...] = (
    (
        "this is the mean over the batch; one gradient for each example was asked for",
        _per_example(lambda right: right.mean(axis=0)),
    ),
    (
        "this is the sum over the batch; one gradient for each example was asked for",
        _per_example(lambda right: right.sum(axis=0)),
    ),
    (
        "there is a 1/n in it; the gradient of each example's own loss was asked for",
        _per_example(lambda right: right / len(right)),
    ),
    ("the sign is turned", lambda right: -right),
    (
        "rows and columns are swapped",
        lambda right: np.swapaxes(right, -1, -2) if right.ndim > 1 else None,
    ),
    ("the order along the first axis is reversed", lambda right: right[::-1]),
)
