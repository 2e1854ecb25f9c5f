"""Fresh cases of HOMEWORK_NAME; ``Checks.grade_with`` adds them when a notebook is graded.

Each function has the name of the `Checks` for which it draws. Fresh cases are of the kinds that the
notebook's own cases show.
"""

from typing import Any

import numpy as np

from hw_support.fresh import apart_from_zero
from staff.HOMEWORK_NAME import reference


def running_mean(draw: np.random.Generator) -> list[tuple[Any, ...]]:
    """Return numbers of other lengths, and their running means."""
    inputs = [apart_from_zero(draw, n) for n in (5, 9, 1)]
    return [(x, reference.running_mean(x)) for x in inputs]
