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

from hw_support.checks import results
from hw_support.checks.compare import (
    Mismatch,
    arrays_of,
    as_numbers,
    assert_close,
    expect,
    expect_spread,
    expect_unchanged,
    looked_at,
    relative_error,
)

Array = npt.NDArray[Any]

_RTOL, _ATOL = 1e-4, 1e-5
_HANDED_BACK = ": look first at what you hand back from layer to layer"
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
    _each_layer(
        _named(gradients, right, what),
        lambda name, gradient, values: _expect_close(
            _fitting(gradient, values), values, name, values, rtol, atol
        ),
        "",
    )


def expect_means(gradients: Any, right: Sequence[npt.ArrayLike], *, what: str) -> None:
    """Expect the means over the batch of the right values (n, ...), as `expect_each` does.

    The gradients may be those of each example, or their mean or sum.
    """
    _each_layer(_named(gradients, right, what), _expect_mean, _HANDED_BACK)


def _expect_mean(name: str, gradient: Array, values: Array) -> None:
    mean = values.mean(axis=0)
    got = _fitting(gradient, values if gradient.size == values.size else mean)
    if got.shape == mean.shape:
        with contextlib.suppress(Mismatch):
            _expect_close(got, values.sum(axis=0), name, values)
            return
    elif got.shape == values.shape:
        got = got.mean(axis=0)
    else:
        _expect_close(gradient, values, name, values)
    _expect_close(got, mean, f"the mean of {name}", values)


def _each_layer(
    layers: Iterator[tuple[str, Array, Array]],
    expect_layer: Callable[[str, Array, Array], None],
    advice: str,
) -> None:
    """Compare the gradients of each layer. `Mismatch` is that of the last layer that is wrong.

    That layer comes first on the way back. If a later one is right, the message says so, and gives
    this advice.
    """
    right, wrong = "", None
    for layer in layers:
        try:
            expect_layer(*layer)
            right = layer[0] if wrong else ""
        except Mismatch as error:
            wrong, right = error, ""
    if wrong is None:
        return
    if right and not wrong.cause and np.shape(wrong.got) == np.shape(wrong.expected):
        wrong.args = (f"{wrong.args[0]}. {right} is right{advice}",)
    raise wrong


def _expect_close(
    got: Array, due: Array, what: str, values: Array, rtol: float = _RTOL, atol: float = _ATOL
) -> None:
    """Compare as `assert_close` does, with `atol` relative to the largest of these values."""
    least = atol * float(np.abs(values).max(initial=0.0))
    assert_close(got, due, what=what, rtol=rtol, atol=least, equal_nan=True)


def expect_caches(forward: Callable[[int], Any], layers: int) -> None:
    """Expect that calls return caches of all layers, none of an earlier call, none twice.

    ``forward(k)`` returns the caches of a pass through the first k layers, in any layout. Their
    arrays are counted: each layer has as many as the second one adds. A cache that is there twice
    counts once. A test cannot look into objects, so caches in these are not counted.
    """
    caches = forward(layers)
    expect(caches is not None, "layer_caches: expected caches, got None")
    if not issubclass(type(caches), list | tuple):
        return
    there = [cache for cache in caches if cache is not None]
    expect(there, f"layer_caches: expected caches of {layers} layers, got none")
    arrays, different = len(arrays_of(caches)), _of_different(caches)
    count, again = len(caches), len(looked_at(forward(layers)))
    said = f"layer_caches: expected {count} entries in the next call too, got {again}"
    if again > count:
        said += (
            ". The list still has the caches of earlier calls: make a new one inside the function, "
            "neither outside of it nor as a default value"
        )
    expect(again == count, said)
    if arrays and layers > 1:
        of_one, of_two = (_of_different(forward(count)) for count in (1, 2))
        grown = of_two - of_one
        each = grown if grown > 0 else max(1, of_one)
        said = f"expected {layers} caches, got {different // each}"
        if different < arrays:
            said = "expected a cache of its own for each layer, got one twice"
        expect(grown > 0 and different >= layers * each, f"layer_caches: {said}")


def _of_different(caches: Any) -> int:
    """Return how many arrays the different ones of some caches have."""
    entries = caches if issubclass(type(caches), list | tuple) else [caches]
    different: list[list[Array]] = []
    for arrays in map(arrays_of, entries):
        as_many = [one for one in different if len(one) == len(arrays)]
        if not any(all(map(np.array_equal, one, arrays)) for one in as_many):
            different.append(arrays)
    return sum(map(len, different))


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
    said = f"{what}: expected {count} arrays, one for each layer, got {more}{len(entries)}"
    expect(len(entries) == count, said)
    names = [f"{what}[{n}]" for n in range(count)]
    numbers = [as_numbers(entry, what=name) for name, entry in zip(names, entries, strict=True)]
    due = [np.asarray(values, dtype=float) for values in right]
    yield from zip(names, numbers, due, strict=True)


def expect_largest_error(
    largest: Callable[[], Any],
    one: Sequence[Any],
    other: Sequence[Any],
    both: Callable[[], Sequence[Any]],
) -> float:
    """Expect the largest relative error of two lists of gradients, by any usual definition.

    `largest` returns the number to be judged, which is returned as a float. If the lengths of the
    lists or two shapes differ, and also those of what ``both()`` returns, ``(grad_Ws, grad_bs)`` by
    either function, then a function is wrong: that has cost points in its own test. There is
    nothing to compare; any number is accepted, and also none (0 is returned). `Mismatch` if a list
    is empty, or if the functions return what can be compared.
    """
    expect(len(one) and len(other), "expected gradients of both kinds to compare, got none")
    pairs = [(looked_at(a), looked_at(b)) for a, b in zip(one, other, strict=False)]
    comparable = _have_same_shapes(one, other)
    if not comparable:
        by_functions = [
            [array for half in results(came, "grad_Ws, grad_bs") for array in looked_at(half)]
            for came in both()
        ]
        said = "the two kinds of gradients have other shapes than those that your functions return"
        expect(not _have_same_shapes(*by_functions), said)
    try:
        numbers = as_numbers(largest(), what="the largest relative error")
    except NameError:
        if comparable:
            raise
        return 0.0
    said = (
        f"the largest relative error: expected one number, got {numbers.size}. Take the largest of "
        "them"
    )
    expect(numbers.size == 1, said)
    got = float(np.squeeze(numbers))
    if not comparable:
        return got
    # By the sum of both sizes, or by norms, it is smaller; entry by entry, it is larger.
    least = max(relative_error(a, b) for a, b in pairs) / 10
    entries = [zip(np.ravel(a), np.ravel(b), strict=True) for a, b in pairs]
    most = 2 * max(relative_error(a, b) for both in entries for a, b in both)
    said = f"the largest relative error: expected {least:.1e} to {most:.1e}, got {got:.1e}"
    expect(least - 1e-12 <= got <= most + 1e-12, said)
    return got


def _have_same_shapes(one: Sequence[Any], other: Sequence[Any]) -> bool:
    pairs = zip(one, other, strict=False)
    same = all(np.shape(looked_at(a)) == np.shape(looked_at(b)) for a, b in pairs)
    return len(one) == len(other) and same


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
        said = f"expected a number for each unit or connection, got {n} in a layer"
        count = len(_arrays(initialise(dims)))
        if count != len(dims) - 1:
            said = f"expected an array for each layer but the input, {len(dims) - 1}, got {count}"
        expect(n >= 300, said)
        expect_spread(draws, 0.0, std, -np.inf, np.inf)
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
    half = draws.size // 2
    if different == half and np.array_equal(draws[:half], draws[half:]):
        said += ". Likely cause: both calls give the same numbers, by a seed inside the function"
    expect(different > 0.99 * draws.size, said)


def expect_layers(
    initialise: Callable[[list[int]], Any], dims: list[int], shapes: Sequence[tuple[int, ...]]
) -> None:
    """Expect a list of arrays of numbers with these shapes, and that `dims` is left as it is."""
    result = expect_unchanged(initialise, [*dims], names="layer_dims")
    arrays = _arrays(result)
    is_array = issubclass(type(result), np.ndarray)
    got = f"one array of shape {result.shape}" if is_array else f"{len(arrays)}"
    expect(len(arrays) == len(shapes), f"expected {len(shapes)} arrays, got {got}")
    for number, (array, shape) in enumerate(zip(arrays, shapes, strict=True)):
        as_numbers(array, what=f"entry {number}", shape=shape)


def _arrays(result: Any) -> list[Any]:
    """Return the arrays of a list; `Mismatch` if it is None."""
    expect(result is not None, "expected a list of arrays, got None. Is a `return` missing?")
    return [looked_at(array) for array in looked_at(result)]


# Activations that no layer was written for. The slope that each returns is not the slope of its
# values. So code that uses the returned slope, as a backward pass does, and code that measures the
# values give different gradients.


def bent(s: Array) -> tuple[Array, Array]:
    """Return s² and, as the slope, 5 s.

    The factor is no number of examples in a test: code that takes s for the slope is not told that
    it divides by the batch size.
    """
    return s**2, 5.0 * s


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
