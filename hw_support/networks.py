"""What test cells expect of a network's functions: gradients, caches and random numbers.

Shapes, values and means of gradients are separate checks. So one gradient for the whole batch, or
a missing axis of length 1, costs points in one part only.
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
    expect_unchanged,
    looked_at,
    relative_error,
)

Array = npt.NDArray[Any]

_RTOL, _ATOL = 1e-4, 1e-5
# Bounds of 7 standard errors: chance goes beyond them once in 10**11 times.
_ERRORS = 7.0


def expect_shapes(gradients: Any, right: Sequence[npt.ArrayLike], *, what: str) -> None:
    """Expect a list of arrays with the shapes of the right gradients, ``(n, ...)``.

    `what` is the name of the gradients in a message, as in the functions below. `Mismatch` if a
    shape or the number of arrays is wrong.
    """
    for name, gradient, values in _named(gradients, right, what):
        shape = values.shape
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
        _expect_close(_fitting(gradient, values), values, name, values, rtol, atol)


def expect_means(gradients: Any, right: Sequence[npt.ArrayLike], *, what: str) -> None:
    """Expect the means over the batch of the right values (n, ...), as `expect_each` does.

    The gradients may be those of each example, or their mean or sum.
    """
    for name, gradient, values in _named(gradients, right, what):
        mean = values.mean(axis=0)
        got = _fitting(gradient, values if gradient.size == values.size else mean)
        if got.shape == mean.shape:
            with contextlib.suppress(Mismatch):
                _expect_close(got, values.sum(axis=0), name, values)
                continue
        elif got.shape == values.shape:
            got = got.mean(axis=0)
        else:
            _expect_close(gradient, values, name, values)
        _expect_close(got, mean, f"the mean of {name}", values)


def _expect_close(
    got: Array, due: Array, what: str, values: Array, rtol: float = _RTOL, atol: float = _ATOL
) -> None:
    """Compare as `assert_close` does, with `atol` relative to the largest of these values."""
    least = atol * float(np.abs(values).max(initial=0.0))
    assert_close(got, due, what=what, rtol=rtol, atol=least, equal_nan=True)


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


def _fitting(gradient: Array, due: Array) -> Array:
    """Reshape a gradient like `due` if the shapes differ only in axes of length 1."""
    if [s for s in gradient.shape if s != 1] == [s for s in due.shape if s != 1]:
        return gradient.reshape(due.shape)
    return gradient


def _named(
    gradients: Any, right: Sequence[npt.ArrayLike], what: str
) -> Iterator[tuple[str, Array, Array]]:
    """Yield each gradient with its name and the right values."""
    count = len(right)
    expect(gradients is not None, f"{what}: expected arrays, got None. Is a `return` missing?")
    gradients = looked_at(gradients)
    first_alone = isinstance(gradients, np.ndarray) and gradients.shape == np.shape(right[0])
    expect(count == 1 or not first_alone, f"{what}: expected {count} arrays, got only the first")
    entries = list(islice(gradients, count + 1))
    more = "at least " if len(entries) > count else ""
    expect(len(entries) == count, f"{what}: expected {count} arrays, got {more}{len(entries)}")
    names = [f"{what}[{n}]" for n in range(count)]
    numbers = [as_numbers(entry, what=name) for name, entry in zip(names, entries, strict=True)]
    due = [np.asarray(values, dtype=float) for values in right]
    yield from zip(names, numbers, due, strict=True)


def expect_largest_error(largest: Callable[[], Any], pairs: Sequence[tuple[Any, Any]]) -> float:
    """Expect the largest relative error of pairs of gradients, by any usual definition.

    `largest` returns the number to be judged, which is returned as a float. If shapes differ, one
    kind of gradient is wrong, and there is nothing to compare: that has cost points in the
    function's own test. Then 0 is returned.
    """
    pairs = [(looked_at(a), looked_at(b)) for a, b in pairs]
    if not pairs or any(np.shape(a) != np.shape(b) for a, b in pairs):
        return 0.0
    # By the sum of both sizes, or by norms, it is smaller; entry by entry, it is larger.
    least = max(relative_error(a, b) for a, b in pairs) / 10
    entries = [zip(np.ravel(a), np.ravel(b), strict=True) for a, b in pairs]
    most = 2 * max(relative_error(a, b) for both in entries for a, b in both)
    got = float(np.squeeze(as_numbers(largest(), what="the largest relative error")))
    said = f"the largest relative error: expected {least:.1e} to {most:.1e}, got {got:.1e}"
    expect(least - 1e-12 <= got <= most + 1e-12, said)
    return got


def expect_normal(initialise: Callable[[list[int]], Any], dims: list[int], *, std: float) -> None:
    """Expect that a function of the sizes of layers draws N(0, std**2) numbers for each layer.

    `dims` are such sizes, of layers with 10,000 numbers or more. Layers of one number are tried
    too, all together, so that a scale within each layer is seen. `Mismatch` names what was found.
    """
    single = _arrays(initialise([1] * 301))
    together = np.concatenate([np.ravel(array) for array in single])
    for values in (*_arrays(initialise(dims)), together):
        draws = as_numbers(values, what="the result").astype(float).ravel()
        n = draws.size
        expect(n >= 300, f"expected a number for each unit or connection, got {n} in a layer")
        expect(np.isfinite(draws).all(), "expected finite numbers, got NaN or infinity")
        spread, mean = float(draws.std()), float(draws.mean())
        said = f"expected the standard deviation {std:g}, got {spread:.3g}"
        expect(abs(spread / std - 1) < _ERRORS / (2 * n) ** 0.5, said)
        expect(abs(mean) < _ERRORS * std / n**0.5, f"expected the mean 0, got {mean:.3g}")
        within = float(np.mean(np.abs(draws) < std))
        said = f"expected 0.68 of the numbers within one standard deviation, got {within:.2g}"
        expect(abs(within - 0.6827) < _ERRORS * 0.4655 / n**0.5, said)
        far = n < 10_000 or np.abs(draws).max() > 3 * std
        expect(far, f"expected some numbers beyond {3 * std:g}, got none")


def expect_different(initialise: Callable[[list[int]], Any], dims: list[int]) -> None:
    """Expect that two calls draw numbers that nearly all differ, signs ignored."""
    drawn = [np.ravel(array) for _ in range(2) for array in _arrays(initialise(dims))]
    draws = np.concatenate(drawn).astype(float)
    different = len(np.unique(np.abs(draws)))
    said = f"expected {draws.size} different numbers in two calls, signs ignored, got {different}"
    expect(different > 0.99 * draws.size, said)


def expect_layers(
    initialise: Callable[[list[int]], Any], dims: list[int], shapes: Sequence[tuple[int, ...]]
) -> None:
    """Expect a list of arrays of numbers with these shapes, and that `dims` is left as it is."""
    result = expect_unchanged(initialise, [*dims], names="layer_dims")
    expect(result is not None, "expected a list of arrays, got None. Is a `return` missing?")
    arrays = _arrays(result)
    expect(len(arrays) == len(shapes), f"expected {len(shapes)} arrays, got {len(arrays)}")
    for number, (array, shape) in enumerate(zip(arrays, shapes, strict=True)):
        as_numbers(array, what=f"entry {number}", shape=shape)


def _arrays(result: Any) -> list[Any]:
    return [looked_at(array) for array in looked_at(result)]


# Activations that no layer was written for. The slope that each returns is not the slope of its
# values. So code that uses the returned slope, as a backward pass does, and code that measures the
# values give different gradients.


def bent(s: Array) -> tuple[Array, Array]:
    """Return s² and, as the slope, 3 s."""
    return s**2, 3.0 * s


def waved(s: Array) -> tuple[Array, Array]:
    """Return a smooth, rising function of s and, as the slope, 2 + cos s."""
    return np.tanh(s) + 0.5 * s, 2.0 + np.cos(s)


def squashed(s: Array) -> tuple[Array, Array]:
    """Return numbers between 1/4 and 3/4, like probabilities, and, as the slope, 1 + sin(s) / 2."""
    return 0.5 + np.arctan(s) / (2.0 * np.pi), 1.0 + 0.5 * np.sin(s)


def peaked(s: Array) -> tuple[Array, Array]:
    """Return probabilities that are largest, 3/4, at s = 0, and, as the slope, 1.

    There a central difference is 0, and a one-sided one is not.
    """
    return 0.5 + np.cos(8.0 * s) / 4.0, np.ones_like(s)
