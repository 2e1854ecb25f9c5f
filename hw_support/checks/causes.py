"""Recognise the known mistakes behind a wrong result.

A wrong cause is worse than none. So a cause is named only if it explains all entries, if no other
cause explains them nearly as well, and if the result is not nearly right as it is. A test tells it
only if no other result that it compares refutes it (see `agrees`). A cause contains no value of
either array.

Mistakes that belong to one function have checksums: see `checksum_of`.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# A cause explains a result if all entries agree up to this part of the largest one.
_SAME = 1e-4
# Two explanations that agree up to this part are not told apart.
_NEARLY = 1e-2

# Steps that students use for differences: `/2*h` gives the derivative times h squared.
_STEPS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)

_FEWEST = 3  # numbers of a result that is recognised by its digits, or that has a checksum
_ROUNDED = 1e-6  # how near a count is to a whole number

_EXACT = 1e-9  # a result that was rounded, or multiplied, agrees up to this
_OR, _MOST_NAMED = ", or ", 2  # causes in one message

IN_ANOTHER_ORDER = "the values are right, in another order"
_NAN = "NaN comes from inf / inf, inf - inf, 0 * inf or 0 / 0: look for what is infinite, or 0"
_INFINITE = "infinity comes from a large exponent, from a division by 0, or from the logarithm of 0"
# Mistakes that are seen at the result, if nothing else explains it.
_AT_SIGHT: dict[str, Callable[[Array, Array], bool]] = {
    "every entry is the same: does the result depend on the inputs?": (
        lambda got, right: bool(np.ptp(got) == 0 and np.unique(right).size not in (0, 2))
    ),
    IN_ANOTHER_ORDER: (
        lambda got, right: (
            got.size == right.size and _agree(np.sort(got, None), np.sort(right, None), _SAME)
        )
    ),
}

# The name of an explanation that no message shows. It only competes with the other explanations.
_NO_NAME = ""


def likely_cause(got: Array, right: Array) -> str | None:
    """Return which known mistake turns `right` into `got`, as a clause; their shapes may differ.

    Two mistakes are named if both explain all entries. It is None if none or more do, or if the
    values nearly agree.
    """
    if right.size == 0 or got.size == 0 or not np.isfinite(right).all():
        return None
    if not np.isfinite(got).all():
        return _NAN if np.isnan(got).any() else _INFINITE
    if right.size < 2:
        return None
    whole = np.trunc(right)
    if got.dtype.kind in "iu" and np.array_equal(got, whole) and not np.array_equal(right, whole):
        return "the values are cut to whole numbers: was the array made from integers?"
    got = got.astype(float)
    if np.abs(got).max() > _LEAST * np.abs(right).max() and _is_rounding(got):
        return "the step h is so small that the difference is rounding: take h near 1e-5"
    if digits := _digits_kept(got, right):
        return f"the values are rounded to {digits} digits after the point: keep all digits"
    if got.shape == right.shape and _agree(got, right, _NEARLY):
        return None
    possible = [
        explanation
        for explanation in _explanations(got, right)
        if _agree(got, explanation[1], _NEARLY)
    ]
    if not possible and got.shape == right.shape and got.size >= _FEWEST:
        return next((cause for cause, holds in _AT_SIGHT.items() if holds(got, right)), None)
    close = {cause for cause, wanted in possible if _agree(got, wanted, _SAME)}
    names = dict.fromkeys(cause for cause, _ in possible)
    most = _MOST_NAMED if got.size >= _FEWEST else 1
    if len(names) > most or _NO_NAME in names or not close:
        return None
    return _OR.join(names) if len(close) == len(names) else None


# Two numbers between 1/4 and 2 differ by a multiple of this, and differences of such numbers,
# divided by 2 h, keep fewer digits than these if h is too small.
_QUANTUM, _FEW = 2.0**-54, 1e7
_LEAST = 1e-3  # of the right size: a result that is smaller has another cause


def _is_rounding(got: Array) -> bool:
    """Whether numbers are differences over a step h of 1e-9 or less, of which few digits remain."""
    if np.unique(np.abs(got[got != 0])).size < _FEWEST:
        return False
    for power in range(9, 17):
        counts = got * (2 * 10.0**-power / _QUANTUM)
        few = np.abs(counts).max() < _FEW
        if few and np.abs(counts - np.rint(counts)).max() < _ROUNDED:
            return True
    return False


def _digits_kept(got: Array, right: Array) -> int:
    """Return the number of digits after the point to which `right` was rounded; 0 if it was not."""
    for digits in range(1, 6) if got.shape == right.shape else ():
        rounded = np.round(right, digits)
        if np.abs(got - rounded).max() < _EXACT < np.abs(right - rounded).max():
            return digits
    return 0


def times(got: float, right: float) -> str:
    """Say that one number is a whole multiple of the other, in words for a message; or "".

    Both need all of their digits: 0.5 is half of 1 for many reasons.
    """
    if not got or not math.isfinite(got) or not math.isfinite(right) or _is_by_hand(right):
        return ""
    ratio = got / right
    if (n := round(ratio)) > 1 and abs(ratio - n) < _EXACT * n:
        return f"it is {n} times what it should be: is this the sum, and not the mean?"
    if (n := round(1 / ratio)) > 1 and abs(1 / ratio - n) < _EXACT * n:
        return f"it is divided by {n} once too often"
    return ""


def agrees(cause: str, got: Array, right: Array) -> bool:
    """Whether a result can come from the mistake: so it does if the mistake changes nothing here.

    True too if the mistake is not known for results of this shape.
    """
    if cause in (_NAN, _INFINITE):
        return True  # it may be right for all other inputs
    if right.size == 0 or not (np.isfinite(got).all() and np.isfinite(right).all()):
        return False
    if cause in _AT_SIGHT:
        return _AT_SIGHT[cause](got, right)
    names = cause.split(_OR)
    made = [one for name, one in _explanations(got.astype(float), right) if name in names]
    return not made or any(_agree(got, one, _SAME) or not (one.any() or got.any()) for one in made)


# -- checksums of the results of one function

_AGREE = 1e-5  # checksums, relative to the sum of all sizes


def checksum_of(results: Sequence[Any]) -> tuple[float, float]:
    """Return a number that stands for all numbers of these results, and how near another may be.

    The same mistake gives the same checksum, and other mistakes give others. NaN and infinity count
    as numbers of their own. Both are 0 if there are fewer than three numbers.
    """
    flat = [np.ravel(result).astype(float) for result in results]
    numbers = np.nan_to_num(np.concatenate([np.empty(0), *flat]), nan=7.0, posinf=11.0, neginf=-11)
    if numbers.size < _FEWEST:
        return 0.0, 0.0
    weights = np.cos(np.arange(1.0, numbers.size + 1))
    return float(numbers @ weights), _AGREE * float(np.abs(numbers).sum())


def _agree(got: Array, wanted: Array, part: float) -> bool:
    """Whether the values agree, and the shapes too, apart from axes of length 1."""
    if np.squeeze(got).shape != np.squeeze(wanted).shape:
        return False
    size = np.abs(wanted).max()
    return bool(size > 0 and np.abs(np.ravel(got) - np.ravel(wanted)).max() <= part * size)


def _explanations(got: Array, right: Array) -> Iterator[tuple[str, Array]]:
    """Yield each known mistake with the result that it gives in place of the right one."""
    n = len(right) if right.ndim else 0
    swapped = right.swapaxes(-1, -2) if right.ndim > 1 else right
    if right.ndim > 1 and swapped.shape == got.shape:
        yield "rows and columns are swapped", swapped
        swapped = right
    elif got.size == right.size and got.shape != right.shape:
        yield "the values are right; reshape them", right.reshape(got.shape)
    if got.size == right.size and right.ndim > 1 and 1 not in right.shape[-2:]:
        yield _NO_NAME, swapped.reshape(got.shape)
    if right.ndim == 3 and n > 1:
        asked = "not one gradient for each example"
        yield f"this is the mean over the batch, {asked}", right.mean(axis=0)
        yield f"this is the sum over the batch, {asked}", right.sum(axis=0)
        yield f"this is the gradient of the first example, {asked}", right[0]
        yield f"this is the gradient of the last example, {asked}", right[-1]
    elif right.ndim and n == 2:
        yield "the function returned one array instead of two; this is its first entry", right[0]
        for other in (right[-1], right.mean(axis=0), right.max(axis=0), right.min(axis=0)):
            yield _NO_NAME, np.asarray(other)
    if got.size == 1 and right.size > 1 and right.ndim < 3:
        yield "this is the mean of all entries: keep each one", right.mean()
        yield "this is the sum of all entries: keep each one", right.sum()
    if n > 1:
        yield "the order along the first axis is reversed", right[::-1]
    if right.ndim > 1 and right.shape[-1] > 1:
        yield _NO_NAME, right[..., ::-1]
        yield _NO_NAME, right[::-1, ..., ::-1]
    there = right[np.abs(right) > 1e-3 * np.abs(right).max()]
    # A factor can be told from a summand if the entries have two sizes or both signs.
    if there.size > 1 and np.ptp(there) > _NEARLY * np.abs(there).max():
        yield "the sign is wrong", -right
        if right.min() < 0 < right.max():
            yield "negative entries have lost their minus", np.abs(right)
        yield from _factors(right, n)
    if np.all((right >= 0) & (right <= 1)) and np.ptp(right) > _NEARLY:
        yield "every entry is 1 minus what it should be", 1 - right


def _is_by_hand(values: Any) -> bool:
    """Whether numbers look made up by hand, such as 0.5 and 3."""
    return bool(np.all(values * 64 == np.rint(values * 64)))


def _factors(right: Array, n: int) -> Iterator[tuple[str, Array]]:
    """Yield the factors that students leave out or add.

    With numbers made up by hand, such as 0.5 and 3, one result may be twice another for many
    reasons. Then no power of 2 is named as a cause. A length that is 2 is not named as such.
    """
    by_hand = _is_by_hand(right)
    if not by_hand:
        yield "every entry is 2 times what it should be", 2 * right
        yield "every entry is half of what it should be", right / 2
    counts_rows = right.ndim == 3 or (right.ndim == 2 and right.shape[1] == 1)
    if n > 2 and counts_rows and not (by_hand and n & (n - 1) == 0):
        by = "n, the length of the first axis"
        own = "the batch size, although each is the gradient of one example's own loss"
        yield f"every entry is divided by {own if right.ndim == 3 else by}", right / n
        yield f"every entry is multiplied by {by}", n * right
    yield _NO_NAME, right / np.abs(right).max()
    for base in (2, 10):
        yield f"the logarithm has base {base}, not e", right / math.log(base)
    for h in _STEPS:
        both = "`/ 2 * h` divides by 2 and multiplies by h; `/ (2 * h)` divides by both"
        yield both, right * h**2
        yield "the difference is not divided by 2 h", right * 2 * h
