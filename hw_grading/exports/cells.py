"""What is written into a cell of a table of our own, so that a spreadsheet computes nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from hw_support.failures import one_line
from hw_support.submission.problems import encodable

# What a spreadsheet takes for the beginning of a formula, the wide forms included.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def cell(value: Any) -> Any:
    """Return what is written for a value: a number as it is, a text so that nothing is computed.

    A text that a spreadsheet would compute gets an apostrophe in front, as OWASP advises.
    """
    if value is None or isinstance(value, int | float):
        return value
    text = one_line(str(value))  # without tabs and line breaks, which begin a formula as well
    return f"'{text}" if text.startswith(_FORMULA) else text


def points(number: float) -> str:
    """Return points with at most two decimals, which is what platforms keep: ``"87.5"``."""
    return f"{round(number, 2):.12g}"


def counted(number: int, noun: str) -> str:
    """Return a number and a noun, which gets an "s" where it has to: ``"1 student"``."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def as_csv(rows: Iterable[Sequence[Any]]) -> bytes:
    """Return a table as CSV in UTF-8, each value as `cell` has it."""
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows([cell(v) for v in row] for row in rows)
    return encodable(stream.getvalue()).encode()
