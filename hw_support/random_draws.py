"""Whether a network's random numbers are as asked for: distribution, differences, shapes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hw_support.compare import as_numbers, expect, looked_at, watched_calls

# Bounds of 7 standard errors: chance goes beyond them once in 10**11 times.
_ERRORS = 7.0


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
    [call] = watched_calls(initialise, [[[*dims]]])
    called = call()
    result, [now] = called.result, called.arguments
    expect(result is not None, "expected a list of arrays, got None. Is a `return` missing?")
    arrays = _arrays(result)
    expect(len(arrays) == len(shapes), f"expected {len(shapes)} arrays, got {len(arrays)}")
    for number, (array, shape) in enumerate(zip(arrays, shapes, strict=True)):
        as_numbers(array, what=f"entry {number}", shape=shape)
    expect(now == dims, f"expected the sizes as they were, {dims}, got {now}")


def _arrays(result: Any) -> list[Any]:
    return [looked_at(array) for array in looked_at(result)]
