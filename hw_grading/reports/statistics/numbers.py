"""Figures of a class: spread, item against rest, graders, groups of five and more."""

from __future__ import annotations

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
    """How numbers are spread; `deviation` is the sample's, NaN for fewer than two."""

    count: int
    mean: float
    median: float
    deviation: float
    least: float
    most: float


def spread(values: Numbers) -> Spread | None:
    """Return how numbers are spread, NaN left out; None if there are none."""
    there = values[~np.isnan(values)]
    if not there.size:
        return None
    deviation = float(there.std(ddof=1)) if there.size > 1 else math.nan
    middle = (float(there.mean()), float(np.median(there)))
    return Spread(there.size, *middle, deviation, float(there.min()), float(there.max()))


def bands(points: Numbers, most: float) -> NDArray[np.intp]:
    """Count the students in each of `BANDS`; NaN are left out.

    Parameters
    ----------
    points
        Shape (n,).
    most
        Full marks, above 0.
    """
    there = points[~np.isnan(points)]
    full, none = there >= most - 1e-9, there <= 1e-9
    low = ~none & ~full & (there < most / 2)
    return np.array([(none & ~full).sum(), low.sum(), (~none & ~low & ~full).sum(), full.sum()])


def item_rest(points: Numbers) -> Numbers:
    """Return the correlation of each item with the sum of all others (Pearson's).

    Parameters
    ----------
    points
        Shape (n, m), without NaN.

    Returns
    -------
    array, shape (m,)
        From -1 to 1. NaN for an item that all have the same points for, or the same rest, and for
        fewer than `LEAST_TO_CORRELATE` students.
    """
    n, m = points.shape
    if n < LEAST_TO_CORRELATE:
        return np.full(m, math.nan)
    rest = points.sum(axis=1, keepdims=True) - points
    x, y = points - points.mean(axis=0), rest - rest.mean(axis=0)
    lengths = np.sqrt((x**2).sum(axis=0) * (y**2).sum(axis=0))
    varies = np.minimum(np.abs(x).max(axis=0), np.abs(y).max(axis=0)) > 1e-9
    products = (x * y).sum(axis=0)
    found = np.full(m, math.nan)
    found[varies] = np.clip(products[varies] / lengths[varies], -1.0, 1.0)
    return found


def comparable(points: Numbers, by_hand: Sequence[bool]) -> tuple[Numbers, list[int]]:
    """Return the points that items can be compared by: without NaN, and which items they are of.

    These are all items of the submissions that are graded wholly, or, while there are fewer than
    `LEAST_TO_CORRELATE`, those of tests.
    """
    whole = points[~np.isnan(points).any(axis=1)]
    if len(whole) >= LEAST_TO_CORRELATE:
        return whole, list(range(points.shape[1]))
    tests = [n for n, by in enumerate(by_hand) if not by]
    of_tests = points[:, tests]
    return of_tests[~np.isnan(of_tests).any(axis=1)], tests


@dataclass(frozen=True)
class Grader:
    """How one grader's points differ from the others' for the same questions.

    Attributes
    ----------
    name
        "" for points of which the grader is not known.
    answers
        How many answers.
    difference
        Mean over the answers of the grader's points less the mean of the others' for that question,
        as a part of its points; NaN if nobody else graded any of these questions.
    error
        Standard error of it; NaN where it cannot be told.
    """

    name: str
    answers: int
    difference: float
    error: float


def graders(given: Iterable[Given], most: Sequence[float]) -> list[Grader]:
    """Compare the graders, by name.

    Parameters
    ----------
    given
        What they gave.
    most
        Full marks of each item.
    """
    points: dict[tuple[str, int], list[float]] = defaultdict(list)
    for one in given:
        if most[one.item] > 0:
            points[one.grader, one.item].append(one.points / most[one.item])
    found = []
    for name in sorted({name for name, _ in points}):
        count, differences, variance = 0, 0.0, 0.0
        compared = 0
        for (grader, item), own in points.items():
            if grader != name:
                continue
            count += len(own)
            others = [p for (g, i), ps in points.items() if i == item and g != name for p in ps]
            if others:
                compared += len(own)
                differences += len(own) * (float(np.mean(own)) - float(np.mean(others)))
                mean_of_both = float(np.var(own)) / len(own) + float(np.var(others)) / len(others)
                variance += len(own) ** 2 * mean_of_both
        if compared:
            error = math.sqrt(variance) / compared if compared > 1 else math.nan
            found.append(Grader(name, count, differences / compared, error))
        else:
            found.append(Grader(name, count, math.nan, math.nan))
    return found


def groups(counts: Sequence[int], least: int = LEAST_IN_A_GROUP) -> list[tuple[int, int, int]]:
    """Join neighbouring classes until each has so many students.

    Nothing is left out, so nothing can be found by subtracting what is shown from the whole.

    Parameters
    ----------
    counts
        Of neighbouring classes.
    least
        Of a group.

    Returns
    -------
    list of (first, last, count)
        The groups, by the numbers of their classes. Empty if there would be fewer than two: one
        group says of everybody what they have.
    """
    found: list[list[int]] = []
    first, count = 0, 0
    for n, here in enumerate(counts):
        count += int(here)
        if count >= least:
            found.append([first, n, count])
            first, count = n + 1, 0
    if found and first < len(counts):
        found[-1][1], found[-1][2] = len(counts) - 1, found[-1][2] + count
    return [(a, b, c) for a, b, c in found] if len(found) > 1 else []


def edges_for(most: float, bins: int = 20) -> Numbers:
    """Return the edges of about so many equal classes from 0 to all points, at round numbers."""
    if most <= 0:
        return np.array([0.0, 1.0])
    step = next(
        (s * 10.0**e for e in range(-3, 7) for s in (1, 2, 5) if most / (s * 10.0**e) <= bins), most
    )
    edges: Numbers = np.arange(math.ceil(most / step - 1e-9) + 1, dtype=np.float64) * step
    return edges


def counts_in(values: Numbers, edges: Numbers) -> NDArray[np.intp]:
    """Count values in classes; those outside are counted in the first and the last one."""
    return np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0]
