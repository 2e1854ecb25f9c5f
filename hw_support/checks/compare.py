"""Compare a result with what was expected, and say where and how they differ.

Only values count: lists and tuples are treated as arrays; ``int``, ``bool`` and ``float`` as
numbers. The first bad index is looked for only after the fast check has failed.
"""

import contextlib
import copy
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_support.checks.causes import agrees, likely_cause
from hw_support.checks.notebook_access import Called, Notebook, Remote, is_a
from hw_support.checks.written import function_as_written

Array = npt.NDArray[Any]

_NO_RETURN = ". Is a `return` missing?"
_MAX_ENTRIES = 50_000_000  # an array may claim more entries than fit in memory
_MAX_SHOWN = 24  # entries of an array, and characters of a text, in a message
_MAX_LISTED = 4  # entries in a message
_NOT_PUT_BACK = "an entry is moved, and not put back to where it was"
_LARGEST_STEP = 1e-2  # by which an entry is moved for a difference, relative to it


class Mismatch(AssertionError):
    """A result that is not what was expected; `got` and `expected` are the compared arrays.

    `cause` is a known mistake that explains this result; the text names it.
    """

    def __init__(
        self, message: str, got: Any = None, expected: Any = None, cause: str = ""
    ) -> None:
        super().__init__(message)
        self.got, self.expected, self.cause = got, expected, cause

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text}. Likely cause: {self.cause}" if self.cause else text


class NotPlainData(BaseException):
    """A test used an object of the student's as if it were a number, text or list. The part fails.

    It is no `Exception`, so that ``except Exception`` in a test does not hide it.
    """


def looked_at(value: Any) -> Any:
    """Return a value; for an object in a student's process, a copy of its entries.

    In a grader, a test cell may get a handle of an object that is no plain data. Only functions
    that call this one first can judge it. `Mismatch` if it has no entries.
    """
    return type(value).looked_at(value) if is_a(value, Remote) else value


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


def as_numbers(
    value: object, *, what: str, shape: Sequence[int] | None = None, flat_ok: bool = False
) -> Array:
    """Return an array, a number, or a nested list or tuple of numbers as an array of plain numbers.

    `what` is its name in messages. If `flat_ok`, ``(n,)`` is as good as the shape ``(n, 1)``.
    `Mismatch` if the value is None, text, an object, a ragged list, or has another shape.
    """
    array = _plain_array(value, what)
    return array if shape is None else _in_shape(array, tuple(shape), what, flat_ok)


def _plain_array(value: object, what: str) -> Array:
    asked = f"{what}: expected numbers, got"
    if value is None:
        is_entry = what.endswith(("]", " after the call"))
        raise Mismatch(f"{asked} None{'' if is_entry else _NO_RETURN}")
    if callable(value):
        raise Mismatch(f"{asked} a function. Did you forget to call it?")
    try:
        value = _entries(value)
        array = np.asarray(value)  # of a subclass, which may define its own ==, a plain view
    except Mismatch as error:
        raise Mismatch(f"{what}: {error}") from None
    except Exception as error:
        said = f"an object that is no array ({type(error).__name__})"
        if isinstance(value, list | tuple):
            said = f"a {type(value).__name__} of {_entries_of(value)}, which is no array"
        raise Mismatch(f"{asked} {said}") from None
    if array.size > _MAX_ENTRIES:
        raise Mismatch(f"{asked} an array of shape {array.shape}, far too many")
    if array.dtype.kind not in "biuf":
        what_came = f"a {type(value).__name__}" if array.ndim == 0 else f"{array.dtype.name} values"
        raise Mismatch(f"{asked} {what_came}")
    return array.copy()


def _entries_of(values: Sequence[Any]) -> str:
    """Describe entries that make no array together, such as arrays of different shapes."""
    kinds = [f"shape {np.shape(v)}" if _is_numeric(v) else shown(v, 0) for v in values]
    more = ", …" if len(kinds) > _MAX_LISTED else ""
    return f"{len(kinds)} entries ({', '.join(kinds[:_MAX_LISTED])}{more})"


def _entries(value: Any) -> Any:
    """Return a value; of what is no plain data, also within lists, a copy that may be judged."""
    value = looked_at(value)
    return [*map(_entries, value)] if type(value) in (list, tuple) else value


def _in_shape(
    array: Array, shape: tuple[int, ...], what: str, flat_ok: bool, right: Array | None = None
) -> Array:
    """Return an array in a shape that it has, or as good as has; `right` has the right values."""
    one, other = sorted((array.shape, shape), key=len)
    if array.shape == shape or (flat_ok and len(one) == 1 and other == (*one, 1)):
        return array.reshape(shape)
    n, is_column = (shape or (0,))[0], shape[1:] == (1,) or (flat_ok and len(shape) == 1)
    also = f" or {(n,) if len(shape) > 1 else (n, 1)}" if flat_ok and is_column else ""
    message = f"{what}: expected shape {shape}{also}, got {array.shape}"
    if is_column and array.shape == (n, n) and n > 1:
        message += (
            f". Did you combine arrays of shapes ({n},) and ({n}, 1)? NumPy broadcasts them; "
            "reshape one of them first"
        )
    cause = "" if right is None else _cause(array, right, what)
    raise Mismatch(message, array.astype(float), right, cause)


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
        Its name in messages. No cause is looked for if it ends in "after the call".
    rtol, atol
        An entry is right if it differs by at most ``atol + rtol * |expected|``.
    flat_ok
        Whether the shapes ``(n,)`` and ``(n, 1)`` are equally good.
    equal_nan
        Whether NaN is right where NaN is expected.
    """
    right = np.asarray(expected, dtype=float)
    array = _plain_array(actual, what)
    if (compared := _compared.get()) is not None:
        compared.append((array, right))
    plain = _in_shape(array, right.shape, what, flat_ok, right)
    got = plain.astype(float)
    good = np.isclose(got, right, rtol=rtol, atol=atol, equal_nan=equal_nan)
    if good.all():
        return
    differs = ~good & ~(np.isnan(got) & np.isnan(right))
    if not differs.any():
        nan = f"{what}: expected NaN, got NaN, which equals nothing"
        raise Mismatch(f"{nan}. The test that compares them needs equal_nan=True", got, right)
    first = tuple(np.argwhere(differs)[0].tolist())
    came, wanted = float(got[first]), float(right[first])
    index = f"[{', '.join(map(str, first))}]" if first else ""
    message = f"{what}{index}: expected {wanted:.10g}, got {came:.10g}"
    if 0 < abs(came - wanted) < 1e-3 * abs(wanted):  # the digits do not show it
        message += f", relative error {abs(came - wanted) / abs(wanted):.1e}"
    if good.size > 1:
        message += f" ({np.sum(~good)} of {good.size} entries differ)"
    raise Mismatch(message, got, right, _cause(plain, right, what))


def _cause(got: Array, right: Array, what: str) -> str:
    """Name a likely cause of a wrong result; arguments that a call changed have one alone."""
    if what.endswith(" after the call"):
        return _NOT_PUT_BACK if _moved_little(got, right) else ""
    return likely_cause(got, right) or ""


# While `refuted` runs: the results that were compared, and what was right.
_compared: ContextVar[list[tuple[Array, Array]] | None] = ContextVar("compared", default=None)


def refuted(cause: str, run_others: Callable[[], object]) -> bool:
    """Whether a comparison that `run_others` makes cannot come from this mistake."""
    compared: list[tuple[Array, Array]] = []
    before = _compared.set(compared)
    try:
        run_others()
    finally:
        _compared.reset(before)
    return not all(agrees(cause, *pair) for pair in compared)


# Bounds of 7 standard errors: chance goes beyond them once in 10**11 times.
_STANDARD_ERRORS = 7.0
_TAILS = 3.0, 9.0  # fourth moment over squared variance: normal and exponential distribution


def expect_spread(
    draws: Array, mean: float | None, std: float | None, low: float, high: float
) -> None:
    """Expect that random numbers (n,) have a mean and a standard deviation, and lie in bounds.

    None: it may be any. Both are judged up to 7 standard errors. `Mismatch` names what was found.
    """
    expect(draws.size >= 2, f"expected random numbers, got {draws.size}")
    expect(np.isfinite(draws).all(), "expected finite numbers, got NaN or infinity")
    n, spread, middle = draws.size, float(draws.std()), float(draws.mean())
    if std is not None:
        said = f"expected the standard deviation {std:g}, got {spread:.3g}"
        fourth = float(np.mean((draws - middle) ** 4)) / (spread**4 or 1.0)
        tails = float(np.clip(fourth, *_TAILS)) - 1  # 2 for a normal distribution
        part = _STANDARD_ERRORS * (tails / (4 * n)) ** 0.5
        if std != 1 and any(abs(spread / one - 1) <= part for one in (std**2, std**0.5)):
            said += (
                ". Likely cause: the variance is taken for the standard deviation, or the reverse"
            )
        expect(abs(spread - std) <= part * std, said)
    if mean is not None:
        near = _STANDARD_ERRORS * (spread if std is None else std) / n**0.5
        expect(abs(middle - mean) <= near, f"expected the mean {mean:g}, got {middle:.3g}")
    least, most = float(draws.min()), float(draws.max())
    said = f"expected numbers from {low:g} to {high:g}, got {least:.3g} to {most:.3g}"
    expect(low <= least and most <= high, said)


def expect_value(
    actual: object,
    expected: Any,
    *,
    what: str = "the result",
    rtol: float = 1e-5,
    atol: float = 1e-8,
    flat_ok: bool = False,
    equal_nan: bool = False,
) -> None:
    """Check that a result has the value of `expected`, of any plain kind.

    Numbers and arrays are compared as `assert_close` does; texts, None, dictionaries, sets, and
    lists and tuples of any of these, entry by entry. `Mismatch` names the first entry that differs.
    TypeError if `expected` is none of these.
    """
    how: dict[str, Any] = {"rtol": rtol, "atol": atol, "flat_ok": flat_ok, "equal_nan": equal_nan}
    if _is_numeric(expected):
        assert_close(actual, expected, what=what, **how)
        return
    came: Any = looked_at(actual)
    said = f"{what}: expected {shown(expected)}, got {shown(came)}"
    if came is None and expected is not None:
        raise Mismatch(f"{said}{_NO_RETURN}")
    match expected:
        case None:
            expect(came is None, said)
        case str() | bytes():
            expect(isinstance(came, str | bytes) and came == expected, said)
        case int():  # too large for an array
            expect(isinstance(came, int | float) and came == expected, said)
        case dict():
            expect(isinstance(came, dict), said)
            missing = [shown(key) for key in expected if key not in came]
            said = f"{what}: expected the key {''.join(missing[:1])}, got {shown(came)}"
            expect(not missing, said)
            more = [shown(key) for key in came if key not in expected]
            expect(not more, f"{what}: expected no key {''.join(more[:1])}")
            for key, value in expected.items():
                expect_value(came[key], value, what=f"{what}[{shown(key)}]", **how)
        case set() | frozenset():
            expect(isinstance(came, set | frozenset | list | tuple), said)
            found: set[Any] = set()
            with contextlib.suppress(TypeError):  # a set cannot have such entries
                found = {*came}
            expect(found == expected and len(came) == len(found), said)
        case list() | tuple() | np.ndarray():
            expect(isinstance(came, list | tuple | np.ndarray), said)
            entries = [*came]
            count = f"{what}: expected {len(expected)} entries, got {len(entries)}"
            expect(len(entries) == len(expected), count)
            for n, (one, due) in enumerate(zip(entries, expected, strict=True)):
                expect_value(one, due, what=f"{what}[{n}]", **how)
        case _:
            raise TypeError(f"{what}: no comparison for an expected {type(expected).__name__}")


def _is_numeric(value: Any) -> bool:
    """Whether a value is a number, an array of numbers, or nested lists of numbers of one shape."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biuf"
    if isinstance(value, list | tuple) and any(isinstance(one, np.ndarray) for one in value):
        return False  # entry by entry, as (n,) may be as good as (n, 1)
    try:
        return np.asarray(value).dtype.kind in "biuf" and np.size(value) > 0
    except ValueError:  # lists of different lengths
        return False


def expect(condition: object, message: str) -> None:
    """Check that `condition` is true, or raise a Mismatch with `message`.

    Unlike ``assert``, it tells the test's own messages from an assertion that fails inside a
    student's code.
    """
    if not condition:
        raise Mismatch(message)


def shown(value: object, entries: int = _MAX_SHOWN) -> str:
    """Return a value as text on one line; of arrays with more entries, the shape."""
    match value:
        case _ if is_a(value, Remote):
            return "a function" if callable(value) else "an object"
        case np.ndarray() if value.size <= entries:
            text = np.array2string(value, precision=6, separator=", ", max_line_width=10_000)
            return " ".join(text.split()).replace("[ ", "[")
        case np.ndarray():
            return f"an array of shape {value.shape}"
        case list() | tuple():
            inside = ", ".join([shown(v, entries) for v in value[:4]] + ["…"] * (len(value) > 4))
            return f"[{inside}]" if isinstance(value, list) else f"({inside})"
        case dict():
            pairs = [f"{shown(k, entries)}: {shown(v, entries)}" for k, v in value.items()]
            return f"{{{', '.join(pairs[:4] + ['…'] * (len(pairs) > 4))}}}"
        case set() | frozenset():
            some = sorted(shown(v, entries) for v in value)
            return f"{{{', '.join(some[:4] + ['…'] * (len(some) > 4))}}}"
        case str() | bytes():
            return repr(value[:_MAX_SHOWN])
        case float() | np.floating():
            return f"{value:g}"
        case None | bool() | int() | np.bool_() | np.integer():
            return str(value)
    if callable(value):
        return function_as_written(value)
    return f"an object of type {type(value).__name__}"


def expect_unchanged(function: Callable[..., object], *arguments: object, names: str) -> Any:
    """Call a function; expect its arguments as they were. Return its result.

    `names` are those of the arguments, as in ``"x, W, b"``. Arrays, and lists of arrays, are
    compared. `Mismatch` if a number, a length or a function in a list has changed.
    """
    before = copy.deepcopy(arguments)
    called = watched_calls(function, [arguments])[0]()
    expect_same(called.arguments, before, names)
    return called.result


def watched_calls(function: Any, inputs: Sequence[Sequence[object]]) -> list[Callable[[], Called]]:
    """Return functions that make calls with these inputs, and show what the calls change."""
    if is_a(function, Remote):
        calls: list[Callable[[], Called]] = type(function).watched(function, inputs)
        return calls
    names = getattr(function, "__globals__", None)
    notebook: Notebook = getattr(names, "notebook", None) or Notebook({})
    return notebook.calls(function, inputs, whole=True)


def expect_same(arguments: Sequence[Any], before: Sequence[Any], names: str) -> None:
    """Expect the arguments of a call as they were before it; for `names` see `expect_unchanged`."""
    for name, now, then in zip(names.split(", "), arguments, before, strict=False):
        if is_a(then, Remote):  # nothing is known of it
            continue
        if isinstance(then, list):
            count = len(now) if is_a(now, list) else 0
            entries = f"expected {len(then)} entries, as before it, got {count}"
            expect(count == len(then), f"{name} after the call: {entries}")
            expect_same(now, then, ", ".join(f"{name}[{k}]" for k in range(count)))
        elif not _is_same(now, then):
            said = f"expected {shown(then)}, as before, got {shown(now)}"
            cause = _NOT_PUT_BACK if _moved_little(now, then) else ""
            raise Mismatch(f"{name} after the call: {said}", cause=cause)


def _moved_little(now: Any, then: Any) -> bool:
    """Whether entries of an array were moved by a small step, as for a difference."""
    if not is_a(now, np.ndarray) or now.shape != np.shape(then):
        return False
    steps = np.abs(np.asarray(now, dtype=float) - then)
    return bool(np.any(steps > 0) and np.all(steps <= _LARGEST_STEP * np.abs(then)))


def _is_same(now: Any, then: Any) -> bool:
    if not isinstance(then, np.ndarray):
        return callable(then) or (not is_a(now, Remote) and bool(now == then))
    # A number that was put back by adding and subtracting is off by rounding.
    return (
        is_a(now, np.ndarray)
        and now.shape == then.shape
        and np.allclose(now, then, rtol=1e-9, atol=1e-18, equal_nan=True)
    )


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


def arrays_of(value: Any) -> list[Array]:
    """Return the arrays of numbers in a value and in its lists, tuples and dictionaries."""
    if is_a(value, np.ndarray):
        return [value] if value.dtype.kind in "biuf" else []
    if is_a(value, dict):
        value = list(value.values())
    entries = value if is_a(value, list | tuple) else []
    return [array for entry in entries for array in arrays_of(entry)]
