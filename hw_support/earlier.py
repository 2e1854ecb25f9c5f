"""Whether a later call of a function changes what an earlier call returned."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hw_support.compare import expect

if TYPE_CHECKING:
    from hw_support.checks import Checks

Array = npt.NDArray[Any]

_MOST_ARRAYS, _DEEPEST = 100, 6
_NOT_LOOKED_INTO = (
    *(types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType),
    *(type, str, bytes),
)


def expect_earlier_result(
    checks: Checks,
    function: Callable[..., object],
    first: Sequence[object],
    second: Sequence[object],
    *,
    of: str,
) -> None:
    """Expect that a second call leaves the arrays as they were that the first one returned.

    `first` and `second` are the arguments of the two calls, `of` is the function's name. `Mismatch`
    if the second call changed one of these arrays, in a collection or in an attribute of an object.
    """
    before, after = checks.notebook.earlier(function, first, second)
    expect(
        are_kept(before, after),
        f"the next call of {of} changes the result of an earlier call. Do both calls return the "
        "same object?",
    )


def are_kept(before: Sequence[Array], after: Sequence[Array]) -> bool:
    """Whether the arrays `before` another call are all among those `after` it."""
    left = [*after]
    for array in before:
        number = next((n for n, other in enumerate(left) if _same(array, other)), None)
        if number is None:
            return False
        del left[number]
    return True


def earlier_arrays(
    function: Callable[..., object], first: Sequence[object], second: Sequence[object]
) -> tuple[list[Array], list[Array]]:
    """Call a function twice; return copies of the first result's arrays after either call."""
    result = function(*first)
    before = [array.copy() for array in arrays_in(result)]
    function(*second)
    return before, [array.copy() for array in arrays_in(result)]


def arrays_in(value: object) -> list[Array]:
    """Return the arrays of numbers in a value, in its collections, and in attributes of objects."""
    found: list[Array] = []
    for array in _walk(value, _DEEPEST, set()):
        if len(found) == _MOST_ARRAYS:
            break
        found.append(array)
    return found


def _walk(value: object, deepest: int, seen: set[int]) -> Iterator[Array]:
    if isinstance(value, np.ndarray):
        if value.ndim and value.dtype.kind in "biuf":
            yield np.asarray(value)
        return
    if deepest == 0 or id(value) in seen or isinstance(value, _NOT_LOOKED_INTO):
        return
    seen.add(id(value))
    for entry in _entries(value):
        yield from _walk(entry, deepest - 1, seen)


def _entries(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list | tuple):
        return list(value)
    return list(getattr(value, "__dict__", {}).values())


def _same(array: Array, other: Array) -> bool:
    return bool(array.shape == other.shape and np.array_equal(array, other, equal_nan=True))
