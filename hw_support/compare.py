"""Compare a result with what was expected, and say where and how they differ.

Only values count: lists and tuples are treated as arrays; ``int``, ``bool`` and ``float`` as
numbers. The first bad index is looked for only after the fast check has failed.
"""

import contextlib
import math
from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_support.causes import agreement, likely_cause

Array = npt.NDArray[Any]

_MOST_IN_COLLECTION = 1_000
_NO_RETURN = ". Is a `return` missing?"
_MOST_ENTRIES = 50_000_000  # an array may claim more entries than fit in memory


class Mismatch(AssertionError):
    """A result that is not what was expected; `got` and `expected` are arrays that were compared.

    `discreet` is the message where inputs are hidden: without values. The default is `message`.
    """

    def __init__(
        self, message: str, discreet: str = "", got: object = None, expected: object = None
    ) -> None:
        super().__init__(message)
        self.discreet, self.got, self.expected = discreet or message, got, expected


def relative_error(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Return the largest difference of two arrays of one shape, relative to their largest entry.

    That is ``max|a - b| / max(max|a|, max|b|)``; 0 where both are all zeros, NaN where either holds
    a NaN. For a right gradient and central differences with h = 1e-5 expect about 1e-8.
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError(
            f"relative_error needs two arrays of the same shape, not {a.shape} and {b.shape}"
        )
    largest = max(np.abs(a).max(initial=0), np.abs(b).max(initial=0))
    return 0.0 if largest == 0 else float(np.abs(a - b).max() / largest)


def relative_errors(a: npt.ArrayLike, b: npt.ArrayLike) -> tuple[float, ...]:
    """Return the relative error of two arrays of one shape by each of six usual definitions.

    - The first is `relative_error`. The second is half of it: the difference is divided by the sum
      of both sizes.
    - The next two are the same with Euclidean norms.
    - The last two are the same for the entry that differs most, relative to its own size.
    """
    by_largest = relative_error(a, b)
    a, b = np.asarray(a, dtype=float).ravel(), np.asarray(b, dtype=float).ravel()
    norm = max(np.linalg.norm(a), np.linalg.norm(b))
    by_norm = float(np.linalg.norm(a - b) / norm) if norm else 0.0
    sizes = np.maximum(np.abs(a), np.abs(b))
    entries = np.divide(np.abs(a - b), sizes, out=np.zeros_like(sizes), where=sizes > 0)
    by_entry = float(entries.max(initial=0.0))
    return by_largest, by_largest / 2, by_norm, by_norm / 2, by_entry, by_entry / 2


def compare_arrays(a: npt.ArrayLike, b: npt.ArrayLike, name: str, *, close: float = 1e-6) -> float:
    """Print in a line whether two arrays are equal, whether close, and where they differ most.

    They are arrays of numbers of one shape (others raise `Mismatch`), for example a
    gradient by `backward_pass` and the same by finite differences. The line calls them `name`, and
    close up to that relative error. Their `relative_error` is returned.

    Examples
    --------
    >>> error = compare_arrays([1.0, 2.0], [1.0, 2.000001], "slopes")
    slopes: not equal; close (relative error 5e-07); largest difference 1e-06 at [1]: 2 and 2.000001
    """
    left = as_numbers(a, what=f"the first {name}")
    right = as_numbers(b, what=f"the second {name}", shape=left.shape)
    error = relative_error(left, right)
    if np.array_equal(left, right):
        print(f"{name}: equal, all {left.size} entries")
        return error
    differences = np.where(np.isnan(left - right), np.inf, np.abs(left - right))
    where = tuple(int(i) for i in np.unravel_index(np.argmax(differences), left.shape))
    index = f" at [{', '.join(map(str, where))}]" if where else ""
    near = "close" if error <= close else "NOT close"
    print(
        f"{name}: not equal; {near} (relative error {error:.0e}); largest difference "
        f"{differences[where]:.0e}{index}: {left[where]:.8g} and {right[where]:.8g}"
    )
    return error


def as_numbers(
    value: object, *, what: str, shape: Sequence[int] | None = None, flat_ok: bool = False
) -> Array:
    """Return an array, a number, or a nested list or tuple of numbers as an array of plain numbers.

    `what` is its name in messages. If `flat_ok`, ``(n,)`` is as good as the shape ``(n, 1)``.
    `Mismatch` if the value is None, text, an object, a ragged list, or has another shape.
    """
    array = _plain_array(value, what)
    if shape is None or array.shape == tuple(shape):
        return array
    if _is_flat(array.shape, shape, flat_ok):
        return array.reshape(tuple(shape))
    raise Mismatch(_wrong_shape(array.shape, tuple(shape), what, flat_ok))


def _plain_array(value: object, what: str) -> Array:
    if value is None:
        is_entry = what.endswith(("]", " after the call"))
        raise Mismatch(f"{what} is None{'; numbers were expected' if is_entry else _NO_RETURN}")
    if callable(value):
        raise Mismatch(f"{what} is a function; numbers were expected. Did you forget to call it?")
    if isinstance(value, np.ndarray) and value.size > _MOST_ENTRIES:
        raise Mismatch(f"{what} has shape {value.shape}: far more numbers than were expected")
    try:
        # A subclass may define its own == or shape, so take a plain copy.
        array = np.array(np.asarray(value), copy=True, subok=False)
    except Exception as error:
        why = f"{what} cannot be converted to an array of numbers: {type(error).__name__}"
        raise Mismatch(why) from None
    if array.dtype.kind not in "biuf":
        raise Mismatch(f"{what} holds {_kind(value, array)}; numbers were expected")
    return array


def _kind(value: object, array: Array) -> str:
    if array.dtype.kind == "O" and array.ndim == 0:
        return f"a {type(value).__name__}"
    if array.dtype.kind in "US":
        return "text (str)" if array.dtype.kind == "U" else "text (bytes)"
    return f"{array.dtype.name} values"


def _is_flat(found: tuple[int, ...], shape: Sequence[int], flat_ok: bool) -> bool:
    return flat_ok and tuple(shape) == (*found, 1) and len(found) == 1


def _wrong_shape(found: tuple[int, ...], shape: tuple[int, ...], what: str, flat_ok: bool) -> str:
    column, n = shape[1:] == (1,), shape[0] if shape else 0
    also = f" or ({n},)" if flat_ok and column else ""
    message = f"{what} has shape {found}; {shape}{also} was expected"
    if column and found == (n, n) and n > 1:
        message += (
            f". Did you combine arrays of shapes ({n},) and ({n}, 1)? NumPy broadcasts them; "
            "reshape one of them first"
        )
    return message


def assert_close(
    actual: object,
    expected: npt.ArrayLike,
    *,
    what: str = "the result",
    rtol: float = 1e-7,
    atol: float = 0.0,
    flat_ok: bool = False,
    equal_nan: bool = False,
) -> None:
    """Check that a function's result has the values and the shape of `expected`.

    Raises `Mismatch`, which names the first bad index, both values and the relative error.

    Parameters
    ----------
    what
        Its name in messages. No cause is looked for if it ends in "after the call" or "of an
        earlier call".
    rtol, atol
        An entry is right if it differs by at most ``atol + rtol * |expected|``.
    flat_ok
        Whether ``(n,)`` is as good as ``(n, 1)``.
    equal_nan
        Whether NaN is right where NaN is expected.
    """
    right = np.asarray(expected, dtype=float)
    array = _plain_array(actual, what).astype(float)
    if array.shape != right.shape and not _is_flat(array.shape, right.shape, flat_ok):
        message = _wrong_shape(array.shape, right.shape, what, flat_ok)
        message += _because(array, right, what)
        raise Mismatch(message, message, array, right)
    got = array.reshape(right.shape)
    good = np.isclose(got, right, rtol=rtol, atol=atol, equal_nan=equal_nan)
    if good.all():
        return
    count = int((~good).sum())
    because = _because(got, right, what) or _nearly(got, right, rtol)
    where = _first_difference(got, right, good, what)
    share = f"{count} of {good.size} entries differ; " if good.size > 1 else ""
    kind = "has wrong values" if np.isfinite(got[~good]).all() else "holds NaN or infinity"
    raise Mismatch(
        f"{share}{where}{because}",
        f"{what} {kind} ({count} of {good.size} entries){because}",
        got,
        right,
    )


def _because(got: Array, right: Array, what: str) -> str:
    """Name a likely cause of a wrong result, except for arguments that a call changed."""
    if what.endswith((" after the call", " of an earlier call")):
        return ""
    cause = likely_cause(got, right)
    return f". Likely cause: {cause}" if cause else ""


def _nearly(got: Array, right: Array, rtol: float) -> str:
    """Say how well the values agree, if they nearly do."""
    digits, asked = agreement(got, right), math.floor(-math.log10(rtol)) if 0 < rtol < 1 else 0
    if not 0 < digits < asked:
        return ""
    return f". The values agree to {digits} digits; {asked} were expected"


def _first_difference(got: Array, right: Array, good: Array, what: str) -> str:
    first = tuple(int(i) for i in np.argwhere(~good)[0])
    came, wanted = float(got[first]), float(right[first])
    index = f"[{', '.join(map(str, first))}]" if first else ""
    size = max(abs(came), abs(wanted))
    error = f", relative error {abs(came - wanted) / size:.1e}" if 0 < size < np.inf else ""
    return f"{what}{index} is {came:.10g}, expected {wanted:.10g}{error}"


def expect(condition: object, message: str) -> None:
    """Check that `condition` is true, or raise a Mismatch with `message`.

    Unlike ``assert``, it separates the test's own messages, which contain no hidden values, from an
    assertion that fails inside a student's code.
    """
    if not condition:
        raise Mismatch(message)


def expect_answer(result: object, *, of: str) -> None:
    """Check that a function returned at least two different numbers; `of` is its name.

    Use it in parts that compare no values. Without it, an empty function would pass: it does not
    change its arguments, and it always returns the same. Raises `Mismatch` if the result and its
    collections hold no numbers, or if all are the same. NaN and infinity do not count.
    """
    numbers = [array.ravel() for array in _arrays_in(result) if array.size]
    if not numbers:
        raise Mismatch(f"{of} gives {_without_numbers(result)}")
    finite = np.concatenate([array[np.isfinite(array)] for array in numbers])
    if not finite.size:
        raise Mismatch(f"{of} gives NaN or infinity everywhere")
    if finite.size == 1:
        raise Mismatch(f"{of} gives a single number, {float(finite[0]):g}")
    if np.all(finite == finite[0]):
        raise Mismatch(f"{of} gives {float(finite[0]):g} everywhere")


def _without_numbers(value: object) -> str:
    match value:
        case None:
            return "None" + _NO_RETURN
        case str():
            return "text (str); numbers were expected"
        case list() | tuple():
            kinds = {"None" if e is None else type(e).__name__ for e in value[:3]} or {"nothing"}
            return f"a {type(value).__name__} of {', '.join(sorted(kinds))}; numbers were expected"
    is_function = "a function" if callable(value) else "an object"
    return f"{is_function}; numbers were expected"


def results_of(came: Any) -> list[Any]:
    """Return the results of a call as a list; one array, number or None is a single result.

    So an array that a function returns in place of a pair is not taken for a pair of its rows.
    """
    is_one = came is None or np.isscalar(came) or isinstance(came, np.ndarray)
    return [came] if is_one else list(came)


def _arrays_in(value: object, deepest: int = 5) -> list[Array]:
    """Return the arrays and numbers in a value and in its collections."""
    with contextlib.suppress(Mismatch):
        return [_plain_array(value, "")]
    if deepest == 0 or isinstance(value, str | bytes):
        return []
    try:  # this may run student code
        entries = list(islice(value, _MOST_IN_COLLECTION))  # type: ignore[call-overload]
    except Exception:
        return []
    return [array for entry in entries for array in _arrays_in(entry, deepest - 1)]


def expect_fractions(values: object, *, what: str) -> Array:
    """Check that numbers such as accuracies are between 0 and 1; return them as an array.

    `what` is their name in messages. A number outside this range, or no numbers, raise `Mismatch`.
    """
    numbers = as_numbers(values, what=what).astype(float)
    if np.all((numbers >= 0) & (numbers <= 1)):
        return numbers
    if np.all((numbers >= 0) & (numbers <= 100)):
        more = f"{what} has values between 1 and 100. Are they in percent?"
        raise Mismatch(f"{more} Fractions between 0 and 1 were expected")
    raise Mismatch(f"{what}: a value is not between 0 and 1, or is NaN")
