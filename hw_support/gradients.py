"""Compare the gradients of each example: shapes, values and means in separate checks.

So one gradient for the whole batch, or a missing axis of length 1, costs points in one part only.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_support.compare import (
    Mismatch,
    arrays_of,
    as_numbers,
    assert_close,
    expect,
    looked_at,
    relative_errors,
)

Array = npt.NDArray[Any]

_RTOL, _ATOL = 1e-4, 1e-5


def expect_shapes(gradients: Any, right: Sequence[npt.ArrayLike], *, what: str) -> None:
    """Expect a list of arrays with the shapes of the right gradients, ``(n, ...)``.

    `what` is the name of the gradients in a message, as in the functions below. `Mismatch` if a
    shape or the number of arrays is wrong.
    """
    for name, gradient, values in _named(gradients, right, what):
        shape = np.shape(values)
        message = f"{name}: expected shape {shape}, got {gradient.shape}"
        if gradient.shape == shape[1:]:
            message += ". Is this one gradient for the whole batch?"
        expect(gradient.shape == shape, message)


def expect_each(
    gradients: Any,
    right: Sequence[npt.ArrayLike],
    *,
    what: str,
    rtol: float = _RTOL,
    atol: float = _ATOL,
) -> None:
    """Expect the right values (n, ...) for each example; an axis of length 1 may be missing.

    `Mismatch` if a value, or the number of arrays or entries, is wrong. For `rtol` and `atol` see
    `assert_close`; `atol` is relative to the largest entry.
    """
    for name, gradient, values in _named(gradients, right, what):
        due = np.asarray(values, dtype=float)
        least = atol * float(np.abs(due).max(initial=0.0))
        got = _fitting(gradient, due)
        assert_close(got, due, what=name, rtol=rtol, atol=least, equal_nan=True)


def expect_means(gradients: Any, right: Sequence[npt.ArrayLike], *, what: str) -> None:
    """Expect the means over the batch of the right values (n, ...), as `expect_each` does.

    The gradients may be those of each example, or their mean or sum.
    """
    for name, gradient, values in _named(gradients, right, what):
        _expect_mean(gradient, np.asarray(values, dtype=float), name)


def expect_caches(forward: Callable[[], Any], layers: int) -> None:
    """Expect that calls return caches of so many layers, none of an earlier call, none twice.

    In a list, caches that are tuples, dictionaries or arrays are counted. A test cannot look into
    other objects.
    """
    caches = forward()
    expect(caches is not None, "layer_caches: expected caches, got None")
    if not issubclass(type(caches), list | tuple):
        return
    count, there = len(caches), [cache for cache in caches if cache is not None]
    expect(there, f"layer_caches: expected caches of {layers} layers, got none")
    if all(issubclass(type(cache), tuple | dict | np.ndarray) for cache in there):
        expect(len(there) >= layers, f"layer_caches: expected {layers} caches, got {len(there)}")
        *_, one, other = [[], *map(arrays_of, there)]
        same = len(one) == len(other) > 0 and all(map(np.array_equal, one, other))
        said = "layer_caches: expected a cache of its own for each layer, got one twice"
        expect(not same or layers == 1, said)
    again = len(looked_at(forward()))
    expect(again == count, f"layer_caches: expected {count} in the next call too, got {again}")


def _expect_mean(gradient: Array, due: Array, name: str) -> None:
    mean, rtol, atol = due.mean(axis=0), _RTOL, _ATOL * float(np.abs(due).max(initial=0.0))
    got = _fitting(gradient, due if gradient.size == due.size else mean)
    if got.shape == due.shape:
        got = got.mean(axis=0)
    elif got.shape == mean.shape:
        with contextlib.suppress(Mismatch):
            assert_close(got, due.sum(axis=0), rtol=rtol, atol=atol)
            return
    else:
        assert_close(gradient, due, what=name, rtol=rtol, atol=atol)
    assert_close(got, mean, what=f"the mean of {name}", rtol=rtol, atol=atol)


def _fitting(gradient: Array, due: Array) -> Array:
    """Reshape a gradient like `due` if the shapes differ only in axes of length 1."""
    if [s for s in gradient.shape if s != 1] == [s for s in due.shape if s != 1]:
        return gradient.reshape(due.shape)
    return gradient


def _named(
    gradients: Any, right: Sequence[npt.ArrayLike], what: str
) -> Iterator[tuple[str, Array, Any]]:
    """Yield each gradient with its name and what belongs to it."""
    count = len(right)
    expect(gradients is not None, f"{what}: expected arrays, got None. Is a `return` missing?")
    gradients = looked_at(gradients)
    first_alone = isinstance(gradients, np.ndarray) and gradients.shape == np.shape(right[0])
    expect(count == 1 or not first_alone, f"{what}: expected {count} arrays, got only the first")
    entries = list(islice(gradients, count + 1))
    more = "at least " if len(entries) > count else ""
    expect(len(entries) == count, f"{what}: expected {count} arrays, got {more}{len(entries)}")
    numbers = [as_numbers(entry, what=f"{what}[{n}]") for n, entry in enumerate(entries)]
    for n, (gradient, due) in enumerate(zip(numbers, right, strict=True)):
        yield f"{what}[{n}]", gradient, due


def expect_largest_error(largest: Callable[[], Any], pairs: Sequence[tuple[Any, Any]]) -> None:
    """Expect the largest relative error of pairs of gradients, by any usual definition.

    `largest` returns the number to be judged. If shapes differ, one kind of gradient is wrong, and
    there is nothing to compare: that has cost points in the function's own test.
    """
    pairs = [(looked_at(a), looked_at(b)) for a, b in pairs]
    if not pairs or any(np.shape(a) != np.shape(b) for a, b in pairs):
        return
    right = np.max([relative_errors(a, b) for a, b in pairs], axis=0)
    got = float(np.squeeze(as_numbers(largest(), what="the largest relative error")))
    least, most = float(right.min()) / 2 - 1e-12, 2 * float(right.max()) + 1e-12
    said = f"the largest relative error: expected {least:.1e} to {most:.1e}, got {got:.1e}"
    expect(least <= got <= most, said)
