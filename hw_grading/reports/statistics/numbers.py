"""Compute a class's figures: spread, item-rest correlation, graders, groups of five or more."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_grading.reports.statistics.gathering import Given, Numbers

LEAST_IN_A_GROUP = 5  # students, on a page for students
LEAST_TO_CORRELATE = 3
BANDS = ("0", "below half", "half and more", "full")


@dataclass(frozen=True)
class Spread:
    """The spread of numbers; `deviation` is the sample's, NaN for fewer than two numbers."""

    count: int
    mean: float
    median: float
    deviation: float
    least: float
    most: float

    @property
    def three(self) -> tuple[float, float, float]:
        """Mean, median and deviation."""
        return self.mean, self.median, self.deviation


def spread(values: Numbers) -> Spread:
    """Return the spread of numbers without NaN; if there are none, all but the count is NaN."""
    there = values[~np.isnan(values)]
    if not there.size:
        return Spread(0, *[math.nan] * 5)
    deviation = there.std(ddof=1) if there.size > 1 else math.nan
    figures = (there.mean(), np.median(there), deviation, there.min(), there.max())
    return Spread(there.size, *map(float, figures))


def bands(points: Numbers, most: float) -> NDArray[np.intp]:
    """Count the students in each of `BANDS`; `points` have the shape (n,), with NaN not counted.

    `most` are full marks, above 0.
    """
    there = points[~np.isnan(points)]
    full, none = there >= most - 1e-9, there <= 1e-9
    low = ~none & ~full & (there < most / 2)
    return np.array([(none & ~full).sum(), low.sum(), (~none & ~low & ~full).sum(), full.sum()])


def item_rest(points: Numbers) -> Numbers:
    """Return each item's Pearson correlation with the sum of all other items, shape (m,).

    `points` have the shape (n, m), without NaN. NaN stands for an item if all students have the
    same points for it or for the rest, and for fewer than `LEAST_TO_CORRELATE` students.
    """
    n, m = points.shape
    if n < LEAST_TO_CORRELATE:
        return np.full(m, math.nan)
    rest = points.sum(axis=1, keepdims=True) - points
    varies = np.minimum(np.ptp(points, axis=0), np.ptp(rest, axis=0)) > 1e-9
    found = np.full(m, math.nan)
    for item in np.flatnonzero(varies):
        found[item] = np.corrcoef(points[:, item], rest[:, item])[0, 1]
    return found


def comparable(points: Numbers, by_hand: Sequence[bool]) -> tuple[Numbers, list[int]]:
    """Return points without NaN for comparing items, and the numbers of these items.

    These are all items of the wholly graded submissions. While there are fewer than
    `LEAST_TO_CORRELATE` of these, they are only the items of tests.
    """
    whole = points[~np.isnan(points).any(axis=1)]
    if len(whole) >= LEAST_TO_CORRELATE:
        return whole, list(range(points.shape[1]))
    tests = [n for n, by in enumerate(by_hand) if not by]
    of_tests = points[:, tests]
    return of_tests[~np.isnan(of_tests).any(axis=1)], tests


@dataclass(frozen=True)
class Grader:
    """The difference of one grader's points from the others' for the same questions."""

    name: str  # the grader's name; "" if unknown
    answers: int  # the number of answers
    # For each answer: the grader's points minus the others' mean for that question, as a share of
    # the question's points. This is the mean over the answers; NaN if the others graded none.
    difference: float
    error: float  # the standard error of `difference`; NaN if it cannot be computed


def graders(given: Iterable[Given], most: Sequence[float]) -> list[Grader]:
    """Compare the graders, sorted by name; `most` has the maximum points of each item."""
    points: dict[tuple[str, int], list[float]] = defaultdict(list)
    for one in given:
        if most[one.item] > 0:
            points[one.grader, one.item].append(one.points / most[one.item])
    found = []
    for name in sorted({name for name, _ in points}):
        count, compared, differences, variance = 0, 0, 0.0, 0.0
        for item, own in ((i, ps) for (grader, i), ps in points.items() if grader == name):
            count += len(own)
            others = [p for (g, i), ps in points.items() if i == item and g != name for p in ps]
            if others:
                compared += len(own)
                differences += len(own) * (float(np.mean(own)) - float(np.mean(others)))
                mean_of_both = float(np.var(own)) / len(own) + float(np.var(others)) / len(others)
                variance += len(own) ** 2 * mean_of_both
        difference = differences / compared if compared else math.nan
        error = math.sqrt(variance) / compared if compared > 1 else math.nan
        found.append(Grader(name, count, difference, error))
    return found


def groups(counts: Sequence[int] | NDArray[np.intp]) -> list[tuple[int, int, int]]:
    """Join neighbouring bins to groups of `LEAST_IN_A_GROUP` or more: (first, last, count).

    No bin is left out, so nobody can compute a smaller count by subtraction. Empty if there would
    be fewer than two groups, because a single one reveals everybody's result.
    """
    found: list[tuple[int, int, int]] = []
    first, count = 0, 0
    for n, here in enumerate(counts):
        count += int(here)
        if count >= LEAST_IN_A_GROUP:
            found.append((first, n, count))
            first, count = n + 1, 0
    if found and first < len(counts):
        begin, _, last = found.pop()
        found.append((begin, len(counts) - 1, last + count))
    return found if len(found) > 1 else []


def edges_for(most: float, bins: int = 20) -> Numbers:
    """Return edges of about `bins` equal bins from 0 to `most`, at round numbers."""
    if most <= 0:
        return np.array([0.0, 1.0])
    steps = (s * 10.0**e for e in range(-3, 7) for s in (1, 2, 5))
    step = next((step for step in steps if most / step <= bins), most)
    edges: Numbers = np.arange(math.ceil(most / step - 1e-9) + 1, dtype=np.float64) * step
    return edges


def filled(edges: Numbers, counts: NDArray[np.intp]) -> list[tuple[float, float, int]]:
    """Return the edges and the count of each bin that is not empty."""
    bins = zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True)
    return [(a, b, count) for a, b, count in bins if count]


def counts_in(values: Numbers, edges: Numbers) -> NDArray[np.intp]:
    """Count values in bins; the first and the last bin include the values outside."""
    return np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0]
