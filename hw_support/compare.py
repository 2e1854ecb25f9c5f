"""Compare a result with what was expected, and say where and how they differ.

Results are judged by value: lists and tuples count as arrays, ``int``, ``bool`` and ``float``
as numbers, and (where a caller allows it) shape ``(n,)`` as ``(n, 1)``. The fast check comes
first; the first bad index is looked for only after it has failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Mismatch(AssertionError):
    """A result that is not what was expected.

    Parameters
    ----------
    message
        What is wrong, with the values: for checks whose inputs are public.
    discreet
        The same matter without a value, for checks whose inputs are hidden.
    """

    def __init__(self, message: str, discreet: str) -> None:
        super().__init__(message)
        self.discreet = discreet


def relative_error(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Return the largest difference of two arrays, relative to their largest entry.

    Parameters
    ----------
    a, b
        Numbers of the same shape.

    Returns
    -------
    float
        ``max|a - b| / max(max|a|, max|b|)``; 0 where both are all zeros, NaN where either holds
        a NaN. For a right gradient and central differences with h = 1e-5 expect about 1e-8.
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError(f"relative_error compares equal shapes, not {a.shape} and {b.shape}")
    if a.size == 0:
        return 0.0
    largest = max(np.abs(a).max(), np.abs(b).max())
    return 0.0 if largest == 0 else float(np.abs(a - b).max() / largest)


def as_numbers(
    value: object, *, what: str, shape: Sequence[int] | None = None, flat_ok: bool = False
) -> Array:
    """Return `value` as an array of plain numbers, or say why it is not one.

    Parameters
    ----------
    value
        What came back: an array, a number, or a nested list or tuple of numbers.
    what
        The name that a message gives it, such as ``"out"``.
    shape
        The shape that is asked for; None takes any.
    flat_ok
        Whether ``(n,)`` is as good as ``(n, 1)``.

    Raises
    ------
    Mismatch
        For None, text, objects, ragged lists, or another shape.
    """
    if value is None:
        raise both(f"{what} is None. Is a `return` missing?")
    try:
        array = np.asarray(value)
    except Exception as error:
        raise both(f"{what} is no array of numbers: {type(error).__name__}") from None
    # A subclass may lie about what it holds (its own ==, its own shape): take a plain copy.
    array = np.array(array, copy=True, subok=False)
    if array.dtype.kind not in "biuf":
        raise both(f"{what} holds {array.dtype.name} values; numbers were expected")
    if shape is None or array.shape == tuple(shape):
        return array
    if flat_ok and len(shape) == 2 and shape[1] == 1 and array.shape == (shape[0],):
        return array.reshape(tuple(shape))
    hint = ""
    if len(shape) == 2 and shape[1] == 1 and array.shape == (shape[0], shape[0]):
        hint = (
            f". An array of shape ({shape[0]},) was broadcast against one of shape "
            f"({shape[0]}, 1): reshape one of them"
        )
    also = f" or ({shape[0]},)" if flat_ok and len(shape) == 2 and shape[1] == 1 else ""
    raise both(f"{what} has shape {array.shape}; {tuple(shape)}{also} was expected{hint}")


def assert_close(
    actual: object,
    expected: npt.ArrayLike,
    *,
    what: str = "the result",
    rtol: float = 1e-7,
    atol: float = 0.0,
    flat_ok: bool = False,
) -> None:
    """Check that `actual` has the values of `expected`.

    Parameters
    ----------
    actual
        What came back.
    expected
        What is right; its shape is the shape that is asked for.
    what
        The name that a message gives the result.
    rtol, atol
        An entry is right when it differs by at most ``atol + rtol * |expected|``.
    flat_ok
        Whether ``(n,)`` is as good as ``(n, 1)``.

    Raises
    ------
    Mismatch
        With the first bad index, both values and the relative error.
    """
    right = np.asarray(expected, dtype=float)
    got = as_numbers(actual, what=what, shape=right.shape, flat_ok=flat_ok).astype(float)
    good = np.isclose(got, right, rtol=rtol, atol=atol)
    if good.all():
        return
    first = tuple(int(i) for i in np.argwhere(~good)[0])
    came, wanted = float(got[first]), float(right[first])
    where = f"{what}[{', '.join(map(str, first))}]" if first else what
    count = int((~good).sum())
    share = f"{count} of {good.size} entries differ; " if good.size > 1 else ""
    if np.isfinite(came):
        size = max(abs(came), abs(wanted))
        error = f", relative error {abs(came - wanted) / size:.1e}" if size else ""
        kind = "has wrong values"
    else:
        error = ""
        kind = "holds values that are not finite"
    raise Mismatch(
        f"{share}{where} is {came:.10g}, expected {wanted:.10g}{error}",
        f"{what} {kind} ({count} of {good.size} entries)",
    )


def both(message: str) -> Mismatch:
    """Return a Mismatch whose message tells nothing of hidden values."""
    return Mismatch(message, message)


def expect(condition: object, message: str) -> None:
    """Check that `condition` is true, or raise a Mismatch with `message`.

    Unlike ``assert`` it tells our own words, which name no hidden value, from an assertion that
    fails inside a student's code.
    """
    if not condition:
        raise both(message)
