"""Deliverables: results that a student shows of the functions that earlier tests have judged.

Whatever these functions return counts as right, since their mistakes have cost points already.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from types import CodeType
from typing import Any

import numpy as np

from hw_support.checks.causes import IN_ANOTHER_ORDER, times
from hw_support.checks.compare import Mismatch
from hw_support.checks.failures import Place
from hw_support.checks.notebook_access import Score


def excuse(error: BaseException, place: Place | None, earned: Mapping[str, Score]) -> str:
    """Say that a function of the student's, which has a test of its own, caused an error; or "".

    `earned` has the points, earned and possible, of each function that is tested.
    """
    if isinstance(error, Mismatch | NotImplementedError) or not isinstance(error, Exception):
        return ""
    missing = str(error.name) if isinstance(error, NameError) else ""
    got, possible = earned.get(missing, (0.0, 0.0))
    if got < possible:
        what = f"{missing} is not defined"
    elif place:
        what = f"{place.function} raises an error here"
    else:
        return ""
    return f"{what}, which has cost points in its own test"


def with_too_few_points(functions: Sequence[str], earned: Mapping[str, Score]) -> str:
    """Say that one of these functions and another have less than half of their points; or ""."""
    poor = [name for name, (got, points) in earned.items() if got < points / 2]
    if len(poor) < 2 or not {*functions} & {*poor}:
        return ""
    return (
        f"{' and '.join(poor)} have less than half of their points, so their results do not count"
    )


def expect_shown(
    names: str,
    values: Sequence[Any],
    right: Sequence[Any],
    compare: Callable[..., object],
    how: Mapping[str, Any],
) -> None:
    """Compare the values of names with what is right; `Mismatch` names a likely cause."""
    for name, value, due in zip(names.split(", "), values, right, strict=True):
        try:
            compare(value, due, what=name, **how)
        except Mismatch as error:
            if not error.cause:
                error.cause = _cause_of(error, names, values, right, compare, how)
            raise


def _cause_of(
    error: Mismatch,
    names: str,
    values: Sequence[Any],
    right: Sequence[Any],
    compare: Callable[..., object],
    how: Mapping[str, Any],
) -> str:
    """Return why a deliverable shows a wrong value: a multiple, or values of other names."""
    got, due = error.got, error.expected
    with contextlib.suppress(TypeError, ValueError):  # of what is no number
        if np.size(got) > 1 and np.array_equal(np.sort(got, None), np.sort(due, None)):
            return IN_ANOTHER_ORDER
        if cause := times(np.asarray(got).item(), np.asarray(due).item()):
            return cause
    with contextlib.suppress(Exception):
        for other, its in zip(values, reversed(right), strict=True):
            compare(other, its, what="", **how)
        return f"the values of {names} have changed places"
    return ""


def named_by(call: Callable[[], object], names: Mapping[str, Any], file: str) -> list[str]:
    """Return the names that a function reads, also through other functions of its cell, `file`."""
    found, codes = dict[str, None](), [getattr(call, "__code__", None)]
    for code in codes:  # which grows
        for name in _names_in(code) if code else ():
            other = getattr(names.get(name), "__code__", None)
            if name not in found and getattr(other, "co_filename", "") == file:
                codes.append(other)
            found[name] = None
    return [*found]


def _names_in(code: CodeType) -> list[str]:
    inner = [name for one in code.co_consts if isinstance(one, CodeType) for name in _names_in(one)]
    return [*code.co_names, *inner]
