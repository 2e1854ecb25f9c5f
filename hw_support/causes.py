"""Recognize the known mistakes behind a wrong result.

A wrong cause is worse than none. So a cause is named only if it explains all entries, if no other
cause explains them nearly as well, and if the result is not nearly right as it is. A cause contains
no value of either array.
"""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# A cause explains a result if all entries agree within these tolerances.
_RTOL, _ATOL = 1e-4, 1e-6  # _ATOL is relative to the largest entry
# Two explanations that agree this well, relative to the largest entry, are not told apart.
_NEARLY = 1e-2

_MOST_AXES = 4  # arrays with more axes are not tried in every order of axes

# Steps that students use for differences: `/2*h` gives the derivative times h squared.
_STEPS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)

# The name of an explanation that no message shows. It only competes with the other explanations.
_NO_NAME = ""


def likely_cause(got: Array, right: Array) -> str | None:
    """Return which known mistake turns `right` into `got`, as a clause; their shapes may differ.

    It is None if no known mistake explains all entries, if more than one does, or if the values
    nearly agree.
    """
    if right.size < 2 or got.size == 0 or not _are_finite(got, right):
        return None
    if _are_cut(got, right):
        return "the values are cut to whole numbers: was the array made from integers?"
    if got.size == right.size and _are_of_swapped_bounds(got.ravel(), right.ravel()):
        return "all are logarithms of 1 or of one tiny number: are the bounds of `clip` swapped?"
    got = got.astype(float)
    if got.shape == right.shape and _nearly(got, right):
        return None
    possible = [cause for cause in _explanations(got, right) if _nearly(got, cause[1])]
    if len({cause for cause, _ in possible}) != 1:
        return None
    cause = possible[0][0]
    return cause if cause and any(_agree(got, wanted) for _, wanted in possible) else None


def agreement(got: Array, right: Array) -> int:
    """Return how many digits are right in every entry of two arrays; 0 if fewer than 3 are."""
    if not _are_finite(got, right):
        return 0
    differences = np.abs(got - right)
    there = differences > 0
    if np.any(right[there] == 0) or not np.any(there):
        return 0
    digits = math.floor(-math.log10(float((differences[there] / np.abs(right[there])).max())))
    return digits if digits >= 3 else 0


def _are_finite(*arrays: Array) -> bool:
    return all(np.isfinite(array).all() for array in arrays)


def _are_cut(got: Array, right: Array) -> bool:
    """Whether integers came that are the right numbers without their fractions."""
    whole = np.trunc(right)
    is_cut = got.dtype.kind in "iu" and np.array_equal(got, whole)
    return is_cut and not np.array_equal(right, whole)


def _are_of_swapped_bounds(got: Array, right: Array) -> bool:
    """Whether losses are those of one probability, 10**-k or 1 - 10**-k, for all examples.

    Rounded probabilities give such losses too. But then all large ones belong to probabilities on
    one side of 1/2, and all small ones to those on the other side.
    """
    small, large = np.abs(got) < 1e-5, got[np.abs(got) >= 1e-5]
    powers = np.log(10.0) * np.arange(6, 17)
    if not large.size or right.max() > powers[0] or not np.isclose(large[0], powers, 1e-3).any():
        return False
    sides = [set(np.sign(right[which] - math.log(2.0))) for which in (small, ~small)]
    return bool(np.allclose(large, large[0])) and any({-1.0, 1.0} <= side for side in sides)


def _agree(got: Array, wanted: Array) -> bool:
    size = np.abs(wanted).max()
    return bool(np.allclose(np.ravel(got), np.ravel(wanted), rtol=_RTOL, atol=_ATOL * size))


def _nearly(got: Array, wanted: Array) -> bool:
    """Whether the values roughly agree, and the shapes too, apart from axes of length 1."""
    if np.squeeze(got).shape != np.squeeze(wanted).shape:
        return False
    size = np.abs(wanted).max()
    return bool(size > 0 and np.abs(np.ravel(got) - np.ravel(wanted)).max() <= _NEARLY * size)


def _explanations(got: Array, right: Array) -> Iterator[tuple[str, Array]]:
    """Yield each known mistake with the result that it gives in place of the right one."""
    yield from _other_shapes(got, right)
    yield from _fewer_entries(right)
    yield from _other_orders(right)
    if _tells_factors(right):
        yield "the sign is wrong", -right
        yield from _factors(right)
    if np.all((right >= 0) & (right <= 1)) and np.ptp(right) > _NEARLY:
        yield "every entry is 1 minus what it should be", 1 - right


def _other_shapes(got: Array, right: Array) -> Iterator[tuple[str, Array]]:
    """Yield results with swapped axes, and results that only have another shape."""
    swapped = False
    seen = set()
    orders = itertools.permutations(range(right.ndim)) if right.ndim <= _MOST_AXES else ()
    for axes in sorted(orders, key=lambda axes: len(_moved(axes))):
        wanted = right.transpose(axes)
        long = [axis for axis in axes if right.shape[axis] != 1]
        this = (wanted.shape, *long)
        if _moved(axes) and this not in seen:
            if wanted.shape == got.shape:
                swapped = True
                yield _named(axes), wanted
            elif got.size == right.size and long != sorted(long):
                yield _NO_NAME, wanted.reshape(got.shape)
        seen.add(this)
    if got.shape != right.shape and got.size == right.size and not swapped:
        yield "the values are right; reshape them", right.reshape(got.shape)


def _moved(axes: tuple[int, ...]) -> list[int]:
    return [place for place, axis in enumerate(axes) if axis != place]


def _named(axes: tuple[int, ...]) -> str:
    moved = _moved(axes)
    if len(moved) > 2:
        return "the axes are in another order"
    if len(axes) > 2 and moved == [len(axes) - 2, len(axes) - 1]:
        return "rows and columns are swapped: the last two axes have changed places"
    if len(axes) == 2:
        return "rows and columns are swapped"
    return f"axes {moved[0]} and {moved[1]} are swapped"


def _fewer_entries(right: Array) -> Iterator[tuple[str, Array]]:
    """Yield results with fewer entries, such as one gradient for the whole batch."""
    if right.ndim in (1, 2) and len(right) == 2:
        first = "entry" if right.ndim == 1 else "row"
        pair = "the function returned one array instead of two; this is the first"
        yield f"{pair} {first} of that array", right[0]
        for other in (right[-1], right.mean(axis=0), right.max(axis=0), right.min(axis=0)):
            yield _NO_NAME, np.asarray(other)
    if right.ndim != 3 or len(right) < 2:
        return
    asked = "not one gradient for each example"
    yield f"this is the mean over the batch, {asked}", right.mean(axis=0)
    yield f"this is the sum over the batch, {asked}", right.sum(axis=0)
    yield f"this is the gradient of the first example, {asked}", right[0]
    yield f"this is the gradient of the last example, {asked}", right[-1]


def _other_orders(right: Array) -> Iterator[tuple[str, Array]]:
    if right.ndim and len(right) > 1:
        yield "the order along the first axis is reversed", right[::-1]
    if right.ndim > 1 and right.shape[-1] > 1:
        yield _NO_NAME, right[..., ::-1]
        yield _NO_NAME, right[::-1, ..., ::-1]


def _tells_factors(right: Array) -> bool:
    """Whether a factor can be told from a summand: the entries have two sizes or both signs."""
    there = right[np.abs(right) > 1e-3 * np.abs(right).max()]
    return there.size > 1 and bool(np.ptp(there) > _NEARLY * np.abs(there).max())


def _factors(right: Array) -> Iterator[tuple[str, Array]]:
    """Yield the factors that students leave out or add.

    With numbers made up by hand, such as 0.5 and 3, one result may be twice another for many
    reasons. Then no power of 2 is named as a cause. Nor is a length, or its root, if it is 2.
    """
    n = len(right) if right.ndim else 0
    counts_rows = right.ndim == 3 or (right.ndim == 2 and right.shape[1] == 1)
    by_hand = bool(np.all(right * 64 == np.rint(right * 64)))
    lengths = right.shape[:1] if right.ndim == 3 else right.shape
    if not by_hand and not {2, 4} & {*lengths}:
        yield "every entry is 2 times what it should be", 2 * right
        yield "every entry is half of what it should be", right / 2
    if n > 2 and counts_rows and not (by_hand and n & (n - 1) == 0):
        by = "n, the length of the first axis"
        own = "the batch size, although each is the gradient of one example's own loss"
        yield f"every entry is divided by {own if right.ndim == 3 else by}", right / n
        yield f"every entry is multiplied by {by}", n * right
    yield _NO_NAME, right / np.abs(right).max()
    yield "every entry is 100 times what it should be", 100 * right
    for base in (2, 10):
        cause = f"the logarithm has base {base}, not e"
        yield cause, right / math.log(base)
    for h in _STEPS:
        both = "`/ 2 * h` divides by 2 and multiplies by h; `/ (2 * h)` divides by both"
        yield both, right * h**2
        yield "the difference is not divided by 2 h", right * 2 * h
