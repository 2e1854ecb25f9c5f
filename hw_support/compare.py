"""Compare a result with what was expected, and say where and how they differ.

Only values count: lists and tuples are treated as arrays; ``int``, ``bool`` and ``float`` as
numbers. The first bad index is looked for only after the fast check has failed.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_support.causes import likely_cause
from hw_support.notebook_access import Called, notebook_of

Array = npt.NDArray[Any]

_NO_RETURN = ". Is a `return` missing?"
_MAX_ENTRIES = 50_000_000  # an array may claim more entries than fit in memory
_MAX_SHOWN = 24  # entries of an array, and characters of a text, in a message


class Mismatch(AssertionError):
    """A result that is not what was expected; `got` and `expected` are the compared arrays."""

    def __init__(self, message: str, got: object = None, expected: object = None) -> None:
        super().__init__(message)
        self.got, self.expected = got, expected


def looked_at(value: Any) -> Any:
    """Return a value; for an object in a student's process, a copy of its entries.

    In a grader, a test cell may get a handle of an object that is no plain data. Only functions
    that call this one first can judge it. `Mismatch` if it has no entries.
    """
    look = getattr(type(value), "looked_at", None)
    return look(value) if look else value


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
    by_norm = np.linalg.norm(a - b) / (max(np.linalg.norm(a), np.linalg.norm(b)) or 1.0)
    sizes = np.maximum(np.abs(a), np.abs(b))
    entries = np.divide(np.abs(a - b), sizes, out=np.zeros_like(sizes), where=sizes > 0)
    errors = by_largest, float(by_norm), float(entries.max(initial=0.0))
    return tuple(error / by for error in errors for by in (1, 2))


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
    asked = f"{what}: expected numbers, got"
    if value is None:
        is_entry = what.endswith(("]", " after the call"))
        raise Mismatch(f"{asked} None{'' if is_entry else _NO_RETURN}")
    if callable(value):
        raise Mismatch(f"{asked} a function. Did you forget to call it?")
    try:
        value = looked_at(value)
    except Mismatch as error:
        raise Mismatch(f"{what}: {error}") from None
    if isinstance(value, np.ndarray) and value.size > _MAX_ENTRIES:
        raise Mismatch(f"{asked} an array of shape {value.shape}, far too many")
    try:
        # A subclass may define its own == or shape, so take a plain copy.
        array = np.array(np.asarray(_looked_into(value)), copy=True, subok=False)
    except Mismatch as error:
        raise Mismatch(f"{what}: {error}") from None
    except Exception as error:
        raise Mismatch(f"{asked} what is no array ({type(error).__name__})") from None
    if array.dtype.kind not in "biuf":
        what_came = f"a {type(value).__name__}" if array.ndim == 0 else f"{array.dtype.name} values"
        raise Mismatch(f"{asked} {what_came}")
    return array


def _looked_into(value: Any) -> Any:
    """Return a value; in lists and tuples, each entry is looked at first: NumPy would ask it."""
    if type(value) in (list, tuple):
        return [_looked_into(looked_at(one)) for one in value]
    return value


def _is_flat(found: tuple[int, ...], shape: Sequence[int], flat_ok: bool) -> bool:
    one, other = sorted((found, tuple(shape)), key=len)
    return flat_ok and len(one) == 1 and other == (*one, 1)


def _wrong_shape(found: tuple[int, ...], shape: tuple[int, ...], what: str, flat_ok: bool) -> str:
    column = shape[1:] == (1,) or (flat_ok and len(shape) == 1)
    n = shape[0] if shape else 0
    also = f" or {(n,) if len(shape) > 1 else (n, 1)}" if flat_ok and column else ""
    message = f"{what}: expected shape {shape}{also}, got {found}"
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
        Whether the shapes ``(n,)`` and ``(n, 1)`` are equally good.
    equal_nan
        Whether NaN is right where NaN is expected.
    """
    right = np.asarray(expected, dtype=float)
    plain = _plain_array(actual, what)
    array = plain.astype(float)
    if array.shape != right.shape and not _is_flat(array.shape, right.shape, flat_ok):
        message = _wrong_shape(array.shape, right.shape, what, flat_ok)
        raise Mismatch(message + _because(plain, right, what), array, right)
    got = array.reshape(right.shape)
    good = np.isclose(got, right, rtol=rtol, atol=atol, equal_nan=equal_nan)
    if good.all():
        return
    count = int((~good).sum())
    because = _because(plain.reshape(right.shape), right, what)
    where = _first_difference(got, right, good, what)
    share = f" ({count} of {good.size} entries differ)" if good.size > 1 else ""
    raise Mismatch(f"{where}{share}{because}", got, right)


def _because(got: Array, right: Array, what: str) -> str:
    """Name a likely cause of a wrong result, except for arguments that a call changed."""
    if what.endswith((" after the call", " of an earlier call")):
        return ""
    cause = likely_cause(got, right)
    return f". Likely cause: {cause}" if cause else ""


def _first_difference(got: Array, right: Array, good: Array, what: str) -> str:
    first = tuple(int(i) for i in np.argwhere(~good)[0])
    came, wanted = float(got[first]), float(right[first])
    index = f"[{', '.join(map(str, first))}]" if first else ""
    near = 0 < abs(came - wanted) < 1e-3 * abs(wanted)  # the digits do not show it
    error = f", relative error {abs(came - wanted) / abs(wanted):.1e}" if near else ""
    return f"{what}{index}: expected {wanted:.10g}, got {came:.10g}{error}"


def expect(condition: object, message: str) -> None:
    """Check that `condition` is true, or raise a Mismatch with `message`.

    Unlike ``assert``, it tells the test's own messages from an assertion that fails inside a
    student's code.
    """
    if not condition:
        raise Mismatch(message)


def shown(value: object) -> str:
    """Return a value as text on one line; of large arrays, the shape."""
    if hasattr(type(value), "looked_at"):
        return "a function" if callable(value) else "an object"
    match value:
        case np.ndarray() if value.size <= _MAX_SHOWN:
            text = np.array2string(value, precision=6, separator=", ", max_line_width=10_000)
            return " ".join(text.split()).replace("[ ", "[")
        case np.ndarray():
            return f"an array of shape {value.shape}"
        case list() | tuple():
            entries = [shown(entry) for entry in value[:4]] + ["…"] * (len(value) > 4)
            inside = ", ".join(entries)
            return f"[{inside}]" if isinstance(value, list) else f"({inside})"
        case str():
            return repr(value[:_MAX_SHOWN])
        case float():
            return f"{value:g}"
        case None | bool() | int():
            return str(value)
    if callable(value):
        return str(getattr(value, "__name__", "a function"))
    return f"an object of type {type(value).__name__}"


def expect_unchanged(function: Callable[..., object], *arguments: object, names: str) -> Any:
    """Call a function; expect its arguments as they were. Return its result.

    `names` are those of the arguments, as in ``"x, W, b"``. Arrays, and lists of arrays, are
    compared. `Mismatch` if a number, a length or a function in a list has changed.
    """
    before = copy.deepcopy(arguments)
    [call] = watched_calls(function, [arguments])
    called = call()
    expect_same(called.arguments, before, names)
    return called.result


def watched_calls(
    function: Callable[..., object], inputs: Sequence[Sequence[object]]
) -> list[Callable[[], Called]]:
    """Return functions that make calls with these inputs, and show what the calls change."""
    if remote := getattr(type(function), "watched", None):  # in the student's process
        calls: list[Callable[[], Called]] = remote(function, inputs)
        return calls
    names = getattr(function, "__globals__", {})
    return notebook_of(names).calls(function, inputs, whole=True)


def expect_same(arguments: Sequence[Any], before: Sequence[Any], names: str) -> None:
    """Expect the arguments of a call as they were before it; for `names` see `expect_unchanged`."""
    for name, now, then in zip(names.split(", "), arguments, before, strict=False):
        _expect_same(now, then, name)


def _expect_same(now: Any, then: Any, name: str) -> None:
    if hasattr(type(then), "looked_at"):  # of the student's process: nothing is known of it
        return
    if isinstance(then, list):
        count = len(now) if issubclass(type(now), list) else 0
        entries = f"expected {len(then)} entries, as before it, got {count}"
        expect(count == len(then), f"{name} after the call: {entries}")
        for number, (one, other) in enumerate(zip(now, then, strict=True)):
            _expect_same(one, other, f"{name}[{number}]")
        return
    if isinstance(then, np.ndarray):
        same = issubclass(type(now), np.ndarray) and now.shape == then.shape
        # A number that was put back by adding and subtracting is off by rounding.
        same = same and np.allclose(now, then, rtol=1e-9, atol=1e-18, equal_nan=True)
    else:
        is_handle = hasattr(type(now), "looked_at")  # the student's object: it equals nothing
        same = callable(then) or (not is_handle and now == then)
    if not same:
        said = f"expected {shown(then)}, as before, got {shown(now)}"
        raise Mismatch(f"{name} after the call: {said}")


def expect_kept(
    function: Callable[..., object], first: Sequence[object], second: Sequence[object]
) -> None:
    """Expect that a second call leaves the arrays as they were that the first one returned.

    `first` and `second` are the arguments of the two calls. Arrays in lists, tuples and
    dictionaries are compared.
    """
    one, other = watched_calls(function, [first, second])
    expect_result_kept(one().result, other)


def expect_result_kept(result: object, call: Callable[[], Called]) -> None:
    """Expect that the next call leaves the arrays as they are that an earlier one has returned."""
    before = [array.copy() for array in arrays_of(result)]
    after = arrays_of(call().earlier)
    pairs = zip(before, after, strict=False)  # there may be more than before
    kept = all(np.array_equal(then, now, equal_nan=True) for then, now in pairs)
    kept = kept and len(after) >= len(before)
    said = "an earlier result: expected no change by the next call, got one"
    expect(kept, f"{said}. Do both calls return one object?")


def arrays_of(value: object) -> list[Array]:
    """Return the arrays of numbers in a value and in its lists, tuples and dictionaries."""
    if hasattr(type(value), "looked_at"):  # of the student's process: nothing is known of it
        return []
    if isinstance(value, np.ndarray):
        return [value] if value.dtype.kind in "biuf" else []
    entries = value.values() if isinstance(value, dict) else value
    if not isinstance(value, dict | list | tuple):
        return []
    return [array for entry in entries for array in arrays_of(entry)]  # type: ignore[attr-defined]
