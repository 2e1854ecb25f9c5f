"""Make a cell's fingerprints: runs of normalised code or of words, as numbers."""

import itertools
import re
import warnings
from dataclasses import dataclass

import numpy as np
from copydetect.utils import filter_code, hashed_kgrams
from numpy.typing import NDArray

from hw_grading.similarity.own import Kind, Piece

RUN = {Kind.CODE: 25, Kind.TEXT: 6}  # characters of normalised code (copydetect's own), words
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Prints:
    """The fingerprints of a piece, one for each place where a run begins."""

    # Shape (n,), int64. Equal runs have equal numbers within one process.
    hashes: NDArray[np.int64]
    # shape (n,): the lines (from 0) in which each run begins and ends
    first: NDArray[np.intp]
    last: NDArray[np.intp]


def prints_of(piece: Piece) -> Prints:
    """Return the fingerprints of a student's own lines in a cell."""
    what, lines = (_code if piece.kind is Kind.CODE else _words)(piece)
    run = RUN[piece.kind]
    hashes = np.asarray(hashed_kgrams(what, run), dtype=np.int64)
    return Prints(hashes, lines[: len(hashes)], lines[run - 1 :][: len(hashes)])


def _code(piece: Piece) -> tuple[str, NDArray[np.intp]]:
    """Return normalised code and the line of each of its characters.

    The whole cell is lexed, and the released lines are removed afterwards. So a docstring with one
    changed line is still one string.
    """
    code = "\n".join(piece.lines)
    begins = len(code) - len(code.lstrip("\n"))  # pygments removes these
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        normal, removed = filter_code(code, "", "python")
    # copydetect counts wrongly from the name of a class up to the next name.
    before = np.maximum.accumulate(removed[:, 1])
    places = np.arange(len(normal))
    places += before[np.minimum(np.searchsorted(removed[:, 0], places), len(removed) - 1)]
    ends = np.cumsum([len(line) + 1 for line in piece.lines], dtype=np.intp)
    lines = np.minimum(np.searchsorted(ends, places + begins, "right"), len(piece.lines) - 1)
    kept = np.asarray(piece.own, dtype=bool)[lines]
    return "".join(itertools.compress(normal, kept)), lines[kept]


def _words(piece: Piece) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    found = [
        (word.casefold(), number)
        for number, (line, own) in enumerate(zip(piece.lines, piece.own, strict=True))
        if own
        for word in _WORD.findall(line)
    ]
    return tuple(word for word, _ in found), np.asarray([n for _, n in found], dtype=np.intp)
