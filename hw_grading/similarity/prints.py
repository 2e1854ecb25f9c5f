"""Make a cell's fingerprints: runs of normalised code or of words, as numbers."""

import itertools
import re
import warnings
from dataclasses import dataclass

import numpy as np
from copydetect.utils import filter_code, hashed_kgrams
from numpy.typing import NDArray

from hw_grading.similarity.own import Kind, Piece
from hw_support.submission.problems import without_disguise
from hw_support.time_limit import TimeLimitReached, time_limit

RUN = {Kind.CODE: 25, Kind.TEXT: 6}  # characters of normalised code (copydetect's own), words
_SECONDS = 5.0  # computing time for one piece; the longest ordinary ones take one
_WORD = re.compile(r"\w+")


class TooSlow(Exception):
    """The piece's code takes too long to normalise."""


@dataclass(frozen=True)
class Prints:
    """The fingerprints of a piece, one for each place where a run begins."""

    # Shape (n,), int64. Equal runs have equal numbers within one process.
    hashes: NDArray[np.int64]
    # shape (n,): the lines (from 0) in which each run begins and ends
    first: NDArray[np.intp]
    last: NDArray[np.intp]


def prints_of(piece: Piece) -> Prints:
    """Return the fingerprints of a student's own lines in a cell, or raise `TooSlow`."""
    what, lines = (_code if piece.kind is Kind.CODE else _words)(piece)
    run = RUN[piece.kind]
    hashes = np.asarray(hashed_kgrams(what, run), dtype=np.int64)
    return Prints(hashes, lines[: len(hashes)], lines[run - 1 :][: len(hashes)])


def _code(piece: Piece) -> tuple[str, NDArray[np.intp]]:
    """Return normalised code and the line of each of its characters.

    The whole cell is lexed, and the released lines are removed afterwards. So a docstring with one
    changed line is still one string. Blank lines are emptied first: the time of pygments grows with
    the square of their number if there are spaces in them.
    """
    lines = [line if line.strip() else "" for line in piece.lines]
    code = "\n".join(lines)
    begins = len(code) - len(code.lstrip("\n"))  # pygments removes these
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        normal, removed = _normalised(code)
    # copydetect counts wrongly from the name of a class up to the next name.
    before = np.maximum.accumulate(removed[:, 1])
    places = np.arange(len(normal))
    places += before[np.minimum(np.searchsorted(removed[:, 0], places), len(removed) - 1)]
    ends = np.cumsum([len(line) + 1 for line in lines], dtype=np.intp)
    numbers = np.minimum(np.searchsorted(ends, places + begins, "right"), len(lines) - 1)
    kept = np.asarray(piece.own, dtype=bool)[numbers]
    return "".join(itertools.compress(normal, kept)), numbers[kept]


def _normalised(code: str) -> tuple[str, NDArray[np.intp]]:
    """Return copydetect's normalised code, and how many characters it has removed up to where."""
    try:
        with time_limit(_SECONDS, 10 * _SECONDS):
            normal, removed = filter_code(code, "", "python")
    except TimeLimitReached:
        raise TooSlow from None
    return normal, removed


def _words(piece: Piece) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    found = [
        (word, number)
        for number, (line, own) in enumerate(zip(piece.lines, piece.own, strict=True))
        if own
        for word in _WORD.findall(without_disguise(line))
    ]
    return tuple(word for word, _ in found), np.asarray([n for _, n in found], dtype=np.intp)
