"""What is written into a cell of a table of our own, so that a spreadsheet computes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hw_grading.records.writing import csv_of
from hw_support.submission.problems import encodable


def points(number: float) -> str:
    """Return points with at most two decimals, which is what platforms keep: ``"87.5"``."""
    return f"{round(number, 2):.12g}"


def counted(number: int, noun: str) -> str:
    """Return a number and a noun, which gets an "s" where it has to: ``"1 student"``."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def as_csv(rows: Iterable[Sequence[Any]]) -> bytes:
    """Return a table as CSV in UTF-8, each value as `hw_grading.records.writing.cell` has it."""
    return encodable(csv_of(rows)).encode()
