"""What the hidden parts of hw0 share: inputs, a function to differentiate, a stand-in."""

from typing import Any

import numpy as np
import numpy.typing as npt

from hw_support import Checks
from hw_support.fresh import apart_from_zero
from staff.hw0 import reference

Array = npt.NDArray[Any]


def data_set(draw: np.random.Generator, n: int, d: int) -> Array:
    """Return numbers (n, d) whose columns differ in mean and in spread; none is constant.

    A mean is at most six times the spread, so that float32 keeps five digits of a deviation.
    """
    spreads = draw.uniform(0.5, 5.0, d)
    centres = apart_from_zero(draw, d, scale=3.0) * spreads
    steps = draw.permuted(np.tile(np.linspace(-1.5, 1.5, n)[:, None], (1, d)), axis=0)
    return np.asarray(centres + spreads * (steps + draw.uniform(-0.1, 0.1, (n, d))))


def wave(x: npt.ArrayLike) -> Any:
    """Return exp(x / 2) + x**3, entry by entry.

    Neither its second nor its third derivative is near 0 where the size of x is above 0.1, so a
    one-sided difference is seen, and so is a formula of higher order.
    """
    numbers = np.asarray(x, dtype=float)
    return (np.exp(0.5 * numbers) + numbers**3)[()]


def stand_ins_for_errors(checks: Checks) -> None:
    """Register a right as_column for squared_errors: a bug in it costs points in its own test."""
    checks.stand_ins(100, as_column=lambda x, *_, **__: reference.as_column(x))
