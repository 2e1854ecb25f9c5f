"""Which pairs have most in common that others have not: fingerprints by who has them.

A run of code that only two students have counts 1, one that many have counts less, and one that
more than a quarter of the class have counts nothing (inverse document frequency). So what a task
suggests, or a common way to write a short function, weighs little.

Fingerprints are sorted once for the class. Those that count are taken in blocks as the columns of a
matrix of students, whose product with itself adds up what each pair shares. For n students memory
is that of n² numbers and of one block, however many fingerprints there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDEST_SHARE = 0.25  # of a class: what more of them have counts nothing
_SMALLEST = 20  # a smaller class counts as one of so many: a quarter of it would be one or two
_COLUMNS = 4_096


@dataclass(frozen=True)
class Weights:
    """How much fingerprints count that at least two students have, and not too many.

    Attributes
    ----------
    hashes
        Sorted, shape (m,).
    weights
        Shape (m,), from above 0 to 1.
    """

    hashes: NDArray[np.int64]
    weights: NDArray[np.float64]

    def of(self, hashes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the weights of fingerprints; 0 for those that do not count, or that one has."""
        if not len(self.hashes):
            return np.zeros(len(hashes))
        places = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return np.where(self.hashes[places] == hashes, self.weights[places], 0.0)


@dataclass(frozen=True)
class InCommon:
    """What the pairs of a class have in common.

    Attributes
    ----------
    shared
        Shape (n, n), symmetric with a diagonal of 0: the weights of what two students share.
    own
        Shape (n,): the weights of all that a student has, those included that nobody else has.
    """

    weights: Weights
    shared: NDArray[np.float64]
    own: NDArray[np.float64]

    def share(self, student: int, other: int) -> float:
        """Return which part of what a student wrote the other has too, from 0 to 1."""
        whole = self.own[student]
        return float(self.shared[student, other] / whole) if whole else 0.0


def in_common(hashes: Sequence[NDArray[np.int64]]) -> InCommon:
    """Compare the students of a class.

    Parameters
    ----------
    hashes
        For each student, the fingerprints, in any order.
    """
    n = len(hashes)
    unique = [np.unique(one) for one in hashes]
    whose = np.repeat(np.arange(n), [len(one) for one in unique])
    all_of_them = np.concatenate([*unique, np.empty(0, dtype=np.int64)])
    order = np.argsort(all_of_them, kind="stable")
    whose = whose[order]
    values, begins, counts = np.unique(all_of_them[order], return_index=True, return_counts=True)
    weights = weights_of(counts, n)
    counted = (counts > 1) & (weights > 0)
    own = np.bincount(whose, np.repeat(weights, counts), minlength=n).astype(float)
    shared = np.zeros((n, n))
    places = np.flatnonzero(counted)
    for start in range(0, len(places), _COLUMNS):
        some = places[start : start + _COLUMNS]
        rows = np.concatenate([whose[begins[i] : begins[i] + counts[i]] for i in some])
        columns = np.repeat(np.arange(len(some)), counts[some])
        block = np.zeros((n, len(some)))
        block[rows, columns] = np.sqrt(weights[some])[columns]
        shared += block @ block.T
    np.fill_diagonal(shared, 0.0)
    return InCommon(Weights(values[counted], weights[counted]), shared, own)


def weights_of(counts: NDArray[np.intp], students: int) -> NDArray[np.float64]:
    """Return what a fingerprint counts that so many students of a class have."""
    n = max(students, _SMALLEST)
    weights = np.log(n / np.maximum(counts, 2)) / np.log(n / 2)
    return np.where(counts <= WIDEST_SHARE * n, weights, 0.0)


def best_pairs(scores: NDArray[np.float64], least: float, most: int) -> list[tuple[int, int]]:
    """Return the pairs (i, j), i < j, with the highest scores, the highest first.

    Parameters
    ----------
    scores
        Shape (n, n), symmetric.
    least
        A lower score is no pair.
    most
        How many pairs at most.
    """
    rows, columns = np.nonzero(np.triu(scores >= least, k=1))
    # Sums in another order differ in the last digits, and so would the order of equal pairs.
    order = np.lexsort((columns, rows, -scores[rows, columns].round(6)))[:most]
    return [(int(rows[k]), int(columns[k])) for k in order]
