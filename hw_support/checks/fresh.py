"""Random inputs for hidden tests: new for each run of a submission, from its seed.

The grader sets ``HW_GRADING_SEED`` for each run and keeps the number with the graded notebook.
Without this variable, a seed is drawn once for the process.
"""

import itertools
import os
import re
import secrets
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_support.checks.compare import arrays_of
from hw_support.checks.notebook_access import is_a

Array = npt.NDArray[np.float64]

SEED_VARIABLE = "HW_GRADING_SEED"
_OF_THIS_PROCESS = secrets.randbits(32)


def generator(name: str) -> np.random.Generator:
    """Return a generator for the part `name`; one seed gives the same numbers at each call.

    Each part has its own stream. So its numbers do not depend on the parts before it.
    """
    seed = int(os.environ.get(SEED_VARIABLE) or _OF_THIS_PROCESS)
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def apart_from_zero(draw: np.random.Generator, shape: Any, scale: float = 1.0) -> Array:
    """Return numbers of either sign whose size lies between 0.1 and 2 times `scale`."""
    sizes = draw.uniform(0.1, 2.0, shape) * scale
    return np.asarray(sizes * draw.choice([-1.0, 1.0], shape))


# -- inputs like those of visible cases

_REPEATS = 5  # fresh cases for each visible one
_MOST = 3.0  # a size that numbers may have although no visible one is as large


def drawn_like(
    cases: Sequence[Sequence[Any]],
    names: Sequence[str],
    draw: np.random.Generator,
    ranges: Mapping[str, tuple[float, float]],
) -> Iterator[list[Any]]:
    """Yield fresh inputs like those of visible cases, five for each case.

    `cases` are tuples of inputs, which `names` names. Numbers are drawn again, with the shape of
    the visible ones, their signs, and sizes between those that visible cases have; whole numbers
    in their range. Rows of integers, of booleans, and of numbers that are all 0, 1 or -1, change
    places. If all arrays of an input rise, are symmetric, or have rows that sum to 1, the fresh
    ones do too. A text of several words gets words of the same form, such as one capital and small
    letters, or two digits, from all visible texts of the input; but words that another input of
    its case has stay, and so do spaces and marks. Other texts, functions and None stay. `ranges`
    has the least and the largest number of an input, by name, in place of its sizes and signs.
    """
    spans = [_Span.of(column) for column in itertools.zip_longest(*cases)]
    within = [ranges.get(name) for name in names]
    for case in cases:
        words = [{*_words_in(value)} for value in case]
        for _ in range(_REPEATS):
            yield [
                _reworded(
                    _redrawn(value, spans[n], draw, within[n] if n < len(within) else None),
                    spans[n].words,
                    set().union(*words[:n], *words[n + 1 :]),
                    draw,
                )
                for n, value in enumerate(case)
            ]


# What all arrays of an input may have in common.
_RISES, _IS_SYMMETRIC, _IS_SHARES = "rises", "is symmetric", "has rows that sum to 1"
_COMMON: dict[str, Callable[[Array], Any]] = {
    _RISES: lambda a: a.ndim == 1 and a.dtype.kind != "b" and np.all(np.diff(a) >= 0),
    _IS_SYMMETRIC: lambda a: a.ndim == 2 and np.array_equal(a, a.T),
    _IS_SHARES: lambda a: a.ndim > 0 and np.all(a >= 0) and np.allclose(a.sum(axis=-1), 1.0),
}


@dataclass(frozen=True)
class _Span:
    """The numbers of one input in all visible cases."""

    whole: tuple[int, int]  # least and largest whole number
    sizes: tuple[float, float]  # least and largest size of other numbers, without zeros
    largest: float  # the least of the largest sizes in each array
    common: Sequence[str]  # what all arrays have in common
    words: Mapping[str, Sequence[str]]  # of texts of several words, by form

    @classmethod
    def of(cls, values: Sequence[Any]) -> "_Span":
        numbers = [number for value in values for number in _numbers_in(value)]
        whole = [number for number in numbers if isinstance(number, int)] or [0]
        sizes = [abs(n) for n in numbers if isinstance(n, float) and n and np.isfinite(n)] or [1.0]
        least, most = min(sizes), max(sizes)
        if not least == most == 1:
            if least == most < 1:
                most = min(1.5 * most, 1.0)
            elif 1 < most <= _MOST / 1.5:  # up to 1 it may be a share
                most = 1.5 * most
            least = _smaller(least)
        arrays = arrays_of([*values])
        common = [name for name, has_it in _COMMON.items() if arrays and all(map(has_it, arrays))]
        tops = [
            float(np.abs(array).max())
            for array in arrays
            if array.dtype.kind == "f" and array.any()
        ]
        top = min(filter(np.isfinite, tops), default=0.0)
        words: dict[str, list[str]] = {}
        for word in dict.fromkeys(_words_in([*values], least=2)):
            words.setdefault(_form_of(word), []).append(word)
        return cls((min(whole), max(whole)), (least, most), _smaller(top), common, words)


def _smaller(size: float) -> float:
    """Return a size below that of a visible number, unless that is small already."""
    return size / 2 if size >= 0.2 else size


def _numbers_in(value: Any) -> Iterator[Any]:
    if is_a(value, np.ndarray | np.generic):
        yield from np.ravel(value).tolist() if value.dtype.kind in "iuf" else ()
    elif is_a(value, dict):
        yield from _numbers_in(list(value.values()))
    elif is_a(value, list | tuple):
        for entry in value:
            yield from _numbers_in(entry)
    elif is_a(value, int | float) and not is_a(value, bool):
        yield value


# A word of a text, without the marks around it.
_WORD = re.compile(r"(?<!\S)(?P<before>[\"'(\[]*)(?P<word>\S+?)(?P<after>[.,;:!?\"')\]]*)(?!\S)")


def _form_of(word: str) -> str:
    """Return what words have in common that may take each other's place."""
    return re.sub(r"[^\W\d_a-z]+", "A", re.sub(r"[a-z]+", "a", re.sub(r"\d", "0", word)))


def _words_in(value: Any, least: int = 1) -> Iterator[str]:
    """Yield the words of a text, or of those in a value, that have at least so many."""
    if is_a(value, str):
        words = [found["word"] for found in _WORD.finditer(value)]
        yield from words if len(words) >= least else ()
    elif is_a(value, dict | list | tuple | set | frozenset):
        entries = [*value, *value.values()] if is_a(value, dict) else value
        for entry in entries:
            yield from _words_in(entry, least)


def _reworded(
    value: Any, words: Mapping[str, Sequence[str]], kept: Set[str], draw: np.random.Generator
) -> Any:
    """Return a value whose texts of several words have others of these words."""
    if is_a(value, dict):
        return {key: _reworded(entry, words, kept, draw) for key, entry in value.items()}
    if is_a(value, list | tuple):
        entries = [_reworded(entry, words, kept, draw) for entry in value]
        return entries if is_a(value, list) else tuple(entries)
    if not is_a(value, str) or len(_WORD.findall(value)) < 2:
        return value

    def other(found: re.Match[str]) -> str:
        word = found["word"]
        if word not in kept:
            possible = words[_form_of(word)]
            word = possible[int(draw.integers(len(possible)))]
        return f"{found['before']}{word}{found['after']}"

    return _WORD.sub(other, value)


def is_finite(value: Any) -> bool:
    """Whether no number in a value, also in lists and dictionaries, is NaN or infinite."""
    if is_a(value, dict):
        value = list(value.values())
    if is_a(value, list | tuple | set | frozenset):
        return all(map(is_finite, value))
    is_number = is_a(value, float | np.ndarray | np.generic)
    return not is_number or np.asarray(value).dtype.kind != "f" or bool(np.isfinite(value).all())


def _redrawn(value: Any, span: _Span, draw: np.random.Generator, within: Any) -> Any:
    if is_a(value, dict):
        return {key: _redrawn(entry, span, draw, within) for key, entry in value.items()}
    if is_a(value, list | tuple):
        entries = [_redrawn(entry, span, draw, within) for entry in value]
        return entries if is_a(value, list) else tuple(entries)
    if is_a(value, bool) or not is_a(value, int | float | np.ndarray | np.generic):
        return value
    array = np.asarray(value)
    kind = array.dtype.kind
    if kind not in "iufb":
        return value
    made: Any = array
    if within and kind in "iu":
        made = draw.integers(within[0], within[1] + 1, array.shape)
    elif within and kind == "f":
        made = draw.uniform(within[0], within[1], array.shape)
    elif array.ndim and (kind != "f" or span.sizes == (1, 1)):
        order = draw.permutation(len(array))
        made = array[order][:, order] if _IS_SYMMETRIC in span.common else array[order]
    elif kind == "f":
        size, (least, most) = np.where(np.isfinite(array), np.abs(array), 1.0), span.sizes
        low, high = np.maximum(0.5 * size, least), np.minimum(1.5 * size, most)
        sizes = draw.uniform(low, np.maximum(low, high))
        made = np.where(np.isfinite(array), np.sign(array) * sizes, array)
        top = np.abs(made).max(initial=0)
        if array.ndim and 0 < top < span.largest:
            made = made * (span.largest / top)
    elif kind != "b":
        made = draw.integers(span.whole[0], span.whole[1] + 1)
    if array.ndim and kind == "f" and _IS_SYMMETRIC in span.common:
        made = (made + made.T) / 2
    if array.ndim and kind == "f" and _IS_SHARES in span.common:
        made = made / made.sum(axis=-1, keepdims=True)
    if array.ndim and _RISES in span.common:
        made = np.sort(made)
    plain = np.asarray(made, dtype=array.dtype)
    return plain if is_a(value, np.ndarray) else type(value)(plain[()])
