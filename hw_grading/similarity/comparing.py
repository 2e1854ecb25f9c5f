"""Compares the submissions of a class: students' own lines, pairs, matching lines."""

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hw_grading.homework.homework import manifest_of
from hw_grading.records.folders import why_unusable
from hw_grading.records.results import Roster, read_roster
from hw_grading.similarity.own import Kind, Piece, Work, numbers_of, read_released, read_work
from hw_grading.similarity.pairs import InCommon, Weights, best_pairs, in_common
from hw_grading.similarity.prints import Prints, TooSlow, prints_of
from hw_support.submission.file import Unreadable

LEAST = 40.0  # rare runs in common: about three lines of code or two sentences
MOST_IN_TABLE = 2_000
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


@dataclass(frozen=True)
class Pair:
    """Two students, and how much they have in common that most others lack."""

    first: str
    second: str
    amounts: Mapping[Kind, float]  # the weighted numbers of runs in common, by kind
    # the share of that in each student's own work, from 0 to 1, for the kind with more in common
    share_of_first: float
    share_of_second: float
    matches: tuple[Match, ...] = ()  # empty for pairs that the page does not show

    @property
    def amount(self) -> float:
        """The sum over all kinds."""
        return sum(self.amounts.values())


@dataclass(frozen=True)
class Compared:
    """The result for a class."""

    roster: Roster
    compared: int  # the number of submissions that were compared
    # student ids, with the reason why a submission or a part of it was not compared
    skipped: tuple[tuple[str, str], ...]
    partly: tuple[tuple[str, str], ...]
    pairs: tuple[Pair, ...]  # the pairs with most in common, sorted from the most
    more: int  # the number of other pairs with at least `LEAST` in common
    # the students of each group whose own work is the same but for names, layout and comments
    same: tuple[tuple[str, ...], ...]
    median: float  # half of all pairs have at most this in common
    high: float  # 99 of 100 pairs have at most this in common


def compare_class(course: Path, assignment: str, most: int) -> Compared:
    """Compare the submissions of a class; find the matching lines of `most` pairs.

    `Unreadable` if the released notebook is missing or damaged; otherwise the errors of
    `hw_grading.records.results.read_roster`.
    """
    roster = read_roster(course, assignment)
    here = roster.course
    certification = manifest_of(here.root, assignment).certification
    released = read_released(here, assignment, certification)
    works: list[Work] = []
    skipped = []
    for record in roster.records:
        folder = here.submitted(record.student, assignment)
        try:
            if unusable := why_unusable(folder):
                raise Unreadable(f"{folder}: {unusable}")
            works.append(read_work(folder / f"{assignment}.ipynb", record.student, released))
        except (Unreadable, OSError, ValueError) as why:
            skipped.append((record.student, str(why)))
    hashes, works = _hashes(works)
    common = {kind: in_common(hashes[kind]) for kind in Kind}
    amounts = sum((one.shared for one in common.values()), np.zeros((len(works), len(works))))
    best = best_pairs(amounts, LEAST, MOST_IN_TABLE)
    pairs = [_pair(works, common, i, j, with_lines=n < most) for n, (i, j) in enumerate(best)]
    above = amounts[np.triu_indices(len(works), k=1)]
    median, high = np.quantile(above, (0.5, 0.99)) if above.size else (0.0, 0.0)
    partly = tuple((work.student, work.note) for work in works if work.note)
    more = int((above >= LEAST).sum()) - len(pairs)
    found = (tuple(pairs), more, _same_work(works, hashes), float(median), float(high))
    return Compared(roster, len(works), tuple(skipped), partly, *found)


def _hashes(works: Sequence[Work]) -> tuple[dict[Kind, list[NDArray[np.int64]]], list[Work]]:
    """Return the fingerprints of each work, and the works without pieces that are too slow."""
    hashes: dict[Kind, list[NDArray[np.int64]]] = {kind: [] for kind in Kind}
    kept = []
    for work in works:
        slow: list[Piece] = []
        for kind in Kind:
            own = _Own(work.pieces, kind)
            hashes[kind].append(own.hashes)
            slow += own.slow
        kept.append(_without(work, slow) if slow else work)
    return hashes, kept


def _same_work(
    works: Sequence[Work], hashes: Mapping[Kind, Sequence[NDArray[np.int64]]]
) -> tuple[tuple[str, ...], ...]:
    """Return the groups of students with the same fingerprints, the largest group first.

    Works with fewer than `LEAST` fingerprints are left out.
    """
    groups = defaultdict[tuple[bytes, ...], list[str]](list)
    for n, work in enumerate(works):
        own = [hashes[kind][n] for kind in Kind]
        if sum(map(len, own)) >= LEAST:
            groups[tuple(one.tobytes() for one in own)].append(work.student)
    same = [tuple(students) for students in groups.values() if len(students) > 1]
    return tuple(sorted(same, key=len, reverse=True))


def _without(work: Work, slow: Sequence[Piece]) -> Work:
    numbers = numbers_of(sorted(slow, key=lambda piece: piece.number))
    note = f"Cells left out, because it takes too long to compare them: {numbers}."
    pieces = tuple(piece for piece in work.pieces if piece not in slow)
    return replace(work, pieces=pieces, note=" ".join(filter(None, [work.note, note])))


def _pair(
    works: Sequence[Work], common: Mapping[Kind, InCommon], i: int, j: int, *, with_lines: bool
) -> Pair:
    first, second = works[i], works[j]
    amounts = {kind: float(one.shared[i, j]) for kind, one in common.items()}
    most = common[max(amounts, key=lambda kind: amounts[kind])]
    kinds = common.items() if with_lines else ()
    of_each = (matches(first.pieces, second.pieces, kind, one.weights) for kind, one in kinds)
    found = sorted(itertools.chain(*of_each), key=lambda match: -match.amount)
    shares = (most.share(i, j), most.share(j, i))
    return Pair(first.student, second.student, amounts, *shares, tuple(found))


def matches(
    first: Sequence[Piece], second: Sequence[Piece], kind: Kind, weights: Weights
) -> list[Match]:
    """Return the cells of one kind with most in common by the class's weights, the most first."""
    here, there = _Own(first, kind), _Own(second, kind)
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
    """A student's pieces of one kind, with their fingerprints; `slow` are those without any."""

    def __init__(self, pieces: Sequence[Piece], kind: Kind) -> None:
        self.pieces: list[Piece] = []
        self.prints: list[Prints] = []
        self.slow: list[Piece] = []
        for piece in pieces:
            if piece.kind is kind:
                try:
                    self.prints.append(prints_of(piece))
                    self.pieces.append(piece)
                except TooSlow:
                    self.slow.append(piece)
        sizes = [len(one.hashes) for one in self.prints]
        every = [*(one.hashes for one in self.prints), np.empty(0, dtype=np.int64)]
        self.hashes, begins = np.unique(np.concatenate(every), return_index=True)
        self._piece = np.repeat(np.arange(len(sizes)), sizes)[begins]

    def first_piece_with(self, hashes: NDArray[np.int64]) -> NDArray[np.intp]:
        """Return for each of these fingerprints, which must all exist, its first piece."""
        return self._piece[np.searchsorted(self.hashes, hashes)]


def _lines(prints: Prints, hashes: NDArray[np.int64]) -> frozenset[int]:
    there = np.isin(prints.hashes, hashes)
    runs = zip(prints.first[there], prints.last[there], strict=True)
    return frozenset(n for first, last in dict.fromkeys(runs) for n in range(first, last + 1))
