"""Format the cells of this project's own tables, so that no spreadsheet runs a formula."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hw_grading.records.writing import csv_of
from hw_support.submission.problems import encodable


def points(number: float) -> str:
    """Return points with at most two decimals, as platforms keep them: ``"87.5"``."""
    return f"{round(number, 2):.12g}"


def as_csv(rows: Iterable[Sequence[Any]]) -> bytes:
    """Return a table as CSV in UTF-8; `hw_grading.records.writing.cell` formats each value."""
    return encodable(csv_of(rows)).encode()
