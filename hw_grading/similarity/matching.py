"""Find the lines that two students have in common, cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_grading.similarity.own import Kind, Piece
from hw_grading.similarity.pairs import Weights
from hw_grading.similarity.prints import Prints, prints_of

LEAST_IN_A_CELL = 8.0  # runs; fewer are probably an accident
MOST_MATCHES = 12


@dataclass(frozen=True)
class Match:
    """Two cells with something in common."""

    amount: float  # the weighted number of runs in common
    first: Piece
    second: Piece
    # the numbers of the matching lines, from 0
    lines_of_first: frozenset[int]
    lines_of_second: frozenset[int]


def matches(
    first: Sequence[Piece], second: Sequence[Piece], kind: Kind, weights: Weights
) -> list[Match]:
    """Return the cells of one kind with most in common, sorted from the most.

    `weights` are those of the class's fingerprints.
    """
    here, there = (_Own([p for p in pieces if p.kind is kind]) for pieces in (first, second))
    shared = np.intersect1d(here.hashes, there.hashes)
    worth = weights.of(shared)
    shared, worth = shared[worth > 0], worth[worth > 0]
    cells = np.stack([here.first_piece_with(shared), there.first_piece_with(shared)], axis=1)
    pairs, which = np.unique(cells, axis=0, return_inverse=True)
    amounts = np.bincount(which.ravel(), worth, minlength=len(pairs))
    found = []
    for n in np.argsort(-amounts, kind="stable")[:MOST_MATCHES]:
        if amounts[n] < LEAST_IN_A_CELL:
            break
        i, j = (int(k) for k in pairs[n])
        both = np.intersect1d(here.prints[i].hashes, there.prints[j].hashes)
        both = both[weights.of(both) > 0]
        lines = (_lines(here.prints[i], both), _lines(there.prints[j], both))
        found.append(Match(float(amounts[n]), here.pieces[i], there.pieces[j], *lines))
    return found


class _Own:
    """A student's pieces of one kind, with their fingerprints."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = pieces
        self.prints = [prints_of(piece) for piece in pieces]
        sizes = [len(one.hashes) for one in self.prints]
        every = [*(one.hashes for one in self.prints), np.empty(0, dtype=np.int64)]
        self.hashes, begins = np.unique(np.concatenate(every), return_index=True)
        self._piece = np.repeat(np.arange(len(pieces)), sizes)[begins]

    def first_piece_with(self, hashes: NDArray[np.int64]) -> NDArray[np.intp]:
        """Return for each of these fingerprints, which must all exist, its first piece."""
        return self._piece[np.searchsorted(self.hashes, hashes)]


def _lines(prints: Prints, hashes: NDArray[np.int64]) -> frozenset[int]:
    there = np.isin(prints.hashes, hashes)
    runs = zip(prints.first[there], prints.last[there], strict=True)
    return frozenset(n for first, last in dict.fromkeys(runs) for n in range(first, last + 1))
