"""Find the pairs of students with most fingerprints in common that few others have.

A run of code that only two students have counts 1. A run that more than a quarter of the class have
counts 0 (inverse document frequency). So code that the task suggests has little weight.

Blocks of the fingerprints that count become the columns of a matrix with a row for each student.
Its product with its own transpose adds up what each pair shares. For n students, memory holds n²
numbers and one block.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDEST_SHARE = 0.25  # of a class: a run that more students have counts 0
_SMALLEST = 20  # smaller classes count as this many: a quarter of them would be one or two
_COLUMNS = 4_096


@dataclass(frozen=True)
class Weights:
    """The weights of the fingerprints that at least two students have, but not too many."""

    hashes: NDArray[np.int64]  # the fingerprints, sorted, shape (m,)
    weights: NDArray[np.float64]  # their weights, shape (m,), above 0 and up to 1

    def of(self, hashes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the weights of fingerprints; 0 for common ones and for those of one student."""
        if not len(self.hashes):
            return np.zeros(len(hashes))
        places = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return np.where(self.hashes[places] == hashes, self.weights[places], 0.0)


@dataclass(frozen=True)
class InCommon:
    """The common work of all pairs of a class."""

    weights: Weights
    # shape (n, n), symmetric, with a diagonal of 0: the weights that two students share
    shared: NDArray[np.float64]
    # shape (n,): the weights of all of a student's fingerprints, also those that only they have
    own: NDArray[np.float64]

    def share(self, student: int, other: int) -> float:
        """Return the share of a student's work that the other has too, from 0 to 1."""
        whole = self.own[student]
        return float(self.shared[student, other] / whole) if whole else 0.0


def in_common(hashes: Sequence[NDArray[np.int64]]) -> InCommon:
    """Compare the students of a class by the fingerprints of each, in any order."""
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
    """Return the weights of fingerprints, given how many of the students have each one."""
    n = max(students, _SMALLEST)
    weights = np.log(n / np.maximum(counts, 2)) / np.log(n / 2)
    return np.where(counts <= WIDEST_SHARE * n, weights, 0.0)


def best_pairs(scores: NDArray[np.float64], least: float, most: int) -> list[tuple[int, int]]:
    """Return pairs (i, j), i < j, of symmetric scores (n, n) from `least` up, the highest first."""
    rows, columns = np.nonzero(np.triu(scores >= least, k=1))
    # Rounding keeps the order of equal pairs: sums in another order differ in the last digits.
    order = np.lexsort((columns, rows, -scores[rows, columns].round(6)))[:most]
    return [(int(rows[k]), int(columns[k])) for k in order]
