"""Fresh cases of hw0, answered by the reference; ``Checks.grade_with`` adds them when it grades."""

from typing import Any

import numpy as np
import numpy.typing as npt

from hw_support.fresh import apart_from_zero
from staff.hw0 import reference

Array = npt.NDArray[Any]
Draw = np.random.Generator
Cases = list[tuple[Any, ...]]


def as_column(draw: Draw) -> Cases:
    """Return numbers of other lengths."""
    lines = [apart_from_zero(draw, n) for n in (6, 2, 1)]
    return [(x, reference.as_column(x)) for x in lines]


def squared_errors(draw: Draw) -> Cases:
    """Return predictions and targets, also of a single example."""
    pairs = [(apart_from_zero(draw, (n, 1)), apart_from_zero(draw, n)) for n in (6, 1)]
    return [(p, t, reference.squared_errors(p, t)) for p, t in pairs]


def standardize(draw: Draw) -> Cases:
    """Return tables of other sizes; in one, a number lies far out, one has small numbers."""
    tables = [_table(draw, n, d) for n, d in ((7, 4), (5, 1), (30, 2))]
    tables[2][3, 0] += 50.0
    tables.append(0.01 * _table(draw, 3, 6))
    return [(X, reference.standardize(X)) for X in tables]


def squared_distances(draw: Draw) -> Cases:
    """Return points in spaces of one to four dimensions."""
    sizes = (5, 3, 4), (2, 6, 1), (1, 4, 3), (3, 3, 3)
    pairs = [(apart_from_zero(draw, (n, d)), apart_from_zero(draw, (m, d))) for n, m, d in sizes]
    return [(A, B, reference.squared_distances(A, B)) for A, B in pairs]


def central_difference(draw: Draw) -> dict[str, Cases]:
    """Return a fresh step for a number and for arrays."""
    step, numbers = float(draw.uniform(0.1, 0.5)), apart_from_zero(draw, (3, 4))
    inputs = {"numbers": [float(numbers[0, 0])], "arrays": [numbers, numbers[1]]}
    return {
        part: [(_wave, x, step, reference.central_difference(_wave, x, step)) for x in xs]
        for part, xs in inputs.items()
    }


def _table(draw: Draw, n: int, d: int) -> Array:
    """Return numbers (n, d) whose columns differ in mean and in spread; none is constant.

    A mean is at most six times the spread, so that float32 keeps five digits of a deviation.
    """
    spreads = draw.uniform(0.5, 5.0, d)
    centres = apart_from_zero(draw, d, scale=3.0) * spreads
    steps = draw.permuted(np.tile(np.linspace(-1.5, 1.5, n)[:, None], (1, d)), axis=0)
    return np.asarray(centres + spreads * (steps + draw.uniform(-0.1, 0.1, (n, d))))


def _wave(x: npt.ArrayLike) -> Any:
    """Return exp(x / 2) + x**3, entry by entry.

    Neither its second nor its third derivative is near 0 where the size of x is above 0.1, so a
    one-sided difference is seen, and so is a formula of higher order.
    """
    numbers = np.asarray(x, dtype=float)
    return (np.exp(0.5 * numbers) + numbers**3)[()]
